"""Our own study file: YAML, JSON or TOML to a `StudySpec`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rung.dialects.base import NOTHING_ASKED, Asked
from rung.dialects.documents import parse
from rung.dialects.foreign import Foreign
from rung.dialects.positions import Positions
from rung.dialects.rung.overrides import apply
from rung.dialects.rung.sections import KEYS, read_study
from rung.dialects.values import Value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rung.model import StudySpec

_ENDINGS = frozenset({".yaml", ".yml", ".json", ".toml"})
_KNOWN_BY = re.compile(r"\Avalohai\.|hyper_opt|_type|distribution", re.IGNORECASE)
_TELLING = frozenset({"command", "function", "program", "parameters", "objective"})


class RungDialect(Foreign):
    """The dialect of Rung's own study files."""

    name = "rung"

    def detect(self, path: Path, text: str, tree: Any) -> bool:
        """Whether most top-level keys are ours. A broken text in a study file's ending is ours to complain about."""
        if not isinstance(tree, dict):
            return tree is None and path.suffix.lower() in _ENDINGS
        ours = {key for key in KEYS if key in tree and not (key == "program" and isinstance(tree[key], str))}
        return bool(ours & _TELLING) and len(ours) > len(tree) - len(ours)

    def is_plain(self, path: Path, text: str, tree: Any) -> bool:
        """Whether it can be nobody else's: all its top-level keys are ours, a program and parameters among them, and
        it has neither a name nor a key that another tuner's files are known by."""
        if not isinstance(tree, dict) or not tree.keys() <= set(KEYS) or "parameters" not in tree:
            return False
        return ("command" in tree or "function" in tree) and _KNOWN_BY.search(f"{path.name}\n{text}") is None

    def read(self, text: str, *, file: str, asked: Asked = NOTHING_ASKED) -> StudySpec:
        """The study that `text` describes, with `asked.settings` applied.

        Raises:
            BadInput: with `file:line`, or `--set path`, the key, what was expected and what to do.
        """
        tree, positions = parse(text, file=file)
        return _build(tree, positions, asked.settings)


def spec_from_tree(tree: Any, *, place: str = "", overrides: Sequence[tuple[str, str]] = ()) -> StudySpec:
    """The study that a plain tree in the shape of a study file describes; `place` is named in errors."""
    return _build(tree, Positions(place), overrides)


def _build(tree: Any, positions: Positions, overrides: Sequence[tuple[str, str]]) -> StudySpec:
    return read_study(Value(apply(tree, overrides, positions), (), positions))
