from __future__ import annotations

from rung.schedule.base import Ask, Delta, Ended, Progress
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
