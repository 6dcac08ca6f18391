"""The state of a study: what folding its log gives, and nothing else.

`apply` is the only door. Everything about trials that are over stands in columns (raw numbers, one row a trial);
only the few that live have an object of their own (`Live`). The work for an event does not depend on how many trials
there are. Whole curves are not kept: they are in the log (`TrialReported`), read on demand.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from rung.model import LogError, Source, StudySpec, Trial, from_wire
from rung.space import Space, SpaceError
from rung.study import endings, requests
from rung.study import events as ev
from rung.study.checkpoints import Shelf, refile, saved_by
from rung.study.columns import Columns
from rung.study.guard import failure_of
from rung.study.live import Live, Note, Runner, Switches, Track, tracked
from rung.study.reading import Results, records
from rung.study.spaces import Spaces
from rung.study.transitions import FINAL, LIVE, PUBLIC, Phase, after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

CHUNK = 2_000  # trials decoded at once
METRICS_KEPT = 256  # further metric names that the spec does not declare stay in the log only


class State:
    """The fold. Make it with `State.begin`, feed it with `apply`."""

    def __init__(self, created: ev.StudyCreated, *, seq: int) -> None:
        self.created = created
        self.spec: StudySpec = created.spec
        self.spaces = Spaces(created.spec)
        self.seq = seq
        self.decisions = 0
        self.table = Columns(
            phase=("u1", 0, 0),
            attempt=("u2", 0, 0),
            retries=("u2", 0, 0),
            started=("f8", 0, np.nan),
            ended=("f8", 0, np.nan),
            ran=("f8", 0, 0.0),
            steps=("i4", 0, 0),
            space=("u4", 0, 1),
            proposal_s=("f8", 0, np.nan),
            params=("f8", len(self.space.names) or 1, np.nan),
            values=("f8", len(self.spec.objectives) or 1, np.nan),
        )
        # What searchers have seen, in order: a trial's number when it was proposed, ~number when it had a result.
        self.history = Columns(delta=("i4", 0, 0))
        self.superseded: dict[int, list[Any]] = {}  # place in `history` -> a result that a retry has replaced
        self.memos: dict[int, dict[str, Any]] = {}
        self.live: dict[int, Live] = {}
        self.due: dict[Phase, set[int]] = {Phase.WAITING: set(), Phase.ENDED: set()}  # wait for a decision
        self.active: set[int] = set()  # all of them but the paused, which may be many
        self.tweaked: dict[int, dict[str, Any]] = {}
        self.reasons: dict[int, str] = {}
        self.errors: dict[int, str] = {}
        self.queue: dict[int, dict[str, Any]] = {}
        self.trial_stops: set[int] = set()
        self.retries_wanted: set[int] = set()
        self.held: set[int] = set()  # live trials that a user holds
        self.released: set[int] = set()  # paused ones that a user lets go on
        self.runners: dict[int, Runner] = {}
        self.changes: list[ev.SpecChanged | ev.TrialTold] = []
        self.earlier: list[ev.EarlierStudyRead] = []
        self.notes: dict[int | None, Note] = {}  # by trial; None: the study's own
        self.switches = Switches(last_at=created.at)
        self.shelf = Shelf()
        self.tally = endings.Tally()
        self.busy: Counter[int] = Counter()  # epoch of a runner -> its attempts that have not ended
        self.phases = np.zeros(len(Phase), np.int64)
        self.objectives = {o.metric: o for o in self.spec.objectives}
        self._declared = {*self.objectives, *(o.metric for o in self.spec.outcomes)}

    @classmethod
    def begin(cls, event: ev.AnyEvent, *, seq: int) -> State:
        """The state after a log's first event. Raises `LogError` when that is not `StudyCreated`."""
        if not isinstance(event, ev.StudyCreated):
            raise LogError(f"a study's log begins with StudyCreated, not with {type(event).__name__}")
        return cls(event, seq=seq)

    # ------------------------------------------------------------------------------------------ read protocol

    @property
    def space(self) -> Space:
        """What is searched now: the newest version of the space."""
        return self.spaces.versions[-1]

    @property
    def seed(self) -> int:
        """The study's seed."""
        return self.created.seed

    @property
    def counts(self) -> dict[str, int]:
        """Trials by public state."""
        counts = dict.fromkeys(("waiting", "running", "paused", "complete", "pruned", "failed"), 0)
        for phase, name in PUBLIC.items():
            counts[name] += int(self.phases[phase])
        return counts

    def __len__(self) -> int:
        return len(self.table)

    def phase(self, number: int) -> Phase:
        """Where a trial stands."""
        return _PHASES[int(self.table["phase"][number])]

    def running(self) -> Sequence[int]:
        """Numbers of the trials that are not final, ascending."""
        return sorted(self.live)

    def params(self, number: int) -> dict[str, Any]:
        """A trial's own parameters: what was searched, and constants where they were overridden."""
        return self.params_of(range(number, number + 1))[0]

    def params_of(self, numbers: range | list[int]) -> list[dict[str, Any]]:
        """The own parameters of several trials at once, each as it was proposed: decoding rows together is much cheaper
        than one by one."""
        some = slice(numbers.start, numbers.stop) if isinstance(numbers, range) else numbers
        found = self.spaces.from_rows(self.table["params"][some, : len(self.space.names)], self.table["space"][some])
        for own, number in zip(found, numbers, strict=True) if self.tweaked else ():
            own.update(self.tweaked.get(number, {}))
        return found

    def trial(self, number: int) -> Trial:
        """The record of one trial, its constants included."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        return next(records(self, range(number, number + 1)))

    def trials(self) -> Iterator[Trial]:
        """All trials, by number."""
        for begin in range(0, len(self), CHUNK):
            yield from records(self, range(begin, min(begin + CHUNK, len(self))))

    def has_value(self, number: int) -> bool:
        """Whether the trial's first objective has a value."""
        name = "has:" + self.spec.objectives[0].metric
        return name in self.table and bool(self.table[name][number])

    # -------------------------------------------------------------------------------------------------- fold

    def apply(self, seq: int, event: ev.AnyEvent) -> None:
        """The event is part of the state. Raises `LogError` when it does not fit; then nothing has changed."""
        if seq != self.seq + 1:
            raise LogError(f"event {seq} does not follow event {self.seq}")
        if isinstance(event, ev.StudyCreated):
            raise LogError(f"event {seq} creates the study again")
        phase = None
        trial = getattr(event, "trial", None)
        if trial is not None and not isinstance(event, ev.Request):
            phase = self._check(trial, event)
        attached = bool(self.runners)
        _HANDLERS[type(event)](self, event)
        if phase is not None and trial is not None:
            self._move(trial, phase)
            if not isinstance(event, ev.TrialReported) or event.checkpoints:
                refile(self, trial)
        if isinstance(event, ev.TrialRetried) and trial == self.switches.best:
            self.compare_all()
        self.seq = seq
        self.decisions += event.kind == "decision"
        self._count_time(event, attached=attached)

    def _check(self, trial: int, event: ev.AnyEvent) -> Phase:
        """The phase that follows, with everything checked that the table cannot say."""
        if isinstance(event, ev.TrialProposed):
            if trial != len(self):
                raise LogError(f"trial {trial} is proposed, but the next number is {len(self)}")
            return after(Phase.NEW, event, trial=trial)
        if not 0 <= trial < len(self):
            raise LogError(f"trial {trial} does not exist: {type(event).__name__} does not fit")
        following = after(self.phase(trial), event, trial=trial)
        values, wanted = getattr(event, "values", None), len(self.spec.objectives)
        if values is not None and len(values) != wanted:
            raise LogError(f"trial {trial} is completed with {len(values)} values for {wanted} objectives")
        expected = int(self.table["attempt"][trial]) + isinstance(event, ev.AttemptAssigned)
        attempt: int = getattr(event, "attempt", expected)
        if attempt != expected:
            raise LogError(f"trial {trial} is in attempt {expected}: {type(event).__name__} of {attempt} does not fit")
        return following

    def _move(self, trial: int, phase: Phase) -> None:
        column = self.table["phase"]
        was = _PHASES[int(column[trial])]
        self.phases[was] -= 1
        self.phases[phase] += 1
        if was in self.due:
            self.due[was].discard(trial)
        if phase in self.due:
            self.due[phase].add(trial)
        column[trial] = phase
        if (was in LIVE) != (phase in LIVE):
            self.busy[self.live[trial].epoch] += 1 if phase in LIVE else -1
        (self.active.discard if phase in FINAL or phase is Phase.PAUSED else self.active.add)(trial)
        if phase is Phase.PAUSED and (values := self.live[trial].values(self.spec.objectives)):
            endings.judged(self, trial, values[0])
        if phase not in {Phase.PAUSING, Phase.PAUSED}:
            self.released.discard(trial)
        if phase in FINAL:
            self.held.discard(trial)
            del self.live[trial]

    def _count_time(self, event: ev.AnyEvent, *, attached: bool) -> None:
        """Elapsed time is the time between events of runners; the gap before a runner attaches does not count."""
        if isinstance(event, ev.Request):
            return
        if attached and not isinstance(event, ev.RunnerAttached):
            self.switches.elapsed += max(0.0, event.at - self.switches.last_at)  # a clock set back adds nothing
        self.switches.last_at = event.at

    def _on_earlier(self, event: ev.EarlierStudyRead) -> None:
        if len(self):
            raise LogError("an earlier study is read after the first trial")
        self.earlier.append(event)

    def _on_attached(self, event: ev.RunnerAttached) -> None:
        self.runners[event.epoch] = Runner(
            event.runner, event.epoch, event.host, event.pid, event.workers, since=event.at, follows=event.follows
        )

    def _on_detached(self, event: ev.RunnerDetached) -> None:
        self.runners.pop(event.epoch, None)

    def _on_time_spent(self, event: ev.TimeSpent) -> None:
        self.switches.time_spent = True

    def _on_proposed(self, event: ev.TrialProposed) -> None:
        version = self.spaces.version(event.reason.space_version)
        try:
            row = self.spaces.to_row(event.params, version)
        except SpaceError as error:
            raise LogError(f"trial {event.trial} is proposed outside of the space: {error}") from error
        number = self.table.add_row()
        self.table["params"][number, : len(row)] = row
        self.table["space"][number] = version
        if event.seconds is not None:
            self.table["proposal_s"][number] = event.seconds
        self.phases[Phase.NEW] += 1
        tweaked = {name: event.params[name] for name in self.space.constants if name in event.params}
        if tweaked:
            self.tweaked[number] = tweaked
        if event.memo is not None:
            self.memos[number] = event.memo
        self.remember(number)
        if event.enqueued is not None:
            self.queue.pop(event.enqueued, None)
        self.switches.starts_served += event.reason.by == "start"
        self.switches.fallbacks += failure_of(event.reason) is not None
        self.live[number] = Live(number, source=event.source)
        if event.source is not None:
            self._borrow(number, event.source)

    def _on_assigned(self, event: ev.AttemptAssigned) -> None:
        before = self.live[event.trial]
        live = Live(event.trial, event.attempt, event.runner, event.epoch, tracks=before.tracks, source=event.source)
        live.resource = live.told = event.resource
        live.since = before.since
        live.asked, live.assigned = event.asked, event.at
        if event.epoch in self.runners:
            live.host = self.runners[event.epoch].host
        if event.source is not None:
            live.reports, live.step = event.source.checkpoint.reports, event.source.checkpoint.step
            self._borrow(event.trial, event.source if event.source.trial != event.trial else None)
        self.live[event.trial] = live
        self.table["attempt"][event.trial] = event.attempt
        self.table["steps"][event.trial] = live.reports
        if event.attempt == 1 or not live.tracks:
            self.table["started"][event.trial] = event.at

    def _borrow(self, trial: int, source: Source | None) -> None:
        """The other trial's checkpoint that this one begins from stays until it has one of its own; None: it has, or
        has ended."""
        before = self.shelf.borrowed.pop(trial, None)
        if source is not None:
            self.shelf.borrowed[trial] = source
        for one in (before, source):
            refile(self, None if one is None else one.trial)

    def _on_adopted(self, event: ev.AttemptAdopted) -> None:
        live = self.live[event.trial]
        self.busy[live.epoch] -= 1
        live.runner, live.epoch, live.adopted = event.runner, event.epoch, True
        self.busy[live.epoch] += 1

    def _on_started(self, event: ev.TrialStarted) -> None:
        live = self.live[event.trial]
        live.pid, live.ticks, live.boot, live.host = event.pid, event.ticks, event.boot, event.host
        live.started = event.at
        endings.started(self, event.trial, event.at)
        if event.attempt == 1 or not live.tracks:
            self.table["started"][event.trial] = event.at

    def _on_reported(self, event: ev.TrialReported) -> None:
        live = self.live[event.trial]
        live.offsets, live.channel = event.offsets, event.channel
        live.reports += len(event.reports)
        objectives, tracks = self.objectives, live.tracks
        for report in event.reports:
            for name, wire in report.values.items():
                track = tracks.get(name)
                if track is None:
                    tracks[name] = track = Track()
                track.add(wire if type(wire) is float else float(wire), objectives.get(name))
            endings.reported(self, live, report)
        if event.reports:
            live.step = event.reports[-1].step
        self.table["steps"][event.trial] = live.reports
        if event.checkpoints:
            self._borrow(event.trial, None)
        for saved in saved_by(self, event):
            refile(self, self.shelf.add(event.trial, saved, best=self.spec.checkpoint.study_best))

    def _on_exited(self, event: ev.TrialExited) -> None:
        live = self.live[event.trial]
        live.exit = event
        begun = live.assigned if live.started is None else live.started
        ran = max(0.0, event.at - begun)  # a clock set back adds nothing
        self.table["ran"][event.trial] += ran
        endings.exited(self, event.trial, ran)
        if live.pause is None:  # a trial that is held has not come to its end
            self.table["ended"][event.trial] = event.at

    def _on_stopped(self, event: ev.TrialStopped) -> None:
        if self.phase(event.trial) is Phase.ENDED:  # too late: what it was when it ended by itself counts
            return
        live = self.live[event.trial]
        live.stop, live.completes, live.pause = event.reason, event.complete, None
        self.trial_stops.discard(event.trial)

    def _on_paused(self, event: ev.TrialPaused) -> None:
        self.live[event.trial].pause = event.reason
        self.table["ended"][event.trial] = np.nan

    def _on_continued(self, event: ev.TrialContinued) -> None:
        live = self.live[event.trial]
        live.resource = event.to
        if self.phase(event.trial) in LIVE:  # its program runs, and just goes on
            return
        self.live[event.trial] = Live(
            event.trial, event.attempt, tracks=live.tracks, resource=event.to, source=live.source, since=live.since
        )
        self.table["ended"][event.trial] = np.nan

    def _on_dropped(self, event: ev.CheckpointsDropped) -> None:
        self.shelf.dropped = event.dropped
        for dropped in event.dropped:
            self.shelf.remove(dropped.trial, dropped.attempt, dropped.name)
            refile(self, dropped.trial)

    def _on_lost(self, event: ev.CheckpointLost) -> None:
        self.shelf.remove(event.owner, event.attempt, event.name)
        self.shelf.borrowed = {n: s for n, s in self.shelf.borrowed.items() if self.shelf.holds(s)}
        refile(self, event.owner)

    def _on_retried(self, event: ev.TrialRetried) -> None:
        self.retries_wanted.discard(event.trial)
        self.switches.refused.discard(event.trial)
        if self.phase(event.trial) in FINAL:
            self.supersede(event.trial)
        if self.phase(event.trial) is Phase.FAILED and event.trial not in self.reasons:
            self._forgive()
        known, saved = self.live.get(event.trial), self.shelf.saved.get(event.trial)
        live = Live(event.trial, event.attempt)
        if known is not None:
            live.resource, live.source, live.since = known.resource, known.source, known.since
        if self.phase(event.trial) is Phase.COMPLETE:  # it has come to its end: run again, it begins anew
            live.since = event.attempt + 1
        elif saved is not None:  # one that goes on from a checkpoint keeps what it said until then
            live.tracks = tracked(saved[-1].values, self.objectives) if known is None else known.tracks
        self.live[event.trial] = live
        self.table["retries"][event.trial] += event.counted
        self.table["ended"][event.trial] = np.nan
        for name in self.table.names():
            if name.startswith("has:"):
                self.table[name][event.trial] = 0
        self.table["values"][event.trial] = np.nan
        self.reasons.pop(event.trial, None)
        self.errors.pop(event.trial, None)

    def _forgive(self) -> None:
        """A failure is tried again: it no longer speaks for giving the study up."""
        self.switches.failures -= 1
        if "failed" in self.switches.first_outcomes:
            self.switches.first_outcomes.remove("failed")

    def _on_completed(self, event: ev.TrialCompleted) -> None:
        live = self.live[event.trial]
        self.remember(~event.trial)
        self.trial_stops.discard(event.trial)
        self._borrow(event.trial, None)
        if live.pause is not None and live.exit is not None:
            self.table["ended"][event.trial] = live.exit.at
        for name, track in live.tracks.items():
            self.keep_metric(event.trial, name, track.last)
        if event.values is not None:
            for i, (objective, wire) in enumerate(zip(self.spec.objectives, event.values, strict=True)):
                self.table["values"][event.trial, i] = from_wire(wire)
                self.keep_metric(event.trial, objective.metric, from_wire(wire))
        by_itself = event.reason is None
        self.switches.failures += event.state == "failed" and by_itself
        if event.reason is not None:
            self.reasons[event.trial] = event.reason.text
        if event.error is not None:
            self.errors[event.trial] = event.error
        if len(self.switches.first_outcomes) < FIRST_OUTCOMES and (by_itself or event.state != "failed"):
            self.switches.first_outcomes.append(event.state)
        if event.state == "complete" and event.values:
            self._compare(event.trial, from_wire(event.values[0]))
        endings.completed(self, event)

    def remember(self, delta: int) -> None:
        """Searchers see this next: a trial's number when it was proposed, ~number when it has a result."""
        row = self.history.add_row()
        self.history["delta"][row] = delta

    def supersede(self, trial: int) -> None:
        """The result that is about to be replaced stays known: searchers have seen it."""
        for place in np.flatnonzero(self.history["delta"] == ~trial):
            self.superseded.setdefault(int(place), list(self.result(trial)))

    def all_paused(self) -> bool:
        """Whether no trial is live but such as a schedule holds: those that a user holds are waited for."""
        return len(self.live) == int(self.phases[Phase.PAUSED]) and not self.held and not self.released

    def is_final(self, number: int) -> bool:
        """Whether there is such a trial and it is over."""
        return 0 <= number < len(self) and self.phase(number) in FINAL

    def losses(self, number: int) -> tuple[float, ...] | None:
        """A final trial's objectives as losses; None when it failed."""
        losses = self.result(number)[0]
        return None if losses is None else tuple(losses)

    def result(self, number: int) -> tuple[list[float] | None, list[float], int, float | None]:
        """A final trial as a searcher sees it (`Results`)."""
        return Results(self, range(number, number + 1))[number]

    def _compare(self, trial: int, value: float) -> None:
        loss = self.spec.objectives[0].loss(value)
        if loss < self.switches.best_loss or self.switches.best < 0:
            self.switches.best, self.switches.best_loss = trial, loss

    def compare_all(self) -> None:
        """The best is found anew: a value that was final has changed, which only a person can ask for."""
        self.switches.best, self.switches.best_loss = -1, math.inf
        for number in np.flatnonzero(self.table["phase"] == Phase.COMPLETE):
            self._compare(int(number), float(self.table["values"][number, 0]))

    def _on_study_completed(self, event: ev.StudyCompleted) -> None:
        if event.based_on >= self.switches.reopened:
            self.switches.completed = event

    def keep_metric(self, trial: int, name: str, value: float) -> None:
        """A final trial's value of a metric; of those that the spec does not declare only so many have a column."""
        if "metric:" + name not in self.table:
            if len(self.table.names()) > 2 * METRICS_KEPT and name not in self._declared:
                return
            self.table.add_column("metric:" + name, "f8", np.nan)
            self.table.add_column("has:" + name, "u1", 0)
        self.table["metric:" + name][trial] = value
        self.table["has:" + name][trial] = 1


_PHASES = tuple(Phase)  # by number
FIRST_OUTCOMES = 5  # a study whose first so many trials all fail is given up

_HANDLERS: Mapping[type, Callable[[State, Any], None]] = {
    **requests.HANDLERS,
    ev.EarlierStudyRead: State._on_earlier,
    ev.RunnerAttached: State._on_attached,
    ev.RunnerDetached: State._on_detached,
    ev.TimeSpent: State._on_time_spent,
    ev.TrialProposed: State._on_proposed,
    ev.AttemptAssigned: State._on_assigned,
    ev.AttemptAdopted: State._on_adopted,
    ev.TrialStarted: State._on_started,
    ev.TrialReported: State._on_reported,
    ev.TrialExited: State._on_exited,
    ev.TrialStopped: State._on_stopped,
    ev.TrialPaused: State._on_paused,
    ev.TrialContinued: State._on_continued,
    ev.CheckpointsDropped: State._on_dropped,
    ev.CheckpointLost: State._on_lost,
    ev.TrialRetried: State._on_retried,
    ev.TrialCompleted: State._on_completed,
    ev.StudyCompleted: State._on_study_completed,
}

__all__ = ["FINAL", "LIVE", "Live", "Phase", "State", "Track"]
