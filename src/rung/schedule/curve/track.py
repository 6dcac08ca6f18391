"""What is kept of a running trial: a thinned curve, and what it showed at each look."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rung.schedule.curve.extrapolate import LARGEST, POINTS, SHIFT, heading

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEPT = 128  # reports of a running trial; when there are more, every second one is dropped, but for the first and last
LOOKS_PER_DOUBLING = 3
FIRST_LOOK = 1 / 64  # of the maximum
FEATURES = 4  # level, heading, disagreement, change over the last half
DIVERGED = np.array([math.inf, 0.0, 0.0, 0.0])


def looks(maximum: float) -> NDArray[np.float64]:
    """At which resources a trial is judged: evenly in log resource, from 1/64 of the maximum to just before it."""
    count = round(-math.log2(FIRST_LOOK) * LOOKS_PER_DOUBLING)
    return maximum * 2.0 ** (-np.arange(count, 0, -1) / LOOKS_PER_DOUBLING)


class Track:
    """One objective's curve of one trial, to minimise, with what it showed at each look."""

    def __init__(self, maximum: float, at: NDArray[np.float64]) -> None:
        self.maximum, self.at = maximum, at
        self.steps: list[float] = []
        self.values: list[float] = []
        self.seen = np.empty((0, FEATURES))

    def add(self, step: float, value: float) -> bool:
        """One more report; whether it passed a look. An infinite one is no point of the curve."""
        if math.isfinite(value) and step >= 0:
            self._keep(step, max(-LARGEST, min(value, LARGEST)))
        passed, before = int(np.searchsorted(self.at, step, side="right")), len(self.seen)
        if passed == before:
            return False
        rows = [self._features(at) if math.isfinite(value) else DIVERGED for at in self.at[before:passed]]
        self.seen = np.vstack([self.seen, *rows])
        return True

    def _keep(self, step: float, value: float) -> None:
        if len(self.steps) >= KEPT:
            last = len(self.steps) - 1
            self.steps = [s for i, s in enumerate(self.steps) if i % 2 == 0 or i == last]
            self.values = [v for i, v in enumerate(self.values) if i % 2 == 0 or i == last]
        self.steps.append(step)
        self.values.append(value)

    def to_the_end(self) -> NDArray[np.float64]:
        """What it showed at every look, shape (looks, FEATURES); a look it never reached shows its last value."""
        rest = [self._features(at) if self.steps else DIVERGED for at in self.at[len(self.seen) :]]
        return np.vstack([self.seen, *rest])

    def _features(self, at: float) -> NDArray[np.float64]:
        level, half = np.interp([at, at / 2], self.steps, self.values)
        gain, spread = heading(*self._sampled(at))
        return np.array([level, gain, spread, level - half])

    def _sampled(self, at: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        steps = np.array(self.steps)
        steps = np.append(steps[steps < at], at)
        if len(steps) > POINTS:
            first, last = np.log(steps[0] / self.maximum + SHIFT), np.log(at / self.maximum + SHIFT)
            steps = (np.exp(np.linspace(first, last, POINTS)) - SHIFT) * self.maximum
        return steps / self.maximum, np.interp(steps, self.steps, self.values)
