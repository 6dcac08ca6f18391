"""The partial curves of a study: what each trial reported, what it cost, and where it stands."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec
import numpy as np

from rung.schedule.rungs import result
from rung.space.scales import Floats

if TYPE_CHECKING:
    from rung.schedule.base import Progress

SPACING = 1.5  # two observations of a curve that the model is told are at least so many times apart
KEPT = 3  # observations of one trial
RESTARTED = 0.5  # a continued trial began anew when it took the time of more than this part of the steps it had made


class Point(NamedTuple):
    """One observation of a curve."""

    step: float
    loss: float


class Curve(msgspec.Struct):
    """One trial. `unit` (d,): its configuration; `begun`: the step it began at; `look`: where it is looked at next,
    None: nowhere before its end; `points`: the newest observation and earlier ones, ascending; `before`: where it stood
    when it was continued."""

    number: int
    unit: Floats
    begun: float
    look: float | None
    state: Literal["running", "held", "ended"] = "running"
    points: list[Point] = []
    step: float = 0.0
    seconds: float = 0.0
    before: tuple[float, float] | None = None

    def report(self, progress: Progress) -> float | None:
        """The loss that the report says, +inf where it is no number or a bound is broken; None where it says none."""
        found = result(progress)
        self.step, self.seconds = progress.step, progress.seconds
        if found is None:
            return None
        loss = math.inf if progress.violation > 0 else found[0]
        kept = self.points
        if len(kept) > 1 and kept[-1].step < SPACING * kept[-2].step:
            kept = kept[:-1]
        self.points = [*kept[-(KEPT - 1) :], Point(progress.step, loss)]
        return loss

    def told(self, *, slope: bool) -> list[Point]:
        """What the model is told: the newest observation, and with `slope` one that is well before it."""
        newest = self.points[-1:]
        before = [point for point in self.points[:-1] if SPACING * point.step <= newest[0].step]
        return before[-1:] + newest if slope else newest

    @property
    def pace(self) -> float:
        """Seconds a step; NaN while it is not known."""
        made = self.step - self.begun
        return self.seconds / made if made > 0 and self.seconds > 0 else math.nan


class Resumption:
    """Whether trials that are continued go on from a checkpoint. A program that does not takes the time of its first
    steps a second time, though it is not seen to report them; until some were continued, half do."""

    def __init__(self, known: bool | None) -> None:
        """`known`: whether there are checkpoints; None: that is learned."""
        self._known, self._seen, self._anew = known, 0, 0

    @property
    def repeated(self) -> float:
        """Which part of its steps a continued trial is expected to make again."""
        if self._known is not None:
            return 0.0 if self._known else 1.0
        return (self._anew + 0.5) / (self._seen + 1)

    def observe(self, curve: Curve) -> None:
        """The trial has reported for the first time since it was continued."""
        if curve.before is None:
            return
        (step, seconds), curve.before = curve.before, None
        made = step - curve.begun
        if made <= 0 or seconds <= 0 or curve.seconds <= seconds:
            return
        expected = seconds / made * (curve.step - step)
        self._seen += 1
        self._anew += curve.seconds - seconds > expected + RESTARTED * seconds


class Pace:
    """Seconds a step that a configuration takes: measured, or by a ridge regression of their logarithm on the features
    and their squares."""

    def __init__(self, features: Floats, known: Floats) -> None:
        """`features` (n, f) of n configurations, `known` (n,) their seconds a step, NaN where that is not known."""
        there = np.isfinite(known) & (known > 0)
        self._weights: Floats | None = None
        if there.any():
            logs = np.log(known[there])
            self._middle, self._low, self._high = float(logs.mean()), float(logs.min()), float(logs.max())
            given = _squares(features[there])
            ridge = given.T @ given + 0.1 * np.eye(given.shape[1])
            self._weights = np.linalg.solve(ridge, given.T @ (logs - self._middle))

    def predict(self, features: Floats, known: Floats) -> Floats:
        """(m,) seconds a step; 1 for all while nothing is known of anyone."""
        if self._weights is None:
            return np.ones(len(features))
        guess = np.clip(self._middle + _squares(features) @ self._weights, self._low, self._high)
        there = np.isfinite(known) & (known > 0)
        return np.where(there, known, np.exp(guess))


def _squares(features: Floats) -> Floats:
    centred = features - 0.5
    return np.concatenate([centred, centred * centred], axis=1)
