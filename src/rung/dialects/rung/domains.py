"""The sections that speak of the space: parameters, constraints and first points.

`rung.space` judges them; here its verdicts get the line they belong to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from rung.dialects.names import did_you_mean
from rung.dialects.positions import Positions, undotted
from rung.dialects.values import Value
from rung.space import Space, SpaceError
from rung.space.declare import declare

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.dialects.positions import Path
    from rung.model import BadInput

_STARTS: tuple[Literal["default", "middle", "random"], ...] = ("default", "middle", "random")


def read_space(parameters: Value | None, constraints: Value | None) -> Space:
    """The space that the two sections declare.

    Raises:
        BadInput: at the line of the parameter's field, or of the constraint, that the space refuses.
    """
    parameters = parameters or Value({}, ("parameters",), Positions(""))
    tree = parameters.tree("a mapping from names to domains")
    try:
        return Space(tuple(declare(tree)), _expressions(constraints))
    except SpaceError as error:
        if error.parameter or constraints is None:
            raise _placed(error, parameters, *_find(tree, error.parameter), *undotted(error.field)) from None
        raise _placed(error, constraints, *_index(error, constraints)) from None


def _expressions(value: Value | None) -> tuple[str, ...]:
    if value is None:
        return ()
    what = "an expression such as a * b <= 256, or a list of them"
    if isinstance(value.value, str):
        return (value.text(what),)
    return tuple(item.text(what) for item in value.elements(what))


def _index(error: SpaceError, constraints: Value) -> list[str | int]:
    """The index in `constraints[2]`, unless there is only one expression and no list."""
    field = undotted(error.field)
    return field[1:] if field[:1] == ["constraints"] and not isinstance(constraints.value, str) else []


def _placed(error: SpaceError, value: Value, *below: str | int) -> BadInput:
    return value.error(" ".join(error.message.split()), *below)


def _find(tree: Any, name: str) -> Path:
    """The path of the parameter `name` in the declaring mapping, whose keys may be groups or hold dots themselves."""
    if not name or not isinstance(tree, dict) or name in tree:
        return (name,) if name else ()
    for key in tree:
        if isinstance(key, str) and name.startswith(f"{key}."):
            return (key, *_find(tree[key], name[len(key) + 1 :]))
    return (name,)


def read_start(value: Value, space: Space) -> Literal["default", "middle", "random"] | tuple[dict[str, Any], ...]:
    """The word, or the configurations as given, with the dotted names of parameters as keys.

    Raises:
        BadInput: a point is none of the space.
    """
    what = "`default`, `middle`, `random`, or a list of configurations"
    if isinstance(value.value, str):
        word = value.word(_STARTS, "start")
        _check_word(value, word, space)
        return next(start for start in _STARTS if start == word)
    names = [parameter.name for parameter in space.parameters]
    return tuple(_point(item, names, space) for item in value.elements(what))


def _check_word(value: Value, word: str, space: Space) -> None:
    try:
        if word == "default":
            space.defaults()
        elif word == "middle":
            space.middle()
    except SpaceError as error:
        raise _placed(error, value) from None


def _point(value: Value, names: Sequence[str], space: Space) -> dict[str, Any]:
    point = dict(_settings(value, names, ""))
    try:
        space.complete(point)
    except SpaceError as error:
        raise _placed(error, value, *_find(value.value, error.parameter)) from None
    return point


def _settings(value: Value, names: Sequence[str], group: str) -> Iterator[tuple[str, Any]]:
    """The parameters that a configuration sets, groups flattened."""
    for key, item in value.tree("a mapping from parameters to values").items():
        name = group + key
        if name in names:
            yield name, item
        elif isinstance(item, dict) and any(known.startswith(f"{name}.") for known in names):
            yield from _settings(value.child(key), names, f"{name}.")
        else:
            raise value.error(f"unknown parameter `{name}`{did_you_mean(name, names)}", key)
