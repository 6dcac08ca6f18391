"""Trials as records, read from a state's columns some thousand at a time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rung.model import Trial
from rung.study.transitions import FINAL, PUBLIC, Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.study.columns import Columns
    from rung.study.state import State

_FINAL_NUMBERS = frozenset(int(phase) for phase in FINAL)


def records(state: State, numbers: range | list[int]) -> Iterator[Trial]:
    """The records of these trials, constants included."""
    rows = _rows(numbers)
    column = {name: state.table[name][rows].tolist() for name in ("phase", "attempt", "steps", "started", "ended")}
    found = metrics(state.table, numbers)
    objective = state.spec.objectives[0].metric if state.spec.objectives else None
    values = state.table["values"][rows, 0].tolist() if objective is not None else []
    for i, (number, params) in enumerate(zip(numbers, state.params_of(numbers), strict=True)):
        phase = column["phase"][i]
        final = phase in _FINAL_NUMBERS
        started, ended = column["started"][i], column["ended"][i]
        yield Trial(
            number=number,
            state=PUBLIC[Phase(phase)],
            params=state.space.full(params),
            value=values[i] if final and objective in found[i] and not _never_given(phase, values[i]) else None,
            values=found[i] if final else _said(state, number),
            steps=column["steps"][i],
            started=None if math.isnan(started) else started,
            ended=None if math.isnan(ended) else ended,
            attempt=column["attempt"][i],
            reason=state.reasons.get(number),
            error=state.errors.get(number),
        )


def _never_given(phase: int, value: float) -> bool:
    """A failed trial may have reported and yet has no value, unless somebody told it one."""
    return phase == Phase.FAILED and math.isnan(value)


def _rows(numbers: range | list[int]) -> slice | list[int]:
    return slice(numbers.start, numbers.stop) if isinstance(numbers, range) else numbers


def metrics(table: Columns, numbers: range | list[int]) -> list[dict[str, float]]:
    """The metrics of each of the trials that have any."""
    found: list[dict[str, float]] = [{} for _ in numbers]
    rows = _rows(numbers)
    for name in table.names():
        if name.startswith("has:"):
            has = table[name][rows]
            column = table["metric:" + name[4:]][rows]
            for i in np.flatnonzero(has).tolist():
                found[i][name[4:]] = float(column[i])
    return found


class Results:
    """Final trials as a searcher sees them, read from the columns at once: `results[number]` is the losses (None: it
    failed), by how much each outcome is broken, how many reports there were, and how many seconds its attempts took
    (None: it had none)."""

    def __init__(self, state: State, numbers: range) -> None:
        rows = slice(numbers.start, numbers.stop)
        table, self.spec, self.first = state.table, state.spec, numbers.start
        self.failed = (table["phase"][rows] == Phase.FAILED).tolist()
        self.steps = table["steps"][rows].tolist()
        self.values = table["values"][rows].tolist()
        self.seconds = np.where(np.isnan(table["ended"][rows]), np.nan, table["ran"][rows]).tolist()
        self.metrics = metrics(table, numbers) if self.spec.outcomes else []

    def __getitem__(self, number: int) -> tuple[list[float] | None, list[float], int, float | None]:
        place = number - self.first
        took = self.seconds[place]
        seconds = took if took >= 0 else None
        if self.failed[place]:
            return None, [], self.steps[place], seconds
        losses = [o.loss(value) for o, value in zip(self.spec.objectives, self.values[place], strict=False)]
        outcomes = self.spec.outcomes
        violations = [o.violation(self.metrics[place].get(o.metric)) for o in outcomes] if outcomes else []
        return losses, violations, self.steps[place], seconds


def _said(state: State, number: int) -> dict[str, float]:
    live = state.live.get(number)
    return {name: track.last for name, track in live.tracks.items()} if live is not None else {}
