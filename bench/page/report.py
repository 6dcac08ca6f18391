"""The report: docs/benchmarks/page.md and the figures as JSON. Every figure in it comes from the journal."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.measure import interval, pairwise_ratio, spread
from bench.report import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.journal import Measured


class Figure(NamedTuple):
    """A line of the page's table. `goal`: the most it may be, None where there is none."""

    what: str
    name: str
    unit: str
    goal: float | None = None


PAINT = (
    Figure("first contentful paint, nothing in the browser's cache", "first_paint", "ms", 1000),
    Figure("the same visit: the first plot is drawn", "first_plot", "ms"),
    Figure("first contentful paint, the page in the cache", "again_paint", "ms", 1000),
    Figure("the same visit: the first plot is drawn", "again_plot", "ms"),
    Figure("longest frame, zooming and panning", "pan_longest", "ms", 100),
    Figure("longest frame, brushing the parallel plot", "brush_longest", "ms", 100),
    Figure("longest frame, sorting the table", "sort_longest", "ms", 100),
    Figure("longest frame, scrolling the table", "scroll_longest", "ms", 100),
    Figure("the page over the wire: document, scripts, styles", "page_kb", "kB", 600),
    Figure("data over the wire in the first seconds", "data_kb", "kB"),
    Figure("the server's processor time for the first visit", "server_cpu_s", "s"),
    Figure("the server's memory afterwards", "server_mb", "MB"),
)
DELAY = (
    Figure("an append in the log, until the screen shows its number: median", "median", "ms", 200),
    Figure("the same, 95th percentile", "p95", "ms", 200),
    Figure("the same, longest", "longest", "ms"),
    Figure("the server's share of a core meanwhile", "server_share", ""),
)
SLOWDOWN = 0.02
OPENING = """Ten parameters and a planted signal; one trial in a hundred has a learning curve of 30 points (of \
optuna's study too). A frame is what the browser's own clock says between two of them while a mouse acts.
"""
WATCHING = """Script trials that wait for 50 ms, two at a time, through `rung run`; the server and the readers run on \
the same machine. The slowdown is taken round by round, with its 95 % bootstrap interval.
"""


def publish(
    target: Path,
    rounds: Mapping[str, Sequence[Mapping[str, Measured]]],
    host: Mapping[str, Any],
    *,
    peer: str,
    quick: bool,
) -> str:
    """Page and figures are in the folder; returns the page."""
    target.mkdir(parents=True, exist_ok=True)
    text = page(rounds, host, peer=peer, quick=quick)
    (target / "page.md").write_text(text)
    kept = {
        name: [{side: one.values for side, one in found.items()} for found in some] for name, some in rounds.items()
    }
    figures = {"machine": dict(host), "peer": peer, "quick": quick, "rounds": _plain(kept)}
    (target / "page.json").write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n")
    return text


def _plain(value: Any) -> Any:
    """NaN is null: strict JSON."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def page(
    rounds: Mapping[str, Sequence[Mapping[str, Measured]]], host: Mapping[str, Any], *, peer: str, quick: bool
) -> str:
    """The report as Markdown."""
    loads = [one.load for some in rounds.values() for found in some for one in found.values()]
    machine = f"{host['processor']}, {host['cores']} cores, {host['memory_gb']} GB, {host['kernel']}"
    measured = f"{min(loads):.2f} to {max(loads):.2f}" if loads else "unknown"
    warning = "**A quick run: it shows that everything works; its figures are not to be quoted.**\n\n" * quick
    head = f"""# The page under load

{warning}Made by `bench/page/run.py`; do not edit. All figures are in [page.json](page.json). Machine: {machine}; \
Chromium without a graphics processor, 1400 by 900; the browser, the server and what it serves share the cores. Load \
average before the measurements: {measured}. Peer: optuna-dashboard {peer}. Figures are medians, in brackets the least \
and the greatest.
"""
    return "\n".join(
        [head, *_paint(rounds.get("page", ())), *_delay(rounds.get("latency", ())), *_crowd(rounds.get("crowd", ()))]
    )


def _paint(rounds: Sequence[Mapping[str, Measured]]) -> list[str]:
    if not rounds:
        return []
    sides = list(rounds[0])
    lines = [
        "## Opening a study, and acting on it\n",
        OPENING,
        f"| | goal | {' | '.join(_title(side) for side in sides)} |",
        f"|---|---|{'---|' * len(sides)}",
    ]
    for figure in PAINT:
        cells = [_cell([found[side].values.get(figure.name, math.nan) for found in rounds], figure) for side in sides]
        goal = "" if figure.goal is None else f"≤ {figure.goal:g} {figure.unit}"
        lines.append(f"| {figure.what} | {goal} | {' | '.join(cells)} |")
    return [*lines, ""]


def _title(side: str) -> str:
    name, _, trials = side.rpartition(" ")
    return f"{'Rung' if name == 'rung' else name}, {int(trials):,} trials"


def _cell(values: Sequence[float], figure: Figure) -> str:
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return "not measured"
    found = spread(known)
    words = (
        number(found.median)
        if len(known) == 1
        else f"{number(found.median)} ({number(found.low)} to {number(found.high)})"
    )
    words = f"{words} {figure.unit}".rstrip()
    return f"**{words}**" if figure.goal is not None and found.median > figure.goal else words


def _delay(rounds: Sequence[Mapping[str, Measured]]) -> list[str]:
    if not rounds:
        return []
    lines = [
        "## From the log to the screen\n",
        "A hundred trials end every second in a study as large as the largest above; the page is open.\n",
        "| | goal | Rung |",
        "|---|---|---|",
    ]
    for figure in DELAY:
        goal = "" if figure.goal is None else f"≤ {figure.goal:g} {figure.unit}"
        lines.append(
            f"| {figure.what} | {goal} | {_cell([one['rung'].values[figure.name] for one in rounds], figure)} |"
        )
    return [*lines, ""]


def _crowd(rounds: Sequence[Mapping[str, Measured]]) -> list[str]:
    if not rounds:
        return []
    alone, *watched = list(rounds[0])
    rates = {side: [one[side].values["trials_per_s"] for one in rounds] for side in (alone, *watched)}
    lines = [
        "## What people who watch cost\n",
        WATCHING,
        "| | trials a second | slower by | goal | server's share of a core | readers dropped |",
        "|---|---|---|---|---|---|",
        f"| {alone} | {_range(rates[alone])} | | | | |",
    ]
    for side in watched:
        ratio = pairwise_ratio(rates[side], rates[alone])
        slower, low, high = 1 - ratio.median, 1 - ratio.high, 1 - ratio.low
        words = f"{slower:.1%} ({low:.1%} to {high:.1%})"
        share = interval([one[side].values["server_share"] for one in rounds]).median
        dropped = sum(one[side].values.get("dropped", 0.0) for one in rounds)
        words = f"**{words}**" if slower > SLOWDOWN else words
        lines.append(f"| {side} | {_range(rates[side])} | {words} | < {SLOWDOWN:.0%} | {share:.0%} | {dropped:.0f} |")
    return [*lines, ""]


def _range(values: Sequence[float]) -> str:
    found = spread(values)
    return f"{found.median:.1f} ({found.low:.1f} to {found.high:.1f})"
