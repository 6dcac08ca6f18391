"""The `hyperparameters` of an experiment configuration as parameters, and as the axes of a grid.

A mapping with the key `type` is a specification; one without is a group, whose names join with dots; anything else,
lists and null among them, is a constant. Parameters are sorted by name, group by group: that is the order in which
Determined walks them, and so the order of its grids.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from rung.dialects.names import shown
from rung.dialects.positions import dotted
from rung.model import Parameter
from rung.space import Space, SpaceError
from rung.space.axes import json_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.dialects.values import Value
    from rung.model import BadInput

Keys = tuple[str, ...]
UNKNOWN_TYPE = (
    'if a hyperparameter object\'s ["type"] is set, it must be one of "int", "double", "log", const", or "categorical"'
)
NOT_LESS = "minval must be less than maxval"
NO_COUNT = "grid search is in use but count was not provided"
MOST_GRID_VALUES = 1_000_000
_FIELDS = {
    "const": ("val",),
    "int": ("minval", "maxval", "count"),
    "double": ("minval", "maxval", "count"),
    "log": ("minval", "maxval", "base", "count"),
    "categorical": ("vals",),
}


class Leaf(NamedTuple):
    """One hyperparameter: the keys that lead to it, and what is written there, checked. `kind` is its type; `fields`
    are the others, with the numbers as they were written."""

    keys: Keys
    place: Value
    kind: str
    fields: dict[str, Any]


def leaves(value: Value) -> list[Leaf]:
    """Every hyperparameter of the mapping, sorted. Raises `BadInput` at the line of the first that cannot be."""
    value.tree("a mapping from names to hyperparameters")
    return list(_group(value, ()))


def leaf(value: Value, keys: Keys = ()) -> Iterator[Leaf]:
    """The hyperparameter, or those of the group, that is written here."""
    if not isinstance(value.value, dict):
        yield Leaf(keys, value, "const", {"val": value.value})
    elif value.value.get("type") is not None:
        yield _specified(value, keys)
    elif value.value or not keys:
        yield from _group(value, keys)
    else:
        yield Leaf(keys, value, "const", {"val": {}})


def _group(value: Value, keys: Keys) -> Iterator[Leaf]:
    for key in sorted(value.tree()):
        if not key.strip():
            raise value.error("a hyperparameter needs a name", key)
        yield from leaf(value.child(key), (*keys, key))


def _specified(value: Value, keys: Keys) -> Leaf:
    kind = value.value["type"]
    if not isinstance(kind, str) or kind not in _FIELDS:
        raise value.error(UNKNOWN_TYPE)
    given = value.fields(("type", *_FIELDS[kind]), "a hyperparameter")
    fields: dict[str, Any] = {}
    if kind == "const":
        if "val" not in value.value:
            raise value.error("`val` is missing; give the value")
        fields["val"] = value.value["val"]
    elif kind == "categorical":
        fields["vals"] = _values(value, given)
    else:
        fields = _numbers(value, given, kind)
    return Leaf(keys, value, kind, fields)


def _values(value: Value, given: dict[str, Value]) -> list[Any]:
    """What can be chosen, each once: a 0 and a 0.0 are one value."""
    if "vals" not in given:
        raise value.error("`vals` is missing; give a list of the values")
    listed = given["vals"].elements("a list of values")
    if not listed:
        raise given["vals"].error("give at least one value")
    try:
        return list({json_key(each.value): each.value for each in reversed(listed)}.values())[::-1]
    except (TypeError, ValueError, RecursionError):
        raise given["vals"].error("holds something that is no value of JSON") from None


def _numbers(value: Value, given: dict[str, Value], kind: str) -> dict[str, Any]:
    for name in ("minval", "maxval", *(("base",) if kind == "log" else ())):
        if name not in given:
            raise value.error(f"`{name}` is missing; give a number")
    fields: dict[str, Any] = {}
    for name in ("minval", "maxval"):
        fields[name] = _integer(given[name]) if kind == "int" else given[name].number()
    if kind == "log":
        fields["base"] = given["base"].number()
        if fields["base"] <= 0:
            given["base"].expected("a number above 0")
    if fields["minval"] >= fields["maxval"]:
        raise value.error(NOT_LESS)
    if "count" in given:
        fields["count"] = given["count"].whole(1)
    return fields


def _integer(value: Value) -> int:
    return value.whole(-(2**63) + 1)


# ------------------------------------------------------------------------------------------------------- parameters


def parameters(found: list[Leaf], *, grid: bool) -> tuple[tuple[Parameter, ...], dict[str, Keys]]:
    """The parameters, and the keys that lead to those within groups. In a `grid` every one has its values listed.

    Raises:
        BadInput: two have the same dotted name, or one cannot be searched.
    """
    made: dict[str, Parameter] = {}
    for each in found:
        name = ".".join(each.keys)
        if name in made:
            raise each.place.error(f"there are two hyperparameters {shown(name)}; rename one")
        made[name] = _in_grid(each, name) if grid else _searched(each, name)
        _check(made[name], each)
    return tuple(made.values()), {".".join(each.keys): each.keys for each in found if len(each.keys) > 1}


def _check(parameter: Parameter, each: Leaf) -> None:
    try:
        Space((parameter,))
    except SpaceError as error:
        raise each.place.error(f"{' '.join(error.message.split())}") from None


def _searched(each: Leaf, name: str) -> Parameter:
    fields = each.fields
    if each.kind == "const":
        return Parameter(name=name, type="constant", value=fields["val"])
    if each.kind == "categorical":
        return Parameter(name=name, type="choice", values=tuple(fields["vals"]))
    if each.kind == "log":
        ends = sorted(_power(each, fields[end]) for end in ("minval", "maxval"))
        if ends[0] == ends[1]:
            return Parameter(name=name, type="constant", value=ends[0])
        return Parameter(name=name, type="float", min=ends[0], max=ends[1], scale="log")
    kind = "int" if each.kind == "int" else "float"
    return Parameter(name=name, type=kind, min=fields["minval"], max=fields["maxval"])  # type: ignore[arg-type]


def _power(each: Leaf, exponent: float) -> float:
    """The base to this power."""
    base = each.fields["base"]
    try:
        found = math.pow(base, exponent)
    except OverflowError:
        found = math.inf
    if not 0 < found < math.inf:
        raise each.place.error(
            f"{base:g} to the power of {exponent:g} is beyond what a number can hold; minval and maxval are exponents"
        )
    return found


def _in_grid(each: Leaf, name: str) -> Parameter:
    if each.kind == "const":
        return _searched(each, name)
    values = tuple(dict.fromkeys(axis(each))) if each.kind != "categorical" else tuple(axis(each))
    return Parameter(name=name, type="choice" if each.kind == "categorical" else "ordinal", values=values)


# -------------------------------------------------------------------------------------------------------------- grids


def axis(each: Leaf) -> list[Any]:
    """The values that a hyperparameter takes in a grid, in order."""
    fields = each.fields
    if each.kind == "const":
        return [fields["val"]]
    if each.kind == "categorical":
        return list(fields["vals"])
    low, high, count = fields["minval"], fields["maxval"], fields["count"]
    if each.kind == "int":
        count = min(count, high - low + 1)
    if count > MOST_GRID_VALUES:
        raise each.place.error(f"a grid of {count} values is too fine; give at most {MOST_GRID_VALUES}", "count")
    points = [low + (high - low) / 2] if count == 1 else [low + i * (high - low) / (count - 1) for i in range(count)]
    if each.kind == "int":
        return [_rounded(point) for point in points]
    return [_power(each, point) for point in points] if each.kind == "log" else [float(point) for point in points]


def _rounded(number: float) -> int:
    """The nearest whole number, halves away from zero."""
    return int(math.copysign(math.floor(abs(number) + 0.5), number))


def uncounted(value: Value) -> Iterator[BadInput]:
    """What is wrong with the hyperparameters as a grid: every number needs a `count`, even within a list."""
    if isinstance(value.value, list):
        for index in range(len(value.value)):
            yield from uncounted(value.child(index))
    elif isinstance(value.value, dict):
        kind = value.value.get("type")
        if kind in {"int", "double", "log"}:
            if value.value.get("count") is None:
                yield value.error(NO_COUNT)
        elif kind is None:
            for key in value.value:
                yield from uncounted(value.child(key))


def uncounted_names(found: list[Leaf]) -> list[str]:
    """The dotted names of the numbers without a `count`."""
    return [dotted(each.keys) for each in found if each.kind in {"int", "double", "log"} and "count" not in each.fields]
