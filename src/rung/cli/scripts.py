"""What a script's text says of its options and metrics. The script is read, never run, so what it makes up at run time
is not seen; that is said."""

from __future__ import annotations

import ast
import os
import re
from typing import TYPE_CHECKING, Any

import click
import msgspec

from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PRINTED = re.compile(r"([A-Za-z_][\w./-]*)\s*[:=]\s*$")
_WRITTEN = re.compile(r"([A-Za-z_][\w./-]*)\s*[:=]\s*(?:%[-+ 0-9.]*[diouxXeEfFgG]|\{\}|\{:[^}]*\})")
_REPORTERS = frozenset({"report"})
_STEPS = frozenset({"step", "epoch", "iteration"})
_OPTION_MAKERS = frozenset({"add_argument", "option", "Option"})


class Option(msgspec.Struct, frozen=True):
    """An option that the script declares."""

    name: str
    type: str | None
    default: str | None
    choices: list[Any] | None
    line: int


class Metric(msgspec.Struct, frozen=True):
    """A metric that the script seems to report or print."""

    name: str
    how: str
    line: int


class Script(msgspec.Struct, frozen=True):
    """What was found; `uses_rung`: it asks for its parameters through `rung.params`."""

    options: list[Option]
    metrics: list[Metric]
    uses_rung: bool


def examine_script(path: Path, *, form: str) -> int:
    """What `run` would pass to the script and read from it is on stdout; returns the exit code."""
    from rung.cli.tables import print_json, print_rows

    if not path.is_file():
        raise BadInput("no such file; name a script", place=str(path))
    if path.suffix != ".py":
        return _other_program(path, form)
    found = read_script(path)
    rows = [["option", f"--{o.name}", o.line, _hint(o)] for o in found.options]
    rows += [["metric", m.name, m.line, m.how] for m in found.metrics]
    if form == "json":
        print_json(msgspec.to_builtins(found))
    elif form == "csv" or rows:
        print_rows(["what", "name", "line", "note"], rows, form=form)
    if form == "table":
        click.echo("\n".join(["", *_advice(path, found)] if rows else _advice(path, found)))
    return 0


def _other_program(path: Path, form: str) -> int:
    from rung.cli.tables import print_json

    runs = os.access(path, os.X_OK)
    if form == "json":
        print_json({"options": [], "metrics": [], "executable": runs})
    else:
        click.echo(
            f"{path} is no Python: it gets --NAME=VALUE for each parameter, and its lines `name: value` are read"
        )
        click.echo("it may be executed" if runs else f"it cannot be executed yet: chmod +x {path}")
    return 0 if runs else 1


def read_script(path: Path) -> Script:
    """The options and metrics in the text of a Python script. Raises `BadInput` when it is no Python."""
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except (SyntaxError, ValueError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise BadInput(
            f"not Python: {error.msg if isinstance(error, SyntaxError) else error}", place=f"{path}{line}"
        ) from None
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    calls.sort(key=lambda call: (call.lineno, call.col_offset))
    options = {o.name: o for call in calls for o in _options(call)}
    metrics: dict[str, Metric] = {}
    for metric in (m for call in calls for m in _metrics(call)):
        if metric.name not in _STEPS:
            metrics.setdefault(metric.name, metric)
    return Script(list(options.values()), list(metrics.values()), any(_called(c) == "params" for c in calls))


def _called(call: ast.Call) -> str:
    target = call.func
    return target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""


def _options(call: ast.Call) -> Iterator[Option]:
    """`add_argument("--lr", type=float, default=0.1)`, and click's and typer's `option`."""
    if _called(call) not in _OPTION_MAKERS:
        return
    spelt = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    long = [word[2:].partition("/")[0] for word in spelt if word.startswith("--")]
    if long:
        given = {k.arg: k.value for k in call.keywords if k.arg is not None}
        kind = given.get("type")
        default = given.get("default")
        yield Option(
            long[0], None if kind is None else ast.unparse(kind), None if default is None else ast.unparse(default),
            _literal(given.get("choices")), call.lineno,
        )  # fmt: skip


def _literal(node: ast.expr | None) -> list[Any] | None:
    try:
        value = None if node is None else ast.literal_eval(node)
    except ValueError:
        return None
    return list(value) if isinstance(value, list | tuple | set) else None


def _metrics(call: ast.Call) -> Iterator[Metric]:
    name = _called(call)
    if name in _REPORTERS:
        for key in call.keywords:
            if key.arg is not None:
                yield Metric(key.arg, "reported", call.lineno)
        for argument in call.args:
            if isinstance(argument, ast.Dict):
                yield from _keys(argument, "reported")
    elif name == "print":
        for argument in call.args:
            yield from _printed(argument)


def _keys(mapping: ast.Dict, how: str) -> Iterator[Metric]:
    for key in mapping.keys:
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield Metric(key.value, how, key.lineno)


def _printed(node: ast.expr) -> Iterator[Metric]:
    """`name: value` and `name=value` in what is printed; `json.dumps({"name": ...})`."""
    if isinstance(node, ast.JoinedStr):
        for text, value in zip(node.values, node.values[1:], strict=False):
            if isinstance(text, ast.Constant) and isinstance(value, ast.FormattedValue):
                found = _PRINTED.search(str(text.value))
                if found:
                    yield Metric(found[1], "printed", node.lineno)
    elif isinstance(node, ast.Call) and _called(node) == "dumps" and node.args and isinstance(node.args[0], ast.Dict):
        yield from _keys(node.args[0], "printed as JSON")
    else:
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield from (Metric(name, "printed", part.lineno) for name in _names_in(part.value))


def _names_in(text: str) -> list[str]:
    found = _WRITTEN.findall(text)
    last = _PRINTED.search(text)
    return [*found, last[1]] if last else list(found)


def _hint(option: Option) -> str:
    parts = [option.type or "", f"default {option.default}" if option.default is not None else ""]
    parts.append(f"one of {', '.join(map(str, option.choices))}" if option.choices else "")
    return ", ".join(part for part in parts if part)


def _advice(path: Path, found: Script) -> list[str]:
    """A command to begin with, and what was not seen."""
    lines = []
    if not found.options and not found.uses_rung:
        lines.append("no options seen in its text: does it take --NAME=VALUE? (rung run -p NAME=RANGE passes such)")
    if not found.metrics:
        lines.append("no metric seen in its text: print `name: value`, or call rung.report(name=value)")
    if found.options and found.metrics:
        from shlex import quote

        first = found.options[0]
        domain = ",".join(map(str, first.choices)) if first.choices else "RANGE"
        lines.append(f"begin with: rung run -p {first.name}={domain} -m {found.metrics[-1].name} {quote(str(path))}")
    return [*lines, "(the text was read, nothing was run; what is made up at run time is not seen)"]
