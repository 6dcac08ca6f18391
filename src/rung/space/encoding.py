"""Configurations to the unit cube and to exact value columns, and back.

`settle` makes the way to the cube exact: where the inverse of a scale lands beside the unit that decodes to the very
value, it is found by bisection over floats, the map being increasing. It cannot be found where the unit interval is
coarser than the value is precise: of the floats between two neighbouring units' values only the short decimals
(`scales.tidy`) and the values that decoding produces have a unit; for another one the nearest is given.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from rung.space.axes import Axis, Categories
from rung.space.errors import SpaceError, shown
from rung.space.expressions import ABSENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from rung.space.layout import Layout, Part
    from rung.space.scales import Floats

_ULP = 2.0**-53
FEW = 4  # units that are turned into numbers one by one


def decode(layout: Layout, units: Floats) -> list[dict[str, Any]]:
    """The active searched parameters' values of each row, in the order of declaration."""
    units = np.where(np.isnan(units), 0.5, np.clip(units, 0.0, 1.0))
    names = tuple(layout.by_name)
    if len(units) == 1:
        values = layout.one(units[0].tolist())
        return [{name: values[name] for name in names if name in values}]
    columns, active = layout.many(units)
    rows = zip(*(columns[name] for name in names), strict=True) if names else iter([()] * len(units))
    if active.all():
        return [dict(zip(names, row, strict=True)) for row in rows]
    return [{name: value for name, value in zip(names, row, strict=True) if value is not ABSENT} for row in rows]


def snap(layout: Layout, units: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Units with discrete ones at the centre of their bin, NaN where inactive; and which rows keep the constraints."""
    rows = np.where(np.isnan(units), 0.5, np.clip(units, 0.0, 1.0))
    for part in layout.parts:
        if part.axis.size is not None:
            column = rows[:, part.column]
            rows[:, part.column] = part.axis.units(part.axis.numbers(column))
    if layout.plain:
        return rows, np.ones(len(rows), dtype=bool)
    columns, active = layout.many(rows, layout.mentioned)
    rows[~active] = np.nan
    return rows, layout.kept(columns, len(rows))


def to_rows(layout: Layout, configs: Sequence[Mapping[str, Any]]) -> Floats:
    """Values as float64 columns, (n, d): numbers as they are, indices of choices, NaN where a name is not there."""
    rows = np.empty((len(configs), len(layout.parts)))
    for part in layout.parts:
        values = [config.get(part.name, ABSENT) for config in configs]
        rows[:, part.column] = _numbers(part, values)
    return rows


def _numbers(part: Part, values: list[Any]) -> Floats | list[float]:
    number: Callable[[Any], float] = part.axis.number
    try:
        if not isinstance(part.axis, Categories) and ABSENT not in values:
            return np.array(values, dtype=np.float64)
        return [math.nan if value is ABSENT else number(value) for value in values]
    except (ValueError, TypeError):
        raise SpaceError(_stranger(part, values), parameter=part.name) from None


def _stranger(part: Part, values: list[Any]) -> str:
    strange = next(value for value in values if value is not ABSENT and not _fits(part, value))
    return f"expected {part.axis.expected}, got {shown(strange)}"


def _fits(part: Part, value: Any) -> bool:
    try:
        part.axis.number(value)
    except (ValueError, TypeError):
        return False
    return True


def from_rows(layout: Layout, rows: Floats) -> list[dict[str, Any]]:
    """The configurations that `to_rows` turned into `rows`."""
    if not layout.parts:
        return [{} for _ in range(len(rows))]
    present = ~np.isnan(rows)
    names = tuple(layout.by_name)
    columns = [_objects(part, rows[:, part.column], present[:, part.column]) for part in layout.parts]
    lines = zip(*columns, strict=True)
    if present.all():
        return [dict(zip(names, line, strict=True)) for line in lines]
    return [{name: value for name, value in zip(names, line, strict=True) if value is not ABSENT} for line in lines]


def _objects(part: Part, column: Floats, present: NDArray[np.bool_]) -> list[Any]:
    filled = np.where(present, column, 0.0)
    if part.times is not None:
        values = filled.astype(np.int64).tolist() if part.whole else filled.tolist()
    else:
        values = part.axis.objects(filled)
    if present.all():
        return list(values)
    return [value if there else ABSENT for value, there in zip(values, present.tolist(), strict=True)]


def encode(layout: Layout, configs: Sequence[Mapping[str, Any]]) -> Floats:
    """The unit rows of `configs`, (n, d) in 0..1, NaN where a name is not there."""
    rows = to_rows(layout, configs)
    units = np.full_like(rows, np.nan)
    present = ~np.isnan(rows)
    whole = np.arange(len(rows)) if present.all() else None
    for part in layout.parts:
        there = whole if whole is not None else np.flatnonzero(present[:, part.column])
        if len(there):
            factors = None if part.times is None else _factors(layout, part.times, rows, there)
            units[there, part.column] = _encode_column(part.axis, rows[there, part.column], factors)
    return units


def _factors(layout: Layout, name: str, rows: Floats, there: NDArray[np.intp]) -> Floats:
    if name in layout.constants:
        return np.full(len(there), float(layout.constants[name]))
    factors: Floats = rows[there, layout.by_name[name].column]
    if np.isnan(factors).any():
        raise SpaceError("is inactive, but a parameter that is multiplied with it is there", parameter=name)
    return factors


def _encode_column(axis: Axis, numbers: Floats, factors: Floats | None) -> Floats:
    if factors is None:
        start = axis.units(numbers)
        if isinstance(axis, Categories) or (len(numbers) == 1 and axis.value(start.item()) == numbers.item()):
            return start
        return settle(_numbers_of(axis, len(numbers)), start, numbers)
    usable = factors != 0  # a product with zero says nothing of the draw: its middle stands for all
    draws = np.divide(numbers, factors, out=np.full_like(numbers, float(axis.middle)), where=usable)
    start = np.where(usable, axis.units(draws), axis.units(np.full_like(numbers, float(axis.middle))))
    signs = np.sign(factors)

    def product(units: Floats, indices: NDArray[np.intp]) -> Floats:
        return axis.numbers(units) * factors[indices] * signs[indices]

    return _settle(product, start, numbers * signs)


def _numbers_of(axis: Axis, count: int) -> Callable[[Floats], Floats]:
    """`axis.numbers`, for a few units one by one: the same, without the cost of setting up arrays."""
    if count > FEW:
        return axis.numbers
    return lambda units: np.array([axis.value(unit) for unit in units.tolist()], dtype=np.float64)


def settle(function: Callable[[Floats], Floats], units: Floats, targets: Floats) -> Floats:
    """Units at which the increasing `function` is exactly `targets`, where there are such, else next to it."""
    return _settle(lambda some, _indices: function(some), units, targets)


def _settle(function: Callable[[Floats, NDArray[np.intp]], Floats], units: Floats, targets: Floats) -> Floats:
    wrong = np.flatnonzero(function(units, np.arange(len(units))) != targets)
    if not len(wrong):
        return units
    goal = targets[wrong]
    low, high = _bracket(function, units[wrong], goal, wrong)
    for _ in range(64):
        middle = low + (high - low) / 2
        if not ((middle > low) & (middle < high)).any():
            break
        above = function(middle, wrong) >= goal
        high = np.where(above, middle, high)
        low = np.where(above, low, middle)
    settled: Floats = units.copy()
    settled[wrong] = _best_near(function, high, goal, wrong)
    return settled


def _bracket(
    function: Callable[[Floats, NDArray[np.intp]], Floats], units: Floats, goal: Floats, indices: NDArray[np.intp]
) -> tuple[Floats, Floats]:
    """Low <= high with function(low) < goal <= function(high), or the ends of the interval."""
    low, high, reach = units, units, np.maximum(units, _ULP) * 2 * _ULP
    for _ in range(20):
        short = (function(low, indices) >= goal) & (low > 0)
        over = (function(high, indices) < goal) & (high < 1)
        if not (short | over).any():
            break
        low = np.where(short, np.maximum(units - reach, 0.0), low)
        high = np.where(over, np.minimum(units + reach, 1.0), high)
        reach = reach * 16
    return low, high


def _best_near(
    function: Callable[[Floats, NDArray[np.intp]], Floats], units: Floats, goal: Floats, indices: NDArray[np.intp]
) -> Floats:
    """The unit within four floats of `units` whose value is nearest to `goal`.

    (`exp` need not be increasing in its last bit.)
    """
    best, error = units, np.abs(function(units, indices) - goal)
    up = down = units
    for _ in range(4):
        up, down = np.nextafter(up, 1.0), np.nextafter(down, 0.0)
        for candidate in (up, down):
            apart = np.abs(function(candidate, indices) - goal)
            best = np.where(apart < error, candidate, best)
            error = np.minimum(apart, error)
    return best
