"""The scales of continuous domains: increasing maps from the unit interval to a parameter's own unit, and back.

Each scale has `point(unit)`, `place(point)` (its inverse), and `cell(point, grain)`: how far apart the points of two
units are that differ by `grain`, there. They take floats and arrays alike and use the same numpy functions for both,
so that one configuration and ten thousand decode to the same bits.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_STEADY_BITS = 45


class Scale(Protocol):
    """An increasing map of the unit interval. `low` and `high` are the points of 0 and 1 (they may be infinite)."""

    low: float
    high: float
    exact: bool
    """Whether `point` makes no rounding, so that each float of the domain has a unit of its own."""

    def point(self, unit: Any) -> Any:
        """The point of `unit`."""

    def place(self, point: Any) -> Any:
        """The unit of `point`."""

    def cell(self, point: Any, grain: Any) -> Any:
        """How far the points of two units lie apart that differ by `grain`, near `point`."""


class Linear:
    """low + unit (high - low)."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high, self.width = low, high, high - low
        self.exact = low == 0 and math.frexp(self.width)[0] == 0.5

    def point(self, unit: Any) -> Any:
        """The point of `unit`."""
        return self.low + unit * self.width

    def place(self, point: Any) -> Any:
        """The unit of `point`."""
        return (point - self.low) / self.width if self.width else point * 0 + 0.5

    def cell(self, point: Any, grain: Any) -> Any:
        """The same everywhere; twice, since the product is rounded to about a grain before low is added."""
        return grain * self.width * 2


class Log:
    """low (high / low)**unit, low > 0."""

    exact = False

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high
        self.width = math.log(high) - math.log(low)

    def point(self, unit: Any) -> Any:
        """The point of `unit`; two factors, since (high / low) itself may overflow."""
        half = np.exp(unit * (self.width / 2))
        return self.low * half * half

    def place(self, point: Any) -> Any:
        """The unit of `point`."""
        return (np.log(point) - math.log(self.low)) / self.width if self.width else point * 0 + 0.5

    def cell(self, point: Any, grain: Any) -> Any:
        """Proportional to the point; twice, since the exponent is rounded to about a grain."""
        return 2 * point * self.width * grain


class ReverseLog:
    """1 - exp(-t), t between -log1p(-low) and -log1p(-high), 0 <= low <= high < 1: log scale in the distance to 1."""

    exact = False

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high
        self.width = math.log1p(-low) - math.log1p(-high)

    def point(self, unit: Any) -> Any:
        """The point of `unit`."""
        return self.low - (1 - self.low) * np.expm1(-unit * self.width)

    def place(self, point: Any) -> Any:
        """The unit of `point`."""
        return -np.log1p((self.low - point) / (1 - self.low)) / self.width if self.width else point * 0 + 0.5

    def cell(self, point: Any, grain: Any) -> Any:
        """Proportional to the distance to 1; twice, since the exponent is rounded to about a grain."""
        return 2 * (1 - point) * self.width * grain


class Gaussian:
    """The quantile function of a normal distribution, cut off outside low..high where they are given.

    A range above the mean is computed in the mirror, where the distribution function keeps its digits.
    Without bounds the outermost 2**-53 on either side is not reached: +-8.2 standard deviations.
    """

    exact = False

    def __init__(self, mean: float, sd: float, low: float = -math.inf, high: float = math.inf) -> None:
        from scipy.special import ndtr, ndtri

        self.low, self.high, self.mean, self.sd = low, high, mean, sd
        self._ndtr, self._ndtri = ndtr, ndtri
        self.sign = -1.0 if low > mean else 1.0
        ends = sorted((self.sign * (low - mean) / sd, self.sign * (high - mean) / sd))
        self.first = max(float(ndtr(ends[0])), 2.0**-1000 if ends[0] > -math.inf else 2.0**-53)
        self.mass = min(float(ndtr(ends[1])), 1 - 2.0**-53) - self.first

    def point(self, unit: Any) -> Any:
        """The point of `unit`."""
        share = unit if self.sign > 0 else 1 - unit
        return self.mean + self.sign * self.sd * _steady(self._ndtri(self.first + share * self.mass))

    def place(self, point: Any) -> Any:
        """The unit of `point`."""
        share = (self._ndtr(self.sign * (point - self.mean) / self.sd) - self.first) / self.mass
        return share if self.sign > 0 else 1 - share

    def cell(self, point: Any, grain: Any) -> Any:
        """By the reciprocal of the density, and what `_steady` leaves out."""
        z = (point - self.mean) / self.sd
        slope = self.mass * math.sqrt(2 * math.pi) * np.exp(np.minimum(z * z / 2, 600.0))
        # 0.9: in the tails the slope differs so much between neighbours that their halves would overlap
        return self.sd * (0.9 * slope * grain + np.abs(z) * 2.0**-_STEADY_BITS)


def _steady(z: Any) -> Any:
    """`z` to 45 bits: ndtri wavers in its last bits, and a scale must increase."""
    mantissa, exponent = np.frexp(z)
    return np.ldexp(np.rint(mantissa * 2.0**_STEADY_BITS), exponent - _STEADY_BITS)


class LogGaussian:
    """exp of a `Gaussian`; `mean` and `sd` are those of the logarithm, low and high are in the parameter's own unit.

    Without a lower bound the lowest point that is reached, 8.2 standard deviations down, is the bound.
    """

    exact = False

    def __init__(self, mean: float, sd: float, low: float = 0.0, high: float = math.inf) -> None:
        self.inner = Gaussian(mean, sd, math.log(low) if low > 0 else -math.inf, math.log(high))
        self.mass = self.inner.mass
        self.low, self.high = low if low > 0 else float(self.point(0.0)), high

    def point(self, unit: Any) -> Any:
        """The point of `unit`."""
        return np.exp(self.inner.point(unit))

    def place(self, point: Any) -> Any:
        """The unit of `point`."""
        return self.inner.place(np.log(point))

    def cell(self, point: Any, grain: Any) -> Any:
        """The chain rule."""
        return point * self.inner.cell(np.log(point), grain)


# -------------------------------------------------------------------------------------------------- short decimals
#
# Many floats share one unit where the unit interval is coarser than the domain (exp of 0.7 has ten neighbours before
# the next unit's value). Of those a domain yields the short decimal when there is one, so that what people write
# (0.003) can be encoded and comes back as written. The map stays increasing, which `encoding.settle` relies on.

_LOG10_2 = math.log10(2)
_POWERS = np.array([float(10**n) for n in range(23)])  # exact up to 10**22
_POWER: list[float] = _POWERS.tolist()
_TOP = len(_POWER) - 1
_WHOLE = 2.0**53


def tidy(point: float, tolerance: float) -> float:
    """The short decimal within `tolerance` of `point`, if there is one, else `point`."""
    if not 0 < tolerance < math.inf:
        return point
    digits = math.floor(-math.frexp(tolerance)[1] * _LOG10_2)  # 10**-digits > tolerance: at most one is that near
    short = _rounded(point, digits)
    return short if abs(short - point) <= tolerance else point


def _rounded(point: float, digits: int) -> float:
    if digits > _TOP:
        return float(f"{point:.{digits}f}")
    if digits < 0:
        return round(point / _POWER[-digits]) * _POWER[-digits] if digits >= -_TOP else point
    scaled = point * _POWER[digits]
    return round(scaled) / _POWER[digits] if abs(scaled) < _WHOLE else point


def tidy_each(points: Floats, tolerances: Floats) -> Floats:
    """`tidy` for arrays, bit for bit."""
    usable = (tolerances > 0) & (tolerances < math.inf)
    exponents = np.frexp(np.where(usable, tolerances, 1.0))[1]
    digits = np.floor(-exponents * _LOG10_2).astype(np.int64)
    power = _POWERS[np.minimum(np.abs(digits), _TOP)]
    with np.errstate(over="ignore"):  # of two products only one is looked at
        scaled = np.where(digits >= 0, points * power, points / power)
    whole = np.rint(scaled)
    short = np.where(digits >= 0, whole / power, whole * power)
    short = np.where((np.abs(scaled) < _WHOLE) | (digits < 0), short, points)
    for index in np.flatnonzero(digits > _TOP).tolist():
        short[index] = float(f"{points[index]:.{digits[index]}f}")
    short[digits < -_TOP] = points[digits < -_TOP]
    return np.where(usable & (np.abs(short - points) <= tolerances), short, points)
