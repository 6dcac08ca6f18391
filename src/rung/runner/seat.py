"""A place at a study: a lease, the log, and the engine that follows it. Whoever decides anything has one.

A runner has a seat for as long as it works, a program that asks and tells has one while it does. Nobody else appends
decisions or facts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from rung.model import Conflict
from rung.runner.identity import myself
from rung.runner.lease import LeaseWatch
from rung.runner.log import Log, open_engine, write_snapshot
from rung.runner.reconcile import gone_epochs, orphans
from rung.study import events as ev
from rung.study.engine import Engine, Me
from rung.study.state import State

if TYPE_CHECKING:
    from rung.store.base import Lease, LeaseOwner, Store
    from rung.study.engine import PolicyFactory

SNAPSHOT_EVERY = 5_000  # events, and a part of the log: so that opening a study folds little, and writing stays cheap
SNAPSHOT_PART = 32
SNAPSHOT_AT_END = 500  # fewer events are folded sooner than a snapshot is written

Observer = Callable[[State, Sequence[ev.AnyEvent]], None]


class Seat:
    """A lease on one study. `clock` gives Unix seconds, `monotonic` seconds that never go back."""

    def __init__(
        self,
        store: Store,
        study: str,
        policy_for: PolicyFactory,
        *,
        role: Literal["runner", "asker"],
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        observe: Observer,
        lease_clock: Callable[[], float] | None = None,
    ) -> None:
        """`lease_clock`: the real seconds that leases are judged by, where `monotonic` is not real."""
        self.store, self.study, self.policy_for = store, study, policy_for
        self.clock, self.monotonic, self.observe = clock, monotonic, observe
        self.lease_clock = lease_clock or monotonic
        self.here: LeaseOwner = myself(role)
        self.leases = LeaseWatch(self.here)
        self.folded_at = 0.0  # monotonic
        self.snapshot_seq = 0
        self._own_workers: int | None = None
        self.lease: Lease
        self.engine: Engine
        self.log: Log

    @property
    def state(self) -> State:
        """What is known now."""
        return self.engine.state

    # ----------------------------------------------------------------------------------------------- coming, going

    @property
    def workers(self) -> int:
        """How many attempts this seat looks after at once: its own number, else what the study says now."""
        return self.state.spec.run.workers if self._own_workers is None else self._own_workers

    def take(self, *, workers: int | None) -> None:
        """A lease is held, and the log is folded and says so. `workers` None: as many as the study says."""
        self._own_workers = workers
        self.lease = self.store.acquire(self.study, self.here)
        me = Me(self.here.runner, self.lease.epoch)
        self.engine = open_engine(self.store, self.study, self.policy_for, me)
        self.snapshot_seq = self.state.seq
        self.log = Log(self.store, self.study, seq=self.state.seq, lease=self.lease)
        self.facts(
            ev.RunnerAttached(
                at=self.clock(), runner=me.runner, epoch=me.epoch, host=self.here.host, pid=self.here.pid,
                workers=self.workers, follows=workers is None,
            )
        )  # fmt: skip

    def leave(self, why: str) -> None:
        """The log says that this seat is empty, and a snapshot is kept. Raises `Fenced` when it was taken over."""
        leaving = ev.RunnerDetached(at=self.clock(), runner=self.here.runner, epoch=self.lease.epoch, why=why)
        self.facts(leaving)
        write_snapshot(self.store, self.study, self.state)

    def renew(self) -> None:
        """One heartbeat more. Raises `Fenced`."""
        self.lease = self.log.lease = self.store.renew(self.lease)

    def take_over(self) -> None:
        """Seats whose lease has expired are empty, and this one looks after the attempts that they left.

        The leases are read after the log was folded, and only runners known by then are judged by them: one that
        attaches meanwhile is not taken for dead. What a dead one still wrote is folded once it can write no more.
        """
        self.catch_up()
        leases = self.store.leases(self.study)
        dead = self.leases.expired(leases, now=self.lease_clock())
        epochs = gone_epochs(self.state, {lease.epoch for lease in leases} - {lease.epoch for lease in dead})
        for lease in dead:
            self.store.release(lease)
        at = self.clock()
        runners = [runner for epoch, runner in self.state.runners.items() if epoch in epochs]
        if runners:
            self.facts(*(ev.RunnerDetached(at=at, runner=r.runner, epoch=r.epoch, why="lost") for r in runners))
        elif epochs:
            self.catch_up()
        self.decide([
            ev.AttemptAdopted(
                at=at, based_on=self.state.seq, runner=self.here.runner, epoch=self.lease.epoch,
                trial=live.number, attempt=live.attempt, previous=live.epoch,
            )
            for live in orphans(self.state, epochs)
            if live.asked or self.here.role == "runner"  # only a runner can look after processes
        ])  # fmt: skip

    # ----------------------------------------------------------------------------------------------------- the log

    def catch_up(self) -> None:
        """What others wrote is folded."""
        self._fold(self.log.tail())

    def facts(self, *facts: ev.Event) -> None:
        """The facts are in the log, and folded. Raises `Fenced`."""
        self._fold(self.log.append_facts(facts))

    def decide(self, decisions: Sequence[ev.Decision]) -> None:
        """The decisions are in the log as far as they are still legal when another runner decided in between."""
        while decisions:
            try:
                self._fold(self.log.append_decisions(decisions, after=self.state.decisions))
                return
            except Conflict:
                self.catch_up()
                decisions = self.engine.legal(decisions)

    def _fold(self, events: Sequence[tuple[int, ev.AnyEvent]]) -> None:
        if events:
            self.engine.fold(events)
            self.folded_at = self.monotonic()
            self.observe(self.state, [event for _, event in events])

    def keep_snapshot(self) -> None:
        """A snapshot is written when enough was added since the last one, or the study is over."""
        added = self.state.seq - self.snapshot_seq
        over = self.state.switches.completed is not None and added > SNAPSHOT_AT_END
        if over or added > max(SNAPSHOT_EVERY, self.snapshot_seq // SNAPSHOT_PART):
            write_snapshot(self.store, self.study, self.state)
            self.snapshot_seq = self.state.seq
