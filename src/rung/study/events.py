"""The events of a study: past tense, frozen, versioned, and each carries its reason.

*Facts* say what happened, *requests* what somebody wants, *decisions* what was settled. Facts and requests append
without a condition; decisions append after exactly n decisions, and carry `based_on`: the sequence number of the state
they were computed from. `at` is Unix seconds; it is the only way that time reaches a study.

Trial numbers start at 0, attempts at 1. The wire form is JSON with the event's name in the field `event`.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from rung.model import (
    Budget,
    Checkpoint,
    LogError,
    Parameter,
    Reason,
    Report,
    RunSettings,
    Source,
    StudySpec,
    WireNumber,
)

Kind = Literal["fact", "request", "decision"]
How = Literal["exited", "timeout", "killed", "lost", "never", "interrupted", "told"]
Trial = int


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="event"):
    """Something that happened. `v` is the version of this event's shape."""

    kind: ClassVar[Kind]
    at: float
    v: int = 1


# ----------------------------------------------------------------------------------------------------------- facts


class Fact(Event, frozen=True, kw_only=True):
    """Appends without a condition."""

    kind: ClassVar[Kind] = "fact"


class StudyCreated(Fact, frozen=True, kw_only=True, tag=True):
    """The study begins. `uid` is random and marks its jobs; `provenance` says what code and machine it ran on."""

    uid: str
    spec: StudySpec
    seed: int
    deterministic: bool = False
    provenance: dict[str, Any] = {}


class EarlierStudyRead(Fact, frozen=True, kw_only=True, tag=True):
    """Trials of an earlier study to begin with, some of them at a time, before any trial of this one.

    `source` counts the earlier studies from 0; `study` and `uid` name it, `total` is how many complete trials it had.
    Of each trial the `params` that this space knows too, the `losses` in the order of this study's objectives, and by
    how much each of its outcome bounds is broken.
    """

    source: int
    study: str
    uid: str
    total: int
    params: tuple[dict[str, Any], ...]
    losses: tuple[tuple[WireNumber, ...], ...]
    violations: tuple[tuple[WireNumber, ...], ...] = ()


class RunnerAttached(Fact, frozen=True, kw_only=True, tag=True):
    """A runner holds a lease and works on the study. `follows`: it has as many workers as the study, whatever that is
    changed to; `workers` is how many these were."""

    runner: str
    epoch: int
    host: str
    pid: int
    workers: int
    follows: bool = False


class RunnerDetached(Fact, frozen=True, kw_only=True, tag=True):
    """A runner is gone. `why`: done, interrupted, terminated, hangup, or lost (said by the one who took over)."""

    runner: str
    epoch: int
    why: str


class TrialStarted(Fact, frozen=True, kw_only=True, tag=True):
    """The attempt's program runs. `ticks`: process start in clock ticks since boot `boot`."""

    trial: Trial
    attempt: int
    pid: int
    ticks: int
    boot: str
    host: str
    devices: tuple[str, ...] = ()


class TrialReported(Fact, frozen=True, kw_only=True, tag=True):
    """All report lines of one drain. `offsets`: how far each file was read, in bytes; they are the only cursors.
    `checkpoints`: the snapshots that these lines name, and so commit."""

    trial: Trial
    attempt: int
    reports: tuple[Report, ...]
    offsets: dict[str, int]
    channel: str
    notes: tuple[str, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()


class TrialExited(Fact, frozen=True, kw_only=True, tag=True):
    """The attempt is over and nothing of it is left.

    `how`: exited (with `code`), timeout, killed (gone without a status on the host and boot it ran on), lost (its
    machine is gone), never (it had not started), interrupted (the runner was asked to stop), told (asked and told).
    `invalid`: why its program refused the configuration, None when it did not.
    """

    trial: Trial
    attempt: int
    how: How
    code: int | None = None
    tail: str = ""
    invalid: str | None = None


class CheckpointLost(Fact, frozen=True, kw_only=True, tag=True):
    """A checkpoint of trial `owner`, made in this attempt, is not what its report line named, or not there any more.
    `why` is for people."""

    owner: Trial
    attempt: int
    name: str
    why: str


class TimeSpent(Fact, frozen=True, kw_only=True, tag=True):
    """The study's time budget is used up; `seconds` were spent with a runner attached."""

    seconds: float


# -------------------------------------------------------------------------------------------------------- requests


class Request(Event, frozen=True, kw_only=True):
    """What somebody wants. `who` says who and from where, such as `cli:ann@node7`."""

    kind: ClassVar[Kind] = "request"
    who: str = ""


class PauseRequested(Request, frozen=True, kw_only=True, tag=True):
    """No new trials, please."""


class UnpauseRequested(Request, frozen=True, kw_only=True, tag=True):
    """New trials again, please."""


class StopRequested(Request, frozen=True, kw_only=True, tag=True):
    """End the study after the running trials, or `now`."""

    now: bool = False


class TrialStopRequested(Request, frozen=True, kw_only=True, tag=True):
    """End this trial."""

    trial: Trial


class TrialPauseRequested(Request, frozen=True, kw_only=True, tag=True):
    """Hold this trial until somebody lets it go on."""

    trial: Trial


class TrialUnpauseRequested(Request, frozen=True, kw_only=True, tag=True):
    """Let this trial go on, which somebody held."""

    trial: Trial


class RetryRequested(Request, frozen=True, kw_only=True, tag=True):
    """Run this trial again."""

    trial: Trial


class TrialEnqueued(Request, frozen=True, kw_only=True, tag=True):
    """Evaluate this configuration next. Parameters it does not name are the searcher's to choose (their defaults)."""

    params: dict[str, Any]


class TrialTold(Request, frozen=True, kw_only=True, tag=True):
    """These are the trial's values, whatever it reported."""

    trial: Trial
    values: dict[str, WireNumber]


class NotesChanged(Request, frozen=True, kw_only=True, tag=True):
    """What people keep beside a trial, or (None) the study: a text in place of the one there was (None: it stays), tags
    more and less, and whether it is put aside. No search looks at any of it."""

    trial: Trial | None = None
    text: str | None = None
    tagged: tuple[str, ...] = ()
    untagged: tuple[str, ...] = ()
    archived: bool | None = None


class Change(msgspec.Struct, frozen=True):
    """One field of the spec that changed: its path, and both values in the form of the study file."""

    path: str
    old: Any
    new: Any


class SpecChanged(Request, frozen=True, kw_only=True, tag=True):
    """The sections given are these from now on. Of the space only what is searched within it can change: `parameters`
    holds those that differ, each of them whole, in place of the ones of the same name."""

    changes: tuple[Change, ...]
    budget: Budget | None = None
    run: RunSettings | None = None
    parameters: tuple[Parameter, ...] | None = None
    constraints: tuple[str, ...] | None = None


# ------------------------------------------------------------------------------------------------------- decisions


class Decision(Event, frozen=True, kw_only=True):
    """Accepted iff nothing was decided in between. `free`: how many trials the policy was asked for."""

    kind: ClassVar[Kind] = "decision"
    based_on: int
    runner: str
    epoch: int
    free: int = 0


class TrialProposed(Decision, frozen=True, kw_only=True, tag=True):
    """A new trial with these parameters (constants of the spec are not repeated, overridden ones are here), which are
    values of the version of the space that the reason names (the newest, where it names none). `seconds`: what
    computing them took, where a searcher was asked. `ticket`: the scheduler's word to itself on this trial. `source`:
    the checkpoint that it is cloned from."""

    trial: Trial
    params: dict[str, Any]
    reason: Reason
    memo: dict[str, Any] | None = None
    enqueued: int | None = None
    seconds: float | None = None
    ticket: dict[str, Any] | None = None
    source: Source | None = None


class AttemptAssigned(Decision, frozen=True, kw_only=True, tag=True):
    """The runner named may start this attempt; nobody else may. An `asked` one belongs to the process that asked for
    it: it runs no program of ours, and nobody can adopt or restart it. `resource`: how far it may run before it is
    looked at again, None: to its end. `source`: the checkpoint that it begins from."""

    trial: Trial
    attempt: int
    resource: float | None = None
    asked: bool = False
    source: Source | None = None


class AttemptAdopted(Decision, frozen=True, kw_only=True, tag=True):
    """The runner named looks after this attempt from now on."""

    trial: Trial
    attempt: int
    previous: int


class TrialStopped(Decision, frozen=True, kw_only=True, tag=True):
    """The trial is to be ended; when it is gone it counts as pruned (failed without a value), or as `complete` when it
    has had all the resource that there is."""

    trial: Trial
    attempt: int
    reason: Reason
    complete: bool = False


class TrialPaused(Decision, frozen=True, kw_only=True, tag=True):
    """The trial is to be held: when its program is gone it is paused, and may be continued."""

    trial: Trial
    attempt: int
    reason: Reason


class TrialContinued(Decision, frozen=True, kw_only=True, tag=True):
    """The trial may go on up to resource `to` (None: to its end): one whose program runs just goes on, any other waits
    for another attempt."""

    trial: Trial
    attempt: int
    to: float | None
    reason: Reason


class TrialRetried(Decision, frozen=True, kw_only=True, tag=True):
    """The trial waits for another attempt. `counted`: whether this uses up one of its retries."""

    trial: Trial
    attempt: int
    reason: Reason
    counted: bool = False


class TrialCompleted(Decision, frozen=True, kw_only=True, tag=True):
    """The trial is final. `values` are its objectives' values in their order. `invalid`: it failed because its program
    refused the configuration, whatever it had reported."""

    trial: Trial
    attempt: int
    state: Literal["complete", "pruned", "failed"]
    values: tuple[WireNumber, ...] | None = None
    reason: Reason | None = None
    error: str | None = None
    invalid: bool = False


class Dropped(msgspec.Struct, frozen=True, array_like=True):
    """A checkpoint that is kept no longer: its trial, the attempt that made it, its folder."""

    trial: Trial
    attempt: int
    name: str


class CheckpointsDropped(Decision, frozen=True, kw_only=True, tag=True):
    """Nobody needs these checkpoints any more; the runner that says so deletes them."""

    dropped: tuple[Dropped, ...]


class StudyCompleted(Decision, frozen=True, kw_only=True, tag=True):
    """The study is over; a larger budget or a retry opens it again."""

    state: Literal["complete", "failed"]
    reason: Reason


AnyFact = (
    StudyCreated
    | EarlierStudyRead
    | RunnerAttached
    | RunnerDetached
    | TrialStarted
    | TrialReported
    | TrialExited
    | CheckpointLost
    | TimeSpent
)
AnyRequest = (
    PauseRequested
    | UnpauseRequested
    | StopRequested
    | TrialStopRequested
    | TrialPauseRequested
    | TrialUnpauseRequested
    | RetryRequested
    | TrialEnqueued
    | TrialTold
    | NotesChanged
    | SpecChanged
)
AnyDecision = (
    TrialProposed
    | AttemptAssigned
    | AttemptAdopted
    | TrialStopped
    | TrialPaused
    | TrialContinued
    | TrialRetried
    | TrialCompleted
    | CheckpointsDropped
    | StudyCompleted
)
AnyEvent = AnyFact | AnyRequest | AnyDecision

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def encode(event: Event) -> bytes:
    """The event as JSON."""
    return _encoder.encode(event)


def decode(body: bytes, *, seq: int) -> AnyEvent:
    """The event that entry `seq` of a log holds. Raises `LogError` for one this version cannot read."""
    try:
        event = _decoder.decode(body)
    except msgspec.DecodeError as error:
        raise LogError(f"entry {seq} of the log cannot be read ({error}): was it written by a newer Rung?") from error
    if event.v != 1:
        raise LogError(f"entry {seq} is {type(event).__name__} of version {event.v}: upgrade Rung to read it")
    return event
