from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import pytest

from analysis.views.storied import driven, golden, played, prune, stored, storied
from rung.analysis.views import plain, show
from rung.api.handle import Handle
from rung.model import Reason, ScheduleSpec, WireNumber
from rung.schedule.stopping import Rungs as Held
from rung.study import events as ev
from rung.testing.studies import STUDY


def seen(handle: Handle, **options: Any) -> Any:
    return plain(show(handle, "rungs", **options))


def decisions(handle: Handle) -> list[Any]:
    kinds, others = ev.TrialStopped | ev.TrialPaused | ev.TrialContinued, {"user", "budget", "runner"}
    return [event for _, event in handle.story() if isinstance(event, kinds) and event.reason.by not in others]


ONE: dict[str, WireNumber] = {"loss": 1.0}
ASHA: list[tuple[str, dict[str, Any]]] = [
    ("asha", {"max": 9}),
    ("asha", {"max": 9, "type": "promotion"}),
    ("asha", {"max": 27, "brackets": 2}),
    ("hyperband", {"max": 9}),
    ("hyperband", {"max": 9, "type": "promotion"}),
]


@pytest.mark.parametrize("steps", [60, 10_000])
@pytest.mark.parametrize(("method", "options"), ASHA)
def test_as_many_came_to_each_rung_as_the_scheduler_itself_has_there(
    method: str, options: dict[str, Any], steps: int
) -> None:
    world = driven(method, steps=steps, **options)
    scheduler = world.engine.policy.scheduler  # type: ignore[attr-defined]
    rungs: Held = scheduler.race.rungs
    found = seen(Handle(world.store, STUDY))
    assert found["brackets"], "a scheduler with rungs shows them"
    for bracket in found["brackets"]:
        assert bracket["trials"] == rungs.allocation.counts[bracket["bracket"]]
        for place, level in enumerate(bracket["rungs"]):
            index = place + bracket["bracket"]
            if index < len(rungs.ladder.levels):
                assert level["resource"] == rungs.ladder.levels[index]
                assert level["came"] == len(rungs.of(bracket["bracket"], index))


EVERY = [
    *ASHA, ("hyperband", {"max": 9, "synchronous": True}), ("adaptive", {"max": 9}),
    ("adaptive", {"max": 9, "type": "promotion"}),
]  # fmt: skip


@pytest.mark.parametrize("steps", [60, 10_000])
@pytest.mark.parametrize(("method", "options"), EVERY)
def test_who_came_is_stopped_waits_ended_or_went_on_to_the_next(
    method: str, options: dict[str, Any], steps: int
) -> None:
    world = driven(method, steps=steps, **options)
    handle = Handle(world.store, STUDY)
    found = seen(handle)
    for bracket in found["brackets"]:
        levels = bracket["rungs"]
        for level, following in itertools.pairwise(levels):
            parts = ("went_on", "stopped", "waiting", "ended")
            assert level["came"] == sum(level[part] for part in parts)
            assert level["went_on"] >= following["came"], "who goes on is there, or on the way"
    waiting = sum(level["waiting"] for bracket in found["brackets"] for level in bracket["rungs"])
    last = {event.trial: event for event in decisions(handle)}
    assert waiting == sum(
        isinstance(event, ev.TrialPaused) and handle.trial(number).state not in {"pruned", "complete", "failed"}
        for number, event in last.items()
    )
    stopped = sum(level["stopped"] for bracket in found["brackets"] for level in bracket["rungs"])
    if handle.state.switches.completed is not None:
        assert stopped == handle.state.counts["pruned"]
        assert waiting == 0


@pytest.mark.parametrize(("method", "options"), [*EVERY, ("median", {"max": 9}), ("patience", {"reports": 3})])
def test_every_decision_of_the_scheduler_with_its_grounds(method: str, options: dict[str, Any]) -> None:
    handle = played(method, **options)
    found, expected = seen(handle), decisions(handle)
    assert found["of"] == found["shown"] == len(expected) > 0
    assert found["number"] == [event.trial for event in expected]
    assert found["at"] == [event.at - handle.state.created.at for event in expected]
    assert found["by"] == [event.reason.by for event in expected]
    for name in ("bracket", "rung", "value", "threshold"):
        assert found[name] == [event.reason.data.get(name) for event in expected]
    assert found["resource_at"] == [event.reason.data.get("resource") for event in expected]
    assert found["lost_to"] == [event.reason.data.get("lost_to", [])[:5] for event in expected]
    names = {"TrialPaused": "paused", "TrialContinued": "continued"}
    stops = [names.get(type(e).__name__) or ("completed" if e.complete else "stopped") for e in expected]
    assert found["act"] == stops
    assert (found["method"], found["resource"]) == (method, "epoch")
    some = seen(handle, acts="stopped")
    assert (some["of"], set(some["act"])) == (stops.count("stopped"), {"stopped"} & set(stops))


def test_a_bracket_alone_and_fewer_marks() -> None:
    handle = played("hyperband", max=9)
    every, one = seen(handle), seen(handle, bracket=1)
    assert one["of"] == every["bracket"].count(1) > 0
    assert set(one["bracket"]) == {1}
    few = seen(handle, marks=3)
    assert (few["shown"], few["of"], len(few["number"])) == (3, every["of"], 3)


def test_what_is_planned_is_what_plan_says() -> None:
    handle = played("hyperband", max=9, trials=16)
    from rung.plugins import policy_for

    planned = policy_for(handle.state).scheduler.brackets(16)  # type: ignore[attr-defined]
    assert [[level["planned"] for level in b["rungs"]] for b in seen(handle)["brackets"]] == [
        [level.trials for level in bracket.levels] for bracket in planned
    ]


def test_generations_of_a_population() -> None:
    handle = played("pbt", interval=3, max=9, population=4, trials=20)
    found = seen(handle)
    assert found["brackets"] == []
    generation: dict[int, int] = {}
    for _, event in handle.story():
        if isinstance(event, ev.TrialProposed):
            parent = event.reason.parent
            generation[event.trial] = 0 if parent is None else generation[parent] + 1
    assert {g["generation"]: g["trials"] for g in found["generations"]} == dict(Counter(generation.values()))
    replaced = Counter(
        generation[e.trial] for e in decisions(handle) if isinstance(e, ev.TrialStopped) and not e.complete
    )
    for one in found["generations"]:
        assert one["replaced"] == replaced[one["generation"]]
        values = {n: handle.trial(n).value for n, g in generation.items() if g == one["generation"]}
        assert one["best"] == min(value for value in values.values() if value is not None)
        assert values[one["best_number"]] == one["best"]


@pytest.mark.parametrize("name", ["promoted", "population", "trouble", "plain"])
def test_logs_of_every_kind_can_be_shown(name: str) -> None:
    handle = stored(golden(name))
    assert seen(handle)["of"] == len(decisions(handle))


def test_what_people_and_budgets_end_is_no_decision_of_the_scheduler() -> None:
    log = storied()
    prune(log, 1.0, by="user")
    prune(log, 1.0, by="budget")
    prune(log, 2.0, by="median")
    assert seen(log.handle)["number"] == [2]


def test_a_scheduler_that_is_no_part_of_rung_has_the_rungs_that_it_names() -> None:
    log = storied(schedule=ScheduleSpec(method="./mine.py", resource="epoch"))
    for reports, rung in ((2, 0), (4, 1), (6, None)):
        number = log.started()
        log.reported(number, *[ONE] * reports)
        if rung is not None:
            data = {"rule": "mine", "rung": rung, "resource": [2, 4][rung], "value": "NaN", "threshold": {"odd": 1}}
            why = Reason(by="mine", text="because", data=data)
            log.add(ev.TrialStopped, trial=number, attempt=1, reason=why)
        log.exited(number)
        log.completed(number, 1.0, state="complete" if rung is None else "pruned")
    found = seen(log.handle)
    (bracket,) = found["brackets"]
    levels = [
        (r["resource"], r["planned"], r["came"], r["stopped"], r["went_on"], r["ended"]) for r in bracket["rungs"]
    ]
    assert levels == [(2.0, None, 3, 1, 2, 0), (4.0, None, 2, 1, 0, 1)]
    assert (found["value"], found["threshold"]) == (["NaN", "NaN"], [None, None])


@pytest.mark.parametrize("method", ["none", "asha", "median", "pbt"])
def test_without_trials(method: str) -> None:
    options = {"interval": 1, "max": 9} if method == "pbt" else {"max": 9} if method == "asha" else {}
    found = seen(storied(schedule=ScheduleSpec(method=method, options=options)).handle)
    assert (found["of"], found["generations"]) == (0, [])
    assert [r["came"] for b in found["brackets"] for r in b["rungs"]] == ([0, 0, 0] if method == "asha" else [])
