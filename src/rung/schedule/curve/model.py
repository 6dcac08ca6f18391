"""What a curve at a look says about the end, learnt from the trials that were run to their end.

Notation: at a look, m finished trials; X their design (m x P), r = final value - level the gains still to come, h their
scales. The model is r_i = x_i beta + h_i e_i, e_i ~ N(0, sigma^2), beta ~ N(PRIOR, sigma^2 diag(WIDTH^2)),
sigma^2 ~ InvGamma(A, B): conjugate, so the predictive distribution is Student's t in closed form (Bishop 2006, 3.3 and
exercise 3.13), at all looks at once, and so are the m predictions that each leave one trial out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = NDArray[np.float64]

PRIOR = np.array([0.0, 0.0, 1.0, 0.0])  # constant, level, heading, last half: a curve goes where it is heading
WIDTH = np.array([0.5, 0.3, 0.5, 0.5])
A, B = 2.0, 2.0
FAR = 4.0
UNIT = 1.5
FLOOR = 0.05  # of the spread of final values: no gain is known better


class Forecast:
    """The predictive distributions at every look, given `seen` (m x looks x FEATURES) and `final` (m)."""

    def __init__(self, seen: Array, final: Array) -> None:
        self.centre = float(np.median(final))
        below = self.centre - final[final <= self.centre]
        self.unit = UNIT * float(np.median(below)) or float(below.max()) or max(abs(self.centre), 1.0) * 1e-3
        y = self.squash(final)
        counts = y < FAR
        
        x, h, level = self._design(seen)  # (m, looks, P), (m, looks), (m, looks)
        self.z, self.r = x / h[..., None], (y[:, None] - level) / h
        self.h, self.level = h, level
        self.y = y
        self.counts = counts
        c = counts[:, None].astype(float)
        rest = (self.r - self.z @ PRIOR) * c
        precision = np.einsum("mlp,mlq->lpq", self.z * c[..., None], self.z) + np.diag(WIDTH**-2)
        self.inverse = np.linalg.inv(precision)
        self.beta = PRIOR + np.einsum("lpq,mlq,ml->lp", self.inverse, self.z, rest)
        error = self.r - np.einsum("mlp,lp->ml", self.z, self.beta)
        shrunk = ((self.beta - PRIOR) ** 2 / WIDTH**2).sum(1)
        self.sse = 2 * B + (c * error**2).sum(0) + shrunk
        self.degrees = 2 * A + counts.sum()
        self.error = error

    def squash(self, y: Array) -> Array:
        """In units of the spread of the better half of the final values; what is far worse is drawn near, by log."""
        z = (np.minimum(y, 1e300) - self.centre) / self.unit
        return np.minimum(np.where(z > 1, 1 + np.log(np.maximum(z, 1)), z), FAR)

    def _design(self, seen: Array) -> tuple[Array, Array, Array]:
        level = self.squash(seen[..., 0])
        ahead = np.where(np.isfinite(seen[..., 0]), seen[..., 0], 0) + seen[..., 1]
        gain = np.where(np.isfinite(seen[..., 0]), self.squash(ahead) - level, 0.0)
        ratio = np.minimum(seen[..., 2] / self.unit, 3.0)
        past = np.where(np.isfinite(seen[..., 0]), seen[..., 0], 0) - seen[..., 3]
        half = np.where(np.isfinite(seen[..., 0]), level - self.squash(past), 0.0)
        h = np.sqrt(FLOOR**2 + ratio**2 + (0.3 * gain) ** 2 + (0.5 * half) ** 2)
        return np.stack([np.ones_like(level), level, gain, half], axis=-1), h, level

    def chance(self, look: int, seen: Array, threshold: float) -> float:
        """P(final <= threshold) for a trial that showed `seen` (FEATURES) at a look."""
        from scipy.special import stdtr  # scipy is loaded when it is first needed

        x, h, level = self._design(seen)
        z = x / h
        mean = float(level + h * (z @ self.beta[look]))
        scale = h * np.sqrt(self.sse[look] / self.degrees * (1 + z @ self.inverse[look] @ z))
        return float(stdtr(self.degrees, (float(self.squash(np.array(threshold))) - mean) / scale))

    def left_out(self) -> Array:
        """P(final <= what it became) of each finished trial at each look, predicted from all others (m x looks)."""
        from scipy.special import stdtr

        lever = np.minimum(np.einsum("mlp,lpq,mlq->ml", self.z, self.inverse, self.z), 1 - 1e-9)
        sse = np.maximum(self.sse - self.error**2 / (1 - lever), 1e-12)
        variance = sse / (self.degrees - 1) / (1 - lever)
        deviation = self.error / (1 - lever)
        out: Array = stdtr(self.degrees - 1, deviation / np.sqrt(variance))
        return out
