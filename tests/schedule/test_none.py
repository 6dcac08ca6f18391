from __future__ import annotations

import numpy as np

from rung.model import Objective, ScheduleSpec
from rung.schedule.base import Ask, Contest, Delta, Ended, Progress
from rung.schedule.none import RunToTheEnd


def test_nothing_is_ever_stopped() -> None:
    scheduler = RunToTheEnd(Contest(schedule=ScheduleSpec(), objectives=(Objective(metric="loss"),), seed=0))
    deltas: list[Delta] = [
        Progress(0, 1.0, (0.5,)),
        Progress(1, 1.0, (None,)),
        Ended(0, (0.5,)),
        Ended(1, None),
    ]
    assert scheduler.observe(deltas) == []
    assert scheduler.next(0, np.random.default_rng(0)) == Ask()
    assert (scheduler.levels(), scheduler.brackets(10)) == ((), [])
    assert scheduler.describe() == "no early stopping: every trial runs to its end"
