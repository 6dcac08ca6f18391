"""Losses as a Gaussian process can believe them: clipped, on one of several scales, standardised.

The family is t(y) = log(1 + (y - low) / s), which is linear far below s above the best loss and logarithmic far above
it: losses that span orders of magnitude do not drown the differences near the best one, and a smooth minimum stays
smooth. s = inf stands for no transform.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from rung.space.scales import Floats

SOFTNESS = (math.inf, 10.0, 1.0, 0.1)  # s, in units of the median loss above the best
LIMIT = 1e100  # losses beyond it count as it: their differences must not overflow
TINY = 1e-200  # losses that differ by less are equal
REACH = 1e3  # losses further above the median than so many times what it is above the best are cut


class Output(NamedTuple):
    """t(y) = (g(y) - centre) / spread, g(y) = log1p((y - low) / s) or (y - low)."""

    low: float
    softness: float
    centre: float
    spread: float


def clipped(losses: Floats) -> Floats:
    """(n,) finite losses: +inf and what is far beyond the others count as a little worse than the worst of the rest."""
    within = np.clip(losses, -LIMIT, LIMIT)
    finite = within[np.isfinite(losses)]
    if not len(finite):
        return np.zeros(len(losses))
    low, middle = float(finite.min()), float(np.median(finite))
    top = min(float(finite.max()), middle + REACH * (middle - low)) if middle > low else float(finite.max())
    worst = top + 0.1 * (top - middle)
    return np.where(np.isposinf(losses), worst, np.minimum(within, top))


def outputs(losses: Floats) -> list[Output]:
    """One candidate for each of SOFTNESS, for finite losses (n,)."""
    low = float(losses.min())
    above = losses - low
    unit = float(np.median(above)) or float(above.mean())
    return [_output(low, soft * unit, above) if unit > TINY else Output(low, math.inf, 0.0, 1.0) for soft in SOFTNESS]


def _output(low: float, softness: float, above: Floats) -> Output:
    grown = above if math.isinf(softness) else np.log1p(above / softness)
    return Output(low, softness, float(grown.mean()), float(grown.std()) or 1.0)


def forward(output: Output, losses: Floats) -> Floats:
    """t(y)."""
    above = losses - output.low
    grown = above if math.isinf(output.softness) else np.log1p(np.maximum(above / output.softness, -0.999))
    return np.asarray((grown - output.centre) / output.spread)


def log_slopes(output: Output, losses: Floats) -> Floats:
    """The logarithm of dt/dy."""
    flat = -np.full(len(losses), math.log(output.spread))
    return flat if math.isinf(output.softness) else flat - np.log(output.softness + losses - output.low)


def backward(output: Output, values: Floats) -> Floats:
    """The losses whose t(y) is `values`."""
    grown = values * output.spread + output.centre
    if math.isinf(output.softness):
        return np.asarray(output.low + grown)
    return np.asarray(output.low + output.softness * np.expm1(np.minimum(grown, 600.0)))
