"""A study's events as Syne Tune tells them: statuses of trials, and a row for each report, with what was decided on it.

Pure: events in, rows out; so what is shown while a launcher runs and what is read from the log later are the same. What
the log does not keep of a report (texts, which number was whole) comes from the trial's own output, where it is there.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import msgspec

from rung.inside import wire
from rung.model import Report, StudySpec, from_wire
from rung.study import events as ev

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

MARK = b"[tune-metric]: "
COMPLETED, RUNNING, FAILED, PAUSED, STOPPED = "Completed", "InProgress", "Failed", "Paused", "Stopped"
CONTINUE, STOP, PAUSE = "CONTINUE", "STOP", "PAUSE"
_ENDS = {"complete": COMPLETED, "pruned": STOPPED, "failed": FAILED}
_OURS = frozenset(wire.OURS)


class Row(msgspec.Struct):
    """One report: of which trial, what it said, how long the study had been worked on, what was decided on it."""

    trial: int
    result: dict[str, Any]
    seconds: float
    decision: str = CONTINUE
    status: str = RUNNING


class Printed:
    """The reports that an attempt printed itself, read from its output as far as it has come."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._found: list[dict[str, Any]] = []

    def take(self, report: Report) -> dict[str, Any] | None:
        """What was printed for this report; None where no line agrees with it in every number."""
        for fresh in (False, True):
            if fresh:
                self._read()
            for place, said in enumerate(self._found):
                if all(_same(said.get(name), value) for name, value in report.values.items()):
                    del self._found[: place + 1]
                    return said
        return None

    def _read(self) -> None:
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                text = file.read()
        except OSError:
            return
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.split(b"\n"):
            said = _printed(line)
            if said is not None:
                self._found.append(said)


def _printed(line: bytes) -> dict[str, Any] | None:
    _, mark, text = line.partition(MARK)
    if not mark:
        return None
    try:
        said = json.loads(text[: text.rfind(b"}") + 1])
    except (ValueError, RecursionError):
        return None
    return {name: value for name, value in said.items() if name not in _OURS} if isinstance(said, dict) else None


def _same(said: object, value: float | str) -> bool:
    number = from_wire(value)  # type: ignore[arg-type]
    if isinstance(said, str):
        return said == value
    if not isinstance(said, int | float):
        return False
    return said == number or (math.isnan(said) and math.isnan(number))


class Story:
    """The trials of a study as its events tell of them, in order. `output(trial, attempt)` is where an attempt's
    standard output is; `step` is the name of the resource in a report that has lost its own."""

    def __init__(self, spec: StudySpec, output: Callable[[int, int], Path] | None = None) -> None:
        self.spec = spec
        self.step = spec.schedule.resource or "step"
        self.rows: list[Row] = []
        self.status: dict[int, str] = {}
        self.configs: dict[int, dict[str, Any]] = {}
        self.created: dict[int, float] = {}
        self.errors: dict[int, str] = {}
        self.seconds = 0.0
        self._output = output
        self._printed: dict[int, tuple[int, Printed]] = {}
        self._last: dict[int, Row] = {}
        self._ending: dict[int, str] = {}  # what was decided on trials whose programs have not heard of it yet
        self._at: float | None = None
        self._attached: set[int] = set()
        self._constants = {p.name: p.value for p in spec.parameters if p.type == "constant"}

    def apply(self, event: ev.AnyEvent) -> list[Row]:
        """The event is part of the story; returns the rows that it adds. Decisions on a row may follow."""
        self._count_time(event)
        if isinstance(event, ev.TrialReported):
            return self._reported(event)
        if isinstance(event, ev.TrialProposed):
            order = {p.name: None for p in self.spec.parameters}
            found = {**self._constants, **event.params}
            self.configs[event.trial] = {name: found[name] for name in [*order, *found] if name in found}
            self.created[event.trial] = event.at
        elif isinstance(event, ev.TrialStarted):
            self.status[event.trial] = RUNNING
            self._ending.pop(event.trial, None)
        elif isinstance(event, ev.TrialStopped | ev.TrialPaused):
            self._decided(event.trial, STOP if isinstance(event, ev.TrialStopped) else PAUSE)
            if isinstance(event, ev.TrialPaused):
                self._stands(event.trial, PAUSED)
        elif isinstance(event, ev.TrialContinued):
            self.status[event.trial] = RUNNING
            self._ending.pop(event.trial, None)
        elif isinstance(event, ev.TrialCompleted):
            self._stands(event.trial, _ENDS[event.state])
            if event.error is not None:
                self.errors[event.trial] = event.error
        return []

    def tell(self, events: Iterable[ev.AnyEvent]) -> Story:
        """All of these events are part of the story."""
        for event in events:
            self.apply(event)
        return self

    def _count_time(self, event: ev.AnyEvent) -> None:
        """Seconds with a runner attached: the time between the events of runners, but for the gap before one comes."""
        if isinstance(event, ev.Request):
            return
        if self._attached and self._at is not None and not isinstance(event, ev.RunnerAttached):
            self.seconds += max(0.0, event.at - self._at)
        self._at = event.at
        if isinstance(event, ev.RunnerAttached):
            self._attached.add(event.epoch)
        elif isinstance(event, ev.RunnerDetached):
            self._attached.discard(event.epoch)

    def _reported(self, event: ev.TrialReported) -> list[Row]:
        rows = []
        for report in event.reports:
            before = max(0.0, event.at - report.time)  # the report is older than the event that tells of it
            decision = self._ending.get(event.trial, CONTINUE)
            row = Row(event.trial, self._said(event, report), max(0.0, self.seconds - before), decision)
            self.rows.append(row)
            rows.append(row)
        if rows:
            self._last[event.trial] = rows[-1]
        return rows

    def _said(self, event: ev.TrialReported, report: Report) -> dict[str, Any]:
        printed = self._of(event.trial, event.attempt)
        said = None if printed is None else printed.take(report)
        if said is not None:
            return said
        values = {name: from_wire(value) for name, value in report.values.items()}
        return {self.step: int(report.step) if report.step.is_integer() else report.step, **values}

    def _of(self, trial: int, attempt: int) -> Printed | None:
        if self._output is None:
            return None
        kept = self._printed.get(trial)
        if kept is None or kept[0] != attempt:
            kept = self._printed[trial] = (attempt, Printed(self._output(trial, attempt)))
        return kept[1]

    def _decided(self, trial: int, decision: str) -> None:
        self._ending[trial] = decision
        row = self._last.get(trial)
        if row is not None:
            row.decision = decision

    def _stands(self, trial: int, status: str) -> None:
        self.status[trial] = status
        row = self._last.get(trial)
        if row is not None:
            row.status = status

    def last(self, trial: int) -> dict[str, Any]:
        """What the trial reported last; empty where it has not."""
        row = self._last.get(trial)
        return {} if row is None else row.result

    def table(self) -> list[dict[str, Any]]:
        """The rows as results are kept: reported names, then st_decision, st_status, trial_id, config_*,
        st_tuner_time."""
        return [
            {
                **row.result, "st_decision": row.decision, "st_status": row.status, "trial_id": row.trial,
                **{f"config_{name}": value for name, value in self.configs[row.trial].items()},
                "st_tuner_time": row.seconds,
            }
            for row in self.rows
        ]  # fmt: skip
