"""StudioML's two grammars of ranges: of its grid, and of its plug-in optimizers.

    grid                                     plug-in: MIN:MAX[:LENGTH][:FLAGS]
    a,b,c     a list                         u  not held within the bounds
    x         fixed                          r  begins at random, else in the middle
    a:b       step 1                         l  on a log scale
    a:m:b     m whole and above |b-a|: m     a  an array of LENGTH numbers
              points; else step m
    a:um:b    m points                       a missing `a` is 0, as is one that is no number
    a:lm:b    m points on a log scale

Both ends belong to a range, and no value lies beyond one. Integers stay integers, words stay words.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

import msgspec

from rung.model import BadInput, Parameter

MOST = 100_000
"""Values that one range may have."""
MOST_LENGTH = 10_000
"""Numbers that one array may have."""
TINIEST, LARGEST = 1e-300, 1e300
"""What is nearer to 0 is 0, what is larger is no number: the steps between must be finite too."""
FLAGS = "ualr"
_INTEGER = re.compile(r"[+-]?\d+")
_MARKED = re.compile(r"(?P<before>[ul])?(?P<count>\d+)(?P<after>[ul])?")
_SLACK = Fraction(1, 10**9)  # of a step: what a rounding in the last digits of the texts amounts to
_DIGITS = 15  # that a float keeps of a decimal text


def grid_values(text: str) -> list[Any]:
    """The values of a range of the grid, in order; none for one that runs backwards. Raises `BadInput`."""
    if "," in text:
        return _list(text)
    fields = [field.strip() for field in text.split(":")]
    if len(fields) == 1:
        return [_value(text.strip())]
    if len(fields) > 3:
        raise BadInput(f"expected a, a:b or a:m:b, got {text!r}")
    if len(fields) == 2:
        fields = [fields[0], "1", fields[1]]
    low, high = _number(fields[0]), _number(fields[2])
    if high is None:
        raise BadInput(f"the range has no end: expected a number after the last colon, got {fields[2]!r}")
    whole = all(_INTEGER.fullmatch(field) for field in (fields[0] or "0", fields[2]) if _number(field) is not None)
    return _between(low or Fraction(0), fields[1], high, whole=whole, given=len(text.split(":")) == 3)


def odd_start(text: str) -> str | None:
    """What stands where a range should begin with a number and is read as 0; None where all is well."""
    first, colon, _ = text.partition(":")
    return first if colon and "," not in text and first.strip() and _number(first.strip()) is None else None


def _list(text: str) -> list[Any]:
    values: list[Any] = []
    for part in text.split(","):
        if not part.strip():
            raise BadInput(f"expected a value between commas, got {text!r}")
        value = _value(part.strip())
        if value not in values:
            values.append(value)
    return values


def _value(text: str) -> int | float | str:
    """A number where it is one, else a word."""
    if not text:
        raise BadInput("expected a value, a list a,b,c, or a range a:b or a:m:b")
    if _INTEGER.fullmatch(text):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        raise BadInput(f"expected a finite number, got {text}")
    return number


def _number(text: str) -> Fraction | None:
    """The number that a text is, exactly; None where it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    if not value or not math.isfinite(value) or not TINIEST < abs(value) < LARGEST:
        return Fraction(0) if abs(value) <= TINIEST else None
    return Fraction(text)


def _between(low: Fraction, middle: str, high: Fraction, *, whole: bool, given: bool) -> list[Any]:
    step = _number(middle)
    if step is None:
        return _counted(low, middle, high, whole=whole)
    if given and step.denominator == 1 and step > abs(high - low):
        return _numbers(_even(low, high, int(step)), whole=whole and bool(_INTEGER.fullmatch(middle)))
    if step == 0:
        raise BadInput(f"a step of 0 leads nowhere; write {float(low):g}:u10:{float(high):g} for ten values")
    count = math.floor((high - low) / step + _SLACK) + 1
    _check_count(count)
    values = [low + step * i for i in range(max(0, count))]
    if values and (values[-1] - high) * step > 0:
        values[-1] = high  # it went beyond by a rounding
    return _numbers(values, whole=whole and bool(_INTEGER.fullmatch(middle)))


def _counted(low: Fraction, middle: str, high: Fraction, *, whole: bool) -> list[Any]:
    match = _MARKED.fullmatch(middle)
    if match is None or (match["before"] is None) == (match["after"] is None):
        raise BadInput(f"unknown limit specification {middle}; expected a step, uN for N values, or lN on a log scale")
    count = int(match["count"][:9])
    _check_count(count)
    if count == 0:
        raise BadInput(f"{middle} asks for no value; expected at least 1")
    if (match["before"] or match["after"]) == "u":
        return _numbers(_even(low, high, count), whole=whole)
    if low <= 0 or high <= 0:
        raise BadInput(f"a log scale needs bounds above 0, got {float(low):g} and {float(high):g}; {log_remedy(high)}")
    return _numbers(_spaced(float(low), float(high), count), whole=whole)


def log_remedy(high: Fraction | float) -> str:
    """What to write instead of a bound of 0 on a log scale."""
    return f"write a small number such as {float(high) / 1e4 if high > 0 else 1e-4:.0e} in its place"


def _check_count(count: int) -> None:
    if count > MOST:
        raise BadInput(f"{count} values are too many; a range may have {MOST}")


def _even(low: Fraction, high: Fraction, count: int) -> list[Fraction]:
    """`count` values from one end to the other; the first end alone for one."""
    _check_count(count)
    return [low + (high - low) * i / max(1, count - 1) for i in range(count)]


def _spaced(low: float, high: float, count: int) -> list[Fraction]:
    ratio = math.log(high / low) if high / low < math.inf else math.log(high) - math.log(low)
    values = [low * math.exp(ratio * i / max(1, count - 1)) for i in range(count)]
    if count > 1:
        values[-1] = high
    return [Fraction(f"{value:.{_DIGITS - 1}g}") for value in values]


def _numbers(values: list[Fraction], *, whole: bool) -> list[Any]:
    """The values as ints, where they were written so and all are; else as floats."""
    if whole and all(value.denominator == 1 for value in values):
        return [int(value) for value in values]
    return [float(value) for value in values]


# ---------------------------------------------------------------------------------------------------------- plug-ins


class PluginRange(msgspec.Struct, frozen=True, kw_only=True):
    """A range of a plug-in optimizer, as StudioML's `Hyperparameter` has it: on a log scale the bounds are natural
    logarithms. `index`: where in the optimizer's vector it begins."""

    name: str
    min_range: float
    max_range: float
    array_length: int | None = None
    unbounded: bool = False
    is_log: bool = False
    rand_init: bool = False
    index: int = 0

    @property
    def middle(self) -> float:
        """Where the search begins, in the parameter's own unit."""
        return self.actual((self.min_range + self.max_range) / 2)

    def actual(self, value: float) -> float:
        """A number on the range's scale in the parameter's own unit."""
        return math.exp(value) if self.is_log else value

    def parameters(self) -> list[Parameter]:
        """The parameter of the study, or one for each number of the array: `lr.0`, `lr.1`, ..."""
        if self.array_length is None:
            return [self._parameter(self.name)]
        return [self._parameter(f"{self.name}.{i}") for i in range(self.array_length)]

    def _parameter(self, name: str) -> Parameter:
        low, high = self.actual(self.min_range), self.actual(self.max_range)
        if self.unbounded:
            # Where most draws of the optimizer's first steps lie; it may go anywhere from there.
            spread = (self.max_range - self.min_range) / 2 or UNIT
            center = (self.min_range + self.max_range) / 2
            return Parameter(name=name, type="lognormal" if self.is_log else "normal", mean=center, sd=spread)
        if low >= high:
            return Parameter(name=name, type="constant", value=low)
        return Parameter(name=name, type="float", min=low, max=high, scale="log" if self.is_log else "linear")


UNIT = 0.5
"""The spread of an unbounded parameter whose bounds are the same: twice StudioML's first step, sigma0."""


def plugin_range(name: str, text: str, optimizer: str, *, index: int = 0) -> PluginRange:
    """The range of a plug-in optimizer. Raises `BadInput`, in StudioML's words where it has some."""
    fields = [field.strip() for field in text.split(":")]
    flags = fields[-1] if len(fields) > 2 else ""
    if len(fields) < 2 or any(flag not in FLAGS or flags.count(flag) != 1 for flag in flags):
        raise _incorrect("flags", text, optimizer)
    if len(fields) > 2 and len(fields) != (4 if "a" in flags else 3):
        raise _incorrect("flags", text, optimizer)
    low, high = _number(fields[0]), _number(fields[1])
    length = fields[2] if "a" in flags else None
    if low is None or high is None or (length is not None and not (_INTEGER.fullmatch(length) and int(length) > 0)):
        raise _incorrect("values", text, optimizer)
    if length is not None and int(length) > MOST_LENGTH:
        raise BadInput(f"an array may have {MOST_LENGTH} numbers, got {length}")
    if low > high:
        raise BadInput(f"Min range ({float(low)}) is larger than max range ({float(high)}) ")
    if "l" in flags and low <= 0:
        small = f"{float(high) / 1e4:.0e}" if high > 0 else "1e-4"
        better = ":".join([small, fields[1] if high > 0 else "1", *fields[2:]])
        raise BadInput(f"a log scale needs bounds above 0, got {float(low):g}; write {name}={better}")
    return PluginRange(
        name=name,
        min_range=math.log(low) if "l" in flags else float(low),
        max_range=math.log(high) if "l" in flags else float(high),
        array_length=None if length is None else int(length),
        unbounded="u" in flags, is_log="l" in flags, rand_init="r" in flags, index=index,
    )  # fmt: skip


def _incorrect(what: str, text: str, optimizer: str) -> BadInput:
    hint = "expected MIN:MAX, MIN:MAX:FLAGS or MIN:MAX:LENGTH:FLAGS, with flags out of u, r, l, and a for an array"
    return BadInput(f"Hyperparameter {what} ({text}) are incorrect for {optimizer}; {hint}")
