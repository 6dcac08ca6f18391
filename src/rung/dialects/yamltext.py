"""YAML text to nodes: PyYAML's parser, our own meaning of scalars, and nothing that can build an object.

Scalars are those of the YAML 1.2 core schema, with `1e-5` a number. The parser is driven event by event and never
composes, so its C code meets no unbounded recursion.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from rung.dialects.nodes import Builder, Node
from rung.model import BadInput

if TYPE_CHECKING:
    from rung.dialects.positions import Positions

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MERGE = "<<"
_CORE = "tag:yaml.org,2002:"
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII)
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def resolve(text: str) -> Any:
    """What a scalar without quotes means: null, a boolean, a number, or the word itself.

    `on`, `off`, `yes`, `no`, dates and `1_000` are words; `010` is ten.

    Raises:
        ValueError: a whole number with more digits than Python reads.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", "", 1))
    return text


def parse_nodes(text: str, positions: Positions) -> Node | None:
    """The root of the only document in `text`; None when there is none.

    Raises:
        BadInput: it is not YAML, or passes a limit, or names a tag other than the core ones.
    """
    builder = Builder(positions)
    documents = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                raise positions.at_line(_line(event), "a second document begins here; give one per file")
            _feed(builder, event, positions)
    except yaml.YAMLError as error:
        raise _syntax_error(error, positions) from None
    except UnicodeError:
        raise BadInput("the text is not Unicode; save it as UTF-8", place=positions.source) from None
    return builder.root


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _feed(builder: Builder, event: Any, positions: Positions) -> None:
    line = _line(event)
    if isinstance(event, yaml.AliasEvent):
        builder.alias(str(event.anchor), line)
    elif isinstance(event, yaml.ScalarEvent):
        builder.add(_scalar(event, line, positions), anchor=event.anchor)
    elif isinstance(event, yaml.SequenceStartEvent):
        _check_tag(event.tag, "seq", line, positions)
        builder.begin(Node("list", line), anchor=event.anchor)
    elif isinstance(event, yaml.MappingStartEvent):
        _check_tag(event.tag, "map", line, positions)
        builder.begin(Node("mapping", line), anchor=event.anchor)
    elif isinstance(event, yaml.CollectionEndEvent):
        builder.end()


def _check_tag(tag: str | None, core: str, line: int, positions: Positions) -> None:
    if tag not in (None, "!", _CORE + core):
        raise positions.at_line(line, f"the tag {_short(tag)} is refused here; a study file holds plain values only")


def _scalar(event: Any, line: int, positions: Positions) -> Node:
    text, tag = event.value, event.tag
    if tag in (None, "!"):
        if not event.implicit[0] or tag == "!":
            return Node("scalar", line, text)
        return _plain_scalar(text, line, positions)
    if tag == _CORE + "str":
        return Node("scalar", line, text)
    node = _plain_scalar(text, line, positions)
    node.is_merge = False
    if tag == _CORE + "float" and type(node.value) is int:
        node.value = float(node.value)
    wanted = {"int": int, "float": float, "bool": bool, "null": type(None)}.get(tag.removeprefix(_CORE))
    if not tag.startswith(_CORE) or wanted is None or type(node.value) is not wanted:
        raise positions.at_line(line, f"the tag {_short(tag)} is refused here; a study file holds plain values only")
    return node


def _plain_scalar(text: str, line: int, positions: Positions) -> Node:
    try:
        value = resolve(text)
    except ValueError:
        raise positions.at_line(line, f"a number of {len(text)} digits is too long") from None
    spelt = None if isinstance(value, str) else text
    return Node("scalar", line, value, text=spelt, is_merge=text == MERGE)


def _short(tag: str | None) -> str:
    return (tag or "").replace(_CORE, "!!", 1)[:60]


def _syntax_error(error: yaml.YAMLError, positions: Positions) -> BadInput:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    context = getattr(error, "context", None)
    message = " ".join(f"not valid YAML: {problem}{f' ({context})' if context else ''}".split())
    if mark is None:
        return BadInput(message, place=positions.source)
    return positions.at_line(mark.line + 1, message)
