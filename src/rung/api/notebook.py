"""A study as a notebook shows it: a small piece of HTML without script, that is as good on dark as on light."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING

from rung.analysis.wording import number, shown
from rung.api.describing import best_line, summary
from rung.model import from_wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.api.describing import StudySummary
    from rung.api.handle import Handle
    from rung.model import Trial

TOP = 5
MOST_PARAMETERS = 8
WIDTH, HEIGHT, EDGE = 320, 56, 4
_CELL = "padding:2px 10px 2px 0;text-align:left;border:0;background:none;vertical-align:top"


def notebook_html(handle: Handle) -> str:
    """State, counts, the best trials and the best value so far. Whatever names and values hold, it is text."""
    known = summary(handle)
    best = handle.best(top=TOP) if handle.state.spec.objectives else []
    parts = [_head(known), _counts(known), *_line(handle, known), *_table(handle, best)]
    style = "font-family:system-ui,sans-serif;font-size:13px;line-height:1.5;color:inherit;max-width:60em"
    return f'<div style="{style}">{"".join(parts)}</div>'


def _text(value: object) -> str:
    return html.escape(str(value))


def _head(known: StudySummary) -> str:
    trials = f"{known.trials} trial{'s' * (known.trials != 1)}"
    if known.budget is not None:  # a failed trial takes nothing from the budget
        trials = f"{known.counts.get('complete', 0) + known.counts.get('pruned', 0)} of {known.budget} trials"
    return f"<div><strong>{_text(known.name)}</strong> &middot; {_text(known.state)} &middot; {trials}</div>"


def _counts(known: StudySummary) -> str:
    there = ", ".join(f"{count} {state}" for state, count in known.counts.items() if count)
    if known.metric is None or known.best is None:
        return f'<div style="opacity:.8">{_text(there or "no trials yet")}</div>'
    value = number(from_wire(known.best))
    best = f"best {_text(known.metric)} <strong>{_text(value)}</strong> (trial {known.best_trial})"
    return f'<div style="opacity:.8">{_text(there)}</div><div>{best}</div>'


def _line(handle: Handle, known: StudySummary) -> Iterator[str]:
    """The best value so far over the trials that have one, as a drawing."""
    values = [from_wire(value) for value in best_line(handle.state)] if known.metric is not None else []
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) < 2:
        return
    low, high = min(finite), max(finite)
    span = (high - low) or 1.0
    across = (WIDTH - 2 * EDGE) / (len(values) - 1)
    places = [
        (EDGE + i * across, HEIGHT - EDGE - (value - low) / span * (HEIGHT - 2 * EDGE))
        for i, value in enumerate(values)
        if math.isfinite(value)
    ]
    path = f"M{places[0][0]:.1f} {places[0][1]:.1f}"
    path += "".join(f"H{x:.1f}V{y:.1f}" for x, y in places[1:])
    label = f"best {known.metric} so far, from {number(finite[0])} to {number(finite[-1])}"
    yield (
        f'<svg width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{_text(label)}" style="display:block">'
        f'<path d="{path}" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>'
    )


def _table(handle: Handle, best: Sequence[Trial]) -> Iterator[str]:
    """The best trials with their values and parameters."""
    if not best:
        return
    metrics = [objective.metric for objective in handle.state.spec.objectives]
    names = [p.name for p in handle.state.spec.parameters if p.type != "constant"][:MOST_PARAMETERS]
    head = "".join(f'<th style="{_CELL};opacity:.8">{_text(name)}</th>' for name in ("trial", *metrics, *names))
    lines = ([f'<td style="{_CELL}">{_text(cell)}</td>' for cell in _cells(t, metrics, names)] for t in best)
    rows = "".join(f"<tr>{''.join(line)}</tr>" for line in lines)
    yield f'<table style="border-collapse:collapse;border:0;margin-top:4px"><tr>{head}</tr>{rows}</table>'


def _cells(trial: Trial, metrics: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    yield str(trial.number)
    yield from (number(trial.values[metric]) if metric in trial.values else "" for metric in metrics)
    yield from (shown(trial.params[name]) if name in trial.params else "" for name in names)
