"""A trial's parameters as Optuna keeps them: a value and a distribution that holds it, by name.

Optuna takes numbers, texts, truth values and None; any other value is kept as JSON text. It has no reverse logarithm,
no normal distribution and no order among choices: they become linear, a wide interval, and plain choices. A constant is
an interval of one number, or the only choice.

Under one name a study of Optuna keeps one kind of distribution, and of choices one list. Where the study holds another
kind (its space was edited, or somebody else made it), the parameter is kept as `NAME@2`, or the next number that fits.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from rung.model import to_wire
from rung.search.optuna import library

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rung.model import Parameter

REACH = 6.0  # standard deviations of a normal that its interval holds
LARGEST_INT = 2**53  # Optuna keeps whole numbers as floats


class Kept:
    """The distributions that a study of Optuna holds, by name: the first of each."""

    def __init__(self) -> None:
        self._held: dict[str, Any] = {}

    def learn(self, distributions: Mapping[str, Any]) -> None:
        """The study holds these."""
        for name, distribution in distributions.items():
            self._held.setdefault(name, distribution)

    def fitted(self, parameters: Sequence[Parameter], values: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
        """The values and the distributions of a trial, by names under which the study takes them."""
        declared = {parameter.name: parameter for parameter in parameters}
        found: dict[str, Any] = {}
        distributions: dict[str, Any] = {}
        for name, value in values.items():
            kept, distribution = converted(declared.get(name), value)
            free = next(other for other in _names(name) if self._takes(other, distribution) and other not in found)
            found[free], distributions[free] = kept, distribution
        return found, distributions

    def _takes(self, name: str, distribution: Any) -> bool:
        held = self._held.get(name)
        if held is None:
            return True
        if type(held) is not type(distribution):
            return False
        if hasattr(held, "choices"):
            return bool(held == distribution)
        return bool(held.log == distribution.log)


def _names(name: str) -> Iterator[str]:
    yield name
    count = 2
    while True:
        yield f"{name}@{count}"
        count += 1


def converted(parameter: Parameter | None, value: Any) -> tuple[Any, Any]:
    """The value as Optuna takes it, and a distribution that holds it. None: a parameter that nothing is known of."""
    if parameter is not None and parameter.type in {"choice", "ordinal", "bool"}:
        choices = (False, True) if parameter.type == "bool" else parameter.values or ()
        found = _categorical(choices, value)
        if found is not None:
            return found
    if parameter is not None and parameter.times is None and _is_number(value):
        distribution = _declared(parameter, value)
        if distribution is not None:
            return value, distribution
    return _alone(parameter, value)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return False
    return not isinstance(value, int) or abs(value) <= LARGEST_INT


def _categorical(choices: Sequence[Any], value: Any) -> tuple[Any, Any] | None:
    """None: the value is not one of the choices."""
    place = next((i for i, choice in enumerate(choices) if _text(choice) == _text(value)), None)
    if place is None:
        return None
    plain = [choice if _is_plain(choice) else _text(choice) for choice in choices]
    if len(set(plain)) < len(plain):  # such as 1 and true, which are equal in Python
        plain = [_text(choice) for choice in choices]
    return plain[place], library().distributions.CategoricalDistribution(plain)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | str) or _is_number(value)


def _text(value: Any) -> str:
    if isinstance(value, float):
        value = to_wire(value)
    return msgspec.json.encode(value).decode()


def _declared(parameter: Parameter, value: float) -> Any | None:
    """The parameter's own distribution; None where it has none of Optuna's that holds the value."""
    distributions, log = library().distributions, parameter.scale == "log" or parameter.type == "lognormal"
    low, high = _bounds(parameter)
    if not (low <= value <= high) or (log and low <= 0):
        return None
    step = None if log or parameter.scale != "linear" or parameter.count is not None else parameter.step
    if parameter.type == "int" and isinstance(value, int):
        whole = int(step or 1)
        low, high = math.ceil(low), math.floor(high)
        high -= (high - low) % whole
        fits = low <= value <= high and (value - low) % whole == 0
        return distributions.IntDistribution(low, high, log=log, step=whole) if fits else None
    if parameter.type == "int":
        return None
    if step is None:
        return distributions.FloatDistribution(low, high, log=log)
    high = _last(low, high, step)
    place = (value - low) / step
    near = abs(place - round(place)) < 1e-8 and value <= high  # the tolerance of Optuna
    return distributions.FloatDistribution(low, high, step=float(step)) if near else None


def _bounds(parameter: Parameter) -> tuple[float, float]:
    """The parameter's bounds; of a normal without them an interval that holds nearly all of it."""
    low, high = -math.inf, math.inf
    if parameter.mean is not None and parameter.sd is not None:
        low, high = parameter.mean - REACH * parameter.sd, parameter.mean + REACH * parameter.sd
        if parameter.type == "lognormal":
            low, high = (math.exp(min(end, 700.0)) for end in (low, high))
    low = low if parameter.min is None else parameter.min
    high = high if parameter.max is None else parameter.max
    return (low, high) if math.isfinite(low) and math.isfinite(high) else (math.inf, -math.inf)


def _last(low: float, high: float, step: float) -> float:
    """The last point of a grid up to `high`, in decimals as Optuna counts them."""
    begin, end, width = (Decimal(str(number)) for number in (low, high, step))
    return float(begin + (end - begin) // width * width)


def _alone(parameter: Parameter | None, value: Any) -> tuple[Any, Any]:
    """A value that its declaration does not place: a product, a constant, an enqueued one outside of the bounds."""
    distributions = library().distributions
    if not _is_number(value):
        kept = value if _is_plain(value) else _text(value)
        return kept, distributions.CategoricalDistribution([kept])
    log = parameter is not None and parameter.times is None and value > 0 and parameter.scale == "log"
    low, high = (math.inf, -math.inf) if parameter is None else _bounds(parameter)
    if parameter is None or parameter.times is not None or (log and low <= 0) or low > high:
        low = high = value
    low, high = min(low, value), max(high, value)
    if isinstance(value, int) and (parameter is None or parameter.type in {"int", "constant", "choice", "ordinal"}):
        return value, distributions.IntDistribution(math.ceil(low), math.floor(high), log=log)
    return float(value), distributions.FloatDistribution(low, high, log=log)
