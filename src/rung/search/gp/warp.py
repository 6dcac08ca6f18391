"""Input warping: the Kumaraswamy distribution function on single features (Snoek et al. 2014, "Input warping for
Bayesian optimization of non-stationary functions", with the closed form of Kumaraswamy 1980 for the Beta's).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from rung.space.scales import Floats

EDGE = 1e-9  # keeps the logarithms of the derivatives finite at 0 and 1


class Warped(NamedTuple):
    """w(x) and its derivatives, each of the shape of x: with respect to log a, log b and x."""

    value: Floats
    by_a: Floats
    by_b: Floats
    by_x: Floats


def kumaraswamy(x: Floats, a: Floats, b: Floats) -> Warped:
    """w(x) = 1 - (1 - x^a)^b for x in 0..1 and a, b > 0; increasing, 0 at 0, 1 at 1, the identity for a = b = 1."""
    inner = EDGE + (1 - 2 * EDGE) * x
    log_x = np.log(inner)
    power = np.exp(a * log_x)  # x^a
    rest = np.maximum(1 - power, 1e-300)
    log_rest = np.log(rest)
    tail = np.exp(b * log_rest)  # (1 - x^a)^b
    inside = a * b * power * tail / rest  # a x^a b (1 - x^a)^(b - 1)
    return Warped(1 - tail, inside * log_x, -b * log_rest * tail, (1 - 2 * EDGE) * inside / inner)
