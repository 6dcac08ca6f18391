"""`rung lint` and `rung convert`: a study file, looked at or written anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rung.cli.options import format_options, say
from rung.cli.placing import placed
from rung.model import BadInput

if TYPE_CHECKING:
    from rung.dialects.positions import Positions
    from rung.model import StudySpec

Found = tuple[str, str, str]  # place, key, message


@click.command("lint")
@click.argument("file", metavar="FILE")
@format_options
def look_over(file: str, form: str) -> int:
    """Say what is wrong or most likely not meant in a study file, as `file:line: key: message`.

    Exit code 1: there are findings (other tuners' files: errors, not warnings). 2: it cannot be read at all.
    """
    found, wrong = findings(file)
    if form == "table":
        for place, key, message in found:
            click.echo(": ".join(part for part in (place, key, message) if part))
    else:
        from rung.cli.tables import print_rows

        print_rows(["place", "key", "message"], found, form=form)
    return 1 if wrong else 0


def findings(file: str) -> tuple[list[Found], bool]:
    """What is to be said about a study file, and whether anything of it is wrong rather than odd. Raises `BadInput`
    when it cannot be read at all."""
    from rung.api.studyfiles import dialect_of
    from rung.dialects import read_text
    from rung.dialects.documents import parse
    from rung.dialects.positions import Positions

    text = read_text(Path(file))
    dialect = dialect_of(Path(file), text, file)
    found = dialect.lint(text, file=file)
    if found or dialect.lints_all:
        wrong = any(each.level == "error" or not dialect.lints_all for each in found)
        return [(each.place, each.key, each.message) for each in found], wrong
    try:
        _, positions = parse(text, file=file)
    except BadInput:
        if dialect.name == "rung":
            raise
        positions = Positions(file)  # a format of its own, which knows its places itself
    try:
        with placed(file):
            spec = _checked(file)
    except BadInput as error:
        return [(error.place or file, error.key, error.message)], True
    remarks = _remarks(spec, positions, file)
    return remarks, bool(remarks)


def _checked(file: str) -> StudySpec:
    """The spec of the file, with all that `run` would refuse refused. Raises `BadInput`."""
    from rung.api.creation import check_startable, created_event
    from rung.api.targets import Options, budgeted, resolve

    spec = resolve(file, [], Options(), cwd=Path.cwd()).spec
    event = created_event(budgeted(spec)[0], runs=Path.cwd(), cwd=Path.cwd(), command_line=[], surface="cli")
    check_startable(event)
    return spec


def _remarks(spec: StudySpec, positions: Positions, file: str) -> list[Found]:
    from rung.api.advice import key_of
    from rung.space import Space
    from rung.space.lint import lint

    return [
        (_place(positions, file, parameter, field), key_of(parameter, field), message)
        for parameter, field, message in lint(Space(spec.parameters, spec.constraints))
    ]


def _place(positions: Positions, file: str, parameter: str, field: str) -> str:
    """`file:line` of what a finding is about: its field, else the parameter, else the section."""
    from rung.dialects.positions import undotted

    at: tuple[str | int, ...] = tuple(undotted(field))
    if parameter:
        homes = (path for path in positions.lines if path[:1] == ("parameters",) and _dotted(path[1:]) == parameter)
        home = next(homes, ("parameters", parameter))
        at = (*home, *undotted(field))
    for end in range(len(at), 0, -1):
        if at[:end] in positions.lines:
            return f"{file}:{positions.lines[at[:end]]}"
    return file


def _dotted(path: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in path)


@click.command()
@click.argument("file", metavar="FILE")
@click.option("-o", "--output", metavar="OUT", help="Where to [stdout].")
def convert(file: str, output: str | None) -> None:
    """Write a study file of any dialect as ours, in YAML."""
    from rung.api.studyfiles import read_study_file
    from rung.dialects import to_yaml

    text = to_yaml(read_study_file(Path(file), file))
    if output is None or output == "-":
        click.echo(text, nl=False)
        return
    Path(output).write_text(text, encoding="utf-8")
    say(f"wrote {output}")


COMMANDS = {"lint": look_over, "convert": convert}
