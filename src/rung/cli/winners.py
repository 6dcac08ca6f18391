"""The best trials on stdout: what `rung best` and the end of `rung run` print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rung.cli.tables import csv_text, one_line, print_json, print_rows, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.api.handle import Handle
    from rung.model import Trial

NO_BEST = 3  # the exit code where no trial succeeded


def print_best(handle: Handle, *, form: str, top: int | None = None) -> int:
    """The best configuration is on stdout, the best `top`, or the Pareto set; returns the exit code."""
    from rung.analysis.records import record

    trials = handle.best(top=top)
    several = top is not None or len(handle.state.spec.objectives) > 1
    if form == "json":
        records = [record(handle.state, trial) for trial in trials]
        print_json(records if several else records[0] if records else None)
    elif several or form == "csv":
        names, rows = _table(handle, trials)
        if form == "csv":
            click.echo(csv_text(names, rows), nl=False)
        else:
            print_rows(names, rows, form=form)
    elif trials:
        _print_one(handle, trials[0])
    return 0 if trials else NO_BEST


def _table(handle: Handle, trials: Sequence[Trial]) -> tuple[list[str], list[list[Any]]]:
    metrics = [objective.metric for objective in handle.state.spec.objectives]
    names = list(dict.fromkeys(name for trial in trials for name in trial.params))
    rows = [
        [t.number, t.state, *(t.values.get(m) for m in metrics), *(t.params.get(name) for name in names)]
        for t in trials
    ]
    return ["trial", "state", *metrics, *names], rows


def _print_one(handle: Handle, trial: Trial) -> None:
    """Name and value a line, the trial and its metric first."""
    label = f"{trial.number}" + (f" ({trial.state})" if trial.state != "complete" else "")
    metric = handle.state.spec.objectives[0].metric
    lines = [("trial", label), (metric, shown(trial.value))]
    lines += [(name, value if isinstance(value, str) else shown(value)) for name, value in trial.params.items()]
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        click.echo(f"{name.ljust(width)}  {one_line(text)}")
