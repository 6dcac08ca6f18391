from __future__ import annotations

import pytest

from rung.model import BadInput
from rung.schedule.base import Ask, Begun, Delta, Ended, Held, Hold, Progress, Resumed
from rung.schedule.none import RunToTheEnd
from rung.study.seeds import generator
from rung.testing.racing import contest


def test_nothing_is_ever_stopped() -> None:
    scheduler = RunToTheEnd(contest())
    deltas: list[Delta] = [
        Progress(0, 1.0, (0.5,)),
        Progress(1, 1.0, (None,)),
        Ended(0, (0.5,)),
        Ended(1, None),
    ]
    assert scheduler.observe(deltas) == []
    assert scheduler.next(2, generator(0, "schedule", 2)) == Ask(resource=None)
    assert list(scheduler.levels()) == []
    assert scheduler.brackets(10) == []
    assert scheduler.describe() == "no early stopping: every trial runs to its end"


def test_so_many_run_at_once() -> None:
    scheduler = RunToTheEnd(contest({"max_concurrent_trials": 2}))
    rng = generator(0, "schedule", 0)
    assert scheduler.describe().endswith("runs to its end; at most 2 at once")
    scheduler.observe([Begun(0, {}), Begun(1, {})])
    assert scheduler.next(2, rng) == Hold()
    scheduler.observe([Held(1)])
    assert scheduler.next(2, rng) == Ask()
    scheduler.observe([Resumed(1, None), Ended(0, None)])
    assert scheduler.next(2, rng) == Ask()
    scheduler.observe([Begun(2, {})])
    assert scheduler.next(3, rng) == Hold()


def test_a_limit_that_is_none() -> None:
    with pytest.raises(BadInput, match=r"schedule\.max_concurrent_trials: expected a whole number"):
        RunToTheEnd(contest({"max_concurrent_trials": -1}))
