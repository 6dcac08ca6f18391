"""All that is known of a study beside its trials, as its page shows it."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

import msgspec

from rung.analysis.records import wired
from rung.api.describing import (
    AttachedRunner,
    ChangeRecord,
    EarlierStudy,
    changed_code,
    described,
    light,
    schedule_text,
    search_text,
)
from rung.api.removal import study_folder
from rung.api.runners import resumable
from rung.model import Budget, Objective, Outcome, Parameter, StudyState, TrialState, WireNumber
from rung.study.live import Note

if TYPE_CHECKING:
    from rung.api.handle import Handle

MOST_VALUES = 1_000  # of a parameter, that are sent


class ParameterInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter as it is searched now, in its own unit. `values`: those of a choice; `default`: null without one."""

    name: str
    type: str
    min: float | int | None
    max: float | int | None
    scale: str
    step: float | int | None
    count: int | None
    values: list[Any] | None
    default: Any
    when: str | None
    times: str | None
    value: Any


class Winner(msgspec.Struct, frozen=True, kw_only=True):
    """One of the best trials, as `rung trials --json` has it; `estimate`: what is known of its configuration's mean."""

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
    estimate: dict[str, Any] | None


class StudyDetail(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a study beside its trials: what `rung show --json` has, and what a page needs to draw it.

    `winners`: the best trial, or the Pareto set of several objectives. `search`, `schedule`: what they do, in a line
    each. `code_changed`: what is not as it was when the study began, a line each. `paused`, `stopping`: what was asked
    of it. `runs`: whether a runner may work on it, or only the program that made it. `trial_notes`: the trials that
    something is kept beside.
    """

    name: str
    state: StudyState
    trials: int
    counts: dict[str, int]
    seq: int
    seed: int
    reason: str | None
    created: str | None
    elapsed: float
    deterministic: bool
    spec: dict[str, Any]
    objectives: list[Objective]
    outcomes: list[Outcome]
    parameters: list[ParameterInfo]
    constraints: list[str]
    space_version: int
    budget: Budget
    workers: int
    search: str
    schedule: str
    winners: list[Winner]
    changes: list[ChangeRecord]
    earlier: list[EarlierStudy]
    code: dict[str, Any]
    code_changed: list[str]
    runners: list[AttachedRunner]
    paused: bool
    stopping: str | None
    held: list[int]
    queue: list[dict[str, Any]]
    runs: bool
    resumable: bool
    folder: str | None
    store: str
    note: str
    tags: list[str]
    archived: bool
    trial_notes: dict[int, Note]


def detail(handle: Handle, *, full: bool = False) -> StudyDetail:
    """The study as it is now."""
    state, known = handle.state, described(handle)
    spec, switches = state.spec, state.switches
    folder = study_folder(handle)
    return StudyDetail(
        **{name: getattr(known, name) for name in _AS_DESCRIBED},
        winners=[msgspec.convert(winner, Winner) for winner in known.winners],
        trials=len(state),
        seq=state.seq,
        objectives=list(spec.objectives),
        outcomes=list(spec.outcomes),
        parameters=[parameter_info(parameter) for parameter in spec.parameters],
        constraints=list(spec.constraints),
        space_version=len(state.spaces),
        budget=spec.budget,
        workers=spec.run.workers,
        search=search_text(state),
        schedule=schedule_text(state),
        code=known.code if full else light(known.code),
        code_changed=changed_code(state.created),
        paused=switches.paused,
        stopping=switches.stop,
        held=sorted(state.held),
        queue=[wired(params) for _, params in sorted(state.queue.items())],
        runs=spec.runs_something,
        resumable=resumable(handle, known.state),
        folder=None if folder is None else str(folder),
        trial_notes={number: copy(note) for number, note in state.notes.items() if number is not None},
    )


_AS_DESCRIBED = (
    "name", "state", "counts", "seed", "reason", "created", "elapsed", "deterministic", "spec", "changes", "earlier",
     "runners", "store", "note", "tags", "archived",
)  # fmt: skip


def parameter_info(parameter: Parameter) -> ParameterInfo:
    """The parameter as a page needs it."""
    values = None if parameter.values is None else wired(list(parameter.values[:MOST_VALUES]))
    given = parameter.default is not msgspec.UNSET
    return ParameterInfo(
        name=parameter.name, type=parameter.type, min=parameter.min, max=parameter.max, scale=parameter.scale,
        step=parameter.step, count=parameter.count, values=values, default=wired(parameter.default) if given else None,
        when=parameter.when, times=parameter.times, value=wired(parameter.value),
    )  # fmt: skip
