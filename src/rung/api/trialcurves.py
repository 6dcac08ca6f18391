"""All metrics of one trial over its steps and its time, thinned to what can be drawn, with the marks of its rungs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from rung.analysis.records import iso
from rung.model import BadInput, WireNumber, from_wire, to_wire
from rung.study import events as ev

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from rung.api.handle import Handle
    from rung.model import Report

    Floats = npt.NDArray[np.float64]

MOST_MARKS = 5_000
USUAL_MARKS = 2_000


class MetricCurve(msgspec.Struct, frozen=True, kw_only=True):
    """One metric: its values, and where they are in steps and in seconds since the trial began. `of`: how many reports
    had it; where they are more than can be drawn the lowest and the highest of each stretch are kept."""

    name: str
    steps: list[float]
    seconds: list[float]
    values: list[WireNumber]
    of: int


class RungMark(msgspec.Struct, frozen=True, kw_only=True):
    """A rung at which it was decided about the trial: where it is, the value there, and the one that was needed."""

    resource: float
    rung: int | None
    bracket: int | None
    value: WireNumber | None
    threshold: WireNumber | None
    passed: bool
    why: str


class TrialCurve(msgspec.Struct, frozen=True, kw_only=True):
    """A trial's curves. `resource` is what its steps count; `shown` of `of` values are given."""

    trial: int
    started: str | None
    resource: str
    metrics: list[MetricCurve]
    rungs: list[RungMark]
    shown: int
    of: int


def curve_of(events: Iterable[ev.AnyEvent]) -> list[Report]:
    """The curve that a trial's events hold: that of its last attempt, and what led to the checkpoint it began from."""
    curve: list[Report] = []
    for event in events:
        if isinstance(event, ev.AttemptAssigned):
            begun = -math.inf if event.source is None else event.source.checkpoint.step
            curve = [report for report in curve if report.step <= begun]
        elif isinstance(event, ev.TrialReported):
            curve += event.reports
    return curve


def trial_curve(handle: Handle, number: int, *, marks: int = USUAL_MARKS) -> TrialCurve:
    """The curves of a trial, with at most `marks` values in all. Raises `BadInput`."""
    if not 2 <= marks <= MOST_MARKS:
        raise BadInput(f"expected 2 to {MOST_MARKS}, got {marks}", key="marks")
    trial = handle.trial(number)
    events = [event for _, event in handle.story(number)]
    reports = curve_of(events)
    begun = trial.started if trial.started is not None else reports[0].time if reports else 0.0
    names = _in_order(handle, reports)
    share = max(2, marks // max(1, len(names)))
    metrics = [_metric(name, reports, begun, share) for name in names]
    return TrialCurve(
        trial=number,
        started=iso(trial.started),
        resource=handle.state.spec.schedule.resource or "step",
        metrics=metrics,
        rungs=rung_marks(events),
        shown=sum(len(metric.steps) for metric in metrics),
        of=sum(metric.of for metric in metrics),
    )


def _in_order(handle: Handle, reports: Sequence[Report]) -> list[str]:
    """The metrics reported: objectives and outcomes first, then as they came."""
    spec = handle.state.spec
    reported = dict.fromkeys(name for report in reports for name in report.values)
    declared = [o.metric for o in spec.objectives] + [o.metric for o in spec.outcomes]
    return [name for name in dict.fromkeys([*declared, *reported]) if name in reported]


def _metric(name: str, reports: Sequence[Report], begun: float, most: int) -> MetricCurve:
    having = [report for report in reports if name in report.values]
    values = np.array([from_wire(report.values[name]) for report in having])
    kept = thinned(values, most)
    return MetricCurve(
        name=name,
        steps=[having[i].step for i in kept],
        seconds=[round(max(0.0, having[i].time - begun), 3) for i in kept],
        values=[to_wire(float(values[i])) for i in kept],
        of=len(having),
    )


def thinned(values: Floats, most: int) -> list[int]:
    """Places of at most `most` of the values, ascending: first and last, and of each stretch between the lowest and the
    highest, so that no peak is lost."""
    if len(values) <= most:
        return list(range(len(values)))
    keep = {0, len(values) - 1}
    stretches = max(1, (most - 2) // 2)
    for part in np.array_split(np.arange(1, len(values) - 1), stretches) if most > 3 else ():
        finite = part[np.isfinite(values[part])]
        there = finite if len(finite) else part
        if len(there):
            keep.add(int(there[np.argmin(values[there])]))
            keep.add(int(there[np.argmax(values[there])]))
    return sorted(keep)


def rung_marks(events: Iterable[ev.AnyEvent]) -> list[RungMark]:
    """What was decided about the trial at its rungs, in order."""
    found: list[RungMark] = []
    for event in events:
        if isinstance(event, ev.TrialStopped | ev.TrialPaused | ev.TrialContinued):
            data = event.reason.data
            at = data.get("resource")
            if isinstance(at, int | float) and not isinstance(at, bool) and ("rung" in data or "threshold" in data):
                passed = isinstance(event, ev.TrialContinued)
                found.append(_mark(data, float(at), passed=passed, why=event.reason.text))
    return found


def _mark(data: dict[str, Any], at: float, *, passed: bool, why: str) -> RungMark:
    return RungMark(
        resource=at, rung=_count(data.get("rung")), bracket=_count(data.get("bracket")),
        value=_wire(data.get("value")), threshold=_wire(data.get("threshold")), passed=passed, why=why,
    )  # fmt: skip


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _wire(value: Any) -> WireNumber | None:
    """The number that a reason's data holds, which a plug-in may have written in any form."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return to_wire(float(value))
    except (ValueError, OverflowError):
        return None
