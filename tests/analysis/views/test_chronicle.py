from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from analysis.views.storied import GOLDEN, golden, played, stored, storied
from rung.analysis.views.chronicle import Told, chronicle
from rung.analysis.views.still import Still
from rung.api.handle import Handle
from rung.model import RunSettings
from rung.study import events as ev
from rung.study.endings import spent
from rung.study.state import State

LOGS = sorted(path.stem for path in GOLDEN.glob("*.jsonl"))


def folded(events: list[ev.AnyEvent]) -> tuple[State, dict[int, tuple[float, float, float]]]:
    """The state, and where it stood when each trial was over: the same numbers by another way, a whole fold."""
    state = State.begin(events[0], seq=1)
    done: dict[int, tuple[float, float, float]] = {}
    for seq, event in enumerate(events[1:], start=2):
        state.apply(seq, event)
        if isinstance(event, ev.TrialRetried):
            done.pop(event.trial, None)
        if isinstance(event, ev.TrialCompleted):
            done[event.trial] = (event.at, state.switches.elapsed, spent(state))
    return state, done


def check(events: list[ev.AnyEvent]) -> Told:
    state, done = folded(events)
    told = chronicle(stored(events))
    assert told.seq == state.seq == len(events)
    assert told.elapsed == pytest.approx(state.switches.elapsed)
    assert told.spent == pytest.approx(spent(state))
    assert told.last_at == state.switches.last_at
    for number in range(len(state)):
        row = tuple(told.done[number].tolist())
        assert row == pytest.approx(done.get(number, (math.nan,) * 3), nan_ok=True)
    return told


@pytest.mark.parametrize("name", LOGS)
def test_time_and_cost_are_those_of_the_state(name: str) -> None:
    events = golden(name)
    told = check(events)
    assert len(told.births) == sum(isinstance(event, ev.TrialProposed) for event in events)
    assert len(told.attempts) == sum(isinstance(event, ev.AttemptAssigned) for event in events)
    assert len(told.verdicts) == sum(
        isinstance(event, ev.TrialStopped | ev.TrialPaused | ev.TrialContinued) for event in events
    )


@pytest.mark.parametrize("name", LOGS)
def test_attempts_and_work_are_those_of_the_events(name: str) -> None:
    events = golden(name)
    told = chronicle(stored(events))
    rows = {(int(row["trial"]), int(row["attempt"])): row for row in told.attempts}
    work = 0.0
    for event in events:
        if isinstance(event, ev.AttemptAssigned):
            reached = 0.0 if event.source is None else event.source.checkpoint.step
            mine = [
                e
                for e in events
                if isinstance(e, ev.TrialReported) and (e.trial, e.attempt) == (event.trial, event.attempt)
            ]
            top = max([reached, *(report.step for e in mine for report in e.reports)])
            row = rows[event.trial, event.attempt]
            assert (row["begin"], row["top"], row["assigned"]) == (reached, top, event.at)
            work += top - reached
        elif isinstance(event, ev.TrialExited):
            assert rows[event.trial, event.attempt]["ended"] == event.at
    assert told.work == pytest.approx(work)


def test_a_price_and_a_cost_that_trials_say_count_as_in_a_budget() -> None:
    log = storied(run=RunSettings(price=36.0))
    log.attached()
    first, second = log.started(), log.started()
    log.reported(first, {"loss": 1.0, "cost": 0.5}, {"loss": 1.0, "cost": 0.25}, {"loss": 1.0, "cost": "NaN"})
    third = log.started()
    log.exited(second)
    log.completed(second, 1.0)
    log.exited(first)
    log.completed(first, 1.0)
    log.add(ev.SpecChanged, changes=(), run=RunSettings(price=72.0))
    log.reported(third, {"loss": 1.0})
    told = check(log.events)
    seconds = told.attempts["ended"][1] - told.attempts["started"][1]
    assert told.done["cost"][second] == pytest.approx(0.5 + 36 / 3600 * (seconds + _running(told, third, second)))


def _running(told: Told, number: int, moment: int) -> float:
    """Seconds that a trial had run when another one was over."""
    return float(told.done["at"][moment] - told.attempts["started"][number])


def test_it_follows_the_log_and_stops_where_the_state_does() -> None:
    events = played("asha", trials=6, max=9)
    whole = list(events.story())
    half = whole[len(whole) // 2][0]
    handle = stored([event for seq, event in whole if seq <= half])
    before = chronicle(handle)
    assert before.seq == half
    still = Still(handle)
    from rung.runner.log import entry

    for seq, event in whole:
        if seq > half:
            after = handle.store.position(handle.name).decisions if event.kind == "decision" else None
            handle.store.append(handle.name, [entry(event)], after=after)
    assert chronicle(still).seq == half, "what came later is not told of a still copy"
    handle.refresh()
    assert_equal(chronicle(handle), chronicle(events))
    assert chronicle(still).seq == len(whole), "once read, it is not read again for an older copy"


def assert_equal(one: Told, other: Told) -> None:
    for mine, theirs in zip(one, other, strict=True):
        if isinstance(mine, np.ndarray):
            assert isinstance(theirs, np.ndarray)
            for name in mine.dtype.names or ():
                np.testing.assert_array_equal(mine[name], theirs[name])
        else:
            assert mine == theirs


def test_who_was_there_and_when_people_had_paused() -> None:
    log = storied()
    log.attached(1)
    log.add(ev.PauseRequested)
    log.add(ev.PauseRequested)
    log.add(ev.UnpauseRequested)
    log.add(ev.RunnerDetached, runner="r", epoch=1, why="interrupted")
    log.attached(2)
    log.add(ev.PauseRequested)
    told = check(log.events)
    spans = [(a.epoch, a.since, a.until, a.why) for a in told.attachments]
    at = [event.at for event in log.events]
    assert spans == [(1, at[1], at[5], "interrupted"), (2, at[6], None, "")]
    assert told.pauses == [(at[2], at[4]), (at[7], None)]


def test_a_study_without_trials_tells_nothing() -> None:
    told = check(storied().events)
    assert (len(told.done), len(told.attempts), told.work, told.elapsed) == (0, 0, 0.0, 0.0)


def test_a_copy_stays_as_it_was(monkeypatch: Any) -> None:
    handle: Handle = played("asha", trials=4, max=9)
    still = Still(handle)
    handle.tell(0, {"loss": 7.0})
    handle.refresh()
    assert handle.state.trial(0).value == 7.0
    assert still.state.trial(0).value != 7.0
    assert [seq for seq, _ in still.story()][-1] == still.state.seq
    assert [seq for seq, _ in still.entries(trial=0)][-1] <= still.state.seq
    assert len(still.reports(0)) == len(handle.reports(0))
