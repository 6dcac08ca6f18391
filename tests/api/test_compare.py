"""What a comparison consists of, and that its studies are made, continued and left alone as they should be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from rung.api.compare import (
    Problem,
    Run,
    SimulatedStudies,
    Studies,
    default_methods,
    grouped,
    label_of,
    parse_seeds,
    planned,
    read_problem,
    read_simulated,
    with_method,
    with_seed,
)
from rung.api.handle import Handle
from rung.api.places import Places
from rung.model import BadInput, ScheduleSpec, SearchSpec
from rung.plugins import open_store
from rung.store.base import Store

STUDY = """
function: f.py:score
parameters:
  x: {type: float, min: 0, max: 1}
objective: loss
search: {method: gp}
schedule: {method: asha, resource: epoch, min: 1, max: 9, eta: 3}
budget: {trials: 4}
run: {executor: inline}
"""


@pytest.fixture
def problem(here: Path) -> Problem:
    """A study file `toy.yaml` of a function."""
    (here / "f.py").write_text("def score(p):\n    return p['x']\n")
    (here / "toy.yaml").write_text(STUDY)
    return read_problem("toy.yaml", [], cwd=here)


@pytest.fixture
def store(here: Path) -> Iterator[Store]:
    """A store on disk."""
    opened = open_store(f"sqlite:///{here}/rung.db")
    yield opened
    opened.close()


def runs_of(problem: Problem, *methods: str, seeds: str = "2", settings: tuple[str, ...] = ()) -> list[Run]:
    return planned([problem], methods, parse_seeds(seeds), settings=settings, cwd=Path.cwd())


def studies_in(store: Store, here: Path, workers: int | None = None) -> Studies:
    return Studies(store, Places(store.url, here / "runs"), ["rung", "compare"], workers=workers)


# ------------------------------------------------------------------------------------------------------------ words


def test_seeds_are_numbered_from_0_or_as_given() -> None:
    assert parse_seeds("3") == (0, 1, 2)
    assert parse_seeds("5:7") == (5, 6, 7)
    for bad in ("0", "x", "7:5", "1:", ":3", "-1", "1.5"):
        with pytest.raises(BadInput, match="--seeds"):
            parse_seeds(bad)


def test_studies_by_method_and_seed() -> None:
    assert grouped(["a-tpe-s0", "a-tpe-s12", "b", "a-s-x"]) == {
        "a-tpe": {0: "a-tpe-s0", 12: "a-tpe-s12"}, "b": {0: "b"}, "a-s-x": {0: "a-s-x"},
    }  # fmt: skip
    with pytest.raises(BadInput, match="there twice"):
        grouped(["a-s1", "a-s1"])


def test_each_run_is_a_study_with_a_name_of_its_own(problem: Problem) -> None:
    found = runs_of(problem, "tpe", "random+none", "optuna:TPESampler")
    assert [run.study for run in found] == [
        "toy-tpe-s0", "toy-random-none-s0", "toy-optuna-TPESampler-s0",
        "toy-tpe-s1", "toy-random-none-s1", "toy-optuna-TPESampler-s1",
    ]  # fmt: skip
    spec = with_seed(found[3], workers=3)
    assert (spec.name, spec.search.seed, spec.run.workers) == ("toy-tpe-s1", 1, 3)
    assert with_seed(found[3], workers=None).run.workers == 1


def test_a_method_keeps_the_options_that_it_has_too(problem: Problem) -> None:
    given = Problem("toy", msgspec.structs.replace(problem.spec, search=SearchSpec(method="gp", options={"no": 1})))
    assert with_method(given, "gp", [], cwd=Path.cwd()).search.options == {"no": 1}
    tpe = with_method(given, "tpe", [], cwd=Path.cwd())
    assert tpe.search == SearchSpec(method="tpe")
    assert tpe.schedule == problem.spec.schedule  # not named: it stays
    assert with_method(given, "tpe+none", [], cwd=Path.cwd()).schedule == ScheduleSpec(resource="epoch")
    hyperband = with_method(given, "tpe+hyperband", [], cwd=Path.cwd()).schedule
    assert hyperband.options == {"min": 1, "max": 9, "eta": 3}


def test_a_study_file_is_a_method(problem: Problem, here: Path) -> None:
    (here / "other.yaml").write_text(STUDY.replace("gp", "sobol").replace("max: 1}", "max: 2}"))
    found = runs_of(problem, "other.yaml")[0]
    assert found.study == "toy-other-s0"
    assert found.spec.search.method == "sobol"
    assert found.spec.parameters[0].max == 2
    (here / "other.yaml").write_text(STUDY.replace("objective: loss", "objective: error"))
    with pytest.raises(BadInput, match="other objectives"):
        runs_of(problem, "other.yaml")


def test_what_is_compared_by_default(problem: Problem) -> None:
    assert default_methods(problem) == ("gp+asha", "random+none")
    plain = msgspec.structs.replace(problem.spec, schedule=ScheduleSpec(), search=SearchSpec(method="random"))
    assert default_methods(Problem("p", plain)) == ("random",)


def test_files_are_called_by_their_stem(here: Path) -> None:
    assert label_of("./mine.py+asha", cwd=here) == "mine+asha"
    assert label_of("tpe", cwd=here) == "tpe"


@pytest.mark.parametrize(
    ("methods", "word"),
    [(("tpe", "tpe"), "there twice"), (("tpee",), "did you mean `tpe`"), (("tpe+ashaa",), "`asha`"),
     (("tpe+none", "tpe-none"), "unknown searcher")],
)  # fmt: skip
def test_methods_that_cannot_be_compared(problem: Problem, methods: tuple[str, ...], word: str) -> None:
    with pytest.raises(BadInput, match=word) as caught:
        runs_of(problem, *methods)
    assert str(caught.value).startswith("--methods: ")


def test_a_problem_is_a_study_file(problem: Problem, here: Path) -> None:
    with pytest.raises(BadInput, match=r"f\.py: expected a study file"):
        read_problem("f.py", [], cwd=here)
    with pytest.raises(BadInput, match="FILES: toy is there twice"):
        planned([problem, problem], ["tpe"], (0,), settings=[], cwd=here)
    longer = read_problem("toy.yaml", ["budget.trials=9"], cwd=here)
    assert longer.spec.budget.trials == 9


def test_a_simulated_problem_needs_no_program(here: Path) -> None:
    (here / "lc.yaml").write_text(STUDY.replace("function: f.py:score", "command: python gone.py"))
    found = read_simulated("lc.yaml", [], ["1", "a b"], cwd=here)
    assert [(p.stem, p.dataset) for p in found] == [("lc-1", "1"), ("lc-a-b", "a b")]
    assert read_simulated("lc.yaml", [], [], cwd=here)[0].stem == "lc-simulated"
    timed = read_simulated("lc.yaml", ["budget.trials=null", "budget.time=2h"], [], cwd=here)[0]
    assert (timed.spec.budget.trials, timed.spec.budget.time_s) == (None, 7200)


# ---------------------------------------------------------------------------------------------------------- studies


def finish(store: Store, name: str) -> None:
    from rung.api.attachment import attach

    attach(Handle(store, name), workers=1, observe=lambda *_: None, say=lambda _: None)


def test_a_study_is_made_continued_and_left_alone(problem: Problem, store: Store, here: Path) -> None:
    studies, run = studies_in(store, here), runs_of(problem, "random+none")[0]
    studies.check([run])
    assert studies.find(run) is None
    made = studies.open(run)
    assert made is not None
    assert made.state.spec.name == "toy-random-none-s0"
    assert studies.open(run) is not None  # it has not begun
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        patch.syspath_prepend(str(here))
        finish(store, run.study)
    assert studies.open(run) is None
    found = studies.find(run)
    assert found is not None
    assert found.state.counts["complete"] == 4

    longer = runs_of(read_problem("toy.yaml", ["budget.trials=6"], cwd=here), "random+none")[0]
    again = studies.open(longer)
    assert again is not None
    assert again.state.spec.budget.trials == 6
    assert again.state.switches.completed is None


def test_another_search_of_that_name_is_refused(problem: Problem, store: Store, here: Path) -> None:
    studies = studies_in(store, here)
    studies.open(runs_of(problem, "random+none")[0])
    wider = read_problem("toy.yaml", ["parameters.x.max=3"], cwd=here)
    with pytest.raises(BadInput, match=r"parameters\.x\.max: was 1"):
        studies.open(runs_of(wider, "random+none")[0])


def test_what_cannot_start_is_said_before_anything_is_written(problem: Problem, store: Store, here: Path) -> None:
    bad = read_problem("toy.yaml", ["schedule.eta=1"], cwd=here)
    with pytest.raises(BadInput, match="eta"):
        studies_in(store, here).check(runs_of(bad, "random+asha"))
    assert not (here / "rung.db").exists()


def test_a_store_in_memory_cannot_be_shared(here: Path) -> None:
    memory = open_store("memory://")
    with pytest.raises(BadInput, match="--store"):
        Studies(memory, Places("memory://", here), [], workers=None)


def test_a_simulated_run_is_a_study_file_of_its_own(store: Store, here: Path) -> None:
    (here / "lc.yaml").write_text(STUDY)
    problems = read_simulated("lc.yaml", [], ["7"], cwd=here)
    run = planned(problems, ["random+asha"], (3,), settings=[], cwd=here)[0]
    studies = SimulatedStudies(
        store, Places(store.url, here / "runs"), [], workers=8, table="t.npz", problems=problems, conditions=["--x"]
    )
    made = studies.open(run)
    assert made is not None
    assert made.state.spec.command is None
    command = studies.resume(run)
    assert command[3:] == [
        "simulate", str(here / "runs/lc-7-random-asha-s3/study.yaml"), "--table", "t.npz", "--dataset", "7", "--name",
        "lc-7-random-asha-s3", "--store", store.url, "--x",
    ]  # fmt: skip
    written = read_simulated(command[4], [], [], cwd=here)[0].spec
    assert written == with_seed(run, workers=8)
