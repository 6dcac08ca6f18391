"""`suggest` and its `params` to a parameter, by the rules of Optuna's `trial.suggest_*`."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from rung.model import Parameter
from rung.space.axes import json_key
from rung.space.errors import SpaceError
from rung.space.validation import compile_axis, plain_json

if TYPE_CHECKING:
    from rung.dialects.values import Value
    from rung.model import BadInput

_FIELDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "categorical": (("choices",), ()),
    "discrete_uniform": (("low", "high", "q"), ()),
    "float": (("low", "high"), ("step", "log")),
    "int": (("low", "high"), ("step", "log")),
    "loguniform": (("low", "high"), ()),
    "uniform": (("low", "high"), ()),
}
"""By name of the function: its arguments that must be given, and those that may."""
_WRITTEN = {"min": "low", "max": "high", "step": "step", "values": "choices", "scale": "log"}
_UNKNOWN = (
    "suggest_{} is not a valid function name. Please refer to the documentation of the `Trial` object for valid names "
    "and arguments."
)


def read_suggest(block: Value, name: str) -> Parameter:
    """The parameter `name` that a `hyper_opt` block declares, without its dependency.

    Raises:
        BadInput: an unknown function, an argument that is missing, unknown or unfit.
    """
    fields = block.items()
    if "suggest" not in fields:
        raise block.error(f"missing; give one of {', '.join(_FIELDS)}", "suggest")
    kind = fields["suggest"].text("the name of a suggest function")
    if kind not in _FIELDS:
        raise fields["suggest"].error(f"{_UNKNOWN.format(kind)} Known here: {', '.join(_FIELDS)}")
    if "params" not in fields:
        raise block.error(f"missing; suggest_{kind} needs {' and '.join(_FIELDS[kind][0])}", "params")
    given = _arguments(fields["params"], kind)
    parameter = _categorical(name, given) if kind == "categorical" else _numeric(name, kind, given)
    try:
        compile_axis(parameter)
    except SpaceError as error:
        raise _placed(error, fields["params"], kind) from None
    return parameter


def _placed(error: SpaceError, params: Value, kind: str) -> BadInput:
    key = _WRITTEN.get(error.field, "")
    key = "q" if key == "step" and kind == "discrete_uniform" else key
    return params.error(error.message, *([key] if key in params.value else []))


def _arguments(params: Value, kind: str) -> dict[str, Value]:
    """What is given for the function's arguments; a `name` is of no account, the parameter has its path for one."""
    required, optional = _FIELDS[kind]
    given = params.fields((*required, *optional, "name"), f"a mapping with {', '.join(required)}")
    for key in required:
        if key not in given:
            raise params.error(f"missing; suggest_{kind} needs {' and '.join(required)}", key)
    return given


def _categorical(name: str, given: dict[str, Value]) -> Parameter:
    """Each choice once: one that is written twice is not more likely."""
    values: dict[Any, Any] = {}
    for item in given["choices"].elements("a list of choices"):
        try:
            value = plain_json(item.value)
        except ValueError as error:
            raise item.error(str(error)) from None
        values.setdefault(json_key(value), value)
    if not values:
        raise given["choices"].error("expected at least one choice, got none")
    return Parameter(name=name, type="choice", values=tuple(values.values()))


def _numeric(name: str, kind: str, given: dict[str, Value]) -> Parameter:
    whole, log = kind == "int", kind == "loguniform" or _flag(given.get("log"))
    low, high = (_number(given[key], whole=whole) for key in ("low", "high"))
    if low > high:
        raise given["low"].error(f"must be at most `high` ({given['high'].spelt()}), got {given['low'].spelt()}")
    if log and low <= 0:
        raise given["low"].error(
            f"must be above 0 on a log scale, got {given['low'].spelt()}; write a number like 1e-6"
        )
    steps = given.get("q") or given.get("step")
    step = None if steps is None else _number(steps, whole=whole)
    if step is not None and steps is not None:
        if step <= 0:
            raise steps.error(f"must be above 0, got {steps.spelt()}")
        if log and not (whole and step == 1):
            raise steps.error("has no meaning with `log: true`; leave one of them out")
        if low < high and _exact(step) > _exact(high) - _exact(low):
            high = low  # as Optuna has it: the first step beyond `low` is out of range
    return Parameter(
        name=name, type="int" if whole else "float", min=low, max=high, scale="log" if log else "linear",
        step=None if log or (whole and step == 1) else step,
    )  # fmt: skip


def _exact(number: float) -> Fraction:
    return Fraction(repr(number))


def _flag(value: Value | None) -> bool:
    if value is not None and not isinstance(value.value, bool):
        value.expected("true or false")
    return value is not None and bool(value.value)


def _number(value: Value, *, whole: bool) -> float | int:
    number = value.value
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(value.number()):
        value.expected("a number")
    if not whole:
        return value.number()
    if number != int(number):
        raise value.error(f"expected a whole number, got {value.spelt()}; for fractions write suggest: float")
    return int(number)
