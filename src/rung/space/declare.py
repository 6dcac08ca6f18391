"""A tree of declarations, from a study file or a Python dict, to parameters.

A mapping whose `type` is a text is a domain; `{value: X}` is a constant of any shape; any other mapping is a group
whose names join with dots; anything else is a constant. A constant written as `{value: X}` keeps `values=(X,)`: its
shape was meant, and the linter asks no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from rung.model import Parameter
from rung.space.constructors import Domain
from rung.space.errors import SpaceError, did_you_mean, shown
from rung.space.priors import plain_prior
from rung.space.validation import FIELDS, check_declaration, compile_axis, plain_json

_KINDS = tuple(kind for kind in FIELDS if kind != "constant")
_MAX_DEPTH = 30


def declare(tree: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """The parameters that `tree` declares, in its order, each checked by itself.

    Raises SpaceError with the path of the key: unknown keys with the nearest known one, wrong types, crossed bounds.
    Conditions, factors and constraints are checked by `Space`, which sees all of them.
    """
    if not isinstance(tree, Mapping):
        raise SpaceError(f"expected a mapping of names to domains, got {shown(tree)}", field="parameters")
    parameters = tuple(_group(tree, "", 0))
    seen: set[str] = set()
    for parameter in parameters:
        if parameter.name in seen:
            raise SpaceError("declared twice; rename one", parameter=parameter.name)
        seen.add(parameter.name)
    return parameters


def parameters_from(mapping: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """`declare`, under the name it has in Python: name -> Domain, mapping, group or constant."""
    return declare(mapping)


def _group(tree: Mapping[Any, Any], prefix: str, depth: int) -> Iterator[Parameter]:
    if depth > _MAX_DEPTH:
        raise SpaceError(f"groups are nested more than {_MAX_DEPTH} deep", parameter=prefix[:100])
    for key, entry in tree.items():
        if not isinstance(key, str):
            raise SpaceError(f"a name must be text, got {shown(key)}; write it in quotes", parameter=prefix.rstrip("."))
        name = prefix + key
        if isinstance(entry, Mapping) and not isinstance(entry.get("type"), str) and set(entry) != {"value"}:
            if not entry:
                raise SpaceError("is empty; for an empty mapping write {value: {}}", parameter=name)
            yield from _group(entry, name + ".", depth + 1)
        else:
            yield _leaf(name, entry)


def _leaf(name: str, entry: Any) -> Parameter:
    if isinstance(entry, Domain):
        parameter = entry.named(name)
    elif isinstance(entry, Mapping) and "type" in entry:
        parameter = _domain(name, entry)
    elif isinstance(entry, Mapping):
        value = _constant(name, entry["value"])
        parameter = Parameter(name=name, type="constant", value=value, values=(value,))
    else:
        parameter = Parameter(name=name, type="constant", value=_constant(name, entry))
    if parameter.type == "constant":
        check_declaration(parameter)
        return parameter
    parameter = msgspec.structs.replace(parameter, prior=plain_prior(parameter.prior))
    compile_axis(parameter)
    return parameter


def _constant(name: str, value: Any) -> Any:
    try:
        return plain_json(value)
    except (ValueError, RecursionError) as error:
        raise SpaceError(str(error), parameter=name) from None


def _domain(name: str, entry: Mapping[Any, Any]) -> Parameter:
    kind = entry["type"]
    if kind not in _KINDS:
        hint = did_you_mean(kind, _KINDS) or "; a constant mapping is written {value: {...}}"
        raise SpaceError(f"expected one of {', '.join(_KINDS)}, got {kind!r}{hint}", parameter=name, field="type")
    for key in entry:
        if key != "type" and key not in FIELDS[kind]:
            raise SpaceError(_unknown(str(key), kind), parameter=name, field=str(key))
    fields = {key: _field(name, key, value) for key, value in entry.items() if key != "type"}
    return Parameter(name=name, type=kind, **fields)


def _unknown(key: str, kind: str) -> str:
    if any(key in fields for fields in FIELDS.values()):
        return f"has no meaning for type {kind}; leave it out"
    return f"unknown key{did_you_mean(key, FIELDS[kind])}; type {kind} takes {', '.join(FIELDS[kind])}"


def _field(name: str, key: str, value: Any) -> Any:
    """One field of a domain in the form `Parameter` holds; null is "not given" for all but a default."""
    if key == "values" and isinstance(value, list | tuple):
        return tuple(_constant(name, item) for item in value)
    if key == "values" and not isinstance(value, str):
        raise SpaceError(f"expected a list, got {shown(value)}", parameter=name, field=key)
    if value is None and key == "scale":
        return "linear"
    if value is None and key != "default":
        return None
    if hasattr(value, "tolist"):  # numpy scalars
        value = value.tolist()
    return msgspec.UNSET if key == "default" and value is msgspec.UNSET else value
