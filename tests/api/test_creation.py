from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from rung.api.creation import Opened, create, create_or_continue, created_event, describe
from rung.model import BadInput, Budget, Parameter, Reason, RunSettings, SearchSpec, StudySpec
from rung.store.base import Store
from rung.store.memory import MemoryStore
from rung.study import events as ev
from rung.testing.studies import study_spec


def spec(**changes: Any) -> StudySpec:
    return msgspec.structs.replace(study_spec(), **{"name": None, **changes})


def event(wanted: StudySpec) -> ev.StudyCreated:
    here = Path.cwd()
    return created_event(wanted, runs=here / "runs", cwd=here, command_line=["rung", "run"], surface="test")


def opened(store: Store, **changes: Any) -> Opened:
    return create_or_continue(store, event(spec(**changes)), stem="study")


def test_each_study_without_a_name_is_a_new_one() -> None:
    store = MemoryStore()
    made = [create(store, event(spec()), stem=stem) for stem in ("train", "train", "digits", "train")]
    assert [handle.name for handle in made] == ["train-1", "train-2", "digits-1", "train-3"]
    assert [handle.state.spec.name for handle in made] == [handle.name for handle in made]


def test_numbers_are_not_used_again_and_other_names_do_not_count() -> None:
    store = MemoryStore()
    for name in ("train-9", "train-x", "train", "train-10-b"):
        create(store, event(spec(name=name)), stem="unused")
    assert create(store, event(spec()), stem="train").name == "train-10"


def test_a_name_that_is_taken() -> None:
    store = MemoryStore()
    create(store, event(spec(name="mine")), stem="x")
    with pytest.raises(BadInput, match="mine"):
        create(store, event(spec(name="mine")), stem="x")


def test_a_seed_is_drawn_once() -> None:
    seeds = [event(spec()).seed for _ in range(8)]
    assert len(set(seeds)) == 8
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert event(spec(search=SearchSpec(seed=5))).seed == 5


def test_the_same_search_goes_on() -> None:
    store = MemoryStore()
    first = opened(store, name="mine", search=SearchSpec(seed=5))
    again = opened(store, name="mine", search=SearchSpec())  # no seed given: the one it has
    assert (first.how, again.how, again.changes) == ("created", "continued", [])
    assert again.handle.state.seed == 5


def test_budget_and_run_settings_may_change_and_are_logged() -> None:
    store = MemoryStore()
    opened(store, name="mine")
    again = opened(store, name="mine", budget=Budget(trials=9), run=RunSettings(retries=2, workers=8))
    assert again.how == "continued"
    assert [(change.path, change.old, change.new) for change in again.changes] == [
        ("budget.trials", 4, 9),
        ("run.retries", None, 2),
    ]
    again.handle.refresh()
    assert (again.handle.state.spec.budget.trials, again.handle.state.spec.run.retries) == (9, 2)
    assert len(again.handle.state.changes) == 1


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"parameters": (Parameter(name="lr", type="float", min=0, max=1),)}, "parameters"),
        ({"command": ("other", "{rest}")}, "command"),
        ({"search": SearchSpec(method="sobol")}, "search.method: was 'random', is 'sobol'"),
        ({"search": SearchSpec(method="random", seed=99)}, "search.seed"),
        ({"constraints": ("lr < 0.05",)}, "constraints"),
        ({"start": "default"}, "start"),
    ],
)
def test_another_search_is_refused_with_the_ways_on(changes: dict[str, Any], path: str) -> None:
    store = MemoryStore()
    opened(store, name="mine")
    before = store.position("mine")
    with pytest.raises(BadInput) as raised:
        opened(store, name="mine", **changes)
    text = str(raised.value)
    assert text.startswith("--name: study mine exists and is another search (")
    assert path in text
    assert "take another --name" in text
    assert "rung edit mine --set budget.trials=N" in text
    assert store.position("mine") == before


def test_a_finished_study_is_left_alone() -> None:
    store = MemoryStore()
    first = opened(store, name="mine")
    first.handle.store.append("mine", [_entry_of_the_end()], after=0)
    again = opened(store, name="mine", command=("other",), budget=Budget(trials=99))
    assert again.how == "finished"
    assert again.handle.status() == "complete"


def _entry_of_the_end() -> Any:
    from rung.runner.log import entry

    reason = Reason(by="test", text="enough")
    return entry(ev.StudyCompleted(at=0.0, based_on=1, runner="r", epoch=1, state="complete", reason=reason))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"search": SearchSpec(method="grid")}, "infinitely many values"),
        ({"search": SearchSpec(method="randon")}, "unknown searcher 'randon'; did you mean `random`?"),
        (
            {"search": SearchSpec(method="random", options={"depth": 3})},
            "search: random has no option `depth`; known: `independent`",
        ),
        ({"search": SearchSpec(method="nowhere.py")}, "nowhere.py: no such file"),
        ({"start": ({"lr": 7.0},)}, "lr"),
        ({"start": "middle", "constraints": ("lr > 0.09",)}, "lr > 0.09"),
    ],
)
def test_what_cannot_run_is_not_created(changes: dict[str, Any], message: str) -> None:
    store = MemoryStore()
    with pytest.raises(BadInput) as raised:
        opened(store, **changes)
    assert message in str(raised.value)
    assert store.studies() == []


def test_a_searcher_from_a_file(here: Path) -> None:
    (here / "mine.py").write_text(
        "from rung.search.random import Random\n\n\nclass Mine(Random):\n    def describe(self):\n        return 'mine: as random'\n"
    )
    wanted = event(spec(search=SearchSpec(method=str(here / "mine.py"))))
    assert describe(wanted) == "mine: as random"
    (here / "mine.py").write_text("x = 1\n")
    with pytest.raises(BadInput, match="expected a class with `suggest`, or with `ask` and `tell`, found none"):
        describe(wanted)


@pytest.mark.parametrize("domain", [{"min": 0.0, "max": 1.0}, {"min": 0, "max": 1, "step": 0.5}])
def test_constraints_that_nothing_keeps_are_refused_before_anything_is_written(domain: dict[str, Any]) -> None:
    store = MemoryStore()
    with pytest.raises(BadInput, match=r"constraints: no .* keeps? `x > 5`"):
        opened(store, parameters=(Parameter(name="x", type="float", **domain),), constraints=("x > 5",))
    assert not store.studies()
