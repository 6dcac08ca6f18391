"""Axes: one parameter's domain, compiled.

A draw on an axis has three forms:

* its *unit*, in 0..1: the quantile along the scale; a discrete domain has one bin for each value, and `units` gives
  the bin's centre;
* its *number*: numbers as they are, the index for choices: an exact float64 column;
* its *value*: the Python object a trial receives.
"""

from __future__ import annotations

import copy
import json
import math
import re
from abc import ABC, abstractmethod
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from rung.space.errors import shown
from rung.space.scales import Floats, Scale, tidy, tidy_each

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIZE_LIMIT = 2**53  # integers beyond it are no longer exact in a float64 column
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


class Axis(ABC):
    """A compiled domain. `size` is how many values it has (None: infinitely many); `whole`: its draws are ints."""

    size: int | None
    whole: bool = False
    ordered: bool = True
    limits: tuple[float, float] = (math.nan, math.nan)
    """Smallest and largest number; NaN where values are no numbers to calculate with."""
    middle: Any
    expected: str

    @abstractmethod
    def value(self, unit: float) -> Any:
        """The value of one unit in 0..1."""

    @abstractmethod
    def numbers(self, units: Floats) -> Floats:
        """The numbers of `units`, an array in 0..1."""

    @abstractmethod
    def units(self, numbers: Floats) -> Floats:
        """Where `numbers` lie in 0..1 (before `encoding.settle` makes it exact)."""

    @abstractmethod
    def find(self, value: Any) -> Any:
        """The domain's own value that `value` means ("3" and 3.0 mean 3). Raises ValueError when there is none."""

    def at(self, index: int) -> Any:
        """The value at `index` of a finite domain, in the order given."""
        raise NotImplementedError(f"{type(self).__name__} is infinite")

    def number(self, value: Any) -> float:
        """The number of a value of the domain."""
        return float(value)

    def objects(self, numbers: Floats) -> list[Any]:
        """The values of `numbers`."""
        return list(numbers.astype(np.int64).tolist() if self.whole else numbers.tolist())


def read_number(value: Any) -> int | float:
    """`value` as a finite number, also from its text form. Raises ValueError."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        text = value.strip()
        value = int(text) if re.fullmatch(r"[+-]?\d{1,400}", text) else float(text)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(value)
    return value


class Continuous(Axis):
    """An interval on a scale."""

    def __init__(self, scale: Scale, middle: float) -> None:
        self.scale, self.low, self.high = scale, scale.low, scale.high
        self.limits = (self.low, self.high)
        self.size = 1 if self.low == self.high else None
        self.middle = min(max(tidy(float(middle), abs(middle) * 2e-15), self.low), self.high)
        self.expected = _interval(self.low, self.high)

    def value(self, unit: float) -> float:
        """The value of one unit: never beyond the bounds, exactly a bound at 0 and 1."""
        if unit <= 0 and self.low > -math.inf:
            return self.low
        if unit >= 1 and self.high < math.inf:
            return self.high
        point = float(self.scale.point(unit))
        if not self.scale.exact:
            half = float(self.scale.cell(point, math.ulp(math.nextafter(unit, 0.0)))) / 2
            point = tidy(point, half + 4 * math.ulp(point))
        return min(max(point, self.low), self.high)

    def numbers(self, units: Floats) -> Floats:
        """`value` for arrays, bit for bit."""
        points = np.asarray(self.scale.point(units), dtype=np.float64)
        if not self.scale.exact:
            half = self.scale.cell(points, np.spacing(np.nextafter(units, 0.0))) / 2
            points = tidy_each(points, half + 4 * np.spacing(np.abs(points)))
        points = np.minimum(np.maximum(points, self.low), self.high)
        if self.low > -math.inf:
            points = np.where(units <= 0, self.low, points)
        return np.where(units >= 1, self.high, points) if self.high < math.inf else points

    def units(self, numbers: Floats) -> Floats:
        """Where they lie; beyond the bounds counts as the bound."""
        inside = np.clip(numbers, self.low, self.high)
        return np.clip(np.asarray(self.scale.place(inside), dtype=np.float64), 0.0, 1.0)

    def find(self, value: Any) -> float:
        """`value` as a float within the bounds; a rounding beyond a bound is the bound."""
        number = float(read_number(value))
        slack = 4 * max(math.ulp(number), 5e-324)
        if not self.low - slack <= number <= self.high + slack:
            raise ValueError(value)
        return min(max(number, self.low), self.high)

    def at(self, index: int) -> float:
        """The one value of an interval without width."""
        assert self.size == 1
        assert index == 0
        return self.low


def _interval(low: float, high: float) -> str:
    if low == -math.inf and high == math.inf:
        return "a number"
    if high == math.inf:
        return f"a number of at least {low!r}"
    return f"a number of at most {high!r}" if low == -math.inf else f"a number between {low!r} and {high!r}"


class Progression(Axis):
    """first, first + step, ...: ints, and floats with a step; `count` values, each by its index in decimal arithmetic.

    On a linear scale all bins are equal. On another one the bin of a value reaches half a step to both sides, so the
    ends get their full share; `edges` maps a scale over first - step/2 .. last + step/2.
    """

    def __init__(
        self, first: float, last: float, step: float, *, whole: bool, edges: Scale | None, middle: Any
    ) -> None:
        start, stride = Fraction(repr(first)), Fraction(repr(step))
        self.first, self.step, self.whole, self.edges = first, step, whole, edges
        self.count = math.floor((Fraction(repr(last)) - start) / stride + Fraction(1, 10**9)) + 1
        self.size = self.count
        self.unit_parts = math.lcm(start.denominator, stride.denominator)
        self.start, self.stride = int(start * self.unit_parts), int(stride * self.unit_parts)
        self.plain = max(abs(self.start), abs(self.start + self.count * self.stride), self.unit_parts) < SIZE_LIMIT
        self.last = self.at(self.count - 1)
        self.limits = (first, self.last)
        self.middle = self.at(min(math.floor((float(middle) - first) / step + 0.5), self.count - 1))
        kind = "an integer" if whole else "a number"
        grid = "" if whole and step == 1 else f" in steps of {step!r}"
        self.expected = f"{kind} between {first!r} and {self.last!r}{grid}"

    def at(self, index: int) -> Any:
        """First + index * step, correctly rounded (as written in decimals, not as binary fractions)."""
        parts = self.start + index * self.stride
        return parts if self.whole else parts / self.unit_parts

    def _nearest(self, point: float) -> int:
        return min(max(round((point - self.first) / self.step), 0), self.count - 1)

    def value(self, unit: float) -> Any:
        """The value whose bin holds `unit`."""
        if self.edges is None:
            return self.at(min(max(int(unit * self.count), 0), self.count - 1))
        return self.at(self._nearest(float(self.edges.point(unit))))

    def numbers(self, units: Floats) -> Floats:
        """`value` for arrays, bit for bit."""
        if self.edges is None:
            indices = np.floor(units * self.count)
        else:
            indices = np.rint((self.edges.point(units) - self.first) / self.step)
        indices = np.clip(indices, 0, self.count - 1)
        if self.plain:
            return np.asarray((self.start + indices * self.stride) / self.unit_parts)
        return np.array([float(self.at(int(index))) for index in indices.tolist()])

    def units(self, numbers: Floats) -> Floats:
        """The centres of their bins."""
        indices = np.clip(np.rint((numbers - self.first) / self.step), 0, self.count - 1)
        if self.edges is None:
            return (indices + 0.5) / self.count
        points = self.first + indices * self.step
        low, high = (
            np.maximum(points - self.step / 2, self.edges.low),
            np.minimum(points + self.step / 2, self.edges.high),
        )
        return np.asarray((self.edges.place(low) + self.edges.place(high)) / 2)

    def find(self, value: Any) -> Any:
        """The value of the progression that `value` is, but for a rounding."""
        number = read_number(value)
        nearest = self.at(self._nearest(float(number))) if abs(number) < 1e300 else self.first
        if number != nearest and (self.whole or abs(number - nearest) > 1e-9 * self.step):
            raise ValueError(value)
        return nearest


class Table(Axis):
    """A finite list of increasing numbers with equal bins."""

    def __init__(self, values: Sequence[int | float], *, whole: bool) -> None:
        self.table, self.whole, self.size = list(values), whole, len(values)
        self._array = np.array(self.table, dtype=np.float64)
        self.limits = (self.table[0], self.table[-1])
        self.middle = self.table[(self.size - 1) // 2]
        self.expected = f"one of {shown(self.table)}"

    def at(self, index: int) -> Any:
        """The value at `index`."""
        return self.table[index]

    def value(self, unit: float) -> Any:
        """The value whose bin holds `unit`."""
        return self.table[min(max(int(unit * len(self.table)), 0), len(self.table) - 1)]

    def _bins(self, units: Floats) -> Floats:
        return np.clip(np.floor(units * len(self.table)), 0, len(self.table) - 1)

    def numbers(self, units: Floats) -> Floats:
        """`value` for arrays."""
        return self._array[self._bins(units).astype(np.int64)]

    def _indices(self, numbers: Floats) -> Floats:
        """The index of the nearest value."""
        if len(self.table) == 1:
            return np.zeros_like(numbers)
        right = np.clip(np.searchsorted(self._array, numbers), 1, len(self.table) - 1)
        nearer_left = numbers - self._array[right - 1] <= self._array[right] - numbers
        return (right - nearer_left).astype(np.float64)

    def units(self, numbers: Floats) -> Floats:
        """The centres of their bins."""
        return (self._indices(numbers) + 0.5) / len(self.table)

    def find(self, value: Any) -> Any:
        """The value of the table that `value` is, but for a rounding."""
        number = read_number(value)
        nearest = self.table[int(self._indices(np.array([float(number)]))[0])]
        if number != nearest and abs(number - nearest) > 1e-9 * max(abs(nearest), 1e-300):
            raise ValueError(value)
        return nearest


def json_key(value: Any) -> Any:
    """A hashable that is equal for equal JSON values: 1 and 1.0 are one value, true is another."""
    if isinstance(value, bool) or value is None:
        return ("word", value)
    if isinstance(value, int | float | str):
        return value
    return ("json", json.dumps(_plain(value), sort_keys=True))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Categories(Axis):
    """Any JSON values with equal bins: `choice`, `bool` (false, true) and `ordinal` (whose middle is its middle)."""

    def __init__(self, values: Sequence[Any], *, ordered: bool) -> None:
        self.table, self.size, self.ordered = list(values), len(values), ordered
        self.middle = self.at(len(values) // 2 if ordered else 0)
        self._index = {json_key(value): index for index, value in enumerate(self.table)}
        self._texts = {text(value): index for index, value in reversed(list(enumerate(self.table)))}
        self._mutable = any(isinstance(value, list | dict) for value in self.table)
        self._key: Callable[[Any], Any] = json_key
        self.expected = f"one of {shown(self.table)}"

    def at(self, index: int) -> Any:
        """The value at `index`; a list or mapping is a copy, which the caller may change."""
        value = self.table[index]
        return copy.deepcopy(value) if isinstance(value, list | dict) else value

    def value(self, unit: float) -> Any:
        """The value whose bin holds `unit`."""
        return self.at(min(max(int(unit * len(self.table)), 0), len(self.table) - 1))

    def numbers(self, units: Floats) -> Floats:
        """The indices of the bins."""
        return np.clip(np.floor(units * len(self.table)), 0, len(self.table) - 1)

    def units(self, numbers: Floats) -> Floats:
        """The centres of the bins."""
        return (np.clip(numbers, 0, len(self.table) - 1) + 0.5) / len(self.table)

    def number(self, value: Any) -> float:
        """The index of `value`. Raises ValueError for a value that is not there."""
        try:
            return float(self._index[json_key(value)])
        except (KeyError, TypeError):
            raise ValueError(value) from None

    def objects(self, numbers: Floats) -> list[Any]:
        """The values at these indices."""
        indices = numbers.astype(np.int64).tolist()
        if self._mutable:
            return [self.at(index) for index in indices]
        return [self.table[index] for index in indices]

    def find(self, value: Any) -> Any:
        """The value that equals `value`, or whose text form `value` is."""
        try:
            return self.at(int(self.number(value)))
        except ValueError:
            index = self._texts.get(value) if isinstance(value, str) else None
            if index is None:
                raise
            return self.at(index)


def text(value: Any) -> str:
    """`value` as a command line spells it: words as they are, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value)
