"""A study file's text to a plain tree with positions: YAML, JSON or TOML, by the file's ending."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from rung.dialects.nodes import plain
from rung.dialects.positions import MAX_BYTES, Positions
from rung.model import BadInput

if TYPE_CHECKING:
    from pathlib import Path


def read_text(path: Path) -> str:
    """The text of the file at `path`, at most 1 MiB of UTF-8.

    Raises:
        BadInput: it is not there, not readable, a directory, too large, or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}", place=str(path)) from None
    _check_size(len(data), str(path))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput("not UTF-8 text; save the file as UTF-8", place=f"{path}:{line}") from None


def parse(text: str, *, file: str) -> tuple[Any, Positions]:
    """The tree that `text` holds, and where its parts stand. `.json` and `.toml` are such, all else is YAML.

    Raises:
        BadInput: with `file:line` and what is wrong.
    """
    _check_size(len(text.encode("utf-8", "surrogatepass")), file)
    positions = Positions(file)
    text = text.removeprefix("\ufeff")
    ending = PurePath(file).suffix.lower()
    if ending == ".toml":
        from rung.dialects import tomltext  # each format's parser is loaded for a file of that format alone

        return tomltext.parse(text, positions), positions
    if ending == ".json":
        from rung.dialects import jsontext

        root = jsontext.parse_nodes(text, positions)
    else:
        from rung.dialects import yamltext

        root = yamltext.parse_nodes(text, positions)
    return (None if root is None else plain(root, positions)), positions


def _check_size(size: int, file: str) -> None:
    if size > MAX_BYTES:
        raise BadInput(f"larger than {MAX_BYTES >> 20} MiB; a study file is a page of text", place=file)
