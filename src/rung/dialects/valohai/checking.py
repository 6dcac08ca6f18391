"""A tree against a schema, by the rules and in the words of JSON schema's reference checker for Python.

Only the keywords that `schema` uses. `Problem.schema` is the way to the broken rule without the words `properties` and
`items`, which are of no use to a reader.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rung.dialects.positions import Path
    from rung.dialects.valohai.schema import Schema

_SILENT = frozenset({"properties", "items"})
_WEAK = frozenset({"anyOf", "oneOf"})


class Problem(NamedTuple):
    """One broken rule: its keyword, the way to it, where the value is, what the value is, and the words for it."""

    keyword: str
    schema: tuple[str, ...]
    path: Path
    instance: Any
    message: str
    fits_type: bool


def problems(tree: Any, schema: Schema) -> list[Problem]:
    """All broken rules, those of the innermost values first."""
    return sorted(_check(tree, schema, (), ()), key=_rank)


def _rank(problem: Problem) -> tuple[Any, ...]:
    path = [(isinstance(part, str), part) for part in problem.path]
    return -len(path), path, problem.keyword not in _WEAK, not problem.fits_type


def is_type(value: Any, name: str) -> bool:
    """Whether a value is of a JSON type; 3.0 is an integer, true is no number."""
    return _TYPES[name](value)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": _number,
    "integer": lambda value: _number(value) and (isinstance(value, int) or value.is_integer()),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
}


def _check(value: Any, schema: Schema, path: Path, way: tuple[str, ...]) -> Iterator[Problem]:
    expected = schema.get("type", [])
    names = [expected] if isinstance(expected, str) else expected
    fits = any(is_type(value, name) for name in names)
    for keyword, rule in schema.items():
        for found in _KEYWORDS[keyword](value, rule, schema):
            if isinstance(found, str):
                yield Problem(keyword, (*way, keyword), path, value, found, fits)
            else:
                inner, part, step = found
                below = way if keyword in _SILENT else (*way, keyword)
                yield from _check(value[part], inner, (*path, _shown(part)), (*below, *step))


def _shown(part: Any) -> str | int:
    return part if isinstance(part, int) and not isinstance(part, bool) else str(part)


def _valid(value: Any, schema: Schema) -> bool:
    return next(_check(value, schema, (), ()), None) is None


def _type(value: Any, rule: Any, _: Schema) -> Iterator[str]:
    names = [rule] if isinstance(rule, str) else rule
    if not any(is_type(value, name) for name in names):
        yield f"{value!r} is not of type {', '.join(repr(name) for name in names)}"


def _properties(value: Any, rule: Any, _: Schema) -> Iterator[tuple[Schema, Any, tuple[str, ...]]]:
    if isinstance(value, dict):
        for name, inner in rule.items():
            if name in value:
                yield inner, name, () if name in _SILENT else (name,)


def _pattern_properties(value: Any, rule: Any, _: Schema) -> Iterator[tuple[Schema, Any, tuple[str, ...]]]:
    if isinstance(value, dict):
        for pattern, inner in rule.items():
            for name in value:
                if re.search(pattern, str(name)):
                    yield inner, name, (pattern,)


def _additional(value: Any, _: Any, schema: Schema) -> Iterator[str]:
    if isinstance(value, dict):
        extras = sorted((name for name in value if name not in schema["properties"]), key=str)
        if extras:
            verb = "was" if len(extras) == 1 else "were"
            names = ", ".join(repr(name) for name in extras)
            yield f"Additional properties are not allowed ({names} {verb} unexpected)"


def _required(value: Any, rule: Any, _: Schema) -> Iterator[str]:
    if isinstance(value, dict):
        for name in rule:
            if name not in value:
                yield f"{name!r} is a required property"


def _items(value: Any, rule: Any, schema: Schema) -> Iterator[str | tuple[Schema, Any, tuple[str, ...]]]:
    if not isinstance(value, list):
        return
    before = len(schema.get("prefixItems", ()))
    if rule is False:
        if len(value) > before:
            rest = value[before:] if len(value) > before + 1 else value[before]
            yield f"Expected at most {before} items but found {len(value) - before} extra: {rest!r}"
        return
    for index in range(before, len(value)):
        yield rule, index, ()


def _prefix(value: Any, rule: Any, _: Schema) -> Iterator[tuple[Schema, Any, tuple[str, ...]]]:
    if isinstance(value, list):
        for index, inner in enumerate(rule[: len(value)]):
            yield inner, index, (str(index),)


def _any_of(value: Any, rule: Any, _: Schema) -> Iterator[str]:
    if not any(_valid(value, inner) for inner in rule):
        yield f"{value!r} is not valid under any of the given schemas"


def _one_of(value: Any, rule: Any, _: Schema) -> Iterator[str]:
    fitting = [inner for inner in rule if _valid(value, inner)]
    if not fitting:
        yield f"{value!r} is not valid under any of the given schemas"
    elif len(fitting) > 1:
        yield f"{value!r} is valid under each of {', '.join(repr(inner) for inner in [*fitting[1:], fitting[0]])}"


def _not(value: Any, rule: Any, _: Schema) -> Iterator[str]:
    if _valid(value, rule):
        yield f"{value!r} should not be valid under {rule!r}"


def _enum(value: Any, rule: Any, _: Schema) -> Iterator[str]:
    if value not in rule:
        yield f"{value!r} is not one of {rule!r}"


def _const(value: Any, rule: Any, _: Schema) -> Iterator[str]:
    if value != rule:
        yield f"{rule!r} was expected"


def _pattern(value: Any, rule: Any, _: Schema) -> Iterator[str]:
    if isinstance(value, str) and not re.search(rule, value):
        yield f"{value!r} does not match {rule!r}"


def _max_length(value: Any, rule: Any, _: Schema) -> Iterator[str]:
    if isinstance(value, str) and len(value) > rule:
        yield f"{value!r} is too long"


def _minimum(value: Any, rule: Any, _: Schema) -> Iterator[str]:
    if _number(value) and value < rule:
        yield f"{value!r} is less than the minimum of {rule!r}"


def _maximum(value: Any, rule: Any, _: Schema) -> Iterator[str]:
    if _number(value) and value > rule:
        yield f"{value!r} is greater than the maximum of {rule!r}"


_KEYWORDS: dict[str, Callable[[Any, Any, Schema], Iterator[Any]]] = {
    "type": _type,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
    "required": _required,
    "items": _items,
    "prefixItems": _prefix,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "maxLength": _max_length,
    "minimum": _minimum,
    "maximum": _maximum,
}
