"""What a state keeps of the few trials that live, of the runners, and of the study as a whole: plain records."""

from __future__ import annotations

import math
from collections.abc import (
    Iterable,  # noqa: TC003 - msgspec resolves annotations at run time
    Mapping,  # noqa: TC003 - msgspec resolves annotations at run time
)

import msgspec

from rung.model import Checkpoint, Objective, Reason, Source
from rung.study import events as ev


class Track(msgspec.Struct):
    """One metric of a live trial, as its reports come in: last, lowest, highest and (by loss) best value."""

    last: float = math.nan
    low: float = math.nan
    high: float = math.nan
    best: float = math.nan

    def add(self, value: float, objective: Objective | None) -> None:
        """The track includes `value`. NaN moves only `last`: it counts as worst."""
        self.last = value
        if value != value:
            return
        self.low = value if not self.low <= value else self.low
        self.high = value if not self.high >= value else self.high
        if objective and not objective.loss(self.best) <= objective.loss(value):
            self.best = value

    def pick(self, how: str) -> float:
        """The value that an objective's `value:` asks for."""
        return {"last": self.last, "best": self.best, "min": self.low, "max": self.high}[how]


def tracked(values: Mapping[str, float], objectives: Mapping[str, Objective]) -> dict[str, Track]:
    """The tracks of a trial that has reported these values, once each."""
    tracks = {name: Track() for name in values}
    for name, track in tracks.items():
        track.add(values[name], objectives.get(name))
    return tracks


class Saved(msgspec.Struct):
    """A committed checkpoint that is still kept, the metrics of the report that named it, and (for the first objective,
    by loss) how good it is: NaN when that report did not say. `place` counts the trial's checkpoints from 1."""

    checkpoint: Checkpoint
    values: dict[str, float] = {}
    loss: float = math.nan
    place: int = 0


class Live(msgspec.Struct):
    """A trial that is not final: who runs it, what it has said so far, how it ended.

    `resource` is how far it may run before it is looked at, `told` what its program was told of that when it started:
    a trial that was allowed more since may end by itself there. `source`: the checkpoint that its attempt began from,
    or is to begin from. `pause`, `stop`: why it is being held or ended.
    """

    number: int
    attempt: int = 0
    runner: str = ""
    epoch: int = 0
    adopted: bool = False
    asked: bool = False
    resource: float | None = None
    told: float | None = None
    source: Source | None = None
    since: int = 1  # checkpoints of earlier attempts are not gone back to
    pid: int = 0
    ticks: int = 0
    boot: str = ""
    host: str = ""
    assigned: float = 0.0
    started: float | None = None
    offsets: dict[str, int] = {}
    channel: str = "none"
    reports: int = 0
    step: float = 0.0
    tracks: dict[str, Track] = {}
    exit: ev.TrialExited | None = None
    stop: Reason | None = None
    completes: bool = False  # its stop leaves it complete, not pruned
    pause: Reason | None = None

    def values(self, objectives: Iterable[Objective]) -> tuple[float, ...] | None:
        """The value for each objective so far; None while any of them was never reported."""
        tracks = [(self.tracks.get(objective.metric), objective.value) for objective in objectives]
        picked = [track.pick(how) for track, how in tracks if track is not None]
        return tuple(picked) if len(picked) == len(tracks) else None


def by_user(reason: Reason | None) -> bool:
    """Whether it is a person's reason: to the schedule a trial that a person holds has never stood still."""
    return reason is not None and reason.by == "user"


class Runner(msgspec.Struct):
    """A runner that said it is attached."""

    runner: str
    epoch: int
    host: str
    pid: int
    workers: int
    since: float
    follows: bool = False  # its workers are as many as the study says


class Note(msgspec.Struct):
    """What people keep beside a trial or a study. `tags` are in the order in which they were given."""

    text: str = ""
    tags: tuple[str, ...] = ()
    archived: bool = False


class Switches(msgspec.Struct):
    """What was asked for and how the study stands as a whole; everything that is not about one trial."""

    paused: bool = False
    stop: str | None = None  # "after" the running trials, or "now"
    time_spent: bool = False
    elapsed: float = 0.0  # seconds with a runner attached
    last_at: float = 0.0
    enqueued: int = 0
    starts_served: int = 0
    failures: int = 0  # trials that failed by themselves, not because somebody stopped them
    refused: set[int] = set()  # trials that failed because their program refused the configuration
    first_outcomes: list[str] = []
    fallbacks: int = 0  # proposals that the searcher failed to make
    best: int = -1  # the complete trial with the least loss of the first objective
    best_loss: float = math.inf
    completed: ev.StudyCompleted | None = None
    reopened: int = 0  # the last event that asked for more; an end decided before it was known does not hold
