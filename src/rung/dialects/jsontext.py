"""JSON text to nodes. The standard parser judges the text; a walk over its tokens finds the lines."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from rung.dialects.nodes import Builder, Node
from rung.model import BadInput

if TYPE_CHECKING:
    from rung.dialects.positions import Positions

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]|[^\s\[\]{}:,"]+')


def parse_nodes(text: str, positions: Positions) -> Node | None:
    """The root of `text`.

    Raises:
        BadInput: it is not JSON, or passes a limit.
    """
    _check(text, positions)
    builder = Builder(positions)
    line, counted = 1, 0
    for token in _TOKEN.finditer(text):
        line += text.count("\n", counted, token.start())
        counted = token.start()
        _feed(builder, token[0], line)
    return builder.root


def _check(text: str, positions: Positions) -> None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise positions.at_line(error.lineno, f"not valid JSON: {error.msg} (column {error.colno})") from None
    except RecursionError:
        raise BadInput("nested too deeply", place=positions.source) from None
    except ValueError:
        raise BadInput("a number in it has too many digits", place=positions.source) from None


def _feed(builder: Builder, token: str, line: int) -> None:
    if token == "{":  # noqa: S105 - a token of the grammar
        builder.begin(Node("mapping", line))
    elif token == "[":  # noqa: S105 - a token of the grammar
        builder.begin(Node("list", line))
    elif token in "]}":  # noqa: S105 - tokens of the grammar
        builder.end()
    else:
        value = json.loads(token)
        builder.add(Node("scalar", line, value, text=None if isinstance(value, str) else token))
