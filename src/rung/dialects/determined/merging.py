"""`--config a.b=c`: values put into an experiment configuration, and mappings merged into mappings.

Groups merge key by key; a specification (a hyperparameter, a storage, a searcher) of another kind than the one before
takes its place whole, since the fields of one kind mean nothing to another.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from rung.dialects.determined.searchers import COMMON
from rung.dialects.documents import parse
from rung.dialects.names import shown
from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.dialects.positions import Path, Positions


def configured(tree: Any, texts: Sequence[str], positions: Positions) -> Any:
    """The configuration with each `key.path=value` in turn; `positions` knows that they came from `--config`.

    Raises:
        BadInput: a text is no such, or its path leads through something that is no mapping.
    """
    tree = copy.deepcopy(tree) if texts else tree
    for text in texts:
        key, equals, value = text.partition("=")
        keys = key.strip().split(".")
        if not equals or not all(keys):
            raise BadInput(f"expected key.path=value, such as searcher.max_trials=20, got {text!r}", place="--config")
        if not isinstance(tree, dict):
            raise BadInput("the file holds no mapping that it could be put into", place=f"--config {key}")
        _put(tree, keys, _value(value, f"--config {key}"), positions)
    return tree


def _value(text: str, option: str) -> Any:
    """What YAML means by it; several with commas between them are a list."""
    stripped = text.strip()
    several = "," in stripped and stripped[0] not in "[{'\"&*!|>"
    parts = stripped.split(",") if several else [stripped]
    try:
        found = [parse(part.strip(), file=option)[0] for part in parts]
    except BadInput as error:
        raise BadInput(error.message, place=option) from None
    return found if several else found[0]


def _put(tree: dict[str, Any], keys: list[str], value: Any, positions: Positions) -> None:
    option = f"--config {'.'.join(keys)}"
    at: Path = ()
    for key in keys[:-1]:
        at = (*at, key)
        if tree.get(key) is None:
            tree[key] = {}
            positions.options[at] = option
        if not isinstance(tree[key], dict):
            raise BadInput(f"`{'.'.join(map(str, at))}` is {shown(tree[key])}, which has no keys", place=option)
        tree = tree[key]
    at = (*at, keys[-1])
    held = tree.get(keys[-1])
    tree[keys[-1]] = merged(held, value, at)
    _forget(positions, at, whole=tree[keys[-1]] is value)
    positions.options[at] = option


def merged(base: Any, over: Any, path: Path = ()) -> Any:
    """`base` with `over` laid over it, as templates and overrides are; `path` is where they stand."""
    if not (isinstance(base, dict) and isinstance(over, dict)) or over == {}:
        return over
    below = {**base}
    if path == ("searcher",) and over.get("name") not in {None, base.get("name")}:
        below = {key: base[key] for key in COMMON if key in base}
    elif _typed(base, path) or _typed(over, path):
        if base.get("type") != over.get("type"):
            return over
        if path[:1] == ("hyperparameters",):
            return over
    for key, value in over.items():
        below[key] = merged(below[key], value, (*path, key)) if key in below else value
    return below


def _typed(tree: dict[str, Any], path: Path) -> bool:
    """Whether it is a specification of some type, not a group."""
    inside = path[:1] == ("hyperparameters",) or path in {("checkpoint_storage",), ("tensorboard_storage",)}
    return inside and isinstance(tree.get("type"), str)


def _forget(positions: Positions, path: Path, *, whole: bool) -> None:
    """Nothing at `path`, and with `whole` nothing below it, has the place that it had."""
    for places in (positions.lines, positions.texts):
        for known in [one for one in places if one == path or (whole and one[: len(path)] == path)]:
            del places[known]
