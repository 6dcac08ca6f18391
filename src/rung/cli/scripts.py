"""`rung doctor SCRIPT`: what `run` would pass to a script and read from it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
import msgspec

from rung.api.scripts import Option, Script, read_script
from rung.model import BadInput

if TYPE_CHECKING:
    from pathlib import Path


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
