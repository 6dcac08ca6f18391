"""A configuration's text to a tree with lines: JSON, YAML or jsonnet, by the file's ending."""

from __future__ import annotations

import contextlib
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import yaml

from rung.dialects import documents, jsontext
from rung.dialects.hyperopt import jsonnet
from rung.dialects.nodes import plain
from rung.dialects.positions import Positions
from rung.dialects.values import Value
from rung.model import BadInput

if TYPE_CHECKING:
    from pathlib import Path

YAML = frozenset({".yaml", ".yml"})


def load(text: str, *, file: str, folder: Path | None, lenient: bool = False) -> Value:
    """The whole of `text` with its places. An ending that is none of ours is JSON.

    `lenient`: what is not JSON may be jsonnet all the same (the original reads its search file so).

    Raises:
        BadInput: with `file:line`.
    """
    ending = PurePath(file).suffix.lower()
    if ending in jsonnet.ENDINGS:
        tree, positions = jsonnet.parse(text, file=file, folder=folder)
    elif ending in YAML:
        tree, positions = documents.parse(text, file=file)
        tree = _with_booleans(tree, text)
    else:
        try:
            tree, positions = _json(text, file)
        except BadInput:
            if not lenient or not jsonnet.is_installed():
                raise
            tree, positions = jsonnet.parse(text, file=file, folder=folder)
    return Value(tree, (), positions)


def _json(text: str, file: str) -> tuple[Any, Positions]:
    positions = Positions(file)
    root = jsontext.parse_nodes(text, positions)
    assert root is not None  # JSON that is valid is a value
    return plain(root, positions), positions


def _with_booleans(tree: Any, text: str) -> Any:
    """The tree with `yes`, `off` and the like as the booleans that YAML 1.1, and so most programs, take them for: they
    are only handed through."""
    with contextlib.suppress(yaml.YAMLError, ValueError):  # a date that is none: then there is nothing to compare with
        return _merged(tree, yaml.safe_load(text))
    return tree


def _merged(ours: Any, theirs: Any) -> Any:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return {key: _merged(item, theirs.get(key)) for key, item in ours.items()}
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [_merged(a, b) for a, b in zip(ours, theirs, strict=True)]
    return theirs if isinstance(ours, str) and isinstance(theirs, bool) else ours
