"""The course of one simulated attempt: what it reports when, and how it ends. Computed once, when it starts."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING, Literal

import numpy as np

from rung.execute.base import Channel, Cursor, Exited, Job, Reported, Started
from rung.model import BadInput, Checkpoint, Report, to_wire

if TYPE_CHECKING:
    from rung.execute.base import JobEvent
    from rung.execute.simulation.conditions import Conditions, Fate
    from rung.execute.simulation.curves import Curve, Curves, Floats
    from rung.model import WireNumber

BOOT = "simulated"
TOLD = "curve"  # in place of a file: how many of the attempt's reports were told
_FAILED, _TERMINATED, _KILLED = 1, 143, 137
_CHANNEL: Channel = "file"


class Course:
    """One attempt on its way. `began` is Unix seconds; `due` is when its next news is, infinite once it is over.

    News are `Started`, the reports, `Exited`; `news(now)` tells the next, with all reports up to `now` at once.
    """

    def __init__(self, job: Job, *, began: float, curves: Curves, conditions: Conditions, fate: Fate) -> None:
        self.job, self.began, self.conditions = job, began, conditions
        self.told = 0
        self.step = job.begin.step
        self.due = began
        self._said_started = self.over = False
        self._tail = ""
        curve = _curve(job, curves)
        if isinstance(curve, str):
            self._tail, first, after = curve, 0, np.empty(0)
        else:
            first, after = _rest_of(curve, job, conditions, fate.slowness)
        whole = began + (float(after[-1]) if len(after) else _prelude_s(job, conditions))
        self.ends, self.how, self.code = self._end(whole, fate)
        times: list[float] = (began + after).tolist()
        self.times = times[: bisect_right(times, self.ends)]
        self.count = len(self.times)
        self.steps, self.values = [], {}
        if not isinstance(curve, str):
            here = slice(first, first + self.count)
            self.steps = curve.steps[here].tolist()
            self.values = {name: _wired(column[here]) for name, column in curve.metrics.items()}

    def _end(self, whole: float, fate: Fate) -> tuple[float, Literal["exited", "lost", "timeout"], int | None]:
        """When and how the attempt ends if nobody stops it."""
        if self._tail:
            return whole, "exited", _FAILED
        ends: list[tuple[float, Literal["exited", "lost", "timeout"], int | None]] = [(whole, "exited", 0)]
        if fate.fails_at is not None:
            ends.append((self.began + fate.fails_at * (whole - self.began), "exited", _FAILED))
        ends.append((self.began + fate.lost_after_s, "lost", None))
        ends.append((self.began + (math.inf if self.job.timeout_s is None else self.job.timeout_s), "timeout", None))
        first = min(ends, key=lambda end: end[0])
        if first[2] == _FAILED:
            self._tail = "a simulated failure"
        return first

    # ---------------------------------------------------------------------------------------------------- on the way

    def told_up_to(self, cursor: Cursor) -> None:
        """What the cursor has passed is not told again."""
        self.told = min(cursor.offsets.get(TOLD, 0), self.count)
        self.step = self.steps[self.told - 1] if self.told else self.job.begin.step

    def end_at(self, moment: float, *, kill: bool) -> None:
        """The attempt was told to end at `moment`; what it has not reported by then it never will."""
        conditions, grace = self.conditions, self.job.grace_s
        if moment >= self.ends:
            return  # it has ended by itself
        self.count = max(self.told, bisect_right(self.times, moment))
        self.ends = min(self.ends, moment + (0.0 if kill else min(conditions.stop_delay_s, grace)))
        self.how, self._tail = "exited", ""
        self.code = _KILLED if kill or conditions.stop_delay_s > grace else _TERMINATED
        self._look_ahead()

    def news(self, now: float) -> JobEvent:
        """The next news, due by `now`."""
        if not self._said_started:
            self._said_started = True
            event: JobEvent = Started(key=self.job.key, pid=0, ticks=0, boot=BOOT)
        elif self.told < self.count:
            event = self._reported(bisect_right(self.times, now, self.told, self.count))
        else:
            self.over = True
            event = Exited(key=self.job.key, how=self.how, code=self.code, tail=self._tail)
        self._look_ahead()
        return event

    def _look_ahead(self) -> None:
        if self.over:
            self.due = math.inf
        elif self._said_started:
            self.due = self.times[self.told] if self.told < self.count else self.ends

    def _reported(self, until: int) -> Reported:
        """The reports from the one told last up to the one with index `until`."""
        job, here = self.job, range(self.told, until)
        columns = list(self.values.items())
        reports = [Report(self.steps[i], self.times[i], {name: column[i] for name, column in columns}) for i in here]
        saved = [self._checkpoint(i) for i in here] if self.conditions.checkpoints else []
        self.told, self.step = until, self.steps[until - 1]
        cursor = Cursor(offsets={TOLD: until}, reports=job.begin.reports + until, step=self.step, channel=_CHANNEL)
        return Reported(key=job.key, reports=reports, cursor=cursor, checkpoints=saved)

    def _checkpoint(self, index: int) -> Checkpoint:
        step = self.steps[index]
        name = str(int(step)) if step.is_integer() else repr(step)
        return Checkpoint(self.job.attempt, name, step, self.job.begin.reports + index + 1)


def _curve(job: Job, curves: Curves) -> Curve | str:
    """The job's curve, or the error of a function that gives none: that is the trial's failure."""
    try:
        return curves.curve(job.params, int(job.env.get("RUNG_SEED", "0")))
    except BadInput:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the user's function raises is the trial's failure, not ours
        return f"{type(error).__name__}: {error}"


def _prelude_s(job: Job, conditions: Conditions) -> float:
    return conditions.startup_s + (conditions.restore_s if job.resumed else 0.0)


def _rest_of(curve: Curve, job: Job, conditions: Conditions, slowness: float) -> tuple[int, Floats]:
    """The index of the first step that the attempt runs, and the seconds from its start until each report."""
    steps, seconds = curve.steps, curve.seconds
    first, before = 0, 0.0
    if job.resumed:
        first = int(np.searchsorted(steps, job.begin.step, side="right"))
        before = float(np.interp(job.begin.step, np.append(0.0, steps), np.append(0.0, seconds)))
    last = len(steps)
    if conditions.ends_at_resource and job.resource is not None:
        last = int(np.searchsorted(steps, job.resource, side="left")) + 1
    after = _prelude_s(job, conditions) + (seconds[first:last] - before) * slowness
    if conditions.checkpoints:
        after = after + conditions.checkpoint_s * np.arange(1, len(after) + 1)
    return first, after


def _wired(column: Floats) -> list[WireNumber]:
    """The numbers as a report carries them."""
    numbers: list[float] = np.asarray(column, dtype=np.float64).tolist()
    return list(numbers) if np.isfinite(column).all() else [to_wire(number) for number in numbers]
