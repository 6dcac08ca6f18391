"""`rung trials`, `best`, `logs` and `export`: what the trials of a study gave."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rung.cli.options import format_options, no_more, one_trial, open_study, place_flags, place_options, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.api.handle import Handle
    from rung.model import Trial

STATES = ("waiting", "running", "paused", "complete", "pruned", "failed")
AT_ONCE = 2_000  # trials that are read together
FOLLOW_S = 0.2  # how often a followed log is looked at


_WHERE = click.option("--where", default="", metavar="EXPR", help="Only trials for which this holds: 'lr < 0.01'.")
_COLUMNS = click.option("--columns", metavar="A,B", help="These columns: value, params.lr, metrics.loss, ...")
_SORT = click.option("--sort", metavar="COLUMN", help="By any column, value being best first; -COLUMN: the other way.")


@click.command()
@click.argument("words", nargs=-1, metavar="[STUDY]")
@click.option("--state", "states", metavar="STATE,...", help="Only trials in these states.")
@_WHERE
@_SORT
@click.option("--limit", type=click.IntRange(0), metavar="N", help="At most N, the first in that order.")
@_COLUMNS
@click.option("--reports", is_flag=True, help="With each report (JSON, or one row a report as CSV).")
@place_options
@format_options
def trials(words: tuple[str, ...], *, store: str | None, directory: str | None, form: str, states: str | None,
           where: str, sort: str | None, limit: int | None, columns: str | None, reports: bool) -> None:  # fmt: skip
    """List the trials of a study."""
    from rung.study.reading import records

    handle, left = open_study(words, store=store, directory=directory)
    no_more(left)
    if reports and columns is not None:
        raise click.UsageError("--columns names columns of trials, and --reports shows reports: give one of them")
    numbers = _chosen(handle, where=where, sort=sort, states=states)[:limit]
    if columns is not None:
        _print_columns(handle, numbers, columns, form)
        return
    chosen = list(records(handle.state, numbers))
    if reports:
        _print_reports(handle, chosen, form)
    else:
        _print_trials(handle, chosen, form)


def _chosen(handle: Handle, *, where: str, sort: str | None, states: str | None = None) -> list[int]:
    """The numbers of the trials wanted, in the order wanted."""
    import numpy as np

    from rung.analysis.filtering import matching
    from rung.analysis.trialtable import column, order

    with _named("--where"):
        mask = matching(handle.state, where)
    if states is not None:
        wanted = [word.strip() for word in states.split(",")]
        for word in wanted:
            if word not in STATES:
                raise click.BadParameter(f"{word!r} is no state; expected {', '.join(STATES)}", param_hint="--state")
        mask &= np.isin(column(handle.state, "state").values, [STATES.index(word) for word in wanted])
    with _named("--sort"):
        numbers: list[int] = order(handle.state, sort, mask).tolist()
        return numbers


@contextlib.contextmanager
def _named(option: str) -> Iterator[None]:
    """What is wrong with an option's value is said with its name."""
    from rung.model import BadInput

    try:
        yield
    except BadInput as error:
        raise click.BadParameter(error.message, param_hint=option) from None


def _print_columns(handle: Handle, numbers: list[int], columns: str, form: str) -> None:
    """The columns named, a line a trial."""
    from rung.analysis.trialcsv import picked
    from rung.analysis.trialtable import listed
    from rung.cli.tables import print_rows

    with _named("--columns"):
        names = listed(handle.state, columns)
    if names is None:
        raise click.BadParameter("expected names of columns, such as number,value,params.lr", param_hint="--columns")
    print_rows(names, picked(handle.state, numbers, names), form=form)


_MOST_METRICS = 8


def _print_trials(handle: Handle, chosen: list[Trial], form: str) -> None:
    from rung.analysis.records import columns, record
    from rung.cli.tables import print_json, print_rows

    if form == "json":
        print_json([record(handle.state, trial) for trial in chosen])
    elif form == "csv":
        table = columns(handle.state, chosen)
        print_rows(list(table), list(zip(*table.values(), strict=True)), form=form)
    else:
        print_rows(*_table(handle, chosen), form=form)


def _table(handle: Handle, chosen: list[Trial]) -> tuple[list[str], list[list[Any]]]:
    """The columns that a person wants; those that are empty everywhere are left out."""
    from rung.analysis.records import duration
    from rung.cli.tables import seconds

    metrics = [objective.metric for objective in handle.state.spec.objectives]
    if not metrics:  # nobody said which one counts
        metrics = list(dict.fromkeys(name for trial in chosen for name in trial.values))[:_MOST_METRICS]
    params = [p.name for p in handle.state.spec.parameters if p.type != "constant"]
    names = ["trial", "state", *metrics, *params, "steps", "took", "attempt", "why"]
    rows = [
        [
            t.number, t.state, *(t.values.get(m) for m in metrics), *(t.params.get(p) for p in params), t.steps,
            seconds(duration(t)), t.attempt if t.attempt > 1 else None, _why(t),
        ]
        for t in chosen
    ]  # fmt: skip
    kept = [i for i, name in enumerate(names) if name not in {"attempt", "why"} or any(row[i] for row in rows)]
    return [names[i] for i in kept], [[row[i] for i in kept] for row in rows]


def _why(trial: Trial) -> str | None:
    from rung.analysis.wording import last_line

    return last_line(trial.error or trial.reason or "") or None


def _print_reports(handle: Handle, chosen: list[Trial], form: str) -> None:
    from rung.analysis.records import record, whole
    from rung.cli.curves import curves_of
    from rung.cli.tables import print_json, print_rows

    curves = curves_of(handle, [trial.number for trial in chosen])
    if form == "json":
        print_json([record(handle.state, trial, curves[trial.number]) for trial in chosen])
        return
    metrics = list(dict.fromkeys(name for curve in curves.values() for report in curve for name in report.values))
    rows = [
        [t.number, whole(r.step), round(max(0.0, r.time - (t.started or 0.0)), 6), *(r.values.get(m) for m in metrics)]
        for t in chosen
        for r in curves[t.number]
    ]
    print_rows(["trial", "step", "time", *metrics], rows, form=form)


@click.command()
@click.argument("words", nargs=-1, metavar="[STUDY]")
@click.option("--top", type=click.IntRange(1), metavar="N", help="The N best.")
@place_options
@format_options
def best(words: tuple[str, ...], *, store: str | None, directory: str | None, form: str, top: int | None) -> int:
    """Show the best configuration; the Pareto set where there are several objectives. Exit code 3: there is none."""
    from rung.cli.winners import print_best

    handle, left = open_study(words, store=store, directory=directory)
    no_more(left)
    code = print_best(handle, form=form, top=top)
    if code:
        say(f"no trial of study {handle.name} has succeeded" + ("" if handle.state.switches.completed else " yet"))
    return code


@click.command()
@click.argument("words", nargs=-1, metavar="[STUDY] [TRIAL]")
@click.option("--err", is_flag=True, help="What it wrote to stderr, instead of stdout.")
@click.option("--attempt", type=click.IntRange(1), metavar="N", help="An earlier attempt [the last].")
@click.option("-f", "--follow", is_flag=True, help="Go on until the trial is over.")
@place_options
def logs(words: tuple[str, ...], *, store: str | None, directory: str | None, err: bool, attempt: int | None,
         follow: bool) -> None:  # fmt: skip
    """Print a trial's output as it is; without TRIAL that of the trial started last."""
    from rung.inside.wire import STDERR, STDOUT

    handle, left = open_study(words, store=store, directory=directory)
    number = one_trial(left)
    if number is None:
        number = _started_last(handle)
    folder = _folder(handle, number, attempt)
    path = folder / (STDERR if err else STDOUT)
    if not path.is_file():
        raise click.ClickException(_no_output(handle, number, path))
    with path.open("rb") as file:
        _copy(file)
        while follow and _goes_on(handle, number):
            time.sleep(FOLLOW_S)
            _copy(file)
        _copy(file)
    if not err and (folder / STDERR).is_file() and (folder / STDERR).stat().st_size:
        again = f" --attempt {attempt}" if attempt is not None else ""
        say(f"it wrote to stderr too: rung logs {handle.name} {number} --err{again}{place_flags(directory, store)}")


def _copy(file: Any) -> None:
    """What the file holds beyond the place reached is on stdout, byte for byte."""
    while chunk := file.read(1 << 16):
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def _goes_on(handle: Handle, number: int) -> bool:
    handle.refresh()
    return handle.trial(number).state in {"running", "waiting"}


def _started_last(handle: Handle) -> int:
    import numpy as np

    started = handle.state.table["started"]
    if not len(started) or np.isnan(started).all():
        raise click.ClickException(f"study {handle.name} has started no trial yet")
    return int(np.nanargmax(started))


def _folder(handle: Handle, number: int, attempt: int | None) -> Path:
    from rung.api.places import runs_directory
    from rung.runner.jobs import attempt_directory

    latest = handle.trial(number).attempt
    if attempt is not None and attempt > latest:
        raise click.ClickException(f"trial {number} of study {handle.name} has {latest} attempts, not {attempt}")
    return attempt_directory(runs_directory(handle), handle.name, trial=number, attempt=attempt or latest)


def _no_output(handle: Handle, number: int, path: Path) -> str:
    if not handle.trial(number).attempt:
        return f"trial {number} of study {handle.name} has not started yet"
    return (
        f"trial {number} of study {handle.name} left no {path.name}: {path} is not there (another machine, or removed?)"
    )


@click.command()
@click.argument("words", nargs=-1, metavar="[STUDY]")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl", "html"]), help="[by the ending of FILE, else csv]")
@click.option("-o", "--output", metavar="FILE", help="Where to [stdout].")
@_WHERE
@_SORT
@_COLUMNS
@click.option("--reports", is_flag=True, help="With each report (JSON lines only).")
@place_options
def export(words: tuple[str, ...], *, store: str | None, directory: str | None, form: str | None, output: str | None,
           where: str, sort: str | None, columns: str | None, reports: bool) -> None:  # fmt: skip
    """Write the trials as CSV (one row a trial) or JSON lines (one object a trial), or the study's page as one HTML
    file that needs no server."""
    handle, left = open_study(words, store=store, directory=directory)
    no_more(left)
    endings = {".jsonl": "jsonl", ".html": "html", ".htm": "html"}
    form = form or endings.get(Path(output or "").suffix, "csv")
    if reports and form != "jsonl":
        raise click.UsageError("--reports needs --format jsonl", click.get_current_context())
    if columns is not None and form != "csv":
        raise click.UsageError("--columns needs --format csv", click.get_current_context())
    if form == "html":
        if where or sort:
            raise click.UsageError("--where and --sort need --format csv or jsonl", click.get_current_context())
        _export_page(handle, output)
        return
    numbers = _chosen(handle, where=where, sort=sort)
    lines = _json_lines(handle, numbers, reports=reports) if form == "jsonl" else _csv(handle, numbers, columns)
    if output is None or output == "-":
        for line in lines:
            click.echo(line, nl=False)
        return
    with Path(output).open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)
    say(f"wrote {len(numbers)} trials to {output}")


def _export_page(handle: Handle, output: str | None) -> None:
    """The study's page is in that file, or on stdout."""
    from rung.api.reporting import report_html, write_report

    if output is None or output == "-":
        click.echo(report_html(handle), nl=False)
        return
    size = write_report(handle, Path(output))
    say(f"wrote {output}, {size / 1e6:.1f} MB: it opens in any browser, without a server or a network")


def _csv(handle: Handle, numbers: list[int], columns: str | None) -> Iterator[str]:
    import numpy as np

    from rung.analysis.trialcsv import csv_lines
    from rung.analysis.trialtable import listed

    with _named("--columns"):
        names = listed(handle.state, columns or "")
    return csv_lines(handle.state, np.array(numbers, np.int64), names)


def _json_lines(handle: Handle, numbers: list[int], *, reports: bool) -> Iterator[str]:
    import json

    from rung.analysis.records import record
    from rung.cli.curves import curves_of
    from rung.study.reading import records

    curves = curves_of(handle, numbers) if reports else {}
    for begin in range(0, len(numbers), AT_ONCE):
        for trial in records(handle.state, numbers[begin : begin + AT_ONCE]):
            found = record(handle.state, trial, curves.get(trial.number))
            yield json.dumps(found, ensure_ascii=False, allow_nan=False) + "\n"


COMMANDS = {"trials": trials, "best": best, "logs": logs, "export": export}
