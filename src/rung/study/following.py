"""What schedulers are shown of the log: trials that begin, increasing steps, holds and ends.

A program that was restarted reports steps again that its trial has had; one that counts wrongly reports a step twice or
goes back. All of these are kept in the log, and shown to nobody who compares trials at a step.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING

import msgspec

from rung.model import from_wire
from rung.schedule import base as schedule
from rung.search.base import Result
from rung.study import events as ev
from rung.study.fidelity import Reached
from rung.study.live import Track, by_user
from rung.study.transitions import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.model import Report, StudySpec
    from rung.study.state import State


class Course(msgspec.Struct):
    """One trial's reports so far: its highest step, each objective's track, outcomes as last reported, and how long it
    ran (`before`: in the attempts before this one)."""

    tracks: list[Track | None]
    violations: list[float]
    step: float = -math.inf
    before: float = 0.0
    seconds: float = 0.0


class Following:
    """The deltas that each event means to a scheduler, in the order of the log."""

    def __init__(self, spec: StudySpec, levels: Sequence[float]) -> None:
        """`levels`: the rungs at which results can be compared, ascending."""
        self.objectives, self.outcomes, self.levels = spec.objectives, spec.outcomes, levels
        self.courses: dict[int, Course] = {}

    def digest(self, state: State, event: ev.AnyEvent) -> Iterator[schedule.Delta | Reached]:
        """What the event, which `state` has applied, means to the scheduler; and which rungs a trial has come to."""
        if isinstance(event, ev.TrialReported):
            yield from self._progress(state, event)
        elif isinstance(event, ev.TrialProposed):
            step = event.source.checkpoint.step if event.source is not None else 0.0
            yield schedule.Begun(event.trial, event.params, event.reason.parent, step, event.ticket)
        elif isinstance(event, ev.AttemptAssigned):
            course = self._course(event.trial)
            course.before = course.seconds
            if event.source is not None and event.attempt == 1:
                course.step = event.source.checkpoint.step
        elif isinstance(event, ev.TrialPaused | ev.TrialExited):
            if state.phase(event.trial) is Phase.PAUSED and not by_user(state.live[event.trial].pause):
                yield schedule.Held(event.trial)
        elif isinstance(event, ev.TrialContinued):
            if not by_user(event.reason):
                yield schedule.Resumed(event.trial, event.to)
        elif isinstance(event, ev.TrialCompleted):
            self.courses.pop(event.trial, None)
            yield schedule.Ended(event.trial, state.losses(event.trial), event.invalid)
        elif isinstance(event, ev.TrialTold) and state.is_final(event.trial):
            yield schedule.Ended(event.trial, state.losses(event.trial))

    def _course(self, trial: int) -> Course:
        course = self.courses.get(trial)
        if course is None:
            course = self.courses[trial] = Course([None] * len(self.objectives), [0.0] * len(self.outcomes))
        return course

    def _progress(self, state: State, event: ev.TrialReported) -> Iterator[schedule.Progress | Reached]:
        course, live = self._course(event.trial), state.live[event.trial]
        begun = live.assigned if live.started is None else live.started
        for report in event.reports:
            losses = self._heard(course, report)
            course.seconds = max(course.seconds, course.before + report.time - begun)
            if report.step > course.step:
                passed = bisect_right(self.levels, course.step), bisect_right(self.levels, report.step)
                course.step = report.step
                so_far = tuple(
                    None if track is None else objective.loss(track.pick(objective.value))
                    for track, objective in zip(course.tracks, self.objectives, strict=True)
                )
                broken = sum(course.violations)
                yield schedule.Progress(event.trial, report.step, losses, so_far, broken, course.seconds)
                known = tuple(loss for loss in so_far if loss is not None)
                if passed[1] > passed[0] and len(known) == len(so_far):
                    result = Result(event.trial, known, tuple(course.violations), live.reports, course.seconds)
                    yield Reached(passed[1] - 1, result)

    def _heard(self, course: Course, report: Report) -> tuple[float | None, ...]:
        losses: list[float | None] = []
        for i, objective in enumerate(self.objectives):
            wire = report.values.get(objective.metric)
            if wire is None:
                losses.append(None)
                continue
            track = course.tracks[i] = course.tracks[i] or Track()
            track.add(from_wire(wire), objective)
            losses.append(objective.loss(from_wire(wire)))
        for i, outcome in enumerate(self.outcomes):
            if outcome.metric in report.values:
                course.violations[i] = outcome.violation(from_wire(report.values[outcome.metric]))
        return tuple(losses)
