"""A row of the form "New study": how one parameter is varied, and the words of a command line that say the same.

The values are data: a row names a parameter that the target has, and nothing else. What the styles mean is what they
mean in a `valohai.yaml` (`dialects.valohai.styles`), for every kind of target.
"""

from __future__ import annotations

import json
import math
from typing import Any, Literal, TypeAlias

import msgspec

from rung.dialects.valohai.parameters import ParameterItem
from rung.dialects.valohai.styles import (
    POSITIONAL,
    StyleError,
    Variant,
    checked,
    flag_value,
    listed_parameter,
    number_of,
    range_of,
    values_of,
)
from rung.model import Parameter
from rung.space.ranges import MAX_LENGTH, literal_text, parse_range

Number: TypeAlias = int | float | str
"""A number, as such or as it was typed."""
Scalar: TypeAlias = str | int | float | bool
NO_VALUES = "is a range for a searcher; a grid takes values: Multiple, Linear, Logspace or Random"
ONE_VALUE = "one execution takes one value for each parameter: choose Single"
Mode = Literal["declared", "single", "multiple", "linear", "logspace", "random", "range"]
Kind = Literal["single", "grid", "random", "bayesian"]
"""One execution, all combinations, independent draws, or proposals that learn from results."""


class _Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="mode"):
    name: str


class Declared(_Row, frozen=True, tag="declared"):
    """The domain as the file declares it."""


class Single(_Row, frozen=True, tag="single"):
    """One value, or a list where the parameter takes several; None: the program's own default."""

    value: Scalar | list[Scalar] | None = None


class Multiple(_Row, frozen=True, tag="multiple"):
    """These values."""

    values: list[Scalar]


class Linear(_Row, frozen=True, tag="linear"):
    """From start to end by step."""

    start: Number
    end: Number
    step: Number


class Logspace(_Row, frozen=True, tag="logspace"):
    """Powers of the base, their exponents from start to end; `integerify`: rounded down, each once."""

    start: Number
    end: Number
    count: Number
    base: Number = 10
    integerify: bool = False


class Random(_Row, frozen=True, tag="random"):
    """Draws; where the study itself samples from ranges, this range."""

    min: Number
    max: Number
    count: Number = ""
    distribution: Literal["uniform", "loguniform"] = "uniform"
    seed: Number = ""
    integerify: bool = False


class Range(_Row, frozen=True, tag="range"):
    """A domain that the searcher samples from; `values` for the kind `choice`."""

    kind: Literal["uniform", "loguniform", "int", "logint", "normal", "lognormal", "choice"]
    min: Number = ""
    max: Number = ""
    mean: Number = ""
    sd: Number = ""
    step: Number = ""
    values: list[Scalar] = []


Row = Declared | Single | Multiple | Linear | Logspace | Random | Range


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter that a target has. `item`: what values it takes; of the type `any` where the target does not say.
    `base`: its domain in the file; `whole`: what is drawn for it is a whole number unless it says otherwise. `flags`:
    it takes no value, but is one of these words of the command line or is left out."""

    item: ParameterItem
    start: Row
    help: str | None = None
    base: Parameter | None = None
    whole: bool = False
    required: bool = False
    valohai: bool = False
    flags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called."""
        return self.item.name


# ------------------------------------------------------------------------------------------------------------- values


def parameter_of(row: Row, known: Known, kind: Kind) -> Parameter | None:
    """What the row makes of the parameter; None where the program's own default stays. Raises `StyleError`."""
    if isinstance(row, Declared):
        if known.base is None:
            raise StyleError("the file declares no domain for it; give its values")
        return known.base
    if isinstance(row, Single) and _is_blank(row.value):
        if known.required or (known.base is not None and not known.valohai):
            raise StyleError("is required: give a value", "value")
        return None
    if isinstance(row, Single) and isinstance(row.value, list):
        value = [_atom(atom, known) for atom in row.value]
        return Parameter(name=known.name, type="constant", value=value, values=(value,))
    item = _drawn_item(known) if isinstance(row, Random) else known.item
    variant = variant_of(row, known)
    if isinstance(row, Range) and row.kind != "choice":
        if kind == "single" or (kind == "grid" and known.valohai):
            raise StyleError(ONE_VALUE if kind == "single" else NO_VALUES)
        return _ranged(row, variant, item)
    if isinstance(row, Random) and known.valohai and kind in {"random", "bayesian"}:
        return range_of(variant, item)
    return listed_parameter(item, values_of(variant, item))


def flag_of(row: Row, known: Known) -> str:
    """The word that a switch is given; "" where it is left as the script has it. Raises `StyleError`."""
    value = row.value if isinstance(row, Single) else ...
    if _is_blank(value):
        return ""
    if value not in known.flags:
        raise StyleError(f"stands alone: expected {' or '.join(known.flags)}, or nothing", "value")
    return str(value)


def _drawn_item(known: Known) -> ParameterItem:
    return msgspec.structs.replace(known.item, type="integer") if known.whole else known.item


def _ranged(row: Range, variant: Variant, item: ParameterItem) -> Parameter:
    whole = row.kind in {"int", "logint"} or item.type == "integer"
    if row.kind in {"normal", "lognormal"} and not (_is_blank(row.min) and _is_blank(row.max)):
        bounds = {
            key: number_of(str(getattr(row, key)), key) for key in ("min", "max") if not _is_blank(getattr(row, key))
        }
        if len(bounds) == 2 and bounds["min"] >= bounds["max"]:
            raise StyleError(f"must be above min ({bounds['min']})", "max")
        return msgspec.structs.replace(range_of(variant, item), **bounds)
    for key in ("min", "max"):
        if whole and key in variant.rules and variant.rules[key] != math.floor(variant.rules[key]):
            raise StyleError(f"expected a whole number, got {variant.rules[key]}", key)
    return range_of(variant, item)


def variant_of(row: Row, known: Known) -> Variant:
    """The row as a task of Valohai would say it. Raises `StyleError`."""
    rules: dict[str, Any]
    if isinstance(row, Single):
        style, rules = "single", {"value": None if _is_blank(row.value) else _atom(row.value, known)}
    elif isinstance(row, Multiple) or (isinstance(row, Range) and row.kind == "choice"):
        style, rules = "multiple", {"items": _listed(row.values, known)}
    elif isinstance(row, Range):
        style = {"int": "uniform", "logint": "loguniform"}.get(row.kind, row.kind)
        keys: tuple[str, ...] = (
            ("mean", "sd", "step") if row.kind in {"normal", "lognormal"} else ("min", "max", "step")
        )
        rules = _numbers(row, *keys) | ({"integerify": True} if row.kind in {"int", "logint"} else {})
    else:
        style = type(row).__name__.lower()
        keys = tuple(k for k in row.__struct_fields__ if k not in {"name", "distribution", "integerify"})
        rules = _numbers(row, *keys) | {
            key: getattr(row, key) for key in ("distribution", "integerify") if getattr(row, key, False)
        }
    return Variant(known.name, style, rules)


def _numbers(row: Row, *keys: str) -> dict[str, Any]:
    given = {key: getattr(row, key) for key in keys}
    return {key: number_of(str(value).strip(), key) for key, value in given.items() if not _is_blank(value)}


def _listed(values: list[Scalar], known: Known) -> list[Any]:
    kept = [value for value in values if not (_is_blank(value) and known.item.is_number)]
    if not kept:
        raise StyleError("give one value a line", "values")
    try:
        return [_atom(value, known) for value in kept]
    except StyleError as error:
        raise StyleError(str(error), "values") from None


def _atom(value: Any, known: Known) -> Any:
    """A value as the parameter has it: what was typed for a number is one."""
    item = known.item
    try:
        if item.is_flag:
            return value if isinstance(value, bool) else flag_value(str(value))
        if item.is_number:
            return checked(item, number_of(value.strip(), "value") if isinstance(value, str) else value)
        if item.type == "any" and isinstance(value, str) and value not in (item.choices or ()):
            value = _number_or_text(value)
        return checked(item, value)
    except StyleError as error:
        raise StyleError(str(error), "value") from None


def _number_or_text(text: str) -> Any:
    try:
        return number_of(text.strip(), "value")
    except StyleError:
        return text


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip()) or value == []


# ------------------------------------------------------------------------------------------------------------- words


def range_words(parameter: Parameter) -> tuple[str, str]:
    """`-p` or `--set`, and the text after it, by which `rung run` makes the same of the parameter. Raises
    `StyleError` where a command line cannot hold it."""
    name = parameter.name
    text = _range_text(parameter)
    if len(text) > MAX_LENGTH:
        raise StyleError(f"{len(parameter.values or ())} values are too many for a command line; take a range or steps")
    if text and _same(parse_range(name, text), parameter):
        return "-p", f"{name}={text}"
    fields = msgspec.to_builtins(_bare(parameter))
    fields = {key: value for key, value in fields.items() if key not in {"name", "scale"} or value == "log"}
    return "--set", f"parameters.{name}={json.dumps(fields)}"


def _range_text(parameter: Parameter) -> str:
    """The RANGE; "" where none says it."""
    low, high, step = parameter.min, parameter.max, parameter.step
    if parameter.type == "constant":
        return literal_text(parameter.value)
    if parameter.type in {"choice", "ordinal", "bool"}:
        listed = ",".join(map(literal_text, (False, True) if parameter.type == "bool" else parameter.values or ()))
        return f"ordinal({listed})" if parameter.type == "ordinal" else listed
    if parameter.type in {"normal", "lognormal"}:
        return f"{parameter.type}({parameter.mean!r},{parameter.sd!r})" if low is None and high is None else ""
    if parameter.count is not None or parameter.scale == "reverselog":
        return ""
    if parameter.type == "float":
        low, high, step = float(low or 0), float(high or 0), None if step is None else float(step)
    if step is not None:
        return f"{low!r}:{step!r}:{high!r}"
    function = {"float": "uniform", "int": "randint"}[parameter.type]
    log = {"float": "loguniform", "int": "lograndint"}[parameter.type]
    return f"{log if parameter.scale == 'log' else function}({low!r},{high!r})"


def _bare(parameter: Parameter) -> Parameter:
    """The domain alone, whatever else the file says of the parameter."""
    return msgspec.structs.replace(parameter, default=msgspec.UNSET, when=None, times=None, prior=None)


def _same(a: Parameter, b: Parameter) -> bool:
    values = (a.values is not None and a.type == "constant") or (b.values is not None and b.type == "constant")
    if values:
        return a.type == b.type and a.value == b.value
    return _bare(a) == _bare(b)


def style_words(row: Row, known: Known) -> str:
    """The text of `--style` that says the same. Raises `StyleError` where none does."""
    variant = variant_of(row, known)
    rules, name = variant.rules, known.name
    if (
        isinstance(row, Range)
        and row.kind in {"normal", "lognormal"}
        and not (_is_blank(row.min) and _is_blank(row.max))
    ):
        raise StyleError(
            "a task of Valohai bounds no normal distribution; the parameter's own min and max count", "min"
        )
    if variant.style == "multiple":
        texts = [str(value) if not isinstance(value, float) else repr(value) for value in rules["items"]]
        if any("," in text for text in texts):
            raise StyleError("a value with a comma cannot be given to --style; list the values in the file", "values")
        return f"{name}=multiple:{','.join(texts)}"
    order = [key for key in POSITIONAL[variant.style] if key in rules]
    placed = order == list(POSITIONAL[variant.style][: len(order)])
    words = [_written(rules[key]) if placed else f"{key}={_written(rules[key])}" for key in order]
    return f"{name}={variant.style}:{':'.join(words + ['integerify'] * bool(rules.get('integerify')))}"


def _written(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def value_text(value: Any) -> str:
    """A value as a word of the command line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)
