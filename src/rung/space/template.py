"""Command templates: argv with `{name}`, `{rest}` and `{params}`, rendered for one trial without any shell.

Every argument is rendered on its own, so a value with spaces, quotes, `;`, `$()` or line breaks stays one argument,
exactly as it is. `{{` and `}}` are braces.

- `{name}` is the value of that parameter, alone or inside an argument (`--lr={lr}`).
- `{rest}`, a whole argument, becomes one `--name=value` for each active parameter that no other argument names.
- `{params}`, a whole argument, becomes one `--name=value` for every active parameter.
- An argument that names an inactive parameter is left out, and so is a bare flag right before it: `--momentum
  {momentum}` vanishes as a whole. A bare flag is a literal `-x` or `--flag` without `=`.

A string is passed as it is, a boolean as `true` or `false`, a number by the shortest text that reads back the same,
a list, mapping or null as JSON.
"""

from __future__ import annotations

import json
import math
import numbers
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from rung.model import BadInput, to_wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RESERVED = frozenset({"rest", "params"})
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")
_FLAG = re.compile(r"--?[A-Za-z][\w.-]*")


class Literal(NamedTuple):
    """Text that stands for itself."""

    text: str


class Placeholder(NamedTuple):
    """`{name}`: the value of a parameter, or the reserved `rest` and `params`."""

    name: str


@lru_cache(maxsize=1024)  # the arguments of a study's command are the same for every trial
def parse(template_arg: str) -> tuple[Literal | Placeholder, ...]:
    """The pieces of one argument of a template, in order; neighbouring literals are joined.

    Raises:
        BadInput: a brace has no partner, a placeholder is empty, or a reserved one is only part of the argument.
    """
    pieces: list[Literal | Placeholder] = []
    text = ""
    for match in _PIECE.finditer(template_arg):
        if match[1] is None:
            text += _literal(match[0], template_arg)
            continue
        if text:
            pieces.append(Literal(text))
            text = ""
        pieces.append(_placeholder(match[1], template_arg))
    if text:
        pieces.append(Literal(text))
    return tuple(pieces)


def _literal(piece: str, whole: str) -> str:
    if piece in "{}":
        raise BadInput(f"a single `{piece}` in {whole!r:.60}; write `{piece * 2}` for a brace")
    return piece[0] if piece in ("{{", "}}") else piece


def _placeholder(name: str, whole: str) -> Placeholder:
    if not name.strip():
        raise BadInput(f"an empty `{{}}` in {whole!r:.60}; name a parameter, or write `{{{{}}}}` for braces")
    if name in RESERVED and whole != f"{{{name}}}":
        raise BadInput(f"`{{{name}}}` must be an argument of its own, not part of {whole!r:.60}")
    return Placeholder(name)


def placeholder_names(argv_template: Sequence[str]) -> list[str]:
    """The names of all placeholders, reserved ones too, in order of appearance."""
    return [piece.name for arg in argv_template for piece in parse(arg) if isinstance(piece, Placeholder)]


def escaped(argument: str) -> str:
    """The template of an argument that is to be passed as it is, braces included."""
    return argument.replace("{", "{{").replace("}", "}}")


def with_rest(argv_template: Sequence[str]) -> list[str]:
    """The template, with `{rest}` appended when it holds no placeholder at all."""
    return list(argv_template) if placeholder_names(argv_template) else [*argv_template, "{rest}"]


def render(argv_template: Sequence[str], params: Mapping[str, Any]) -> list[str]:
    """The command line of a trial. `params` holds the active parameters; a name not in it is taken as inactive.

    Raises:
        BadInput: the template is malformed, or a value holds a NUL character, which no argument can.
    """
    named = set(placeholder_names(argv_template)) - RESERVED
    argv: list[str] = []
    after_flag = False
    for arg in argv_template:
        pieces = parse(arg)
        rendered = _render_arg(pieces, params, named)
        if rendered is None:
            if after_flag:
                argv.pop()
            after_flag = False
            continue
        argv += rendered
        after_flag = len(pieces) == 1 and isinstance(pieces[0], Literal) and bool(_FLAG.fullmatch(pieces[0].text))
    return argv


def _render_arg(
    pieces: tuple[Literal | Placeholder, ...], params: Mapping[str, Any], named: set[str]
) -> list[str] | None:
    """The arguments that one of the template becomes; None when it names an inactive parameter."""
    if pieces == (Placeholder("rest"),):
        return [assigned(name, value) for name, value in params.items() if name not in named]
    if pieces == (Placeholder("params"),):
        return [assigned(name, value) for name, value in params.items()]
    names = [piece.name for piece in pieces if isinstance(piece, Placeholder)]
    if any(name not in params for name in names):
        return None
    return ["".join(p.text if isinstance(p, Literal) else argument(p.name, params[p.name]) for p in pieces)]


def assigned(name: str, value: Any) -> str:
    """`--name=value`."""
    return f"--{name}={argument(name, value)}"


def argument(name: str, value: Any) -> str:
    """The text that passes `value`, of parameter `name`, to a program.

    Raises:
        BadInput: it holds a NUL character.
    """
    text = value if isinstance(value, str) else _number(value)
    if text is None:
        text = json.dumps(_finite(value), ensure_ascii=False)
    if "\0" in text:
        raise BadInput("a value with a NUL character cannot be passed as an argument", key=name)
    return text


def _number(value: Any) -> str | None:
    """A boolean or number as text; None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        return repr(float(value))
    return None


def _finite(value: Any) -> Any:
    """`value` with NaN and infinities as the strings that stand for them in JSON."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return to_wire(value)
    return value
