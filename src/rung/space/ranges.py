"""The RANGE grammar of `-p NAME=RANGE`.

    a,b,c      a list                        a:b        step 1
    x          fixed                         a:s:b      step s
    f(...)     a constructor of Python       a:uN:b     N evenly spaced
    sample(N, RANGE)   N draws as a list     a:lN:b     N log-spaced

Integers stay integers, words stay words; `true false null` and JSON lists and mappings are what they are in JSON;
quotes make a text of anything.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from rung.model import BadInput, Parameter
from rung.space import constructors
from rung.space.errors import SpaceError, did_you_mean
from rung.space.space import Space
from rung.space.validation import check_name, compile_axis

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.space.constructors import Domain

MAX_LENGTH = 100_000
MAX_SAMPLE = 10_000
_INTEGER = re.compile(r"[+-]?\d{1,300}")
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_CALL = re.compile(r"([A-Za-z_]\w*)\s*\((.*)\)", re.DOTALL)
_SPACED = re.compile(r"([ul])(\d{1,9})")
_PLAIN = re.compile(r"[A-Za-z_][\w./+-]*")
_OPEN, _CLOSE = "([{", ")]}"
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
_NUMERIC: dict[str, tuple[Callable[..., Domain], str]] = {
    "uniform": (constructors.uniform, "min, max"),
    "loguniform": (constructors.loguniform, "min, max"),
    "reverseloguniform": (constructors.reverseloguniform, "min, max"),
    "randint": (constructors.randint, "min, max"),
    "lograndint": (constructors.lograndint, "min, max"),
    "finrange": (constructors.finrange, "min, max, count"),
    "logfinrange": (constructors.logfinrange, "min, max, count"),
    "normal": (constructors.normal, "mean, sd"),
    "lognormal": (constructors.lognormal, "mean, sd"),
}
_LISTS: dict[str, str] = {"choice": "choice", "ordinal": "ordinal"}


def parse_range(name: str, text: str, *, seed: int = 0) -> Parameter:
    """The parameter that `-p name=text` declares; `seed` is for the draws of `sample`.

    Raises SpaceError (a BadInput) whose place is the option, saying what was expected.
    """
    place = f"-p {name}={text}" if len(text) <= 60 else f"-p {name}={text[:57]}..."
    try:
        check_name(name)
        if len(text) > MAX_LENGTH:
            raise _Unreadable(f"expected at most {MAX_LENGTH} characters, got {len(text)}")
        parameter = _range(text.strip(), name, seed)
        if parameter.type != "constant":
            compile_axis(parameter)
    except BadInput as error:
        field = getattr(error, "field", "")
        located = SpaceError(f"{field}: {error.message}" if field else error.message, place=place)
        located.parameter, located.field = name, field
        raise located from None
    return parameter


def literal_text(value: Any) -> str:
    """The text that `parse_range` reads as this one value, also in a list. Raises `BadInput` where none does."""
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) is not None and value not in _WORDS and not _is_number(value)
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        text = value if plain else f"'{escaped}'"
    else:
        text = repr(value) if type(value) is float else json.dumps(value)
    try:
        if [_literal(part) for part in _split(text, ",")] == [value]:
            return text
    except BadInput:
        pass
    raise BadInput(f"{value!r} cannot be written as a RANGE")


class _Unreadable(BadInput):
    """The text is no RANGE; `parse_range` says where."""


def _range(text: str, name: str, seed: int) -> Parameter:
    if not text:
        raise _Unreadable("expected a value, a list a,b,c, a range a:b, or a constructor such as uniform(0,1)")
    parts = _split(text, ",")
    if len(parts) > 1:
        return Parameter(name=name, type="choice", values=_values(parts))
    if call := _CALL.fullmatch(text):
        return _call(call.group(1), call.group(2), name, seed)
    pieces = _split(text, ":")
    if len(pieces) > 1 and _is_number(pieces[0]):
        return _progression(pieces).named(name)
    if text.startswith(":"):
        raise _Unreadable("expected a number before the colon, as in 0:5")
    value = _literal(text)
    explicit = (value,) if isinstance(value, list | dict) else None
    return Parameter(name=name, type="constant", value=value, values=explicit)


# ------------------------------------------------------------------------------------------------------------ pieces


def _split(text: str, separator: str) -> list[str]:
    """`text` cut at the separators outside quotes and brackets, blanks stripped."""
    parts, depth, quote, start, before = [], 0, "", 0, ","
    for index, char in enumerate(text):
        if quote:
            if char == quote and text[index - 1] != "\\":
                quote = ""
        elif char in "'\"" and before in "([{,:":
            quote = char  # a quote inside a word (don't) is a letter
        elif char in _OPEN:
            depth += 1
        elif char in _CLOSE:
            depth -= 1
        elif char == separator and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
        before = before if char.isspace() else char
    if quote or depth:
        what = f"quote {quote}" if quote else "bracket"
        raise _Unreadable(f"expected a closing {what}" if quote or depth > 0 else "expected no more closing brackets")
    return [*parts, text[start:].strip()]


def _values(parts: list[str]) -> tuple[Any, ...]:
    if "" in parts:
        raise _Unreadable("expected a value between the commas; an empty text is written ''")
    return tuple(_literal(part) for part in parts)


def _is_number(text: str) -> bool:
    return _FLOAT.fullmatch(text) is not None


def _number(text: str, what: str) -> int | float:
    value = _literal(text) if _is_number(text) else None
    if not isinstance(value, int | float):
        raise _Unreadable(f"expected a number for {what}, got {text!r}; a text with a colon stands in quotes")
    return value


def _literal(text: str) -> Any:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _is_number(text):
        if not math.isfinite(float(text)):
            raise _Unreadable(f"expected a number that floating point can hold, got {text}")
        return float(text)
    if text[:1] in {"'", '"'}:
        if len(text) < 2 or text[-1] != text[0]:
            raise _Unreadable(f"expected a closing {text[0]} at the end of {text!r}")
        return re.sub(r"\\(['\"\\])", r"\1", text[1:-1])
    if text[:1] in {"[", "{"}:
        return _json(text)
    return _WORDS.get(text, text)


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise _Unreadable(f'expected JSON after {text[0]!r}, such as [1, 2] or {{"a": 1}}, got {text[:60]!r}') from None


def _refuse_constant(word: str) -> Any:
    raise ValueError(word)


# ------------------------------------------------------------------------------------------------------------- ranges


def _progression(pieces: list[str]) -> Domain:
    if len(pieces) > 3:
        raise _Unreadable("expected a:b, a:s:b, a:uN:b or a:lN:b")
    low, high = _number(pieces[0], "the start"), _number(pieces[-1], "the end")
    if low > high:
        raise _Unreadable(f"expected the smaller bound first: {':'.join(reversed(pieces))}")
    if len(pieces) == 3 and (spaced := _SPACED.fullmatch(pieces[1])):
        build = constructors.finrange if spaced.group(1) == "u" else constructors.logfinrange
        return build(low, high, int(spaced.group(2)))
    step = _number(pieces[1], "the step (or uN, lN for N points)") if len(pieces) == 3 else 1
    if isinstance(low, int) and isinstance(high, int) and isinstance(step, int):
        return constructors.randint(low, high, step=None if step == 1 else step)
    return constructors.uniform(low, high, step=step)


def _call(function: str, inside: str, name: str, seed: int) -> Parameter:
    if function == "sample":
        return _sample(inside, name, seed)
    arguments = _split(inside, ",") if inside.strip() else []
    if function in _LISTS:
        build = constructors.choice if function == "choice" else constructors.ordinal
        return build(list(_values(arguments))).named(name)
    if function not in _NUMERIC:
        known = [*_NUMERIC, *_LISTS, "sample"]
        hint = did_you_mean(function, known) or f"; expected one of {', '.join(known)}"
        raise _Unreadable(f"unknown constructor {function!r}{hint}; a text with parentheses stands in quotes")
    constructor, words = _NUMERIC[function]
    names = words.split(", ")
    if len(arguments) != len(names):
        raise _Unreadable(f"expected {function}({words}), got {len(arguments)} arguments")
    return constructor(*(_number(text, word) for text, word in zip(arguments, names, strict=True))).named(name)


def _sample(inside: str, name: str, seed: int) -> Parameter:
    """A choice of N distinct draws; the same for the same name, range and seed."""
    number, _, rest = inside.partition(",")
    if not re.fullmatch(r"\s*\d{1,9}\s*", number) or not 1 <= int(number) <= MAX_SAMPLE or not rest.strip():
        raise _Unreadable(f"expected sample(N, RANGE) with N between 1 and {MAX_SAMPLE}")
    if rest.strip().startswith("sample"):
        raise _Unreadable("expected another RANGE inside sample, not sample again")
    inner = _range(rest.strip(), name, seed)
    if inner.type == "constant":
        raise _Unreadable("expected a RANGE with several values inside sample")
    return Parameter(name=name, type="choice", values=_draws(inner, int(number), seed))


def _draws(parameter: Parameter, count: int, seed: int) -> tuple[Any, ...]:
    space = Space([parameter])
    if space.size is not None and space.size < count:
        raise _Unreadable(f"expected at most {space.size} draws, since there are no more values, got {count}")
    rng = np.random.default_rng([seed, *parameter.name.encode()])
    if space.size is not None and space.size <= MAX_SAMPLE:
        indices = rng.permutation(space.size)[:count].tolist()
        return tuple(space.axes[0].at(index) for index in indices)
    draws: dict[Any, Any] = {}
    while len(draws) < count:
        draws.update((config[parameter.name], None) for config in space.decode(space.sample(rng, count)))
    return tuple(draws)[:count]
