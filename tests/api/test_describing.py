from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from rung.api.describing import SPARKS, best_line, changed_code, code_of, light, search_text, shown, summary
from rung.api.handle import Handle
from rung.api.provenance import collect
from rung.model import Budget, Objective, RunSettings, SearchSpec, StudySpec
from rung.study import events as ev
from rung.study.state import State
from rung.testing.studies import STUDY, Ending, World, study_spec


def told(*values: float | str, **spec: object) -> World:
    """A study whose trials had these values, one after the other."""

    def behave(trial: int, attempt: int, params: object) -> Ending:
        return Ending(reports=({"loss": values[trial]},))  # type: ignore[dict-item]

    return World(study_spec(trials=len(values), **spec), behave=behave).run()  # type: ignore[arg-type]


def test_a_summary(handle: Handle) -> None:
    found = summary(handle)
    assert (found.name, found.trials, found.budget, found.metric, found.goal) == (STUDY, 3, 4, "loss", "minimize")
    assert found.counts["complete"] == 2
    best = handle.best()[0]
    assert (found.best, found.best_trial) == (best.value, best.number)
    assert found.line[-1] == found.best
    assert found.runs


def test_the_summary_of_an_empty_study() -> None:
    found = summary(Handle(World(study_spec()).store, STUDY))
    assert (found.trials, found.best, found.best_trial, found.line) == (0, None, None, [])


def test_a_study_without_an_objective() -> None:
    found = summary(Handle(World(study_spec(trials=1, objectives=())).run().store, STUDY))
    assert (found.metric, found.best, found.line, found.objectives) == (None, None, [], 0)


@pytest.mark.parametrize(
    ("goal", "values", "line"),
    [
        ("minimize", [3, 4, 2, 5, 1], [3, 3, 2, 2, 1]),
        ("maximize", [3, 4, 2, 5, 1], [3, 4, 4, 5, 5]),
        (3.5, [5, 3, 4, 0], [5, 3, 3, 3]),
        ("minimize", ["NaN", 4, "Infinity", 2], [4, 2]),
        ("minimize", ["NaN", "-Infinity"], []),
    ],
)
def test_the_line_is_the_best_so_far(goal: object, values: list[float | str], line: list[float]) -> None:
    world = told(*values, objectives=(Objective(metric="loss", goal=goal),))  # type: ignore[arg-type]
    assert best_line(world.state) == line


def test_a_long_line_is_thinned_and_keeps_both_ends() -> None:
    values = [200.0 - number for number in range(150)]
    line = best_line(told(*values).state)
    assert len(line) == SPARKS
    assert (line[0], line[-1]) == (values[0], values[-1])
    assert line == sorted(line, reverse=True)


def test_workers_are_those_of_runners_that_are_attached(world: World) -> None:
    world.fact(ev.RunnerAttached, runner="f", epoch=9, host="host", pid=1, workers=3, follows=True)
    handle = Handle(world.store, STUDY)
    assert (summary(handle).workers, summary(handle).runners) == (4, 2)  # its lease is of another host
    world.request(ev.SpecChanged, changes=(), run=RunSettings(workers=5))
    handle.refresh()
    assert summary(handle).workers == 6
    world.store.release(world.lease)
    assert (summary(handle).workers, summary(handle).state) == (0, "interrupted")


def test_notes_are_in_the_summary_and_the_description(handle: Handle) -> None:
    handle.annotate(text="first line\nsecond", tag=["a", "b"], archived=True)
    handle.annotate(untag=["a"])
    found = summary(handle)
    assert (found.note, found.tags, found.archived) == ("first line", ["b"], True)
    whole = shown(handle)
    assert (whole["note"], whole["tags"], whole["archived"]) == ("first line\nsecond", ["b"], True)
    assert whole["changes"] == []  # a note is no change of the search


def test_the_best_of_show_is_one_trial_or_a_front(handle: Handle) -> None:
    assert shown(handle)["best"]["number"] == handle.best()[0].number
    two = (Objective(metric="loss"), Objective(metric="acc"))
    assert shown(Handle(World(study_spec(objectives=two)).store, STUDY))["best"] == []
    assert shown(Handle(World(study_spec()).store, STUDY))["best"] is None
    assert list(shown(handle))[:9] == ["name", "state", "spec", "seed", "counts", "best", "elapsed", "code", "changes"]


def test_a_plugin_is_named_and_not_loaded(tmp_path: Path) -> None:
    trap = tmp_path / "mine.py"
    trap.write_text("raise SystemExit('loaded')\n")
    spec = study_spec(search=SearchSpec(method=str(trap)))
    created = ev.StudyCreated(at=1.0, uid="u", spec=spec, seed=1)
    assert search_text(State.begin(created, seq=1)) == f"{trap}: a plug-in"


@pytest.fixture
def created(tmp_path: Path) -> ev.StudyCreated:
    """A study of the script `train.py`, with all that is recorded when it begins."""
    (tmp_path / "train.py").write_text("print('loss: 1')\n")
    spec = StudySpec(command=("python", "train.py", "{rest}"), budget=Budget(trials=1))
    noted = collect(spec, cwd=tmp_path, runs=tmp_path / "runs", command_line=[], surface="test")
    return ev.StudyCreated(at=1.0, uid="u", spec=spec, seed=1, provenance=noted)


def test_code_that_is_as_it_was(created: ev.StudyCreated) -> None:
    assert changed_code(created) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda script: script.write_text("print('loss: 2')\n# longer\n"), "has changed since the study was created"),
        (lambda script: script.unlink(), "is not there any more"),
    ],
)
def test_a_script_that_was_changed_is_said(
    created: ev.StudyCreated, tmp_path: Path, change: Callable[[Path], object], said: str
) -> None:
    change(tmp_path / "train.py")
    [line] = changed_code(created)
    assert line.startswith(str(tmp_path / "train.py"))
    assert said in line


def test_a_study_of_which_nothing_is_recorded(created: ev.StudyCreated) -> None:
    assert changed_code(msgspec.structs.replace(created, provenance={})) == []


def test_what_is_long_can_be_left_out(created: ev.StudyCreated) -> None:
    code = code_of(created.provenance)
    assert "packages" in code
    assert "packages" not in light(code)
    assert light(code)["script"] == code["script"]
