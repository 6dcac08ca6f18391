from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.views.storied import driven, golden, stored, storied
from rung.analysis.views import plain, show
from rung.analysis.views.timeline import laned
from rung.api.handle import Handle
from rung.study import events as ev
from rung.testing.studies import BEGIN, STUDY


def seen(handle: Handle, **options: Any) -> Any:
    return plain(show(handle, "timeline", **options))


def bars_of(handle: Handle) -> dict[tuple[int, int], dict[str, Any]]:
    """Each attempt by its own events."""
    found: dict[tuple[int, int], dict[str, Any]] = {}
    created = handle.state.created.at
    for _, event in handle.story():
        if isinstance(event, ev.AttemptAssigned):
            found[event.trial, event.attempt] = {"start": event.at - created, "end": None, "how": ""}
        elif isinstance(event, ev.TrialStarted):
            found[event.trial, event.attempt]["start"] = event.at - created
        elif isinstance(event, ev.TrialExited):
            found[event.trial, event.attempt] |= {"end": event.at - created, "how": event.how}
    return found


LOGS = ["plain", "trouble", "promoted", "population", "requests", "edited"]


@pytest.mark.parametrize("name", LOGS)
def test_a_bar_an_attempt(name: str) -> None:
    handle = stored(golden(name))
    found, bars = seen(handle), bars_of(handle)
    assert (found["of"], found["shown"]) == (len(bars), len(bars))
    last: dict[int, int] = {}
    for number, attempt in bars:
        last[number] = max(attempt, last.get(number, 0))
    for i, (number, attempt) in enumerate(zip(found["number"], found["attempt"], strict=True)):
        bar, trial = bars[number, attempt], handle.trial(number)
        assert (found["start"][i], found["end"][i], found["how"][i]) == (bar["start"], bar["end"], bar["how"])
        if attempt == last[number] and trial.state in {"complete", "pruned", "failed"}:
            assert found["outcome"][i] == trial.state
        elif bar["end"] is None:
            assert found["outcome"][i] == "running"
        else:
            assert found["outcome"][i] in {"paused", "again", "running"}
    for j, i in itertools.combinations(range(len(bars)), 2):
        if found["lane"][i] == found["lane"][j]:
            assert found["start"][i] >= (found["end"][j] if found["end"][j] is not None else np.inf)
    assert max(found["lane"]) < len(found["lanes"])


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20), st.sampled_from("ab")), max_size=20))
def test_lanes_are_as_few_as_can_be_and_never_move(spans: list[tuple[int, int, str]]) -> None:
    spans = sorted(spans)
    starts = np.array([start for start, _, _ in spans], dtype=np.float64)
    ends = starts + np.array([length for _, length, _ in spans], dtype=np.float64)
    hosts = [host for _, _, host in spans]
    lanes, named = laned(starts, ends, hosts)
    for host in "ab":
        mine = [i for i, other in enumerate(hosts) if other == host]
        most = max((sum(starts[j] <= starts[i] < ends[j] or (j == i) for j in mine if j <= i) for i in mine), default=0)
        assert len({int(lanes[i]) for i in mine}) == sum(lane.host == host for lane in named) == most
        places = [named[int(lanes[i])].place for i in mine]
        again, renamed = laned(starts[mine][:-1], ends[mine][:-1], [host] * max(0, len(mine) - 1))
        assert [renamed[int(lane)].place for lane in again] == places[: len(again)]


def test_a_window_and_the_longest_bars() -> None:
    log = storied()
    log.attached()
    for number in range(20):
        log.add(ev.TrialProposed, trial=number, params={"x": 0.5}, reason=_why(), at=BEGIN + 10 * number)
        log.add(ev.AttemptAssigned, trial=number, attempt=1, at=BEGIN + 10 * number)
        log.add(ev.TrialStarted, trial=number, attempt=1, pid=1, ticks=1, boot="b", host="h", at=BEGIN + 10 * number)
        log.add(ev.TrialExited, trial=number, attempt=1, how="exited", code=0, at=BEGIN + 10 * number + 1 + number % 7)
    handle = log.handle
    found = seen(handle, begin=50, end=100)
    assert found["number"] == [5, 6, 7, 8, 9, 10]
    assert (found["begin"], found["end_at"]) == (50.0, 100.0)
    few = seen(handle, marks=4)
    assert (few["of"], few["shown"], few["number"]) == (20, 4, [5, 6, 12, 13])
    lengths = {n: e - s for n, s, e in zip(few["number"], few["start"], few["end"], strict=True)}
    assert sorted(lengths.values()) == [6.0, 6.0, 7.0, 7.0]
    assert seen(handle, where="number == 3")["number"] == [3]
    assert seen(handle, begin=5, end=9)["number"] == []


def _why() -> Any:
    from rung.model import Reason

    return Reason(by="random", text="test")


def test_utilisation_and_how_many_worked() -> None:
    world = driven("asha", steps=70, max=9)
    handle = Handle(world.store, STUDY)
    found, bars = seen(handle), bars_of(handle)
    now = handle.state.switches.last_at - handle.state.created.at
    assert found["now"] == found["end_at"] == now
    worked = sum((now if bar["end"] is None else bar["end"]) - bar["start"] for bar in bars.values())
    there = 3 * (now - (handle.state.runners[1].since - handle.state.created.at))
    assert found["utilisation"] == pytest.approx(worked / there)
    width = now / len(found["busy"])
    assert sum(found["busy"]) * width == pytest.approx(worked)
    for at, busy in list(zip(found["busy_at"], found["busy"], strict=True))[::20]:
        low, high = at - width / 2, at + width / 2
        mean = sum(
            max(0.0, min(high, now if bar["end"] is None else bar["end"]) - max(low, bar["start"]))
            for bar in bars.values()
        )
        assert busy == pytest.approx(mean / width)


def test_runners_gaps_pauses_and_promotions() -> None:
    log = storied()
    at = BEGIN
    for epoch, (since, until) in enumerate([(10, 100), (50, 120), (200, 300), (290, None)], start=1):
        log.add(ev.RunnerAttached, runner=f"r{epoch}", epoch=epoch, host="h", pid=epoch, workers=2, at=at + since)
        if until is not None:
            log.add(ev.RunnerDetached, runner=f"r{epoch}", epoch=epoch, why="done", at=at + until)
    log.add(ev.PauseRequested, at=at + 310)
    found = seen(log.handle)
    assert [(r["runner"], r["begin"], r["end"], r["why"]) for r in found["runners"]] == [
        ("r1", 10.0, 100.0, "done"), ("r2", 50.0, 120.0, "done"), ("r3", 200.0, 300.0, "done"), ("r4", 290.0, None, ""),
    ]  # fmt: skip
    assert found["gaps"] == [{"begin": 120.0, "end": 200.0}]
    assert found["paused"] == [{"begin": 310.0, "end": None}]
    promoted = stored(golden("promoted"))
    expected = [event for _, event in promoted.story() if isinstance(event, ev.TrialContinued)]
    assert seen(promoted)["promotions"] == {
        "of": len(expected), "shown": len(expected), "number": [e.trial for e in expected],
        "at": [e.at - promoted.state.created.at for e in expected], "to": [e.to for e in expected],
    }  # fmt: skip


def test_nobody_was_there() -> None:
    found = seen(storied().handle)
    assert (found["of"], found["lanes"], found["utilisation"], found["busy"]) == (0, [], None, [])
