"""What a parameter must satisfy before it is compiled, each refusal with its remedy; and the compiling itself."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import msgspec

from rung.model import Parameter
from rung.space.axes import SIZE_LIMIT, Axis, Categories, Continuous, Progression, Table, json_key
from rung.space.errors import SpaceError, did_you_mean, shown
from rung.space.priors import read_prior
from rung.space.scales import Gaussian, Linear, Log, LogGaussian, ReverseLog, Scale

MAX_COUNT = 1_000_000
MAX_NUMBER = 1e300
RESERVED = frozenset({"rest", "params"})
_NUMERIC = ("min", "max", "scale", "step", "count", "default", "when", "times", "prior")
_NORMAL = ("mean", "sd", "min", "max", "default", "when", "times", "prior")
_CHOICE = ("values", "default", "when", "prior")
FIELDS: dict[str, tuple[str, ...]] = {
    "float": _NUMERIC,
    "int": _NUMERIC,
    "bool": ("default", "when", "prior"),
    "choice": _CHOICE,
    "ordinal": _CHOICE,
    "normal": _NORMAL,
    "lognormal": _NORMAL,
    "constant": ("value", "values"),
}
_REQUIRED: dict[str, tuple[str, ...]] = {
    "float": ("min", "max"),
    "int": ("min", "max"),
    "choice": ("values",),
    "ordinal": ("values",),
    "normal": ("mean", "sd"),
    "lognormal": ("mean", "sd"),
}
_ABSENT: dict[str, Any] = {
    field.name: field.default for field in msgspec.structs.fields(Parameter) if field.name not in {"name", "type"}
}
_SCALES: dict[str, type[Linear | Log | ReverseLog]] = {"linear": Linear, "log": Log, "reverselog": ReverseLog}


def compile_axis(parameter: Parameter) -> Axis:
    """The axis of a searched parameter. Raises SpaceError naming parameter and field for anything wrong with it."""
    check_declaration(parameter)
    kind = parameter.type
    if kind in {"float", "int"}:
        axis = _numeric_axis(parameter)
    elif kind in {"normal", "lognormal"}:
        axis = _normal_axis(parameter)
    else:
        values = (False, True) if kind == "bool" else parameter.values or ()
        axis = Categories([plain_json(value) for value in values], ordered=kind == "ordinal")
    _check_default(parameter, axis)
    read_prior(parameter, axis)
    return axis


def _fail(parameter: Parameter, field: str, message: str) -> SpaceError:
    return SpaceError(message, parameter=parameter.name, field=field)


def check_declaration(parameter: Parameter) -> None:
    """Name, type and fields fit together. Raises SpaceError."""
    check_name(parameter.name)
    if parameter.type not in FIELDS:
        hint = did_you_mean(str(parameter.type), FIELDS)
        raise _fail(parameter, "type", f"expected one of {', '.join(FIELDS)}, got {parameter.type!r}{hint}")
    for field, absent in _ABSENT.items():
        given = getattr(parameter, field)
        if field not in FIELDS[parameter.type] and given is not absent and given != absent:
            raise _fail(parameter, field, f"has no meaning for type {parameter.type}; leave it out")
    for field in _REQUIRED.get(parameter.type, ()):
        if getattr(parameter, field) is None:
            raise _fail(
                parameter, field, f"missing: type {parameter.type} needs {' and '.join(_REQUIRED[parameter.type])}"
            )
    for field in ("when", "times"):
        given = getattr(parameter, field)
        if given is not None and not isinstance(given, str):
            raise _fail(parameter, field, f"expected text, got {shown(given)}")
    if parameter.type == "constant":
        _json_value(parameter, "value", parameter.value)
    if parameter.values is not None and parameter.type != "constant":
        _check_values(parameter, parameter.values)
    if parameter.type in {"float", "int"}:
        _check_range(parameter)
    if parameter.type in {"normal", "lognormal"}:
        _check_normal(parameter)


def check_name(name: object) -> None:
    """`name` can be a parameter's. Raises SpaceError."""
    if not isinstance(name, str) or not name.strip() or name != name.strip():
        raise SpaceError(f"a parameter's name must be text without blanks around it, got {shown(name)}")
    if bad := [char for char in name if char in "`{}=" or not char.isprintable()]:
        raise SpaceError(f"the name must not hold {bad[0]!r}", parameter=name.replace("\n", " "))
    if name in RESERVED:
        raise SpaceError(f"{name!r} is reserved for command templates; choose another name", parameter=name)


def plain_json(value: Any) -> Any:
    """`value` with tuples as lists and array scalars as Python numbers. Raises ValueError where JSON has no form."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _passable(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value!r} is not finite; write it as text ('{value}')")
        return float(value)
    if isinstance(value, list | tuple):
        return [plain_json(item) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("the keys of a mapping must be text")
        return {_passable(key): plain_json(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # numpy scalars and arrays
        return plain_json(value.tolist())
    raise ValueError(f"expected a JSON value (number, text, true, false, null, list, mapping), got {shown(value)}")


def _passable(text: str) -> str:
    """`text`, which a program can be given and a log can hold. Raises ValueError for what is neither."""
    if "\0" in text:
        raise ValueError(f"{shown(text)} holds a NUL character, which no program can be given")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{shown(text)} is not valid Unicode") from None
    return text


def _json_value(parameter: Parameter, field: str, value: Any) -> Any:
    try:
        return plain_json(value)
    except (ValueError, RecursionError) as error:
        raise _fail(parameter, field, str(error)) from None


def _check_values(parameter: Parameter, values: Any) -> None:
    if isinstance(values, str) or not isinstance(values, list | tuple):
        raise _fail(parameter, "values", f"expected a list, got {shown(values)}")
    if not values:
        raise _fail(parameter, "values", "expected at least one value, got none")
    seen: set[Any] = set()
    for value in values:
        key = json_key(_json_value(parameter, "values", value))
        if key in seen:
            raise _fail(parameter, "values", f"{shown(value)} is there twice; leave one out")
        seen.add(key)


def _spells_a_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(parameter: Parameter, field: str) -> int | float:
    value = getattr(parameter, field)
    if isinstance(value, str):
        hint = "; leave out the quotes" if _spells_a_number(value) else ""
        raise _fail(parameter, field, f"expected a number, got the text {shown(value)}{hint}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _fail(parameter, field, f"expected a number, got {shown(value)}")
    if not abs(value) <= MAX_NUMBER:  # NaN too
        raise _fail(parameter, field, f"expected a number within +-1e300, got {shown(value)}")
    return value


def _check_range(parameter: Parameter) -> None:
    low, high = _number(parameter, "min"), _number(parameter, "max")
    if parameter.type == "int":
        _check_whole(parameter, "min", "max", "step")
    if low > high:
        raise _fail(parameter, "min", f"must be below max ({high!r}), got {low!r}; exchange them")
    if not math.isfinite(float(high) - float(low)):
        raise _fail(parameter, "max", f"the range {low!r} .. {high!r} is too wide for floating point")
    _check_scale(parameter, low, high)
    _check_grid(parameter, low, high)


def _check_whole(parameter: Parameter, *fields: str) -> None:
    for field in fields:
        value = getattr(parameter, field)
        if value is None:
            continue
        number = _number(parameter, field)
        if number != int(number):
            raise _fail(parameter, field, f"expected an integer, got {value!r}; for fractions write type: float")
        if abs(number) > SIZE_LIMIT:
            raise _fail(parameter, field, f"expected an integer within +-2**53, got {shown(value)}")


def _check_scale(parameter: Parameter, low: float, high: float) -> None:
    if parameter.scale not in _SCALES:
        hint = did_you_mean(str(parameter.scale), _SCALES)
        raise _fail(parameter, "scale", f"expected one of {', '.join(_SCALES)}, got {parameter.scale!r}{hint}")
    if parameter.scale == "log" and low <= 0:
        raise _fail(
            parameter, "min", f"must be above 0 on a log scale, got {low!r}; write scale: linear, or a min like 1e-6"
        )
    if parameter.scale == "reverselog":
        if parameter.type == "int":
            raise _fail(parameter, "scale", "reverselog is for type float")
        if low < 0:
            raise _fail(parameter, "min", f"must be at least 0 on a reverselog scale, got {low!r}")
        if high >= 1:
            raise _fail(parameter, "max", f"must be below 1 on a reverselog scale, got {high!r}; write e.g. 0.999")


def _check_grid(parameter: Parameter, low: float, high: float) -> None:
    if parameter.step is not None and parameter.count is not None:
        raise _fail(parameter, "count", "give step or count, not both")
    if parameter.step is not None:
        step = _number(parameter, "step")
        if step <= 0:
            raise _fail(parameter, "step", f"must be above 0, got {step!r}")
        if step > high - low and low != high and Fraction(repr(step)) > Fraction(repr(high)) - Fraction(repr(low)):
            raise _fail(parameter, "step", f"must not be larger than the range ({high - low!r}), got {step!r}")
        if (high - low) / step > SIZE_LIMIT or low + step == low:
            raise _fail(parameter, "step", f"{step!r} is too small for the range {low!r} .. {high!r}; leave it out")
    if parameter.count is not None:
        count = parameter.count
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_COUNT:
            raise _fail(parameter, "count", f"expected an integer between 1 and {MAX_COUNT}, got {shown(count)}")


def _check_normal(parameter: Parameter) -> None:
    _number(parameter, "mean")
    if (sd := _number(parameter, "sd")) <= 0:
        raise _fail(parameter, "sd", f"must be above 0, got {sd!r}")
    low = None if parameter.min is None else _number(parameter, "min")
    high = None if parameter.max is None else _number(parameter, "max")
    if low is not None and high is not None and low >= high:
        raise _fail(parameter, "min", f"must be below max ({high!r}), got {low!r}")
    if parameter.type == "lognormal":
        if high is not None and high <= 0:
            raise _fail(parameter, "max", f"must be above 0 for a lognormal, got {high!r}")
        if low is not None and low < 0:
            raise _fail(parameter, "min", f"must be at least 0 for a lognormal, got {low!r}")
        if abs(float(parameter.mean or 0)) + 9 * sd > 700:
            raise _fail(parameter, "mean", "mean and sd are those of the logarithm; these reach beyond floating point")


# --------------------------------------------------------------------------------------------------------- compiling


def _numeric_axis(parameter: Parameter) -> Axis:
    assert parameter.min is not None
    assert parameter.max is not None
    whole = parameter.type == "int"
    low: float = int(parameter.min) if whole else float(parameter.min)
    high: float = int(parameter.max) if whole else float(parameter.max)
    scale = _SCALES[parameter.scale](float(low), float(high))
    middle = float(scale.point(0.5))
    if parameter.count is not None:
        return Table(_spaced(low, high, parameter.count, parameter.scale, whole=whole), whole=whole)
    if not whole and parameter.step is None:
        return Continuous(scale, middle)
    step: float = 1 if parameter.step is None else (int if whole else float)(parameter.step)
    return Progression(low, high, step, whole=whole, edges=_edges(low, high, step, parameter.scale), middle=middle)


def _edges(low: float, high: float, step: float, scale: str) -> Scale | None:
    """The scale from half a step below the first value to half a step above the last.

    Not beyond where it is defined: then half the way there.
    """
    last = low + math.floor((high - low) / step + 1e-9) * step
    if scale == "log":
        return Log(low - step / 2 if low > step / 2 else low / 2, last + step / 2)
    if scale == "reverselog":
        return ReverseLog(max(low - step / 2, 0.0), last + step / 2 if last + step / 2 < 1 else (last + 1) / 2)
    return None


def _spaced(low: float, high: float, count: int, scale: str, *, whole: bool) -> list[int | float]:
    """`count` increasing numbers, evenly spaced on the scale, the ends exact; ints rounded, each once."""
    if count == 1 or low == high:
        return [low]
    if scale == "linear":
        start, width = Fraction(repr(low)), Fraction(repr(high)) - Fraction(repr(low))
        points = [float(start + width * index / (count - 1)) for index in range(count)]
    else:
        on_scale = _SCALES[scale](float(low), float(high))
        points = [float(f"{float(on_scale.point(index / (count - 1))):.14g}") for index in range(count)]
    inner = [min(max(point, low), high) for point in points[1:-1]]
    numbers: list[int | float] = [low, *((round(point) for point in inner) if whole else inner), high]
    return sorted(set(numbers))


def _normal_axis(parameter: Parameter) -> Axis:
    mean, sd = float(parameter.mean or 0), float(parameter.sd or 1)
    high = math.inf if parameter.max is None else float(parameter.max)
    scale: Gaussian | LogGaussian
    if parameter.type == "normal":
        scale = Gaussian(mean, sd, -math.inf if parameter.min is None else float(parameter.min), high)
    else:
        scale = LogGaussian(mean, sd, float(parameter.min or 0), high)
    if scale.mass <= 0:
        raise _fail(parameter, "min", "min and max leave nothing of this distribution; move them nearer to the mean")
    return Continuous(scale, float(scale.point(0.5)))


def _check_default(parameter: Parameter, axis: Axis) -> None:
    if parameter.default is msgspec.UNSET:
        return
    value = parameter.default
    try:
        if isinstance(value, str) and not isinstance(axis, Categories):
            raise ValueError(value)
        axis.find(value)
    except (ValueError, TypeError):
        raise _fail(parameter, "default", f"expected {axis.expected}, got {shown(value)}") from None
