"""Hydra's override grammar, as far as it sweeps: `choice(a, b)`, `range(1, 5)`, `interval(0, 1)`, `a,b,c`, tags."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any, NamedTuple

from rung.dialects.yamltext import resolve
from rung.model import BadInput, Parameter

_CALL = re.compile(r"([A-Za-z_]\w*)\s*\((.*)\)", re.DOTALL)
_SWEEPS = ("choice", "range", "interval", "glob", "tag", "sort", "shuffle")
_CASTS = ("int", "float", "str", "bool")
_MOST_VALUES = 10_000
_PLAIN = re.compile(r"[A-Za-z0-9_./+:@%?|-]+")
_WORDS = {"null": None, "true": True, "false": False}


class Override(NamedTuple):
    """`key=text`."""

    key: str
    text: str


def is_sweep(text: str) -> bool:
    """Whether the value of an override sweeps: a comma list, or one of the sweeping functions."""
    stripped = text.strip()
    found = _CALL.fullmatch(stripped)
    if found is not None and (found[1] in _SWEEPS or (found[1] in _CASTS and is_sweep(found[2]))):
        return True
    try:
        return len(split(stripped)) > 1
    except BadInput:
        return False


def read_override(override: Override, *, whole_ends: bool) -> Parameter:
    """The parameter that an override sweeps, a constant where it does not.

    `whole_ends`: a range has its end, as in the Optuna sweeper; in Hydra's own it stops before.

    Raises:
        BadInput: without a place: it is no override, or sweeps in a way that cannot be mapped.
    """
    name = override.key.removeprefix("++").removeprefix("+")
    if name != override.key:
        raise BadInput(f"`+` and `++` are no part of a parameter's name; give {name} in the configuration")
    return _read(name, override.text.strip(), whole_ends=whole_ends, log=False)


def _read(name: str, text: str, *, whole_ends: bool, log: bool) -> Parameter:
    call = _CALL.fullmatch(text)
    if call is None:
        values = [literal(part) for part in split(text)]
        if len(values) > 1:
            return _choice(name, values)
        held = values[0]
        return Parameter(
            name=name, type="constant", value=held, values=(held,) if isinstance(held, (list, dict)) else None
        )
    function, inside = call[1], call[2]
    arguments = split(inside) if inside.strip() else []
    if function == "tag":
        return _tagged(name, arguments, whole_ends=whole_ends)
    if function in {"sort", "shuffle"}:
        return _rearranged(name, function, arguments, whole_ends=whole_ends)
    if function in _CASTS:
        return _cast(name, function, inside, whole_ends=whole_ends)
    if function == "choice":
        return _choice(name, [literal(_unnamed(part)) for part in arguments])
    if function == "interval":
        low, high = _numbers(function, arguments, ("start", "end"), 2)
        if low > high:
            raise BadInput(f"interval({low}, {high}): expected the smaller bound first")
        if log and low <= 0:
            raise BadInput(f"interval({low}, {high}): must be above 0 on a log scale")
        return Parameter(name=name, type="float", min=float(low), max=float(high), scale="log" if log else "linear")
    if function == "range":
        return _range(name, arguments, whole_ends=whole_ends)
    if function == "glob":
        raise BadInput("glob names files of the application's own configuration; write choice(a, b, ...)")
    raise BadInput(f"unknown function {function!r}; known: {', '.join((*_SWEEPS, *_CASTS))}")


def _choice(name: str, values: list[Any]) -> Parameter:
    if not values:
        raise BadInput("choice() is empty; give at least one value")
    unique = {json.dumps(value): value for value in values}
    return Parameter(name=name, type="choice", values=tuple(unique.values()))


def _tagged(name: str, arguments: list[str], *, whole_ends: bool) -> Parameter:
    """`tag(log, interval(a, b))`: the one tag that means something here is `log`."""
    if not arguments:
        raise BadInput("tag() is empty; write tag(log, interval(a, b))")
    tags, inner = [part.partition("=")[2] or part for part in arguments[:-1]], _unnamed(arguments[-1])
    if unknown := [tag for tag in tags if tag != "log"]:
        raise BadInput(f"the tag {unknown[0]!r} cannot be mapped; known: log")
    if tags and not inner.startswith("interval"):
        raise BadInput(f"the tag log is for interval(a, b), got {inner!r:.60}")
    return _read(name, inner, whole_ends=whole_ends, log=bool(tags))


def _rearranged(name: str, function: str, arguments: list[str], *, whole_ends: bool) -> Parameter:
    """Another order of the values. What is drawn has none, so `shuffle` changes nothing."""
    plain = [part for part in arguments if not re.match(r"(reverse|list|sweep)\s*=", part)]
    backwards = any(re.fullmatch(r"reverse\s*=\s*true", part) for part in arguments)
    inner = plain[0] if len(plain) == 1 else f"choice({','.join(plain)})"
    found = _read(name, inner, whole_ends=whole_ends, log=False)
    if found.type != "choice" or function == "shuffle":
        return found
    try:
        values = sorted(found.values or (), reverse=backwards)
    except TypeError:
        raise BadInput(f"the values of {name} have no common order to sort them in") from None
    return Parameter(name=name, type="choice", values=tuple(values))


def _cast(name: str, function: str, inside: str, *, whole_ends: bool) -> Parameter:
    """`int(interval(1, 5))` is a whole number; a cast of a list is one of each value."""
    found = _read(name, _unnamed(inside.strip()), whole_ends=whole_ends, log=False)
    kinds: dict[str, Any] = {"int": int, "float": float, "str": _text, "bool": bool}
    if function == "int" and found.type == "float" and found.step is None:
        low, high = int(found.min or 0), int(found.max or 0)
        return Parameter(name=name, type="int", min=low, max=high)
    if function == "float" and found.type == "float":
        return found
    if found.type not in {"choice", "constant"}:
        raise BadInput(f"{function}() of {inside!r:.60} cannot be mapped; write the values as choice(...)")
    try:
        values = [kinds[function](value) for value in (found.values or (found.value,))]
    except (TypeError, ValueError):
        raise BadInput(f"{function}() of {inside!r:.60} has no value") from None
    return _choice(name, values)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _range(name: str, arguments: list[str], *, whole_ends: bool) -> Parameter:
    """`range(stop)`, `range(start, stop)`, `range(start, stop, step)`, by place or by name."""
    numbers = _numbers("range", arguments, ("start", "stop", "step"), 3)
    if len(numbers) == 1:
        numbers = [0, numbers[0]]
    start, stop, step = (Fraction(repr(each)) for each in (*numbers, *([1] if len(numbers) < 3 else [])))
    if step <= 0 or stop < start:
        raise BadInput(f"range({', '.join(arguments)}): expected a step above 0 and the smaller end first")
    count = int((stop - start) / step) + 1
    if not whole_ends and (stop - start) % step == 0:
        count -= 1
    if not 1 <= count <= _MOST_VALUES:
        raise BadInput(f"range({', '.join(arguments)}) has {max(count, 0)} values; expected 1 to {_MOST_VALUES}")
    kind: Any = int if all(isinstance(each, int) for each in numbers) else float
    return Parameter(
        name=name, type="int" if kind is int else "float", min=kind(start), max=kind(start + (count - 1) * step),
        step=None if count == 1 or (kind is int and step == 1) else kind(step),
    )  # fmt: skip


def _numbers(function: str, arguments: list[str], names: tuple[str, ...], most: int) -> list[float | int]:
    """The arguments in the order of `names`. Raises `BadInput` where one is no number."""
    placed: dict[str, str] = {}
    for index, part in enumerate(arguments):
        key, equals, text = part.partition("=")
        name = key.strip() if equals else (names[index] if index < most else "")
        if name not in names or name in placed:
            raise BadInput(f"{function} takes {', '.join(names)}, got {part!r:.60}")
        placed[name] = text if equals else part
    if len(arguments) == 1 and function == "range" and "start" in placed:
        return [_number(function, placed["start"])]
    needed = names[:2]
    if missing := [name for name in needed if name not in placed and not (function == "range" and name == "start")]:
        raise BadInput(f"{function} takes {', '.join(names)}; {missing[0]} is missing")
    placed.setdefault("start", "0")
    return [_number(function, placed[name]) for name in names if name in placed]


def _number(function: str, text: str) -> float | int:
    value = literal(text)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= 1e300:
        raise BadInput(f"{function} takes numbers, got {text!r:.60}")
    return value


def _unnamed(text: str) -> str:
    """The value of an argument that may be given by name."""
    found = re.match(r"(?:sweep|value|list)\s*=\s*", text)
    return text[found.end() :] if found else text


# ------------------------------------------------------------------------------------------------------------- values


def split(text: str) -> list[str]:
    """`text` cut at the commas outside quotes and brackets. Raises `BadInput` for quotes or brackets that stay open."""
    parts, depth, quote, start = [], 0, "", 0
    index = 0
    while index < len(text):
        char = text[index]
        if quote:
            if char == "\\":
                index += 1
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
        if depth < 0:
            break
        index += 1
    if quote or depth:
        raise BadInput(f"{text!r:.60} has a quote or a bracket without its partner")
    parts.append(text[start:].strip())
    if len(parts) > 1 and "" in parts:
        raise BadInput(f"expected a value between the commas of {text!r:.60}")
    return parts


def literal(text: str) -> Any:
    """The value of one element. Raises `BadInput`."""
    text = text.strip()
    if text[:1] in {"'", '"'}:
        if len(text) < 2 or text[-1] != text[0]:
            raise BadInput(f"expected a closing {text[0]} at the end of {text!r:.60}")
        return _unescaped(text[1:-1], text[0])
    if text.startswith("[") and text.endswith("]"):
        return [literal(part) for part in split(text[1:-1])] if text[1:-1].strip() else []
    if text.startswith("{") and text.endswith("}"):
        return _mapping(text[1:-1])
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return resolve(text) if text != "~" else text
    except ValueError:
        raise BadInput(f"a number of {len(text)} digits is too long") from None


def _unescaped(inside: str, quote: str) -> str:
    """What stands between quotes: backslashes mean something only before that quote, or at the end."""
    return re.sub(rf"(\\+)({quote}|\Z)", lambda found: found[1][: len(found[1]) // 2] + found[2], inside)


def _escaped(found: re.Match[str]) -> str:
    return found[1] * 2 + ("\\'" if found[2] else "")


def _mapping(inside: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in split(inside) if inside.strip() else []:
        key, colon, value = part.partition(":")
        if not colon or not key.strip():
            raise BadInput(f"expected key:value in a mapping, got {part!r:.60}")
        found[str(literal(key))] = literal(value)
    return found


def quoted(value: Any) -> str:
    """`value` as an override of Hydra's grammar reads it back."""
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and resolves_to_itself(value):
            return value
        return "'" + re.sub(r"(\\*)('|\Z)", _escaped, value) + "'"
    if isinstance(value, list):
        return f"[{','.join(quoted(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{quoted(key)}:{quoted(item)}' for key, item in value.items())}}}"
    return json.dumps(value)


def resolves_to_itself(text: str) -> bool:
    """Whether a word without quotes is that word, and no number, boolean or null."""
    try:
        return bool(literal(text) == text) and text.lower() not in {"nan", "inf", "-inf", "+inf"}
    except BadInput:
        return False
