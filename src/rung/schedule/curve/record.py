"""What the finished trials of a study teach: the forecasts of their objectives, and the level at which to stop."""

from __future__ import annotations

import msgspec
import numpy as np

from rung.schedule.curve.calibration import level
from rung.schedule.curve.model import Array, Forecast

REST = 32  # all is learnt anew when the record has grown by one in so many
KEPT = 128  # of the best, and as many of the newest: the work on a finished trial stays the same however many there are


class Finished(msgspec.Struct, frozen=True):
    """A trial that ran to its end. `seen` (objectives, looks, FEATURES); `weight`: how many such trials it stands for,
    if it would have been stopped; `feasible`: it breaks no bound."""

    number: int
    losses: tuple[float, ...]
    seen: Array
    weight: float
    feasible: bool


def _place(trial: Finished) -> tuple[bool, tuple[float, ...], int]:
    return not trial.feasible, trial.losses, trial.number


class Prospect(msgspec.Struct, frozen=True):
    """How a running trial stands: its chance, and those it is measured by, best first."""

    chance: float
    ahead: list[Finished]


class Record:
    """The finished trials. All is learnt anew from them when there are a few per cent more than last time."""

    def __init__(self, alpha: float, top: int) -> None:
        self.alpha, self.top = alpha, top
        self.count = 0
        self._trials: dict[int, Finished] = {}
        self._field: list[Finished] = []  # whom a trial is measured by, best first
        self._targets: Array | None = None  # their losses
        self._lesson: list[Finished] = []  # what is learnt from, best first
        self._due = 1
        self._learnt: tuple[list[Forecast], float] | None = None

    def add(self, trial: Finished) -> None:
        """One more; one that ended before has another result now."""
        self.count += trial.number not in self._trials
        self._trials[trial.number] = trial
        if len(self._trials) > 2 * KEPT:
            kept = {t.number for t in sorted(self._trials.values(), key=_place)[:KEPT]} | set(
                sorted(self._trials)[-KEPT:]
            )
            self._trials = {number: t for number, t in self._trials.items() if number in kept}
        ordered = sorted(self._trials.values(), key=_place)
        self._field = [t for t in ordered if t.feasible and np.isfinite(t.losses).all()]
        self._targets = None
        if self.count >= self._due and len(self._field) >= self.top:
            self._lesson, self._learnt = ordered, None
            self._due = self.count + 1 + self.count // REST

    def level(self) -> float:
        """The chance below which a trial is stopped; 0 while there are not `top` finished trials to lose to."""
        return self._learn()[1] if self._lesson and len(self._field) >= self.top else 0.0

    def prospect(self, look: int, seen: Array) -> Prospect:
        """The chance of a trial that shows `seen` (objectives, FEATURES) at a look to end among the best.

        It does not if `top` finished feasible trials dominate it. That one of them, f, does not takes one objective in
        which the trial ends at or below f: at most sum_o P(y_o <= f_o). The chance is the `top`-th smallest of these
        sums, which for one objective is the chance to be as good as the `top`-th best.
        """
        if self._targets is None:
            self._targets = np.array([t.losses for t in self._field])
        sums = np.zeros(len(self._field))
        for o, forecast in enumerate(self._learn()[0]):
            sums += forecast.chances(look, seen[o], self._targets[:, o])
        first = np.argsort(sums, kind="stable")[: self.top]
        return Prospect(float(sums[first[-1]]), [self._field[i] for i in first])

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
            weights = np.array([t.weight for t in self._lesson])
            self._learnt = forecasts, level(least[good], weights[good], self.alpha)
        return self._learnt
