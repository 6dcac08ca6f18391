"""Other parameters near given ones: the explore step of population based training.

Jaderberg et al. 2017, "Population Based Training of Neural Networks" (arXiv:1711.09846), sections 4.1.1 and 4.1.2: each
parameter is either drawn again from its range (*resample*) or multiplied with a factor (*perturb*).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from rung.space.axes import Categories

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rung.space import Space
    from rung.space.axes import Axis

TRIES = 64  # sets of draws, before the parameters stay as they are: none of them kept the constraints


class Explorer:
    """Changes configurations of `space`. `resample`: the chance, for each parameter, that it is drawn again; else it
    is multiplied with one of `factors`."""

    def __init__(self, space: Space, *, resample: float, factors: Sequence[float]) -> None:
        self.space, self.resample, self.factors = space, resample, tuple(factors)
        scales = {parameter.name: parameter.scale for parameter in space.parameters}
        self._mirrored = [scales[name] == "reverselog" for name in space.names]

    def explored(self, params: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
        """A configuration near `params`, a canonical one, that keeps every constraint; `params` itself where no draw
        did. What becomes active is drawn. Constants that were overridden stay so."""
        unit = self.space.encode([params])[0]
        own = {name: value for name, value in params.items() if name in self.space.constants}
        for _ in range(TRIES):
            row, kept = self.space.snap(self._changed(unit, rng)[np.newaxis])
            found = self.space.decode(row)[0] | own
            if kept[0] and self.space.allows(found):
                return found
        return dict(params)

    def _changed(self, unit: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(d,) all of one row. Every parameter takes the same number of draws, whatever the others come to."""
        row = rng.random(len(unit))
        again = rng.random(len(unit)) < self.resample
        picks = rng.integers(len(self.factors), size=len(unit))
        for column in np.flatnonzero(~np.isnan(unit) & ~again).tolist():
            axis = self.space.axes[column]
            row[column] = self._perturbed(axis, unit[column], self.factors[picks[column]], column)
        return row

    def _perturbed(self, axis: Axis, unit: float, factor: float, column: int) -> float:
        """The unit of the value at `unit` times `factor`. Of an ordinal, the neighbour; a choice stays."""
        if axis.size == 1:
            return unit
        if isinstance(axis, Categories):
            return _neighbour(unit, len(axis.table), math.copysign(1, factor - 1)) if axis.ordered else unit
        here = float(axis.numbers(np.array([unit]))[0])
        there = 1.0 - (1.0 - here) * factor if self._mirrored[column] else here * factor
        low, high = axis.limits
        moved = float(axis.units(np.array([min(max(there, low), high)]))[0])
        if axis.size is not None and float(axis.numbers(np.array([moved]))[0]) == here and there != here:
            return _next_value(axis, here, up=there > here)
        return moved


def _neighbour(unit: float, size: int, direction: float) -> float:
    """The centre of the bin beside that of `unit`; at an end, the one on the other side."""
    here = min(int(unit * size), size - 1)
    there = here + int(direction)
    if not 0 <= there < size:
        there = here - int(direction)
    return (there + 0.5) / size


def _next_value(axis: Axis, here: float, *, up: bool) -> float:
    """The unit of the value that follows `here` on a discrete axis; at its end, `here`: so a factor that is too small
    for a whole step makes one all the same."""
    unit = float(axis.units(np.array([here]))[0])
    assert axis.size is not None
    low, high = (unit, 1.0) if up else (0.0, unit)
    end = float(axis.numbers(np.array([high if up else low]))[0])
    if end == here:
        return unit
    # The nearest unit with another value, by bisection: axes map units to values without decreasing.
    for _ in range(60):
        middle = (low + high) / 2
        same = float(axis.numbers(np.array([middle]))[0]) == here
        if same == up:
            low = middle
        else:
            high = middle
    return high if up else low


def described(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What was changed, in words: `lr 0.1 -> 0.08, depth 3 -> 4`."""
    names = list(dict.fromkeys([*before, *after]))
    changed = [n for n in names if (n in before) != (n in after) or before.get(n) != after.get(n)]
    return ", ".join(f"{n} {_said(before, n)} -> {_said(after, n)}" for n in changed)


def _said(params: Mapping[str, Any], name: str) -> str:
    if name not in params:
        return "none"
    value = params[name]
    return f"{value:.4g}" if isinstance(value, float) else str(value)
