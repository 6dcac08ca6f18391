"""A trust region: a box around the best row that grows while it leads to better ones and shrinks while it does not
(Eriksson et al. 2019, "Scalable global optimization via local Bayesian optimization", section 2).

Its size is a function of the results in the order of their proposals, computed anew each time: no state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rung.space.scales import Floats

FIRST, LARGEST, SMALLEST = 0.8, 1.6, 2.0**-7  # side lengths
SUCCESSES = 3  # in a row, after which the box is doubled
PATIENCE = 4  # failures in a row, at least, after which it is halved
BETTER = 1e-3  # of the spread of the losses: less is no success


def side(losses: Floats, d: int) -> float:
    """The side length of the box after the finite losses (n,) of a space of d columns; where it became smaller than
    SMALLEST it starts again."""
    length, good, bad = FIRST, 0, 0
    patience = max(PATIENCE, d)
    best = np.minimum.accumulate(losses) if len(losses) else losses
    margin = BETTER * np.abs(best)
    for improved in (losses[1:] < best[:-1] - margin[:-1]).tolist():
        good, bad = (good + 1, 0) if improved else (0, bad + 1)
        if good == SUCCESSES:
            length, good = min(2 * length, LARGEST), 0
        elif bad == patience:
            length, bad = length / 2, 0
        if length < SMALLEST:
            length = FIRST
    return length


def box(centre: Floats, length: float, lengths: Floats) -> tuple[Floats, Floats]:
    """(d,) lower and upper bounds within 0..1: sides in proportion to the lengthscales, `length` in the geometric mean
    (there, section 3.1); columns whose lengthscale is infinite are not bound."""
    bound = np.isfinite(lengths)
    scale = np.full(len(lengths), np.inf)
    if bound.any():
        scale[bound] = lengths[bound] / np.exp(np.log(lengths[bound]).mean())
    half = 0.5 * length * np.clip(scale, 0.1, None)
    return np.clip(centre - half, 0.0, 1.0), np.clip(centre + half, 0.0, 1.0)
