"""The constructors of domains for Python, all bounds inclusive: `rung.loguniform(1e-5, 0.1)`.

Each returns a `Domain`: a parameter without its name. What is wrong with it is said when the space is made, with the
parameter's name. `when`: a condition; `times`: the parameter the draw is multiplied with; `default`: the draw of the
first point; `prior`: what is believed of good values.
"""

from __future__ import annotations

from typing import Any

import msgspec

from rung.model import Parameter

# ruff: noqa: A002 - `min` and `max` are the field's words, and the keys of the study file


class Domain(msgspec.Struct, frozen=True):
    """A domain that waits for its name."""

    nameless: Parameter

    def named(self, name: str) -> Parameter:
        """The parameter `name` with this domain."""
        return msgspec.structs.replace(self.nameless, name=name)


class Extras(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keywords that every constructor takes."""

    when: str | None = None
    times: str | None = None
    default: Any = msgspec.UNSET
    prior: Any = None


def _domain(kind: Any, extras: dict[str, Any], **fields: Any) -> Domain:
    return Domain(Parameter(name="", type=kind, **fields, **msgspec.structs.asdict(Extras(**extras))))


def uniform(min: float, max: float, *, step: float | None = None, **extras: Any) -> Domain:
    """A float between the bounds; with `step` one of min, min + step, ..."""
    return _domain("float", extras, min=min, max=max, step=step)


def loguniform(min: float, max: float, **extras: Any) -> Domain:
    """A float whose logarithm is uniform; min > 0."""
    return _domain("float", extras, min=min, max=max, scale="log")


def reverseloguniform(min: float, max: float, **extras: Any) -> Domain:
    """A float whose distance to 1 has a uniform logarithm; 0 <= min <= max < 1."""
    return _domain("float", extras, min=min, max=max, scale="reverselog")


def randint(min: int, max: int, *, step: int | None = None, **extras: Any) -> Domain:
    """An int between the bounds, both included; with `step` one of min, min + step, ..."""
    return _domain("int", extras, min=min, max=max, step=step)


def lograndint(min: int, max: int, **extras: Any) -> Domain:
    """An int whose logarithm is uniform over log(min - 1/2) .. log(max + 1/2); min > 0."""
    return _domain("int", extras, min=min, max=max, scale="log")


def choice(*values: Any, **extras: Any) -> Domain:
    """One of `values`, or of the one list given; any JSON values."""
    return _domain("choice", extras, values=_listed(values))


def ordinal(*values: Any, **extras: Any) -> Domain:
    """One of `values`, or of the one list given, whose order carries meaning."""
    return _domain("ordinal", extras, values=_listed(values))


def finrange(min: float, max: float, count: int, **extras: Any) -> Domain:
    """One of `count` evenly spaced numbers, the bounds included; ints when all of them are."""
    return _domain(_kind(min, max, count, scale="linear"), extras, min=min, max=max, count=count)


def logfinrange(min: float, max: float, count: int, **extras: Any) -> Domain:
    """One of `count` numbers evenly spaced in their logarithms, the bounds included; ints when all of them are."""
    return _domain(_kind(min, max, count, scale="log"), extras, min=min, max=max, count=count, scale="log")


def normal(mean: float, sd: float, **extras: Any) -> Domain:
    """A float from the normal distribution."""
    return _domain("normal", extras, mean=mean, sd=sd)


def lognormal(mean: float, sd: float, **extras: Any) -> Domain:
    """A float whose logarithm has the normal distribution of this `mean` and `sd`."""
    return _domain("lognormal", extras, mean=mean, sd=sd)


def _listed(values: tuple[Any, ...]) -> Any:
    """The one list given, else the values; what is no list is left for the check of the space to refuse."""
    return tuple(values[0]) if len(values) == 1 and isinstance(values[0], list | tuple) else values


def _kind(low: Any, high: Any, count: Any, *, scale: str) -> str:
    """Whether a finite range holds ints only: the bounds are ints, and so is every point between them."""
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in (low, high, count)):
        return "float"
    if scale == "linear":
        return "int" if count < 2 or (high - low) % (count - 1) == 0 else "float"
    return "int" if _whole_powers(low, high, count) else "float"


def _whole_powers(low: int, high: int, count: int) -> bool:
    """Whether `count` log-spaced points from low to high are ints: low * (p / q)**i with an integer result each."""
    if count < 2 or low <= 0 or high <= low or count > 64:
        return count < 2 or low == high
    ratio = (high / low) ** (1 / (count - 1))
    points = [round(low * ratio**index) for index in range(count - 1)] + [high]
    return all(points[index] ** 2 == points[index - 1] * points[index + 1] for index in range(1, count - 1)) and (
        len(set(points)) == count
    )
