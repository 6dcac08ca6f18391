"""`--set key.path=value`: values put into the tree of a study before it is read."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from rung.dialects.documents import parse
from rung.dialects.names import shown
from rung.dialects.positions import Path, Positions, dotted, undotted
from rung.dialects.yamltext import resolve
from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHORT_FOR = {"search": "method", "schedule": "method", "objective": "metric"}
"""Sections that may be a single word, and the key that the word stands for."""


def apply(tree: Any, overrides: Sequence[tuple[str, str]], positions: Positions) -> Any:
    """The tree with each (path, text) set in turn; `positions` knows that they came from `--set`.

    Raises:
        BadInput: a path leads through something that is no mapping or list, or a text is no value.
    """
    if not overrides:
        return tree
    tree = {} if tree is None else copy.deepcopy(tree)
    for path, text in overrides:
        set_path(tree, path, text, positions=positions)
    return tree


def set_path(tree: Any, path: str, text: str, *, positions: Positions) -> None:
    """The value at the dotted `path` of `tree` is what `text` means in a study file. Missing mappings are made.

    Raises:
        BadInput: see `apply`.
    """
    option = f"--set {path}".strip()
    parts = undotted(path)
    if not parts:
        raise BadInput("expected KEY.PATH=VALUE, such as budget.trials=200", place=option)
    value = _parse(text, option)
    holder, at, last, made = _descend(tree, parts, option)
    positions.options.update(dict.fromkeys(made, option))
    if isinstance(holder, list):
        holder[_index(holder, last, option)] = value
    else:
        holder[str(last)] = value
    whole = (*at, last)
    _forget(positions, whole)
    positions.options[whole] = option


def _descend(tree: Any, parts: list[str | int], option: str) -> tuple[Any, Path, str | int, list[Path]]:
    """The mapping or list that holds the last part, its path, that part as the key it is there, and what was made."""
    at: list[str | int] = []
    made: list[Path] = []
    while True:
        if not isinstance(tree, (dict, list)):
            raise BadInput(f"`{dotted(at)}` is {shown(tree)}, which has no keys", place=option)
        key, parts = _next_key(tree, parts, option)
        if not parts:
            return tree, tuple(at), key, made
        at.append(key)
        if isinstance(tree, dict) and _open(tree, str(key), top=len(at) == 1):
            made.append(tuple(at))
        tree = tree[key]


def _next_key(
    tree: dict[str, Any] | list[Any], parts: list[str | int], option: str
) -> tuple[str | int, list[str | int]]:
    """The key that the path goes through here, and what is left of the path. A key may hold dots itself."""
    if isinstance(tree, list):
        return _index(tree, parts[0], option), parts[1:]
    if parts[0] not in tree:
        for end in range(len(parts), 1, -1):
            joined = dotted(parts[:end])
            if joined in tree:
                return joined, parts[end:]
    return str(parts[0]), parts[1:]


def _index(items: list[Any], part: str | int, option: str) -> int:
    number = int(part) if isinstance(part, int) or (part.isascii() and part.isdigit() and len(part) < 10) else -1
    if not 0 <= number < len(items):
        raise BadInput(f"expected the index of an item, 0 to {len(items) - 1}, got {shown(part)}", place=option)
    return number


def _open(tree: dict[str, Any], key: str, *, top: bool) -> bool:
    """Whether a mapping was made for `tree[key]`: it was absent, null, or a section written as one word."""
    held = tree.get(key)
    if held is None:
        tree[key] = {}
        return True
    if top and isinstance(held, str) and key in _SHORT_FOR:
        tree[key] = {_SHORT_FOR[key]: held}
    return False


def _parse(text: str, option: str) -> Any:
    """A list, mapping or quoted text by the rules of YAML; anything else is one plain scalar."""
    stripped = text.strip()
    if stripped[:1] in ("[", "{", "'", '"'):
        try:
            return parse(stripped, file=option)[0]
        except BadInput as error:
            if stripped[0] in "[{":
                raise BadInput(error.message, place=option) from None
            return stripped  # an expression such as 'sgd' == opt
    try:
        return resolve(stripped)
    except ValueError:
        raise BadInput(f"a number of {len(stripped)} digits is too long", place=option) from None


def _forget(positions: Positions, path: Path) -> None:
    """Nothing at or below `path` has the place that it had."""
    for places in (positions.lines, positions.texts, positions.options):
        for known in [known for known in places if known[: len(path)] == path]:
            del places[known]
