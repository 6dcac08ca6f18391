"""The attempts of one trial, read from its events: who ran each, where, from which checkpoint, and how it ended."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from rung.analysis.records import iso
from rung.analysis.wording import last_words
from rung.model import Source, WireNumber, from_wire
from rung.study import events as ev

if TYPE_CHECKING:
    from collections.abc import Iterable

COST = "cost"  # the metric in which trials say what they cost


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The checkpoint that something begins from: whose it is, its name, and its step."""

    trial: int
    attempt: int
    checkpoint: str
    step: float


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a trial's program.

    `how` and `code` say how it ended (None while it runs), `tail` what it wrote last where it failed. `seconds` are
    those it ran, None while it does. It ran from step `first` to step `last` of the resource, and was let run up to
    `limit` (None: to its end). `runner` is who looks after it, or did last; `adopted` how often it changed hands.
    """

    number: int
    runner: str
    assigned: str | None
    host: str | None = None
    pid: int | None = None
    devices: tuple[str, ...] = ()
    started: str | None = None
    ended: str | None = None
    how: ev.How | None = None
    code: int | None = None
    tail: str = ""
    why: str = ""
    seconds: float | None = None
    first: float | None = None
    last: float | None = None
    limit: float | None = None
    reports: int = 0
    origin: Origin | None = None
    asked: bool = False
    adopted: int = 0
    cost: WireNumber | None = None


class _Run(msgspec.Struct):
    """An attempt that is being read."""

    assigned: ev.AttemptAssigned
    runner: str
    limit: float | None
    started: ev.TrialStarted | None = None
    exited: ev.TrialExited | None = None
    last: float | None = None
    reports: int = 0
    adopted: int = 0
    cost: float = math.nan


def attempts_of(events: Iterable[ev.AnyEvent]) -> list[Attempt]:
    """The attempts of the trial whose events these are, the first one first."""
    runs: list[_Run] = []
    for event in events:
        if isinstance(event, ev.AttemptAssigned):
            runs.append(_Run(event, event.runner, event.resource))
        elif runs:
            _read(runs[-1], event)
    return [_attempt(run) for run in runs]


def _read(run: _Run, event: ev.AnyEvent) -> None:
    if isinstance(event, ev.AttemptAdopted):
        run.runner, run.adopted = event.runner, run.adopted + 1
    elif isinstance(event, ev.TrialStarted):
        run.started = event
    elif isinstance(event, ev.TrialExited):
        run.exited = event
    elif isinstance(event, ev.TrialContinued) and run.exited is None:
        run.limit = event.to
    elif isinstance(event, ev.TrialReported):
        run.reports += len(event.reports)
        for report in event.reports:
            run.last = report.step
            said = from_wire(report.values.get(COST, math.nan))
            run.cost = said if math.isfinite(said) else run.cost


def origin_of(source: Source | None) -> Origin | None:
    """Where an attempt or a trial begins, as people and programs read it."""
    if source is None:
        return None
    made = source.checkpoint
    return Origin(trial=source.trial, attempt=made.attempt, checkpoint=made.name, step=made.step)


def _attempt(run: _Run) -> Attempt:
    assigned, started, exited = run.assigned, run.started, run.exited
    begun = assigned.at if started is None else started.at
    origin = origin_of(assigned.source)
    return Attempt(
        number=assigned.attempt,
        runner=run.runner,
        assigned=iso(assigned.at),
        host=None if started is None else started.host,
        pid=None if started is None else started.pid,
        devices=() if started is None else started.devices,
        started=iso(begun) if started is not None or assigned.asked else None,
        ended=None if exited is None else iso(exited.at),
        how=None if exited is None else exited.how,
        code=None if exited is None else exited.code,
        tail="" if exited is None else exited.tail,
        why="" if exited is None else last_words(exited.invalid or exited.tail),
        seconds=None if exited is None else round(max(0.0, exited.at - begun), 6),
        first=origin.step if origin is not None else 0.0 if run.reports else None,
        last=run.last,
        limit=run.limit,
        reports=run.reports,
        origin=origin,
        asked=assigned.asked,
        adopted=run.adopted,
        cost=None if math.isnan(run.cost) else run.cost,
    )
