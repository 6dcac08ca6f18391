"""TOML text to a plain tree. The standard parser keeps no positions, so lines are found by looking for the keys."""

from __future__ import annotations

import datetime as dt
import re
import sys
from typing import TYPE_CHECKING, Any

from rung.dialects.positions import MAX_DEPTH, MAX_NODES, Path, Positions
from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_KEY = rf"({_PART}(?:\s*\.\s*{_PART})*)"
_ASSIGNED = re.compile(rf"\s*{_KEY}\s*=")
_HEADER = re.compile(rf"\s*(\[\[?)\s*{_KEY}\s*\]")
_AT_LINE = re.compile(r"\s*\(at line (\d+), column \d+\)")


def parse(text: str, positions: Positions) -> Any:
    """The tree of `text`; `positions` knows the lines of the keys that stand at the beginning of one.

    Raises:
        BadInput: it is not TOML, or passes a limit.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(str(error), text, positions) from None
    except RecursionError:
        raise BadInput("nested too deeply", place=positions.source) from None
    except ValueError:
        raise BadInput("a number in it has too many digits", place=positions.source) from None
    _check_limits(tree, positions)
    positions.lines.update(_lines(text, tree))
    return _words(tree)


def _syntax_error(said: str, text: str, positions: Positions) -> BadInput:
    at = _AT_LINE.search(said)
    if at is None:
        return BadInput(f"not valid TOML: {said}", place=f"{positions.source}:{text.count(chr(10)) + 1}")
    line = int(at[1])
    found = _ASSIGNED.match(text.split("\n")[line - 1])
    message = f"not valid TOML: {' '.join(_AT_LINE.sub('', said).split())}"
    return positions.at_line(line, message, tuple(_parts(found[1])) if found else ())


def _check_limits(tree: Any, positions: Positions) -> None:
    level, depth, count = [tree], 0, 0
    while level:
        depth, count = depth + 1, count + len(level)
        if depth > MAX_DEPTH:
            raise BadInput(f"nested deeper than {MAX_DEPTH} levels", place=positions.source)
        if count > MAX_NODES:
            raise BadInput(f"more than {MAX_NODES} values in one file", place=positions.source)
        level = [child for value in level for child in _children(value)]


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _words(value: Any) -> Any:
    """The tree with dates and times as words, as they are in YAML and JSON."""
    if isinstance(value, dict):
        return {key: _words(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_words(item) for item in value]
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    return value


def _lines(text: str, tree: Any) -> Iterator[tuple[Path, int]]:
    yield (), 1
    table: Path = ()
    tables: dict[Path, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if header := _HEADER.match(line):
            table = tuple(_parts(header[2]))
            if header[1] == "[[":
                tables[table] = tables.get(table, -1) + 1
                table = (*table, tables[table])
            path = table
        elif assigned := _ASSIGNED.match(line):
            path = (*table, *_parts(assigned[1]))
        else:
            continue
        if _holds(tree, path):  # a line inside a long string is no key
            yield path, number


def _parts(key: str) -> list[str]:
    return [part.strip("\"'") for part in re.findall(_PART, key)]


def _holds(tree: Any, path: Path) -> bool:
    for part in path:
        known = range(len(tree)) if isinstance(tree, list) else tree if isinstance(tree, dict) else ()
        if part not in known:
            return False
        tree = tree[part]
    return True
