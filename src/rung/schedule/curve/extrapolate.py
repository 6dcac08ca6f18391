"""Where one curve is heading, by itself: a bank of parametric families, each fitted by linear least squares.

Every family is y(u) = a + b psi(u), with u the share of the resource and the shape of psi fixed (Domhan, Springenberg
and Hutter, IJCAI 2015, use eleven such families and fit their shapes by sampling; here the shapes are a bank, so that a
fit is two sums for each member). Members count by how well they fit. The answer is no belief yet: it is what
`model.Forecast` learns to trust or to distrust from the trials that were run to their end.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SHIFT = 0.01  # keeps power laws finite at the beginning; in shares of the whole resource
POWERS = (0.25, 0.5, 1.0, 2.0)
RATES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
POINTS = 16  # of a curve are looked at, evenly in log resource
LARGEST = 1e150  # losses beyond it are not told apart
WEIGHTY = 8  # points count towards a member's likelihood: neighbours of a curve are no independent evidence


def bank(u: Array) -> Array:
    """Psi of every family (rows) at shares `u` of the resource: power laws, exponentials, the logarithm."""
    u = u + SHIFT
    return np.array([*(u**-p for p in POWERS), *(np.exp(-k * u) for k in RATES), -np.log(u)])


AT_END = bank(np.ones(1))[:, 0]


def heading(u: Array, y: Array) -> tuple[float, float]:
    """How much the last value of the curve will still change until u = 1, and how far the families disagree about it.

    `u`: ascending shares in [0, 1], `y`: values there, finite. Fewer than three points say nothing: (0, 0).
    """
    span = float(y.max() - y.min())
    if len(u) < 3 or span == 0.0:
        return 0.0, 0.0
    psi = bank(u)
    weights = (u + SHIFT) / (u[-1] + SHIFT)  # what a curve did last says most about what comes
    weights = weights / weights.sum()
    psi_mean, y_mean = psi @ weights, float(y @ weights)
    centred, values = psi - psi_mean[:, None], (y - y_mean) / span
    spread = np.maximum((centred**2) @ weights, 1e-300)
    slope = (centred @ (weights * values)) / spread
    rest = np.maximum((values**2) @ weights - slope**2 * spread, 0.0) + 1e-4
    likelihood = (rest / rest.min()) ** (-0.5 * min(len(u), WEIGHTY))
    likelihood /= likelihood.sum()
    gains = np.clip(slope * (AT_END - psi[:, -1]), -2.0, 2.0)  # a curve changes no more than twice what it has
    mean = float(likelihood @ gains)
    return mean * span, float(np.sqrt(likelihood @ (gains - mean) ** 2)) * span
