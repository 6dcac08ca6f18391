"""`valohai.yaml` as its own reader sees it: YAML 1.1, where `yes` is true, `1e-5` a word and `2020-09-02` a date.

The limits of our own reader (size, depth, aliases, tags) are checked first, so that composing the text meets no bomb.
"""

from __future__ import annotations

from typing import Any

import yaml

from rung.dialects import yamltext
from rung.dialects.positions import MAX_BYTES, Path, Positions
from rung.model import BadInput


class BrokenYaml(Exception):
    """The text is no YAML; `line` and `column` count from 1, 0 where they are not known."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line, self.column = line, column


def parse(text: str, *, file: str) -> tuple[Any, Positions]:
    """The tree that `text` holds (dates and keys that are no text included), and where its parts stand.

    Raises:
        BrokenYaml: it is no YAML, or holds more than one document.
        BadInput: it passes a limit, asks for an object by a tag, or holds what is no text.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise BadInput(f"larger than {MAX_BYTES >> 20} MiB; a valohai.yaml is a page of text", place=file)
    text = text.removeprefix("\ufeff")
    _check(text, file)
    positions = Positions(file)
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, positions
        tree = loader.construct_document(node)
        _place(node, (), loader, positions)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: the 31st of February, a number of 10,000 digits
        raise _broken(error) from None
    finally:
        loader.dispose()
    return tree, positions


def _check(text: str, file: str) -> None:
    """The text is YAML within limits. Raises `BrokenYaml`, where the original's own parser stumbles too, `BadInput`."""
    try:
        yamltext.parse_nodes(text, Positions(file))
        return
    except BadInput as error:
        beyond = error
    try:
        for _ in yaml.parse(
            text, Loader=yaml.SafeLoader
        ):  # slow, and the places of its errors are those that people know
            pass
    except (yaml.YAMLError, ValueError) as error:
        raise _broken(error) from None
    if "second document" not in beyond.message:  # composing complains about that
        raise beyond


def _broken(error: Exception) -> BrokenYaml:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return BrokenYaml(" ".join(str(error).split()), 0, 0)
    return BrokenYaml(" ".join(str(error).split()), mark.line + 1, mark.column + 1)


def _place(node: yaml.Node, path: Path, loader: Any, positions: Positions) -> None:
    """The lines of the node and of all below it are known."""
    positions.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        _check_text(node.value, path, positions)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _place(item, (*path, index), loader, positions)
    elif isinstance(node, yaml.MappingNode):
        for key, item in node.value:
            name = str(loader.construct_object(key, deep=True))
            _check_text(name, path, positions)
            below = (*path, name)
            positions.lines[below] = key.start_mark.line + 1
            _place(item, below, loader, positions)


def _check_text(text: str, path: Path, positions: Positions) -> None:
    """Raises `BadInput` for what no program, file or message can hold."""
    if "\0" in text:
        raise positions.error(path, "holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise positions.error(path, "holds half of a surrogate pair, which is no text") from None
