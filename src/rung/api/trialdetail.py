"""Everything that is known of one trial, as its page shows it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from rung.analysis.records import record, wired
from rung.analysis.stories import Deed, story
from rung.api.ancestry import Ancestry, ancestry
from rung.api.artifacts import artifact_id
from rung.api.attempts import Attempt, attempts_of
from rung.api.checkpoints import best_of
from rung.api.places import runs_directory
from rung.api.trialcurves import curve_of
from rung.api.usage import Usage, usage_of
from rung.model import Report, TrialState, WireNumber, from_wire, to_wire
from rung.runner.jobs import attempt_directory
from rung.space.errors import SpaceError
from rung.study import events as ev

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rung.api.handle import Handle
    from rung.model import Objective, Parameter, Trial
    from rung.study.live import Saved
    from rung.study.state import State

MOST_DEEDS = 2_000  # of a trial that was paused and continued more often, the last ones


class TrialRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The trial as `rung trials --json` shows it."""

    number: int
    state: TrialState
    params: dict[str, Any]
    value: WireNumber | None
    values: dict[str, WireNumber]
    steps: int
    started: str | None
    ended: str | None
    duration: float | None
    attempt: int
    reason: str | None
    error: str | None


class ParameterBeside(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter of the trial beside the best one's.

    `place`, `best_place`: where the values stand within the range, 0 to 1 on its scale; None where one is inactive or
    has no range. `low`, `high` are the ends of that range, where it has any. `inactive`: the trial does not have it.
    """

    name: str
    type: str
    scale: str
    value: Any
    best: Any
    same: bool
    inactive: bool
    best_inactive: bool
    low: WireNumber | None
    high: WireNumber | None
    choices: list[Any] | None
    place: float | None
    best_place: float | None


class MetricSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A metric over the trial's reports: the last value, the best one by its goal and at which step, and the ends.
    `goal`: how it is judged (None: it is only looked at); `counts`: the value that counts, `kept`: whether a bound is
    kept; `beside`: what the best trial has."""

    name: str
    goal: str | None
    reports: int
    last: WireNumber | None
    best: WireNumber | None
    best_step: float | None
    low: WireNumber | None
    high: WireNumber | None
    counts: WireNumber | None
    kept: bool | None
    beside: WireNumber | None


class CheckpointRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that the trial saved: whether it is still kept, and the id under which it can be downloaded."""

    attempt: int
    name: str
    step: float
    bytes: int
    values: dict[str, WireNumber]
    kept: bool
    best: bool
    latest: bool
    artifact: str | None


class TrialDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One trial, whole. `seq` is where in the log this was true; `of` how many trials there are; `best` is the number
    of the best trial, `ahead` how many are better. `folder` is for people: where its last attempt wrote.
    `clock` is the server's now, in Unix seconds."""

    study: str
    seq: int
    of: int
    clock: float
    record: TrialRecord
    metric: str | None
    goal: str | None
    best: int | None
    best_value: WireNumber | None
    ahead: int | None
    parameters: list[ParameterBeside]
    metrics: list[MetricSummary]
    decisions: list[Deed]
    left_out: int
    attempts: list[Attempt]
    lineage: Ancestry
    checkpoints: list[CheckpointRecord]
    usage: Usage
    resource: str
    folder: str | None
    runs_programs: bool
    notes: str
    tags: list[str]
    archived: bool


def trial_detail(handle: Handle, number: int, *, clock: float) -> TrialDetail:
    """The trial. Raises `BadInput` where there is none of that number."""
    trial, state = handle.trial(number), handle.state
    numbered = [(seq, event) for seq, event in handle.story(number) if seq <= state.seq]
    events = [event for _, event in numbered]
    best = _best(handle)
    attempts = attempts_of(events)
    deeds = list(story(numbered, begun=state.created.at, whole=False))
    objective = state.spec.objectives[0] if len(state.spec.objectives) == 1 else None
    note = state.notes.get(number)
    return TrialDetail(
        study=handle.name,
        seq=state.seq,
        of=len(state),
        clock=clock,
        record=msgspec.convert(record(state, trial), TrialRecord),
        metric=None if objective is None else objective.metric,
        goal=None if objective is None else goal_text(objective),
        best=None if best is None else best.number,
        best_value=None if best is None else wired(best.value),
        ahead=None if objective is None else _ahead(state, trial, objective),
        parameters=beside(state, trial, best),
        metrics=metric_summaries(state, trial, best, curve_of(events)),
        decisions=deeds[-MOST_DEEDS:],
        left_out=max(0, len(deeds) - MOST_DEEDS),
        attempts=attempts,
        lineage=ancestry(handle, number, numbered),
        checkpoints=checkpoints_of(handle, number, events),
        usage=usage_of(state, number, attempts),
        resource=state.spec.schedule.resource or "step",
        folder=_directory(handle, trial),
        runs_programs=state.spec.runs_something,
        notes="" if note is None else note.text,
        tags=[] if note is None else list(note.tags),
        archived=note is not None and note.archived,
    )


def goal_text(objective: Objective) -> str:
    """`minimize`, `maximize`, `approach 0.95`."""
    return objective.goal if isinstance(objective.goal, str) else f"approach {objective.goal:g}"


def _best(handle: Handle) -> Trial | None:
    """The trial to compare with. With several objectives none is the best."""
    if len(handle.state.spec.objectives) != 1:
        return None
    found = handle.best(top=1)
    return found[0] if found else None


def _ahead(state: State, trial: Trial, objective: Objective) -> int | None:
    """How many trials that are over have a better value; None where this one has none."""
    if trial.value is None:
        return None
    values = state.table["values"][:, 0]
    values = values[np.isfinite(values)]
    if objective.goal == "minimize":
        losses = values
    else:
        losses = -values if objective.goal == "maximize" else np.abs(values - float(objective.goal))
    return int(np.count_nonzero(losses < objective.loss(trial.value)))


def _directory(handle: Handle, trial: Trial) -> str | None:
    if not trial.attempt or not handle.state.spec.runs_something:
        return None
    return str(attempt_directory(runs_directory(handle), handle.name, trial=trial.number, attempt=trial.attempt))


# ------------------------------------------------------------------------------------------------------- parameters


def beside(state: State, trial: Trial, best: Trial | None) -> list[ParameterBeside]:
    """Each parameter of the study, in its order, as the trial and the best one have it."""
    mine = _places(state, trial.number)
    others = {} if best is None else _places(state, best.number)
    return [_beside(p, trial, best, mine.get(p.name), others.get(p.name)) for p in state.spec.parameters]


def _beside(
    parameter: Parameter, trial: Trial, best: Trial | None, place: float | None, best_place: float | None
) -> ParameterBeside:
    name, other = parameter.name, {} if best is None else best.params
    return ParameterBeside(
        name=name,
        type=parameter.type,
        scale=parameter.scale,
        value=wired(trial.params.get(name)),
        best=wired(other.get(name)),
        same=best is not None and _equal(trial.params, other, name),
        inactive=name not in trial.params,
        best_inactive=best is not None and name not in other,
        low=None if parameter.min is None else to_wire(float(parameter.min)),
        high=None if parameter.max is None else to_wire(float(parameter.max)),
        choices=None if parameter.values is None else wired(list(parameter.values)),
        place=place,
        best_place=best_place,
    )


def _equal(one: dict[str, Any], other: dict[str, Any], name: str) -> bool:
    if name not in one or name not in other:
        return name not in one and name not in other
    return type(one[name]) is type(other[name]) and bool(one[name] == other[name])


def _places(state: State, number: int) -> dict[str, float]:
    """Where the searched parameters of a trial stand, 0 to 1; of an older version of the space, in the newest."""
    try:
        units = state.space.encode([state.params(number)])[0]
    except (SpaceError, ValueError):  # a value that the space of today does not have
        return {}
    return {name: round(float(unit), 6) for name, unit in zip(state.space.names, units, strict=True) if unit == unit}


# ---------------------------------------------------------------------------------------------------------- metrics


def metric_summaries(state: State, trial: Trial, best: Trial | None, reports: Sequence[Report]) -> list[MetricSummary]:
    """Each metric that the trial or its study knows: objectives, outcomes, then what else was reported."""
    spec = state.spec
    names = [o.metric for o in spec.objectives] + [o.metric for o in spec.outcomes]
    names += list(trial.values) + [name for report in reports for name in report.values]
    objectives = {o.metric: o for o in spec.objectives}
    return [_summary(state, name, objectives.get(name), trial, best, reports) for name in dict.fromkeys(names)]


def _summary(
    state: State, name: str, objective: Objective | None, trial: Trial, best: Trial | None, reports: Sequence[Report]
) -> MetricSummary:
    having = [(report.step, from_wire(report.values[name])) for report in reports if name in report.values]
    finite = [(step, value) for step, value in having if math.isfinite(value)]
    chosen = min(finite, key=lambda at: objective.loss(at[1]), default=None) if objective is not None else None
    bounds = [outcome for outcome in state.spec.outcomes if outcome.metric == name]
    counts = trial.values.get(name)
    return MetricSummary(
        name=name,
        goal=goal_text(objective) if objective is not None else None,
        reports=len(having),
        last=to_wire(having[-1][1]) if having else None,
        best=None if chosen is None else chosen[1],
        best_step=None if chosen is None else chosen[0],
        low=min((value for _, value in finite), default=None),
        high=max((value for _, value in finite), default=None),
        counts=None if counts is None else to_wire(counts),
        kept=all(outcome.violation(counts) == 0 for outcome in bounds) if bounds and counts is not None else None,
        beside=None if best is None or name not in best.values else to_wire(best.values[name]),
    )


# ------------------------------------------------------------------------------------------------------ checkpoints


def checkpoints_of(handle: Handle, number: int, events: Iterable[ev.AnyEvent]) -> list[CheckpointRecord]:
    """The checkpoints that the trial ever saved, oldest first."""
    saved = handle.state.shelf.saved.get(number, [])
    kept = {(one.checkpoint.attempt, one.checkpoint.name): one for one in saved}
    best = best_of(saved) if saved else None
    made = {
        (checkpoint.attempt, checkpoint.name): (checkpoint, event)
        for event in events
        if isinstance(event, ev.TrialReported)
        for checkpoint in event.checkpoints
    }
    found: list[CheckpointRecord] = []
    for key, (checkpoint, event) in made.items():
        values = next((report.values for report in event.reports if report.step == checkpoint.step), {})
        one: Saved | None = kept.get(key)
        found.append(
            CheckpointRecord(
                attempt=checkpoint.attempt, name=checkpoint.name, step=checkpoint.step, bytes=checkpoint.bytes,
                values=values, kept=one is not None, best=one is not None and one is best,
                latest=bool(saved) and one is saved[-1],
                artifact=None if one is None else artifact_id(handle, number, checkpoint.attempt, checkpoint.name),
            )
        )  # fmt: skip
    return found


__all__ = ["TrialDetail", "TrialRecord", "beside", "checkpoints_of", "metric_summaries", "trial_detail"]
