"""Kernels over unit rows: what one trial says of its neighbourhood.

Notation, as the code of this folder spells it:

* centres  (n, d)  unit rows the kernels stand at; NaN where the parameter was inactive: there a kernel is uniform
* weights  (n,)    of the kernels
* sigma    (d,)    bandwidth of each numeric column, in units
* leave    (d,)    chance that a categorical kernel leaves its own category
* kappa(x | centre), a density relative to the uniform draw from the space, so that a uniform factor is 1:
      continuous   exp(-(x - centre)^2 / 2 sigma^2) / mass, with its integral over 0..1 as the mass
      ordered      the same with its mean over the values' bins as the mass
      categorical  (1 - leave) k at the centre, leave k / (k - 1) at each other category (Aitchison & Aitken 1976)

An inactive parameter drops out, and a row of NaN is the prior.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rung.search.history import columns_of

if TYPE_CHECKING:
    from rung.search.history import Floats, Integers
    from rung.space import Space

LATTICE = 64  # an ordered column of more values is normalised like a continuous one


class Lattice(NamedTuple):
    """The values of an ordered column: `points` (k,) their units, `shares` (k,) of the uniform draw."""

    points: Floats
    shares: Floats


class Geometry:
    """What the unit rows of a space are made of. `sizes` (d,): how many values, 0 for infinitely many; `step` (d,): the
    mean distance of neighbouring values, 0 for a continuous column."""

    def __init__(self, space: Space) -> None:
        columns = columns_of(space)
        unordered = np.array([c.kind == "categorical" and c.size != 1 for c in columns], dtype=bool)
        self.numeric: Integers = np.flatnonzero(~unordered)
        self.categorical: Integers = np.flatnonzero(unordered)
        self.sizes = np.array([column.size or 0 for column in columns], dtype=np.float64)
        self.step = np.array([1.0 / size if size else 0.0 for size in self.sizes])
        self.lattices = {
            place: _lattice(space, column)
            for place, column in enumerate(self.numeric.tolist())
            if 0 < self.sizes[column] <= LATTICE
        }


def _lattice(space: Space, column: int) -> Lattice:
    axis = space.axes[column]
    assert axis.size is not None
    numbers = np.array([axis.number(axis.at(index)) for index in range(axis.size)], dtype=np.float64)
    points = axis.units(numbers)
    edges = [0.0]  # a point is the centre of its bin, so the bins follow from the first edge
    for point in points.tolist():
        edges.append(2 * point - edges[-1])
    shares = np.maximum(np.diff(edges), 0.0)
    return Lattice(points, shares / shares.sum())


class Kernels:
    """Kernels of one shape; where they stand is given to each method."""

    def __init__(self, geometry: Geometry, sigma: Floats, leave: Floats) -> None:
        self.geometry, self.sigma, self.leave = geometry, sigma, leave
        sizes, leaving = geometry.sizes[geometry.categorical], leave[geometry.categorical]
        self.agree: Floats = (1 - leaving) * sizes  # (categorical,) kappa at the kernel's own category
        self.apart: Floats = leaving * sizes / (sizes - 1)  # and at another one
        self.width: Floats = sigma[geometry.numeric]  # (numeric,)

    def mass(self, centres: Floats) -> Floats:
        """(n, numeric) what makes kappa of the numeric columns a density; 1 where inactive."""
        from scipy.special import ndtr  # only studies with this searcher pay for it

        places = centres[:, self.geometry.numeric]
        high, low = (1 - places) / self.width, -places / self.width
        mass = np.sqrt(2 * np.pi) * self.width * (ndtr(high) - ndtr(low))
        for place, (points, shares) in self.geometry.lattices.items():
            distance = (points - places[:, place, None]) / self.width[place]
            mass[:, place] = np.exp(-0.5 * distance**2) @ shares
        return np.where(np.isnan(places), 1.0, mass)

    def closeness(self, units: Floats, centres: Floats) -> Floats:
        """(m, n) kappa at (m, d) unit rows, relative to kappa at the centre itself: 1 at equal rows."""
        numeric = self.geometry.numeric
        found = np.zeros((len(units), len(centres)))
        for column, width in zip(numeric.tolist(), self.width.tolist(), strict=True):
            distance = (units[:, column, None] - centres[:, column]) / width
            found -= 0.5 * np.where(np.isnan(distance), 0.0, distance) ** 2
        fall = np.log(self.apart / self.agree)
        for column, step in zip(self.geometry.categorical.tolist(), fall.tolist(), strict=True):
            both = ~np.isnan(units[:, column, None] + centres[:, column])
            found += step * (both & (units[:, column, None] != centres[:, column]))
        return np.asarray(np.exp(found))

    def scatter(self, rng: np.random.Generator, centres: Floats) -> Floats:
        """(n, d) one draw from each kernel; every column has a value, uniform where the centre has none."""
        from scipy.special import ndtr, ndtri  # as above

        numeric = self.geometry.numeric
        draws = rng.random(centres.shape)
        rows = draws.copy()
        for column in self.geometry.categorical.tolist():
            rows[:, column] = self._category(column, centres[:, column], draws[:, column])
        places = centres[:, numeric]
        low, high = ndtr(-places / self.width), ndtr((1 - places) / self.width)
        rows[:, numeric] = np.clip(places + self.width * ndtri(low + draws[:, numeric] * (high - low)), 0.0, 1.0)
        return np.where(np.isnan(centres), draws, rows)

    def _category(self, column: int, centres: Floats, draws: Floats) -> Floats:
        """The centre's category, or with the chance `leave` another one; NaN for NaN."""
        size, leave = self.geometry.sizes[column], self.leave[column]
        own = np.floor(centres * size)
        other = np.minimum(np.floor(np.maximum(draws - (1 - leave), 0.0) / leave * (size - 1)), size - 2)
        return np.asarray((np.where(draws < 1 - leave, own, other + (other >= own)) + 0.5) / size)
