"""What the finished trials of a study teach: the forecasts of their objectives, and the level at which to stop."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from rung.schedule.curve.calibration import level
from rung.schedule.curve.model import Array, Forecast

if TYPE_CHECKING:
    from collections.abc import Iterable

REST = 32  # all is learnt anew when the record has grown by one in so many
KEPT = 128  # of the best, and as many of the newest, are never forgotten
MOST = 3 * KEPT  # are kept: the work on one trial stays the same however many there are


class Finished(msgspec.Struct, frozen=True):
    """A trial that ran to its end. `seen` (objectives, looks, FEATURES); `weight`: how many such trials it stands for,
    if it would have been stopped; `floor`: the level below which it would have been, 0 if it was not to be stopped;
    `usable`: it breaks no bound and all its losses are finite."""

    number: int
    losses: tuple[float, ...]
    seen: Array
    weight: float
    floor: float
    usable: bool


def _place(trial: Finished) -> tuple[bool, tuple[float, ...], int]:
    return not trial.usable, trial.losses, trial.number


class Prospect(msgspec.Struct, frozen=True):
    """How a running trial stands: its chance, and those it is measured by, best first."""

    chance: float
    ahead: list[Finished]


class Record:
    """The finished trials, of which `KEPT` of the best and `KEPT` of the newest are kept at least. All is learnt anew
    from them when there are a few per cent more than last time."""

    def __init__(self, alpha: float, top: int, objectives: int) -> None:
        self.alpha, self.top, self.objectives = alpha, top, objectives
        self.count = 0
        self._known: dict[int, Finished] = {}
        self._line: list[Finished] = []  # best first; the usable ones are in front
        self._targets: Array = np.empty((0, objectives))  # losses of the usable ones: what a trial is measured by
        self._lesson: list[Finished] = []  # what is learnt from
        self._due = 1
        self._learnt: tuple[list[Forecast], float] | None = None

    def add(self, trial: Finished) -> None:
        """One more; one that ended before has another result now."""
        before = self._known.pop(trial.number, None)
        if before is not None:
            self._sort([other for other in self._line if other.number != trial.number])
        self.count += before is None
        self._known[trial.number] = trial
        at = bisect_left(self._line, _place(trial), key=_place)
        self._line.insert(at, trial)
        if trial.usable:
            self._targets = np.insert(self._targets, at, trial.losses, axis=0)
        if len(self._line) > MOST:
            newest = sorted(self._known)[-KEPT:]
            self._sort({t.number: t for t in [*self._line[:KEPT], *map(self._known.__getitem__, newest)]}.values())
        if self.count >= self._due and len(self._targets) >= self.top:
            self._lesson, self._learnt = self._line.copy(), None
            self._due = self.count + 1 + self.count // REST

    def _sort(self, trials: Iterable[Finished]) -> None:
        """These are all that are kept."""
        self._line = sorted(trials, key=_place)
        self._known = {t.number: t for t in self._line}
        usable = [t.losses for t in self._line if t.usable]
        self._targets = np.array(usable).reshape(-1, self.objectives)

    def level(self) -> float:
        """The chance below which a trial is stopped; 0 while there are not `top` finished trials to lose to."""
        return self._learn()[1] if self._lesson and len(self._targets) >= self.top else 0.0

    def prospect(self, look: int, seen: Array) -> Prospect:
        """The chance of a trial that shows `seen` (objectives, FEATURES) at a look to end among the best.

        It does not if `top` finished usable trials dominate it. That one of them, f, does not takes one objective in
        which the trial ends at or below f: at most sum_o P(y_o <= f_o). The chance is the `top`-th smallest of these
        sums, which for one objective is the chance to be as good as the `top`-th best.
        """
        sums = np.zeros(len(self._targets))
        for o, forecast in enumerate(self._learn()[0]):
            sums += forecast.chances(look, seen[o], self._targets[:, o])
        first = np.argsort(sums, kind="stable")[: self.top]
        return Prospect(float(sums[first[-1]]), [self._line[i] for i in first])

    def expected(self, look: int, seen: Array) -> list[float]:
        """Where such a trial will end, at the median, as losses."""
        return [forecast.expected(look, seen[o]) for o, forecast in enumerate(self._learn()[0])]

    def _learn(self) -> tuple[list[Forecast], float]:
        """The forecasts and the level that follow from the lesson; worked out when they are first asked for."""
        if self._learnt is None:
            final, seen = np.array([t.losses for t in self._lesson]), np.array([t.seen for t in self._lesson])
            forecasts = [Forecast(seen[:, o], final[:, o]) for o in range(final.shape[1])]
            least = np.min([f.surprise().min(axis=1) for f in forecasts], axis=0)
            good = np.any([f.good for f in forecasts], axis=0)
            weights, floors = np.array([(t.weight, t.floor) for t in self._lesson])[good].T
            self._learnt = forecasts, level(least[good], weights, floors, self.alpha)
        return self._learnt
