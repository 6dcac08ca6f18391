"""The `hyper_opt` blocks of a configuration: where they stand, and what remains of the configuration without them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from rung.dialects.positions import dotted
from rung.space.errors import SpaceError
from rung.space.validation import check_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.dialects.positions import Path
    from rung.dialects.values import Value

KEY = "hyper_opt"
ROOT = "value"
"""The name of the parameter where the whole configuration is one block."""


class Block(NamedTuple):
    """One block: the parameter's name (its dotted path), that path from the root, and what is written in it."""

    name: str
    path: tuple[str, ...]
    value: Value


def mentions(tree: Any) -> bool:
    """Whether `hyper_opt` is a key anywhere in `tree`, lists included."""
    if isinstance(tree, dict):
        return KEY in tree or any(mentions(item) for item in tree.values())
    return isinstance(tree, list) and any(mentions(item) for item in tree)


def find_blocks(root: Value) -> list[Block]:
    """All blocks in nested mappings, in the order of the text. Those inside lists are no blocks: see `left_alone`.

    Raises:
        BadInput: a block with a key after it, one that is no mapping, or a path that cannot name a parameter.
    """
    blocks: dict[str, Block] = {}
    for value in _walk(root):
        path = tuple(str(part) for part in value.path)
        name = ".".join(path) or ROOT
        _check_block(value)
        try:
            check_name(name)
        except SpaceError as error:
            raise value.error(error.message) from None
        if name in blocks:
            raise value.error(f"two parameters are called {name}; rename a key, dots are what joins them")
        blocks[name] = Block(name, path, value.child(KEY))
    return list(blocks.values())


def _walk(value: Value) -> Iterator[Value]:
    if not isinstance(value.value, dict):
        return
    if KEY in value.value:
        yield value
        return
    for key in value.value:
        yield from _walk(value.child(key))


def _check_block(value: Value) -> None:
    """Keys before `hyper_opt` are dropped, as in the original; it fails on those after."""
    keys = list(value.value)
    after = keys[keys.index(KEY) + 1 :]
    if after:
        raise value.error(f"stands beside `{KEY}`, whose value takes the whole place; take it out", after[0])
    value.child(KEY).fields(("suggest", "params", "dependency"), "a mapping with `suggest` and `params`")


def left_alone(value: Any, path: Path = ()) -> Iterator[str]:
    """The dotted paths of blocks inside lists, which are handed through as they are."""
    if isinstance(value, dict):
        if KEY in value and any(isinstance(part, int) for part in path):
            yield dotted(path)
            return
        for key, item in value.items():
            yield from left_alone(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from left_alone(item, (*path, index))


def emptied(tree: Any, blocks: list[Block]) -> Any:
    """A copy of `tree` with null where the blocks are."""
    tree = copy.deepcopy(tree)
    for block in blocks:
        tree = with_value(tree, block.path, None)
    return tree


def with_value(tree: Any, path: tuple[str, ...], value: Any) -> Any:
    """`tree`, changed in place, with `value` at `path`; what is no mapping on the way becomes one."""
    if not path:
        return value
    held = tree if isinstance(tree, dict) else {}
    held[path[0]] = with_value(held.get(path[0]), path[1:], value)
    return held
