"""The live panel as rich draws it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.box import ROUNDED
from rich.console import Group, RenderableType
from rich.panel import Panel as Frame
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from rung.cli.tables import STYLES, number, one_line, seconds, shown
from rung.model import from_wire

if TYPE_CHECKING:
    from rung.cli.standing import Progress
    from rung.model import Report

RUNNING_SHOWN = 12
METRICS_SHOWN = 4
LONGEST = 300  # characters of the best configuration


def drawn(progress: Progress, *, width: int) -> RenderableType:
    """Budget, counts, best and running trials of a study, in a frame of `width` columns."""
    parts = [_budget(progress), _counts(progress), *_best(progress), *_running(progress)]
    title = Text.assemble((progress.name, "bold"), f"  {seconds(time.monotonic() - progress.begun)}")
    return Frame(Group(*parts), title=title, title_align="left", box=ROUNDED, border_style="dim", width=width)


def _budget(progress: Progress) -> RenderableType:
    """A bar over the trials, or over the time where only that is limited."""
    budget = progress.spec.budget
    line = Table.grid(padding=(0, 1))
    words = [f"{progress.evaluated}" + (f"/{budget.trials}" if budget.trials else "") + " trials"]
    if budget.time_s:
        words.append(f"{seconds(progress.spent)} of {seconds(budget.time_s)}")
    left = progress.left_s()
    if left is not None:
        words.append(f"about {seconds(left)} left")
    text = Text(" · ".join(words))
    share = _share(progress)
    if share is None:
        line.add_row(text)
    else:
        line.add_row(ProgressBar(total=1.0, completed=share, width=30, complete_style="cyan"), text)
    return line


def _share(progress: Progress) -> float | None:
    budget = progress.spec.budget
    shares = [progress.evaluated / budget.trials] if budget.trials else []
    shares += [progress.spent / budget.time_s] if budget.time_s else []
    return min(1.0, max(shares)) if shares else None


def _counts(progress: Progress) -> Text:
    text = Text()
    for name, count in progress.counts.items():
        if count:
            text.append(" · " if text else "")
            text.append(f"{count} {name}", STYLES.get(name, ""))
    if progress.paused:
        text.append("   paused: rung unpause " + progress.name, "yellow")
    return text


def _best(progress: Progress) -> list[RenderableType]:
    best = progress.best
    if best is None:
        return []
    metric = progress.spec.objectives[0].metric
    value = "" if best.value is None else number(best.value)
    head = Text.assemble("best ", (f"{metric} {value}", "bold green"), f"  trial {best.number}")
    params = Text("     ")
    for name, setting in best.params.items():
        params.append(f"{name}", "dim").append(f" {shown(setting)}  ")
    params.truncate(LONGEST, overflow="ellipsis")
    return [Text(), head, params]


def _running(progress: Progress) -> list[RenderableType]:
    running = sorted(progress.running.copy().items())  # a copy: the runner goes on meanwhile
    if not running:
        return []
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name in ("trial", "elapsed", "step"):
        table.add_column(name, justify="right")
    table.add_column("last report", no_wrap=True, overflow="ellipsis")
    now = time.monotonic()
    for trial, since in running[:RUNNING_SHOWN]:
        report = progress.last.get(trial)
        step = "" if report is None else f"{report.step:g}"
        table.add_row(f"{trial}", seconds(now - since), step, _said(report, progress))
    more = [Text(f"and {len(running) - RUNNING_SHOWN} more", "dim")] if len(running) > RUNNING_SHOWN else []
    return [Text(), table, *more]


def _said(report: Report | None, progress: Progress) -> Text:
    """The objectives of a report first, then a few of its other metrics."""
    if report is None:
        return Text("nothing yet", "dim")
    wanted = [o.metric for o in progress.spec.objectives]
    names = [n for n in wanted if n in report.values] + [n for n in report.values if n not in wanted]
    return Text("  ".join(f"{one_line(n)} {number(from_wire(report.values[n]))}" for n in names[:METRICS_SHOWN]))
