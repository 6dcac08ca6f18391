"""What a study had found, and what it had spent, at each moment of its log.

A *point* is a moment at which a trial said how good it is: the losses of its objectives, and where that is on each
axis. On three of them the study stands where it stood when the report came in:

* `time`: seconds in which a runner was attached;
* `cost`: money, by the metric `cost` where trials report it (the last of each attempt, in sum), else by `run.price`;
* `resource`: steps trained in all attempts of all trials, those that had to be repeated too.

On the axis `trials` a point is where its trial was over: it was the first, second, ... that had a value.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from rung.model import Objective, Outcome, from_wire
from rung.study import events as ev

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from rung.model import Report, StudySpec

    Floats = npt.NDArray[np.float64]

Axis = Literal["time", "cost", "trials", "resource"]
AXES: tuple[Axis, ...] = ("time", "cost", "trials", "resource")
COST = "cost"  # the metric that trials may report
TIME_UNITS = (("days", 86_400.0), ("hours", 3_600.0), ("minutes", 60.0), ("seconds", 1.0))


class Points(msgspec.Struct, frozen=True):
    """A study's points (k) in the order of its log: `losses` (k, objectives), and where they are on each axis (k,).
    `spent`: where the study stands on each axis at the end of the log. `costed`: whether its cost is known."""

    losses: Floats
    places: dict[Axis, Floats]
    spent: dict[Axis, float]
    costed: bool


class _Trial(msgspec.Struct):
    """What is known of one trial so far. `mark`: how far its attempt has come; `cost`: what it said it has cost."""

    seen: dict[str, float] = {}
    mark: float = 0.0
    cost: float = 0.0
    running: bool = False
    state: str = ""
    place: int = 0


class _Reader:
    """The fold that finds the points."""

    def __init__(self, spec: StudySpec, *, final: bool) -> None:
        self.objectives: tuple[Objective, ...] = spec.objectives
        self.outcomes: tuple[Outcome, ...] = spec.outcomes
        self.names = {o.metric for o in spec.objectives} | {o.metric for o in spec.outcomes}
        self.price_s = (spec.run.price or 0.0) / 3600
        self.priced, self.reported = spec.run.price is not None, False
        self.final = final
        self.trials: dict[int, _Trial] = {}
        self.attached: set[int] = set()
        self.last: float | None = None
        self.elapsed = self.paid = self.said = self.resource = 0.0
        self.evaluated = self.running = 0
        self.found: list[tuple[int, tuple[float, ...], float, float, float, float]] = []

    def add(self, event: ev.AnyEvent) -> None:
        """The event counts, and may give points."""
        self._pass_time(event)
        if isinstance(event, ev.TrialProposed):
            self.trials[event.trial] = _Trial()
        elif isinstance(event, ev.AttemptAssigned):
            trial = self.trials[event.trial]
            trial.mark = event.source.checkpoint.step if event.source is not None else 0.0
            trial.cost = 0.0
        elif isinstance(event, ev.TrialStarted):
            self._run(event.trial, True)
        elif isinstance(event, ev.TrialExited):
            self._run(event.trial, False)
        elif isinstance(event, ev.TrialReported):
            for report in event.reports:
                self._report(event.trial, report)
        elif isinstance(event, ev.TrialTold) and event.trial in self.trials:
            self._tell(event.trial, {name: from_wire(wire) for name, wire in event.values.items()})
        elif isinstance(event, ev.TrialCompleted):
            self._complete(event)

    def _pass_time(self, event: ev.AnyEvent) -> None:
        """As `State` counts it: the gap before a runner attaches, and what others ask for, take no time."""
        if isinstance(event, ev.Request):
            return
        if self.last is not None and self.attached and not isinstance(event, ev.RunnerAttached):
            passed = max(0.0, event.at - self.last)
            self.elapsed += passed
            self.paid += passed * self.running * self.price_s
        self.last = event.at
        if isinstance(event, ev.RunnerAttached):
            self.attached.add(event.epoch)
        elif isinstance(event, ev.RunnerDetached):
            self.attached.discard(event.epoch)

    def _run(self, number: int, running: bool) -> None:
        trial = self.trials[number]
        self.running += int(running) - int(trial.running)
        trial.running = running

    def _report(self, number: int, report: Report) -> None:
        trial = self.trials[number]
        self.resource += max(0.0, report.step - trial.mark)
        trial.mark = max(trial.mark, report.step)
        values = {name: from_wire(wire) for name, wire in report.values.items()}
        cost = values.get(COST, math.nan)
        if math.isfinite(cost):
            self.reported = True
            self.said += max(0.0, cost - trial.cost)
            trial.cost = max(trial.cost, cost)
        said = values.keys() & self.names
        trial.seen.update({name: values[name] for name in said})
        if said and not self.final:
            self._point(number)

    def _tell(self, number: int, values: dict[str, float]) -> None:
        trial = self.trials[number]
        trial.seen.update(values)
        if trial.state:
            self._point(number)

    def _complete(self, event: ev.TrialCompleted) -> None:
        trial = self.trials[event.trial]
        self._run(event.trial, False)
        trial.state = event.state
        if event.state == "failed":
            return
        if not trial.place:  # one that a user had tried again is the trial that it was
            self.evaluated += 1
            trial.place = self.evaluated
        if event.values is not None:
            values = map(from_wire, event.values)
            trial.seen.update({o.metric: value for o, value in zip(self.objectives, values, strict=True)})
            self._point(event.trial)

    def _point(self, number: int) -> None:
        """The trial is as good as its last metrics say, if it has all and they keep every outcome."""
        seen = self.trials[number].seen
        if not all(o.metric in seen for o in self.objectives):
            return
        if any(outcome.violation(seen.get(outcome.metric)) > 0 for outcome in self.outcomes):
            return
        losses = tuple(o.loss(seen[o.metric]) for o in self.objectives)
        self.found.append((number, losses, self.elapsed, self.paid, self.said, self.resource))

    def points(self) -> Points:
        """Those of the trials that did not fail."""
        kept = [row for row in self.found if self.trials[row[0]].state != "failed"]
        columns = np.array([row[2:] for row in kept]).reshape(-1, 4).T
        ended = [self.trials[number].place for number, *_ in kept]
        places: dict[Axis, Floats] = {
            "time": columns[0],
            "cost": columns[2] if self.reported else columns[1],
            "trials": np.array([float(place) if place else math.inf for place in ended]),
            "resource": columns[3],
        }
        spent: dict[Axis, float] = {
            "time": self.elapsed, "cost": self.said if self.reported else self.paid,
            "trials": float(self.evaluated), "resource": self.resource,
        }  # fmt: skip
        losses = np.array([row[1] for row in kept]).reshape(-1, len(self.objectives))
        return Points(losses, places, spent, self.reported or self.priced)


def points_of(events: Iterable[ev.AnyEvent], spec: StudySpec, *, final: bool = False) -> Points:
    """The points that the events of a log hold. Each report is one, and each trial's end; with `final` only the ends:
    then a trial is as good as its `value:` says, and early stopping is judged by what it leaves standing.

    A point has values of all objectives and keeps every outcome, by the last metrics of its trial."""
    reader = _Reader(spec, final=final)
    for event in events:
        reader.add(event)
    return reader.points()


def time_unit(seconds: float) -> tuple[str, float]:
    """The unit in which so many seconds are a number of two digits or so, and how many seconds it has."""
    return next(((name, size) for name, size in TIME_UNITS if seconds >= 2 * size), TIME_UNITS[-1])


def resource_name(spec: StudySpec) -> str:
    """What trials are trained in, in the plural: `epochs`, `batches`; `steps` where the study does not say."""
    return plural(spec.schedule.resource or "step")


def plural(word: str) -> str:
    """The plural of an English noun, as far as regular; `epochs` is not."""
    if word.endswith("s"):
        return word
    if word.endswith("epoch"):
        return f"{word}s"
    if word.endswith(("ch", "sh", "x", "z")):
        return f"{word}es"
    return f"{word[:-1]}ies" if word.endswith("y") and word[-2:-1] not in set("aeiou") else f"{word}s"
