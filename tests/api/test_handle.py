from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

import rung
from rung.api.handle import Handle, differences, newest
from rung.model import BadInput, Budget, RunSettings, StoreUnusable, UnknownStudy
from rung.store.memory import MemoryStore
from rung.study import events as ev
from rung.testing.studies import STUDY, World, study_spec


def test_a_retry_that_the_budget_forbids_is_refused_and_says_the_way_on() -> None:
    world = World(study_spec(budget=Budget(trials=4, target=1e9))).run()
    with pytest.raises(BadInput, match=r"the target 1e\+09 is reached, so trial 0 cannot run: change the budget first"):
        Handle(world.store, STUDY).retry_trial(0)


def test_an_unknown_study_names_the_nearest(world: World) -> None:
    with pytest.raises(UnknownStudy, match=r"no study named study-2 in memory://; did you mean `study-1`\?"):
        Handle(world.store, "study-2")
    with pytest.raises(UnknownStudy, match="no study named x in memory://; there are none yet"):
        Handle(MemoryStore(), "x")


def test_loading_what_is_not_there(here: Path) -> None:
    with pytest.raises(StoreUnusable):
        rung.load("mine", store="sqlite:///nowhere.db")
    assert list(here.iterdir()) == []
    rung.Study({"x": rung.uniform(0, 1)}, store="sqlite:///s.db", name="mine")
    with pytest.raises(UnknownStudy, match=r"did you mean `mine`\?"):
        rung.load("nine", store="sqlite:///s.db")


def test_the_environment_says_where_to_load_from(monkeypatch: pytest.MonkeyPatch) -> None:
    rung.Study({"x": rung.uniform(0, 1)}, store="sqlite:///s.db", name="mine")
    monkeypatch.setenv("RUNG_STORE", "sqlite:///s.db")
    assert rung.load("mine").name == "mine"


def test_the_newest_study() -> None:
    store = MemoryStore()
    with pytest.raises(UnknownStudy, match="there is no study in memory:// yet"):
        newest(store)
    for name in ("b", "a"):
        store.create(name, [], at=1.0)
    assert newest(store) == "a"


def test_reading(handle: Handle, world: World) -> None:
    assert [trial.number for trial in handle.best(top=9)] == sorted(
        (0, 1), key=lambda n: world.state.trial(n).value or 0
    )
    assert [report.step for report in handle.reports(0)] == [1.0, 2.0]
    assert handle.reports(2) == []
    assert [type(event).__name__ for _, event in handle.story(2)] == ["TrialProposed", "AttemptAssigned"]
    for number in (-1, 3):
        with pytest.raises(BadInput, match=rf"study study-1 has no trial {number} \(it has 0 to 2\)"):
            handle.trial(number)


def test_only_the_reports_of_the_last_attempt_are_the_curve(world: World) -> None:
    world.report(2, loss=9.0)
    world.exit(2, how="lost", code=None)
    world.turn()
    world.report(2, loss=1.0)
    assert [report.values for report in Handle(world.store, STUDY).reports(2)] == [{"loss": 1.0}]


def test_the_public_state(handle: Handle, world: World) -> None:
    assert handle.status() == "running"
    handle.pause()
    handle.refresh()
    assert handle.status() == "paused"
    world.store.release(world.lease)
    assert handle.status() == "interrupted"


REQUESTS: list[tuple[str, tuple[Any, ...], dict[str, Any], ev.Request]] = [
    ("pause", (), {}, ev.PauseRequested(at=0)),
    ("unpause", (), {}, ev.UnpauseRequested(at=0)),
    ("stop", (), {}, ev.StopRequested(at=0)),
    ("stop", (), {"now": True}, ev.StopRequested(at=0, now=True)),
    ("stop_trial", (2,), {}, ev.TrialStopRequested(at=0, trial=2)),
    ("retry_trial", (0,), {}, ev.RetryRequested(at=0, trial=0)),
    ("tell", (0, {"loss": float("nan")}), {}, ev.TrialTold(at=0, trial=0, values={"loss": "NaN"})),
    (
        "enqueue", ({"lr": "0.01", "opt": "adam"},), {},
        ev.TrialEnqueued(at=0, params={"lr": 0.01, "width": 40, "opt": "adam"}),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("method", "arguments", "options", "expected"), REQUESTS)
def test_each_request_is_one_event_that_says_who(
    handle: Handle, method: str, arguments: tuple[Any, ...], options: dict[str, Any], expected: ev.Request
) -> None:
    getattr(handle, method)(*arguments, **options, surface="page")
    [found] = handle.refresh()
    assert isinstance(found, ev.Request)
    assert found.who.startswith("page:")
    assert found.at > 0
    assert msgspec.structs.replace(found, at=0.0, who="") == msgspec.structs.replace(expected, at=0.0)


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        ("stop_trial", (0,), "trial 0 is over already (complete)"),
        ("stop_trial", (9,), "study study-1 has no trial 9"),
        ("retry_trial", (2,), "trial 2 is not over (running)"),
        ("tell", (0, {"los": 1.0}), "study study-1 has no metric 'los'; did you mean `loss`?"),
        ("enqueue", ({"lr": 7},), "lr"),
        ("enqueue", ({"opt": "adam", "momentum": 0.5},), "momentum"),
        ("enqueue", ({"depth": 7},), "depth"),
        (
            "edit",
            ([("search.method", "grid")],),
            "--set search.method: only budget.*, run.*, parameters.* and constraints can change",
        ),
        ("edit", ([("budget.trails", "7")],), "trails"),
        ("edit", ([("budget.trials", "many")],), "trials"),
    ],
)
def test_what_cannot_be_asked_is_not_written(handle: Handle, method: str, arguments: Any, message: str) -> None:
    with pytest.raises(BadInput) as raised:
        getattr(handle, method)(*arguments)
    assert message in str(raised.value)
    assert handle.refresh() == []


def test_an_edit_is_a_logged_difference(handle: Handle) -> None:
    changes = handle.edit([("budget.trials", "9"), ("run.timeout", "5m"), ("run.retries", "0")])
    assert [change.path for change in changes] == ["budget.trials", "run.timeout"]
    handle.refresh()
    assert (handle.state.spec.budget.trials, handle.state.spec.run.timeout_s) == (9, 300.0)
    assert handle.edit([("budget.trials", "9")]) == []
    assert handle.refresh() == []


def test_differences_are_paths_with_both_values() -> None:
    old = study_spec(trials=3)
    new = study_spec(budget=Budget(target=0.5), run=RunSettings(retries=1))
    assert [(change.path, change.old, change.new) for change in differences(old, new)] == [
        ("budget.trials", 3, None), ("budget.target", None, 0.5), ("run.retries", None, 1),
    ]  # fmt: skip
