"""What a curve at a look says about the end, learnt from the trials that were run to their end.

Notation, at one look: m finished trials, P = 4 features; x_i (P,) the features of trial i; r_i = final value - level,
what was still to come; h_i its scale, from the features alone. The model is

    r_i = x_i beta + h_i e_i,  e_i ~ N(0, s^2),  beta ~ N(PRIOR, s^2 diag(WIDTH^2)),  s^2 ~ InvGamma(SHAPE, RATE),

a conjugate linear regression with a scale of its own for each trial: the predictive distribution is Student's t in
closed form (Bishop 2006, "Pattern Recognition and Machine Learning", section 3.3 and exercise 3.13), at all looks at
once; and so are the m predictions that each leave their own trial out. Without any record it says that a curve goes
where its families are heading; with one it learns how far that can be trusted in this study.

Values are in a unit of the study: 0 is the median final value, 1 a typical distance of a good one from it, and what is
worse than 1 is drawn near by a logarithm. From FAR on nothing is told apart: a trial out there *has diverged*.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rung.schedule.curve.extrapolate import LARGEST

Array = NDArray[np.float64]

PRIOR = np.array([0.0, 0.0, 1.0, 0.0])  # of the constant, the level, the heading, the change over the last half
WIDTH = np.array([0.5, 0.3, 0.5, 0.5])
SHAPE, RATE = 2.0, 2.0
UNIT = 1.5  # medians of the distances of the better half
FAR = 4.0
GOOD, OF_GOOD = 5, 1 / 8  # as good are counted the best eighth of the finished trials, five at least
FLOOR, OF_HEADING, OF_HALF = 0.05, 0.3, 0.5  # no future is known better than this, in units; shares of what moves


class Unit:
    """The unit of a study, from the losses (m,) of its finished trials, of which at least one is finite."""

    def __init__(self, final: Array) -> None:
        finite = np.clip(final[np.isfinite(final)], -LARGEST, LARGEST)
        self.centre = float(np.median(finite))
        better = self.centre - finite[finite <= self.centre]
        least = np.spacing(max(abs(self.centre), 1e-300)) * 1e6  # where all are the same
        self.size = max(UNIT * float(np.median(better)), float(better.max()) / 10, least)

    def of(self, losses: Array) -> Array:
        """Losses in this unit, at most FAR."""
        with np.errstate(over="ignore"):  # a quotient too large for a float is far
            z = np.clip((losses - self.centre) / self.size, -1e30, 1e30)
        found: Array = np.minimum(np.where(z > 1, 1 + np.log(np.maximum(z, 1)), z), FAR)
        return found

    def loss(self, value: float) -> float:
        """The loss that has this value, at most that of FAR."""
        z = np.exp(min(value, FAR) - 1) if value > 1 else value
        return float(self.centre + self.size * z)


class Forecast:
    """The predictive distributions at L looks, for one objective."""

    def __init__(self, seen: Array, final: Array, unit: Unit | None = None) -> None:
        """`seen` (m, L, FEATURES): what finished trials showed; `final` (m,): their losses; `unit`: theirs if None."""
        self.unit = unit or Unit(final)
        self.final = self.unit.of(final)
        x, self._h, self._level = self._design(seen)
        counts = ((self._level < FAR) & (self.final < FAR)[:, None]).astype(np.float64)
        self._x = x / self._h[..., None] * counts[..., None]  # (m, L, P), in units of h; 0 where it does not count
        r = (self.final[:, None] - self._level) / self._h * counts
        self._inverse = np.linalg.inv(np.einsum("mlp,mlq->lpq", self._x, self._x) + np.diag(WIDTH**-2))
        shift = np.einsum("lpq,mlq,ml->lp", self._inverse, self._x, r - self._x @ PRIOR)
        self._beta = PRIOR + shift
        self._error = r - np.einsum("mlp,lp->ml", self._x, self._beta)
        self._squares = 2 * RATE + (self._error**2).sum(axis=0) + (shift**2 / WIDTH**2).sum(axis=1)
        self._freedom = 2 * SHAPE + counts.sum(axis=0)
        good = self.final <= np.sort(self.final)[max(min(GOOD, len(final)), math.ceil(OF_GOOD * len(final))) - 1]
        self._good_far = ((self._level >= FAR) & good[:, None]).sum(axis=0)
        self.good = good & (self.final < FAR)

    def chances(self, look: int, seen: Array, losses: Array) -> Array:
        """P(final <= loss) for each of `losses` (n,), for a trial that shows `seen` (FEATURES,) at this look.

        Of one that has diverged nothing can be predicted: it has no chance, unless a good trial came back from there.
        """
        mean, scale = self._predict(look, seen)
        if scale is None:
            return np.full(len(losses), float(self._good_far[look] > 0))
        return _student(self._freedom[look], (self.unit.of(losses) - mean) / scale)

    def expected(self, look: int, seen: Array) -> float:
        """The median prediction, as a loss."""
        return self.unit.loss(self._predict(look, seen)[0])

    def surprise(self) -> Array:
        """(m, L) P(final <= what it became) of each finished trial at each look, predicted from all others."""
        lever = np.minimum(np.einsum("mlp,lpq,mlq->ml", self._x, self._inverse, self._x), 1 - 1e-9)
        own = self._error**2 / (1 - lever)
        variance = np.maximum(self._squares - own, 1e-12) / (self._freedom - 1) / (1 - lever)
        found = _student(self._freedom - 1, self._error / (1 - lever) / np.sqrt(variance))
        return np.where(self._level < FAR, found, (self._good_far > 1).astype(np.float64))

    def _predict(self, look: int, seen: Array) -> tuple[float, float | None]:
        """Median and scale of the final value; (FAR, None) for a trial that has diverged."""
        x, h, level = self._design(seen)
        if level >= FAR:
            return FAR, None
        z = x / h
        spread = np.sqrt(self._squares[look] / self._freedom[look] * (1 + z @ self._inverse[look] @ z))
        return float(level + h * (z @ self._beta[look])), float(h * spread)

    def _design(self, seen: Array) -> tuple[Array, Array, Array]:
        """Features (..., P), scales (...) and levels (...), in the unit of the study."""
        loss, gain, spread, half = np.moveaxis(seen, -1, 0)
        finite = np.where(np.isfinite(loss), loss, 0.0)
        level, now, ahead, before = self.unit.of(np.stack([loss, finite, finite + gain, finite - half]))
        heading, past = ahead - now, now - before
        with np.errstate(over="ignore"):
            disagreement = np.minimum(spread / self.unit.size, FAR)
        h = np.sqrt(FLOOR**2 + disagreement**2 + (OF_HEADING * heading) ** 2 + (OF_HALF * past) ** 2)
        return np.stack([np.ones_like(level), level, heading, past], axis=-1), h, level


def _student(freedom: Array, t: Array) -> Array:
    from scipy.special import stdtr  # scipy is loaded when a study first needs it

    found: Array = stdtr(freedom, t)
    return found
