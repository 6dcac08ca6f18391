"""Where a value was written, so that every error can say `study.yaml:12: parameters.lr.min: ...`.

A parsed text is a plain tree (dicts, lists, strings, numbers, booleans, None) and a `Positions`: a map from the path of
each value to the line of its key. Values that came from `--set` carry the option instead of a line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable

Path: TypeAlias = "tuple[str | int, ...]"

MAX_BYTES = 1 << 20
MAX_DEPTH = 50
MAX_NODES = 50_000
MAX_EXPANDED = 100_000


def dotted(path: Iterable[str | int]) -> str:
    """A path as messages show it: `parameters.lr.min`, `objective[1].metric`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + "".join(c if c.isprintable() else repr(c)[1:-1] for c in part)
    return text


_INDEXED = re.compile(r"([^\[\]]*)((?:\[\d{1,9}\])+)", re.ASCII)


def undotted(text: str) -> list[str | int]:
    """The parts of a dotted path: `objective[1].metric` is `["objective", 1, "metric"]`."""
    parts: list[str | int] = []
    for piece in text.split("."):
        indexed = _INDEXED.fullmatch(piece)
        name, indices = (indexed[1], re.findall(r"\d+", indexed[2])) if indexed else (piece, [])
        if name:
            parts.append(name)
        parts += [int(index) for index in indices]
    return parts


@dataclass
class Positions:
    """The lines of one text. `source` is its file name, or any word for where the tree came from."""

    source: str
    lines: dict[Path, int] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)
    """How a number or boolean was spelt, where its value alone does not say."""
    options: dict[Path, str] = field(default_factory=dict)
    """Paths that an option set, and that option's name."""

    def error(self, path: Path, message: str) -> BadInput:
        """The error for the value at `path`, at the nearest place known."""
        for end in range(len(path), -1, -1):
            prefix = path[:end]
            if prefix in self.options:
                key = "" if prefix == path else dotted(path)
                return BadInput(message, place=self.options[prefix], key=key)
            if prefix in self.lines:
                return BadInput(message, place=f"{self.source}:{self.lines[prefix]}", key=dotted(path))
        return BadInput(message, place=self.source, key=dotted(path))

    def at_line(self, line: int, message: str, path: Path = ()) -> BadInput:
        """The error for something that has a line but no value yet."""
        return BadInput(message, place=f"{self.source}:{line}", key=dotted(path))
