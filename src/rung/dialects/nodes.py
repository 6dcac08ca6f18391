"""A parsed text as nodes with lines, built within limits, then turned into a plain tree.

`Builder` is fed by the YAML and the JSON reader in document order. It counts as it goes, so a text made to exhaust
memory (deep nesting, aliases of aliases) is refused at the first node too many and nothing is ever expanded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from rung.dialects.names import shown
from rung.dialects.positions import MAX_DEPTH, MAX_EXPANDED, MAX_NODES, Path, Positions

if TYPE_CHECKING:
    from rung.model import BadInput


@dataclass(slots=True)
class Node:
    """One value of a text. `size` and `height` count the nodes and levels below, aliases expanded."""

    kind: Literal["scalar", "list", "mapping"]
    line: int
    value: Any = None
    text: str | None = None
    children: list[Node] = field(default_factory=list)
    """Items of a list; keys and values in turn of a mapping."""
    size: int = 1
    height: int = 1
    is_merge: bool = False


class Builder:
    """Puts nodes together. Raises BadInput as soon as a limit is passed."""

    def __init__(self, positions: Positions) -> None:
        self._positions = positions
        self._open: list[Node] = []
        self._anchors: dict[str, Node] = {}
        self._count = 0
        self._expanded = 0
        self.root: Node | None = None

    def add(self, node: Node, *, anchor: str | None = None) -> None:
        """The node is the next child of the innermost open one."""
        self._count += 1
        if self._count > MAX_NODES:
            raise self._error(node.line, f"more than {MAX_NODES} values in one file")
        self._attach(node, line=node.line, depth=len(self._open) + 1, size=1)
        if anchor is not None:
            self._anchors[anchor] = node

    def begin(self, node: Node, *, anchor: str | None = None) -> None:
        """The node is open: what is added from now on are its children."""
        self.add(node, anchor=anchor)
        self._open.append(node)

    def end(self) -> None:
        """The innermost open node is complete."""
        node = self._open.pop()
        node.size = 1 + sum(child.size for child in node.children)
        node.height = 1 + max((child.height for child in node.children), default=0)

    def alias(self, name: str, line: int) -> None:
        """The node anchored as `name` appears once more."""
        target = self._anchors.get(name)
        if target is None:
            raise self._error(line, f"the alias *{name} has no anchor &{name} before it")
        if any(node is target for node in self._open):
            raise self._error(line, f"the alias *{name} stands inside its own anchor")
        self._attach(target, line=line, depth=len(self._open) + target.height, size=target.size)

    def _attach(self, node: Node, *, line: int, depth: int, size: int) -> None:
        self._expanded += size
        if self._expanded > MAX_EXPANDED:
            raise self._error(line, f"its aliases expand to more than {MAX_EXPANDED} values")
        if depth > MAX_DEPTH:
            raise self._error(line, f"nested deeper than {MAX_DEPTH} levels")
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node

    def _error(self, line: int, message: str) -> BadInput:
        return self._positions.at_line(line, message)


def plain(node: Node, positions: Positions, path: Path = ()) -> Any:
    """The value of `node`; `positions` knows the line of everything in it. Aliased parts are copies.

    Raises:
        BadInput: a duplicate key, a key that is no string, or text that is not Unicode.
    """
    positions.lines.setdefault(path, node.line)
    if node.kind == "list":
        return [plain(child, positions, (*path, index)) for index, child in enumerate(node.children)]
    if node.kind == "scalar":
        if node.text is not None:
            positions.texts[path] = node.text
        _check_unicode(node, positions, path)
        return node.value
    tree: dict[str, Any] = {}
    for key, value in _pairs(node, positions, path):
        below = (*path, key.value)
        positions.lines[below] = key.line
        tree[key.value] = plain(value, positions, below)
    return tree


def _pairs(node: Node, positions: Positions, path: Path) -> list[tuple[Node, Node]]:
    """Keys and values of a mapping. What `<<` merges in comes first, and yields to the mapping's own keys."""
    own: dict[str, tuple[Node, Node]] = {}
    merged: list[Node] = []
    for key, value in zip(node.children[::2], node.children[1::2], strict=True):
        if key.is_merge:
            merged += value.children if value.kind == "list" else [value]
            continue
        name = _key(key, positions, path)
        if name in own:
            first = own[name][0].line
            raise positions.at_line(key.line, f"duplicate key, first given on line {first}; keep one", (*path, name))
        own[name] = (key, value)
    inherited: dict[str, tuple[Node, Node]] = {}
    for source in merged:
        if source.kind != "mapping":
            raise positions.at_line(source.line, "`<<` merges mappings only", path)
        for key, value in _pairs(source, positions, path):
            if key.value not in own:
                inherited.setdefault(key.value, (key, value))
    return [*inherited.values(), *own.values()]


def _key(key: Node, positions: Positions, path: Path) -> str:
    if key.kind != "scalar":
        raise positions.at_line(key.line, f"a key must be text, not a {key.kind}", path)
    if not isinstance(key.value, str):
        written = key.text or shown(key.value)
        raise positions.at_line(key.line, f'the key {written} is not text; write "{written}" in quotes', path)
    _check_unicode(key, positions, path)
    return key.value


def _check_unicode(node: Node, positions: Positions, path: Path) -> None:
    if not isinstance(node.value, str):
        return
    try:
        node.value.encode()
    except UnicodeEncodeError:
        raise positions.at_line(node.line, "holds half of a surrogate pair, which is no text", path) from None
