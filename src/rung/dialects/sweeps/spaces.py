"""What the small formats share: numbers and domains of other tuners as parameters, each with the place it came from."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rung.dialects.documents import parse
from rung.dialects.values import Value
from rung.model import BadInput, Parameter, RunSettings
from rung.space import Space, SpaceError
from rung.space.axes import json_key
from rung.space.template import with_rest
from rung.space.validation import plain_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rung.dialects.base import Asked

_MOST_VALUES = 1000
_LARGEST = 1e300


def root_of(text: str, file: str) -> Value:
    """The whole of a YAML, JSON or TOML text with its places. Raises `BadInput`."""
    tree, positions = parse(text, file=file)
    return Value(tree, (), positions)


class Domains:
    """Parameters in the order in which they were added, and where each was written."""

    def __init__(self) -> None:
        self.parameters: dict[str, Parameter] = {}
        self.places: dict[str, Value] = {}

    def add(self, parameter: Parameter, place: Value) -> None:
        """The parameter is there. Raises `BadInput` for a name that is taken."""
        if parameter.name in self.parameters:
            raise place.error(f"two parameters are called {parameter.name}; rename one")
        self.parameters[parameter.name] = parameter
        self.places[parameter.name] = place

    def checked(self) -> tuple[Parameter, ...]:
        """All of them, which make a space. Raises `BadInput` at the place of one that cannot be."""
        found = tuple(self.parameters.values())
        try:
            Space(found)
        except SpaceError as error:
            place = self.places.get(error.parameter)
            if place is None:
                raise
            raise place.error(f"{error.field}: {error.message}" if error.field else error.message) from None
        return found

    def are_finite(self) -> bool:
        """Whether the space has a size."""
        return Space(tuple(self.parameters.values())).size is not None


# ------------------------------------------------------------------------------------------------------------- numbers


def number(value: Value, *, quoted: bool = False) -> float | int:
    """This finite number, an int where it is written as one; with `quoted` also where it is text, as in Katib's files.

    Raises:
        BadInput: it is none.
    """
    found = value.value
    if quoted and isinstance(found, str):
        found = _read(found)
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not abs(found) <= _LARGEST:
        value.expected("a number")
    assert isinstance(found, (int, float))
    return found


def _read(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def whole(value: Value, *, quoted: bool = False) -> int:
    """This whole number; `3.0` is one. Raises `BadInput`."""
    found = number(value, quoted=quoted)
    if found != int(found):
        value.expected("a whole number")
    return int(found)


def ordered(low: Value, high: Value, *, quoted: bool = False) -> tuple[float | int, float | int]:
    """Two bounds, the first not above the second. Raises `BadInput`."""
    bounds = number(low, quoted=quoted), number(high, quoted=quoted)
    if bounds[0] > bounds[1]:
        raise low.error(f"must be at most {high.spelt()}, got {low.spelt()}; exchange them")
    return bounds


def exponential(value: Value, exponent: float) -> float:
    """The power of e that floating point can hold. Raises `BadInput`."""
    if not abs(exponent) < math.log(_LARGEST):
        raise value.error(f"is an exponent here, and e to the {exponent:g} is no number; the ends are e^min and e^max")
    return math.exp(exponent)


# ------------------------------------------------------------------------------------------------------------- domains


def interval(name: str, low: Value, high: Value, *, log: bool = False, quoted: bool = False) -> Parameter:
    """All numbers from `low` to `high`. Raises `BadInput`."""
    least, most = ordered(low, high, quoted=quoted)
    if log and least <= 0:
        raise low.error(f"must be above 0 on a log scale, got {low.spelt()}; write a number like 1e-6")
    return Parameter(name=name, type="float", min=float(least), max=float(most), scale="log" if log else "linear")


def integers(name: str, low: Value, high: Value, *, log: bool = False, open_end: bool = False) -> Parameter:
    """All whole numbers from `low` to `high`, without `high` itself where the end is open. Raises `BadInput`."""
    least, most = whole(low), whole(high) - open_end
    if least > most:
        raise high.error(f"must be above {low.spelt()}, got {high.spelt()}: there is no whole number between")
    if log and least <= 0:
        raise low.error(f"must be above 0 on a log scale, got {low.spelt()}; write 1 or more")
    return Parameter(name=name, type="int", min=least, max=most, scale="log" if log else "linear")


Rounding = Literal["nearest", "inwards", "clipped"]


def quantised(
    name: str, low: float, high: float, quantum: Value, *, rounding: Rounding, log: bool = False
) -> Parameter:
    """The multiples of `quantum` that numbers from `low` to `high` are rounded to: those nearest, only those within,
    or those within and the bounds themselves, to which the others are clipped.

    Whole numbers where all that they are made of is written so. Raises `BadInput`.
    """
    step = number(quantum)
    if step <= 0:
        raise quantum.error(f"must be above 0, got {quantum.spelt()}")
    least, most, by = (Fraction(repr(each)) for each in (low, high, step))
    ints = (step,) if rounding == "nearest" else (low, high, step)
    all_whole = all(isinstance(each, int) for each in ints)
    if rounding == "nearest":
        least, most = round(least / by) * by, round(most / by) * by
    elif rounding == "inwards":
        least, most = math.ceil(least / by) * by, math.floor(most / by) * by
    elif least % by or most % by:
        return _clipped(name, least, most, by, quantum, all_whole=all_whole, log=log)
    if least > most:
        raise quantum.error(f"no multiple of {quantum.spelt()} lies between {low} and {high}")
    if log and least <= 0:
        raise quantum.error(f"rounding to {quantum.spelt()} makes the lower end 0, which a log scale does not have")
    kind: Any = int if all_whole else float
    return Parameter(
        name=name, type="int" if all_whole else "float", min=kind(least), max=kind(most),
        step=None if least == most or (all_whole and by == 1) else kind(by), scale="log" if log else "linear",
    )  # fmt: skip


def _clipped(
    name: str, low: Fraction, high: Fraction, by: Fraction, quantum: Value, *, all_whole: bool, log: bool
) -> Parameter:
    """An uneven progression is a list: the bounds, and the multiples between."""
    first, last = math.floor(low / by) + 1, math.ceil(high / by) - 1
    if log or last - first > _MOST_VALUES:
        raise quantum.error("the bounds are no multiples of it, which makes uneven steps; move them to multiples of it")
    kind: Any = int if all_whole else float
    values = [low, *(index * by for index in range(first, last + 1)), high]
    return Parameter(name=name, type="ordinal", values=tuple(dict.fromkeys(kind(value) for value in values)))


def choice(name: str, options: Value, *, what: str = "a list of values") -> Parameter:
    """One of the values, each once. Raises `BadInput`."""
    values: dict[Any, Any] = {}
    for item in options.elements(what):
        try:
            values.setdefault(json_key(plain_json(item.value)), item.value)
        except ValueError as error:
            raise item.error(str(error)) from None
    if not values:
        raise options.error("expected at least one value, got none")
    return Parameter(name=name, type="choice", values=tuple(values.values()))


def constant(name: str, value: Value) -> Parameter:
    """Always the same value. Raises `BadInput`."""
    try:
        held = plain_json(value.value)
    except ValueError as error:
        raise value.error(str(error)) from None
    return Parameter(name=name, type="constant", value=held, values=(held,) if isinstance(held, (list, dict)) else None)


def gaussian(name: str, mean: float, sd: float, *, log: bool = False) -> Parameter:
    """A normal distribution, or the lognormal of those logarithms."""
    return Parameter(name=name, type="lognormal" if log else "normal", mean=float(mean), sd=float(sd))


# ------------------------------------------------------------------------------------------------------------ commands


def asked_command(asked: Asked, names: Iterable[str]) -> tuple[str, ...] | None:
    """The command after `--` as a template, `{rest}` at its end where it names no parameter; None without one.

    Raises:
        BadInput: an unknown placeholder, or a brace without its partner.
    """
    if not asked.command:
        return None
    from rung.dialects.rung.placeholders import check

    try:
        check(asked.command, names)
    except BadInput as error:
        raise BadInput(error.message, place="--") from None
    return tuple(with_rest(asked.command))


def where(asked: Asked) -> RunSettings:
    """A command of the command line runs where it was given, that of a file in the file's own folder."""
    return RunSettings(cwd=str(Path.cwd()) if asked.command else "")


def literal(word: str) -> str:
    """A word of a command template that stands for itself."""
    return word.replace("{", "{{").replace("}", "}}")


def is_mapping_of(tree: Any, *keys: str) -> bool:
    """Whether `tree` is a mapping with all of these keys."""
    return isinstance(tree, dict) and all(key in tree for key in keys)


def only(fields: Mapping[str, Value], *needed: str, within: Value) -> None:
    """Raises `BadInput` where one of the needed keys is missing."""
    for key in needed:
        if key not in fields:
            raise within.error(f"missing; it needs {' and '.join(needed)}", key)
