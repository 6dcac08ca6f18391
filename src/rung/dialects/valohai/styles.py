"""The values that a task's rules mean: single, multiple, linear, logspace, random; and bash-like texts for them.

Every style gives a list of values, but for `random` where the task samples for itself (`random_search`,
`bayesian_tpe`): then it is a range.
"""

from __future__ import annotations

import itertools
import math
import random
import sys
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec

from rung.dialects.names import did_you_mean
from rung.dialects.valohai.parameters import Refused, plain
from rung.model import Parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rung.dialects.valohai.parameters import ParameterItem

STYLES = ("single", "multiple", "linear", "logspace", "random")
RANGES = ("uniform", "loguniform", "normal", "lognormal")
MOST = 100_000  # values of one parameter
_DISTRIBUTIONS = {
    "uniform": "uniform", "loguniform": "loguniform", "log_uniform": "loguniform", "log-uniform": "loguniform",
    "logarithmic uniform": "loguniform",
}  # fmt: skip
_LARGEST_EXACT = 2**53
_LARGEST = Decimal(sys.float_info.max)
POSITIONAL = {
    "single": ("value",),
    "linear": ("start", "end", "step"),
    "logspace": ("start", "end", "count", "base"),
    "random": ("min", "max", "count", "distribution", "seed"),
    "uniform": ("min", "max", "step"),
    "loguniform": ("min", "max", "step"),
    "normal": ("mean", "sd", "step"),
    "lognormal": ("mean", "sd", "step"),
}
_WORDS = frozenset({"distribution"})


class StyleError(Exception):
    """Rules that mean no values; `key` is the rule that is wrong, "" for all of them."""

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


class Variant(msgspec.Struct, frozen=True):
    """How a task varies one parameter."""

    name: str
    style: str
    rules: dict[str, Any]


def read_style(text: str, item: ParameterItem | None) -> Variant:
    """The variant that `NAME=STYLE:...` describes. Raises `StyleError`.

    After the style its rules in their order, or as `RULE=VALUE`; `integerify` stands anywhere. `multiple` takes values
    with commas between them.
    """
    name, _, rest = text.partition("=")
    style, colon, words = rest.partition(":")
    known = (*STYLES, *RANGES)
    if style not in known:
        raise StyleError(f"unknown style {style!r}{did_you_mean(style, known)}")
    if not colon:
        raise StyleError(f"{style} needs its values: {name}={style}:{_shape(style)}")
    if style == "multiple":
        return Variant(name, style, {"items": [_atom(word, item) for word in words.split(",")]})
    if style == "single":
        return Variant(name, style, {"value": _atom(words, item)})
    return Variant(name, style, _rules(style, words.split(":")))


def _shape(style: str) -> str:
    return "VALUE,VALUE,..." if style == "multiple" else ":".join(word.upper() for word in POSITIONAL[style])


def _rules(style: str, words: Iterable[str]) -> dict[str, Any]:
    rules: dict[str, Any] = {}
    places = iter(POSITIONAL[style])
    for word in words:
        key, equals, value = word.partition("=")
        if word == "integerify":
            rules["integerify"] = True
            continue
        if not equals:
            key, value = next(places, ""), word
        if key not in {*POSITIONAL[style], "seed"}:
            raise StyleError(f"{word!r} is one too many or unknown; write {style}:{_shape(style)}")
        rules[key] = value if key in _WORDS else number_of(value, key)
    return rules


def number_of(text: str, key: str) -> float | int:
    """The number that the text is, whole where it is written so; `key`: the rule it is for. Raises `StyleError`."""
    try:
        return int(text, 10)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        raise StyleError(f"expected a number, got {text!r}", key) from None
    if not math.isfinite(number):
        raise StyleError(f"expected a finite number, got {text!r}", key)
    return number


def _atom(text: str, item: ParameterItem | None) -> Any:
    """A value of `single` or `multiple`, of the parameter's type where it has one."""
    if item is not None and item.is_flag:
        return flag_value(text)
    if item is None or not item.is_number:
        return text
    return checked(item, text)


def flag_value(text: str) -> bool:
    """Whether a flag's text says yes. Raises `StyleError`."""
    word = text.strip().lower()
    if word in {"true", "yes", "on", "1", "t", "y"}:
        return True
    if word in {"false", "no", "off", "0", "f", "n"}:
        return False
    raise StyleError(f"{text!r} is neither yes nor no")


def checked(item: ParameterItem, value: Any) -> Any:
    """The value as the parameter has it. Raises `StyleError` in the words of the original."""
    errors: list[str] = []
    found = item.checked(value, errors)
    if errors:
        raise StyleError(str(Refused(errors)))
    # a whole number stays one: 4 and not 4.0, as the original's own pages show them
    return value if item.type == "float" and isinstance(value, int) and not isinstance(value, bool) else found


# ------------------------------------------------------------------------------------------------------------- values


def values_of(variant: Variant, item: ParameterItem) -> list[Any]:
    """The values, each once, in order, as the parameter has them. Raises `StyleError`."""
    rules = variant.rules
    if variant.style in RANGES:
        raise StyleError(
            f"{variant.style} is a range, for random_search and bayesian_tpe; a grid takes random with a count"
        )
    values = _VALUES[variant.style](rules, item)
    if rules.get("integerify") and variant.style in {"linear", "logspace", "random"}:
        values = [math.floor(value) for value in values]
    if item.type != "integer":  # 1e+25 is written so
        values = [float(v) if type(v) is int and abs(v) >= _LARGEST_EXACT else v for v in values]
    once = list({(type(value) is bool, value): value for value in (checked(item, value) for value in values)}.values())
    if not once:
        raise StyleError("no values")
    return once


def _single(rules: Mapping[str, Any], _: ParameterItem) -> list[Any]:
    return [_need(rules, "value", "single")]


def _multiple(rules: Mapping[str, Any], _: ParameterItem) -> list[Any]:
    items = _need(rules, "items", "multiple")
    if rules.get("numberify"):
        return [number_of(value, "items") if isinstance(value, str) else value for value in items]
    return list(plain(items))


def _linear(rules: Mapping[str, Any], _: ParameterItem) -> list[Any]:
    """From start to end, the end included where the steps meet it; in decimal arithmetic, so that 0.81 is 0.81."""
    start, end = _bounds(rules, "linear")
    step = _decimal(_need(rules, "step", "linear"), "step")
    if start == end:
        return [_clean(start)]
    if step == 0 or (end - start) / step < 0:
        raise StyleError(f"does not lead from {start} to {end}, got {step}", "step")
    count = int((end - start) / step) + 1
    _check_count(count, "step")
    return [_clean(start + index * step) for index in range(count)]


def _logspace(rules: Mapping[str, Any], _: ParameterItem) -> list[Any]:
    """Powers of the base (10 if not given), their exponents evenly spaced from start to end, both included."""
    start, end = _bounds(rules, "logspace")
    count = _count(rules, "logspace")
    base = _decimal(rules.get("base", 10), "base")
    if base <= 0:
        raise StyleError(f"must be above 0, got {base}", "base")
    exponents = [start] if count == 1 else [start + (end - start) * index / (count - 1) for index in range(count)]
    return [_power(base, exponent) for exponent in exponents]


def _power(base: Decimal, exponent: Decimal) -> Any:
    try:
        if exponent == exponent.to_integral_value() and abs(exponent) < 400:
            return _clean(base ** int(exponent))
        value = float(base) ** float(exponent)
    except (OverflowError, InvalidOperation, ArithmeticError):
        value = math.inf
    if not math.isfinite(value):
        raise StyleError(f"{base} to the power of {exponent} is beyond all numbers", "end")
    return value


def _random(rules: Mapping[str, Any], item: ParameterItem) -> list[Any]:
    """Draws. Without a seed of the rule's own they follow from the parameter's name, so that a file that is read again
    means the same. An integer parameter gets whole numbers."""
    low, high, scale = _interval(rules)
    count = _count(rules, "random")
    seed = rules.get("seed")
    rng = random.Random(f"{seed:g}" if seed is not None else f"of {item.name}")  # noqa: S311 - no secret
    if scale == "log":
        low, high = math.log(low), math.log(high)
    whole = item.type == "integer" and not rules.get("integerify")
    room = high - low + (1 if whole and scale != "log" else 0)  # the largest whole number gets its full share
    draws = [low + room * rng.random() for _ in range(count)]
    if scale == "log":
        draws = [math.exp(draw) for draw in draws]
    return [math.floor(draw) for draw in draws] if whole else list(draws)


_VALUES: dict[str, Callable[[Mapping[str, Any], ParameterItem], list[Any]]] = {
    "single": _single,
    "multiple": _multiple,
    "linear": _linear,
    "logspace": _logspace,
    "random": _random,
}


def _need(rules: Mapping[str, Any], key: str, style: str) -> Any:
    if rules.get(key) is None:
        raise StyleError(f"missing; {style} takes {_shape_of(style)}", key)
    return rules[key]


def _shape_of(style: str) -> str:
    return "items" if style == "multiple" else ", ".join(POSITIONAL[style])


def _bounds(rules: Mapping[str, Any], style: str) -> tuple[Decimal, Decimal]:
    """Start and end, which may be called min and max."""
    named = {key: rules.get(key, rules.get(other)) for key, other in (("start", "min"), ("end", "max"))}
    return _decimal(_need(named, "start", style), "start"), _decimal(_need(named, "end", style), "end")


def _decimal(value: float, key: str) -> Decimal:
    number = Decimal(str(value))
    if not number.is_finite():
        raise StyleError(f"expected a finite number, got {value}", key)
    return number


def _count(rules: Mapping[str, Any], style: str) -> int:
    count = _need(rules, "count", style)
    if count != int(count) or count < 1:
        raise StyleError(f"expected a whole number of at least 1, got {count}", "count")
    _check_count(int(count), "count")
    return int(count)


def _check_count(count: int, key: str) -> None:
    if count > MOST:
        raise StyleError(f"{count} values are more than {MOST}", key)


def _clean(number: Decimal) -> Any:
    """The number as an int where it is whole, else as a float."""
    if abs(number) > _LARGEST:
        raise StyleError(f"{number:.3g} is beyond all numbers", "end")
    whole = number.to_integral_value()
    return int(whole) if number == whole else float(number)


# ------------------------------------------------------------------------------------------------------------- ranges


def range_of(variant: Variant, item: ParameterItem) -> Parameter:
    """The parameter as something to sample from. Raises `StyleError`."""
    rules, style = variant.rules, variant.style
    if style in {"normal", "lognormal"}:
        return _normal(variant, item)
    if style not in {"random", "uniform", "loguniform"}:
        return listed_parameter(item, values_of(variant, item))
    low, high, scale = _interval(
        {**rules, "distribution": rules.get("distribution", style if style in RANGES else "uniform")}
    )
    whole = item.type == "integer" or bool(rules.get("integerify"))
    for bound in (low, high):
        checked(item, math.floor(bound) if whole else bound)
    if low == high:
        return Parameter(name=item.name, type="constant", value=math.floor(low) if whole else low)
    if whole:
        low, high = math.ceil(low), math.floor(high)
        if low >= high:
            return listed_parameter(item, [checked(item, math.floor(low))])
    step = rules.get("step") or None
    kind = "int" if whole else "float"
    if step is not None and scale == "log":
        raise StyleError("a step on a logarithmic range cannot be mapped; leave it out", "step")
    return Parameter(name=item.name, type=kind, min=low, max=high, scale=scale, step=step)  # type: ignore[arg-type]


def _normal(variant: Variant, item: ParameterItem) -> Parameter:
    mean, sd = (_need(variant.rules, key, variant.style) for key in ("mean", "sd"))
    if sd <= 0:
        raise StyleError(f"must be above 0, got {sd}", "sd")
    if variant.rules.get("step") or item.type == "integer":
        raise StyleError(f"{variant.style} with steps or for an integer cannot be mapped; take uniform", "step")
    return Parameter(name=item.name, type=variant.style, mean=mean, sd=sd, min=item.min, max=item.max)  # type: ignore[arg-type]


def _interval(rules: Mapping[str, Any]) -> tuple[float, float, str]:
    low, high = (_need(rules, key, "random") for key in ("min", "max"))
    word = str(rules.get("distribution") or "uniform")
    name = _DISTRIBUTIONS.get(word.strip().lower())
    if name is None:
        known = ("uniform", "loguniform")
        raise StyleError(f"unknown distribution {word!r}{did_you_mean(word, known)}", "distribution")
    if not (math.isfinite(low) and math.isfinite(high)) or low > high:
        raise StyleError(f"must not be below min ({low}), got {high}", "max")
    if name == "loguniform" and low <= 0:
        raise StyleError(f"must be above 0 on a logarithmic range, got {low}", "min")
    return low, high, "log" if name == "loguniform" else "linear"


def listed_parameter(item: ParameterItem, values: list[Any]) -> Parameter:
    """A parameter with these values; numbers that ascend are in order."""
    if len(values) == 1:
        return Parameter(name=item.name, type="constant", value=values[0])
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
    ascending = numbers and all(a < b for a, b in itertools.pairwise(values))
    return Parameter(name=item.name, type="ordinal" if ascending else "choice", values=tuple(values))
