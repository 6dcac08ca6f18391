"""`prior:` of a parameter: where the user believes the optimum to be, read and checked.

`prior: VALUE` or `prior: {value: VALUE, confidence: low | medium | high | 0..1}`; for `bool`, `choice` and `ordinal`
also `prior: {values: {adam: 0.8, sgd: 0.2}}`. A value is a draw, before `times`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from rung.space.axes import Categories, text
from rung.space.errors import SpaceError, did_you_mean, shown

if TYPE_CHECKING:
    from rung.model import Parameter
    from rung.space.axes import Axis

CONFIDENCES = {"low": 0.5, "medium": 0.75, "high": 0.9}
USUAL = "medium"


class Near(NamedTuple):
    """The optimum is near `value`, believed with this confidence in 0..1."""

    value: Any
    confidence: float


class Shares(NamedTuple):
    """The optimum is at the i-th value with probability `shares[i]`; they sum to 1."""

    shares: tuple[float, ...]


Prior = Near | Shares


def plain_prior(prior: Any) -> Any:
    """The declaration as JSON would give it back: the keys of `values` are texts."""
    if not isinstance(prior, Mapping):
        return prior
    plain = dict(prior)
    if isinstance(plain.get("values"), Mapping):
        plain["values"] = {text(value): share for value, share in plain["values"].items()}
    return plain


def read_prior(parameter: Parameter, axis: Axis) -> Prior | None:
    """What is believed of a parameter; None where nothing is. Raises SpaceError at `prior`."""
    given = parameter.prior
    if given is None:
        return None
    if not isinstance(given, Mapping):
        return Near(_value(parameter, axis, given), CONFIDENCES[USUAL])
    known = ("value", "confidence", "values") if isinstance(axis, Categories) else ("value", "confidence")
    for key in given:
        if key not in known:
            hint = did_you_mean(str(key), known) or f"; it takes {', '.join(known)}"
            raise _fail(parameter, f"unknown key {key!r}{hint}")
    if "values" in given and isinstance(axis, Categories):
        if len(given) > 1:
            raise _fail(parameter, "give value or values, not both; values need no confidence")
        return Shares(_shares(parameter, axis, given["values"]))
    if "value" not in given:
        raise _fail(parameter, f"missing: value; write e.g. {{value: {axis.middle!r}, confidence: {USUAL}}}")
    return Near(_value(parameter, axis, given["value"]), _confidence(parameter, given.get("confidence", USUAL)))


def _fail(parameter: Parameter, message: str) -> SpaceError:
    return SpaceError(message, parameter=parameter.name, field="prior")


def _value(parameter: Parameter, axis: Axis, value: Any) -> Any:
    try:
        if isinstance(value, str) and not isinstance(axis, Categories):
            raise ValueError(value)
        return axis.find(value)
    except (ValueError, TypeError):
        raise _fail(parameter, f"expected {axis.expected}, got {shown(value)}") from None


def _confidence(parameter: Parameter, given: Any) -> float:
    if isinstance(given, str) and given in CONFIDENCES:
        return CONFIDENCES[given]
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 1:
        words = ", ".join(CONFIDENCES)
        raise _fail(parameter, f"expected a confidence of {words}, or a number between 0 and 1, got {shown(given)}")
    return float(given)


def _shares(parameter: Parameter, axis: Categories, given: Any) -> tuple[float, ...]:
    """The share of each value of the axis; those that are not named have none."""
    if not isinstance(given, Mapping) or not given:
        raise _fail(parameter, f"expected values as a mapping from values to weights, got {shown(given)}")
    weights = [0.0] * len(axis.table)
    for value, weight in given.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < math.inf:
            raise _fail(parameter, f"expected a weight of at least 0 for {shown(value)}, got {shown(weight)}")
        weights[int(axis.number(_value(parameter, axis, value)))] += float(weight)
    largest = max(weights)
    if largest == 0:
        raise _fail(parameter, "expected at least one weight above 0, got none")
    scaled = [weight / largest for weight in weights]  # the sum of what was given may overflow
    return tuple(weight / sum(scaled) for weight in scaled)
