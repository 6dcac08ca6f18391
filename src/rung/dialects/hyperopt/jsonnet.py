"""jsonnet text to plain JSON, with imports from below the file's own folder only."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from rung.dialects import jsontext
from rung.dialects.nodes import plain
from rung.dialects.positions import MAX_BYTES, Positions
from rung.model import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    from rung.dialects.positions import Path as KeyPath

ENDINGS = frozenset({".jsonnet", ".libsonnet"})
_MISSING = "jsonnet needs the package `jsonnet`: pip install 'rung[asme]', or write it as JSON with: jsonnet FILE"
_PLACE = re.compile(r"^(?P<kind>STATIC|RUNTIME) ERROR: (?P<text>.*)$", re.MULTILINE)


def parse(text: str, *, file: str, folder: Path | None) -> tuple[Any, Positions]:
    """The tree that `text` evaluates to, and where its keys most likely stand in the text.

    Evaluation loses lines, so each key's line is the first one below its parent's that spells the key.

    Raises:
        BadInput: it is not jsonnet, ends in an error, imports from elsewhere, or `jsonnet` is not installed.
    """
    printed = _evaluated(text, file, folder)
    root = jsontext.parse_nodes(printed, Positions(file))
    assert root is not None  # what jsonnet prints is a value
    tree = plain(root, Positions(file))
    positions = Positions(file)
    _find_lines(tree, text.splitlines(), positions, (), 0)
    return tree, positions


def is_installed() -> bool:
    """Whether jsonnet can be read here."""
    try:
        import _jsonnet  # noqa: F401 - optional: of the extra asme
    except ImportError:
        return False
    return True


def _evaluated(text: str, file: str, folder: Path | None) -> str:
    try:
        import _jsonnet  # optional: of the extra asme
    except ImportError:
        raise BadInput(_MISSING, place=file) from None
    try:
        return str(_jsonnet.evaluate_snippet(PurePath(file).name, text, import_callback=partial(_imported, folder)))
    except RuntimeError as error:
        raise _error(str(error), file) from None
    except ValueError:  # NUL or half a surrogate pair
        raise BadInput("holds characters that jsonnet cannot read; save it as plain UTF-8 text", place=file) from None


def _imported(folder: Path | None, at: str, name: str) -> tuple[str, bytes]:
    """The path and content of an imported file. Raises `RuntimeError`, which jsonnet puts at the import's line."""
    if folder is None:
        raise RuntimeError(f"{name}: there is no folder to import from")
    top = folder.resolve()
    path = (top / at / name).resolve()
    if not path.is_relative_to(top):
        raise RuntimeError(f"{name} is outside the folder of the file; imports stay below {top}")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise RuntimeError(f"{name} cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_BYTES:
        raise RuntimeError(f"{name} is larger than {MAX_BYTES >> 20} MiB")
    return str(path.relative_to(top)), data


def _error(said: str, file: str) -> BadInput:
    """The complaint of jsonnet as one line with the place that it names first."""
    found = _PLACE.search(said)
    text = " ".join((found["text"] if found else said).split())
    name = re.escape(PurePath(file).name)
    place = re.search(rf"(?<![\w/]){name}:\(?(\d+):", said)
    if place is None:
        return BadInput(f"jsonnet: {text}", place=file)
    text = re.sub(rf"^{name}:\S+\s*", "", text)
    return BadInput(f"jsonnet: {text}", place=f"{file}:{place[1]}")


def _find_lines(value: Any, lines: list[str], positions: Positions, path: KeyPath, start: int) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            spelt = re.compile(
                rf"(?<![\w$])(?:{re.escape(key)}|{re.escape(json.dumps(key))}|'{re.escape(key)}')\s*\+?:"
            )
            line = next((n for n in range(start, len(lines)) if spelt.search(lines[n])), None)
            below = (*path, key)
            if line is not None:
                positions.lines[below] = line + 1
            _find_lines(item, lines, positions, below, start if line is None else line)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _find_lines(item, lines, positions, (*path, index), start)
