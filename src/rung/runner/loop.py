"""The loop that makes the world match the log: the only place where a study meets time and processes.

    wake -> append what happened -> fold -> append what follows -> reconcile jobs -> sleep until something happens

Three things wake it: the executor's events, another process's entry in the log, and timers (heartbeat, time budget, a
held start). A slow proposal is computed in a thread while the loop goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from rung.execute.base import Executor, Exited, Held, Job, JobEvent, Reported, Started
from rung.model import Command, Conflict, Fenced
from rung.runner import jobs as jobs_
from rung.runner.identity import boot_id, host, myself
from rung.runner.lease import TIME_TO_LIVE_S, LeaseWatch
from rung.runner.log import Log, open_engine, open_state, write_snapshot
from rung.runner.reconcile import orphans, reconcile
from rung.study import events as ev
from rung.study.engine import Engine, Me, PolicyFactory, Question
from rung.study.state import Live, State

if TYPE_CHECKING:
    from rung.store.base import Lease, LeaseOwner, Store

POLL_S = 0.1  # how often the store is asked whether another process wrote
RETRY_HELD_S = 1.0  # how long a start that found no room or no device waits
QUICK_ANSWER_S = 0.005  # a searcher that answered faster is asked without a thread
SNAPSHOT_EVERY = 5_000  # events, and a quarter of the log: writing snapshots stays a small part of all work

Observer = Callable[[State, Sequence[ev.AnyEvent]], None]
Say = Callable[[str], None]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How one runner works on a study. `runs` is absolute; `workers` 0 only winds up what is there."""

    study: str
    runs: Path
    workers: int
    heartbeat_s: float = TIME_TO_LIVE_S / 5


class Runner:
    """One runner of one study. `run()` returns why it ended: done, interrupted, terminated, hangup."""

    def __init__(
        self, store: Store, executor: Executor, policy_for: PolicyFactory, settings: Settings, *,
        observe: Observer, say: Say,
    ) -> None:  # fmt: skip
        self.store, self.executor, self.settings = store, executor, settings
        self.policy_for, self.observe, self.say = policy_for, observe, say
        self.here: LeaseOwner = myself()
        self.leases = LeaseWatch(self.here)
        self.boot = boot_id()
        self.ending: str | None = None
        self.held: dict[tuple[int, int], float] = {}
        self.inbox: list[JobEvent] = []
        self.wake = asyncio.Event()
        self.thread = ThreadPoolExecutor(1, "rung-proposal")
        self.asked: tuple[Question, asyncio.Future[list[Command]]] | None = None
        self.answer_took_s = QUICK_ANSWER_S
        self.snapshot_seq = 0
        self.keys: dict[str, tuple[int, int]] = {}
        self.lease: Lease
        self.engine: Engine
        self.log: Log

    # ------------------------------------------------------------------------------------------------ life cycle

    async def run(self) -> str:
        """The study has been worked on until it was over or the runner was told to end."""
        self._attach()
        tasks = [asyncio.create_task(work()) for work in (self._listen, self._beat, self._watch_log)]
        try:
            while not self._turn():
                await self._sleep(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.thread.shutdown(wait=False, cancel_futures=True)
            self._detach()
            await self.executor.close()
        return self.ending or "done"

    def end(self, why: str) -> None:
        """No new trials from now on; `interrupted` and `terminated` also end the running ones (they can be resumed),
        `hangup` leaves them to be adopted. Said twice, running ones are killed."""
        if why == "hangup":
            for key in list(self.executor.jobs()):
                self.executor.forget(key)
        else:
            act = self.executor.stop if self.ending is None else self.executor.kill
            for key in list(self.executor.jobs()):
                act(key)
        self.ending = why if self.ending is None else self.ending
        self.wake.set()

    @property
    def state(self) -> State:
        """What is known now."""
        return self.engine.state

    def _attach(self) -> None:
        """A lease is held, the log is folded, and the log says so."""
        study = self.settings.study
        self.lease = self.store.acquire(study, self.here)
        me = Me(self.here.runner, self.lease.epoch)
        self.engine = open_engine(self.store, study, self.policy_for, me)
        self.snapshot_seq = self.state.seq
        self.log = Log(self.store, study, seq=self.state.seq, lease=self.lease)
        self._fact(
            ev.RunnerAttached(
                at=self.executor.clock(), runner=me.runner, epoch=me.epoch, host=self.here.host, pid=self.here.pid,
                workers=self.settings.workers,
            )
        )  # fmt: skip
        self._take_over()

    def _detach(self) -> None:
        with contextlib.suppress(Fenced):  # whoever took over has said that this runner is gone
            why = self.ending or "done"
            self._fact(
                ev.RunnerDetached(at=self.executor.clock(), runner=self.here.runner, epoch=self.lease.epoch, why=why)
            )
            write_snapshot(self.store, self.settings.study, self.state)
        self.store.release(self.lease)

    # --------------------------------------------------------------------------------------------------- wakers

    async def _listen(self) -> None:
        async for batch in self.executor.events():
            self.inbox += batch
            self.wake.set()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.settings.heartbeat_s)
            try:
                self.lease = self.log.lease = self.store.renew(self.lease)
                self._take_over()
            except Fenced:
                self._reattach()
            self.wake.set()

    async def _watch_log(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            if self.store.changed():
                self.wake.set()

    async def _sleep(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Until something happens, a held start is due, or the time budget is used up."""
        now = self.executor.monotonic()
        times = [due - now for due in self.held.values()]
        left = self._time_left()
        timeout = min([*times, *([] if left is None else [left])], default=None)
        waker = asyncio.create_task(self.wake.wait())
        done, _ = await asyncio.wait(
            {waker, *tasks}, timeout=None if timeout is None else max(0.0, timeout), return_when=asyncio.FIRST_COMPLETED
        )
        waker.cancel()
        self.wake.clear()
        for task in done - {waker}:
            task.result()  # a waker ends only by an error

    def _time_left(self) -> float | None:
        budget, switches = self.state.spec.budget.time_s, self.state.switches
        if budget is None or switches.time_spent or self.ending:
            return None
        return budget - switches.elapsed - max(0.0, self.executor.clock() - switches.last_at)

    # ----------------------------------------------------------------------------------------------------- turn

    def _turn(self) -> bool:
        """Everything that can be done now is done. True when nothing is left to do at all."""
        try:
            self._append_facts()
            self._append_decisions()
            if self.ending == "hangup":
                return True
            self._reconcile()
            self._keep_snapshot()
        except Fenced:
            self._reattach()
            return False
        if self.ending is not None:
            return not self.executor.jobs() and not self.inbox
        return self.state.switches.completed is not None and not self.executor.jobs() and not self.inbox

    def _append_facts(self) -> None:
        """What happened is in the log, and what others wrote is folded."""
        batch, self.inbox = self.inbox, []
        facts = [fact for event in batch for fact in self._facts(event)]
        left = self._time_left()
        if left is not None and left <= 0:
            facts.append(ev.TimeSpent(at=self.executor.clock(), seconds=self.state.spec.budget.time_s or 0.0))
        if facts:
            self._fold(self.log.append_facts(facts))
        elif self.store.changed():
            self._fold(self.log.tail())

    def _append_decisions(self) -> None:
        """All that follows is in the log, the next proposals included as far as they are quick."""
        while True:
            decisions = self.engine.decide(at=self.executor.clock(), free=self._free())
            if decisions:
                self._decide(decisions)
            elif not self._propose():
                return

    def _propose(self) -> bool:
        """Whether a proposal was appended, so that there may be more to do."""
        if self.asked is None:
            question = None if self._free() <= 0 else self.engine.question(free=self._free())
            if question is None:
                return False
            self.asked = question, self._answer(question)
        question, future = self.asked
        if not future.done():
            return False
        self.asked = None
        decisions = self.engine.conclude(question, future.result(), at=self.executor.clock())
        if self.ending is not None or not decisions:
            return False
        self._decide(decisions)
        return True

    def _answer(self, question: Question) -> asyncio.Future[list[Command]]:
        """The answer, at once from a searcher that was quick last time, else from the thread."""
        loop = asyncio.get_running_loop()
        if self.answer_took_s < QUICK_ANSWER_S:
            future: asyncio.Future[list[Command]] = loop.create_future()
            future.set_result(self._timed(question))
            return future
        future = loop.run_in_executor(self.thread, self._timed, question)
        future.add_done_callback(lambda _: self.wake.set())
        return future

    def _timed(self, question: Question) -> list[Command]:
        before = self.executor.monotonic()
        commands = question.answer()
        self.answer_took_s = self.executor.monotonic() - before
        return commands

    def _free(self) -> int:
        if self.ending is not None:
            return 0
        mine = sum(1 for live in self.state.live.values() if live.epoch == self.lease.epoch and live.exit is None)
        limits = [self.settings.workers] + ([self.executor.capacity] if self.executor.capacity is not None else [])
        return max(0, min(limits) - mine)

    # ------------------------------------------------------------------------------------------------- the log

    def _fact(self, *facts: ev.Event) -> None:
        self._fold(self.log.append_facts(facts))

    def _decide(self, decisions: Sequence[ev.Decision]) -> None:
        """The decisions are in the log as far as they are still legal when another runner decided in between."""
        while decisions:
            try:
                self._fold(self.log.append_decisions(decisions, after=self.state.decisions))
                return
            except Conflict:
                self._fold(self.log.tail())
                decisions = self.engine.legal(decisions)

    def _fold(self, events: Sequence[tuple[int, ev.AnyEvent]]) -> None:
        if events:
            self.engine.fold(events)
            self.observe(self.state, [event for _, event in events])

    def _keep_snapshot(self) -> None:
        if self.state.seq - self.snapshot_seq > max(SNAPSHOT_EVERY, self.snapshot_seq // 4):
            write_snapshot(self.store, self.settings.study, self.state)
            self.snapshot_seq = self.state.seq

    def _facts(self, event: JobEvent) -> list[ev.Event]:
        """What an executor's event means to the log; nothing for a job that the log gave to another runner."""
        trial, attempt = self.keys[event.key]
        at = self.executor.clock()
        live = self.state.live.get(trial)
        if live is None or live.attempt != attempt or live.epoch != self.lease.epoch:
            return []
        if isinstance(event, Held):
            if (trial, attempt) not in self.held:
                self.say(f"trial {trial} is held: {event.why}")
            self.held[trial, attempt] = self.executor.monotonic() + RETRY_HELD_S
            return []
        if isinstance(event, Started):
            if self.held.pop((trial, attempt), None) is not None:
                self.say(f"trial {trial} has started after all")
            return [
                ev.TrialStarted(
                    at=at, trial=trial, attempt=attempt, pid=event.pid, ticks=event.ticks, boot=event.boot, host=host(),
                    devices=event.devices,
                )
            ] if live.started is None else []  # fmt: skip
        if isinstance(event, Reported):
            return [
                ev.TrialReported(
                    at=at, trial=trial, attempt=attempt, reports=tuple(event.reports), offsets=event.cursor.offsets,
                    channel=event.cursor.channel, notes=tuple(event.notes),
                )
            ]  # fmt: skip
        return [self._exit(event, live, at=at)]

    def _exit(self, event: Exited, live: Live, *, at: float) -> ev.TrialExited:
        how: ev.How = event.how
        if how == "lost" and live.host == self.here.host and live.boot in {"", self.boot}:
            how = "killed"  # its machine is still up: somebody killed the whole tree
        if self.ending in {"interrupted", "terminated"} and how in {"exited", "killed"}:
            how = "interrupted"
        self.held.pop((live.number, live.attempt), None)
        return ev.TrialExited(
            at=at,
            trial=live.number,
            attempt=live.attempt,
            how=how,
            code=event.code,
            tail=event.tail,
        )

    # ------------------------------------------------------------------------------------------------- the jobs

    def _reconcile(self) -> None:
        watched = {self.keys[key]: key for key in self.executor.jobs()}
        actions = reconcile(self.state, self.lease.epoch, watched)
        for live in actions.start:
            self._start(live)
        for live in actions.adopt:
            self.executor.adopt(self._job(live), jobs_.cursor_of(live))
        for which in actions.stop:
            self.executor.stop(watched[which])
        for which in actions.forget:
            self.executor.forget(watched[which])
        for which in actions.kill:
            self.executor.kill(watched[which])

    def _start(self, live: Live) -> None:
        which = (live.number, live.attempt)
        if self.ending is not None or self.held.get(which, 0.0) > self.executor.monotonic():
            return
        job = self._job(live)
        try:
            jobs_.bring_checkpoint(self.state, live, study=self.settings.study, runs=self.settings.runs)
        except OSError as error:
            self.inbox.append(Held(key=job.key, why=f"its checkpoint cannot be copied: {error}"))
            self.wake.set()
            return
        self.executor.start(job)

    def _job(self, live: Live) -> Job:
        job = jobs_.job_for(self.state, live, study=self.settings.study, runs=self.settings.runs)
        self.keys[job.key] = (live.number, live.attempt)
        return job

    # ----------------------------------------------------------------------------------------------- other runners

    def _take_over(self) -> None:
        """Runners whose lease has expired are out, and this one looks after what they left."""
        leases = self.store.leases(self.settings.study)
        dead = self.leases.expired(leases, now=self.executor.monotonic())
        for lease in dead:
            self.store.release(lease)
        epochs = {lease.epoch for lease in leases} - {lease.epoch for lease in dead}
        gone = [runner for epoch, runner in self.state.runners.items() if epoch not in epochs]
        if gone:
            at = self.executor.clock()
            self._fact(*(ev.RunnerDetached(at=at, runner=r.runner, epoch=r.epoch, why="lost") for r in gone))
        self._adopt(orphans(self.state, epochs))

    def _adopt(self, left: Sequence[Live]) -> None:
        """The attempts are this runner's; those of another machine or of an asking process are over."""
        if not left:
            return
        self._decide([
            ev.AttemptAdopted(
                at=self.executor.clock(), based_on=self.state.seq, runner=self.here.runner, epoch=self.lease.epoch,
                trial=live.number, attempt=live.attempt, previous=live.epoch,
            )
            for live in left
        ])  # fmt: skip
        mine = [live for live in self.state.live.values() if live.adopted and live.epoch == self.lease.epoch]
        over = [live for live in mine if live.exit is None and self._beyond_reach(live)]
        if over:
            self._fact(*(self._gone(live) for live in over))

    def _beyond_reach(self, live: Live) -> bool:
        return live.asked or live.host not in {"", self.here.host}

    def _gone(self, live: Live) -> ev.TrialExited:
        tail = "the process that asked for it is gone" if live.asked else ""
        return ev.TrialExited(
            at=self.executor.clock(), trial=live.number, attempt=live.attempt, tail=tail,
            how="killed" if live.asked else "lost",
        )  # fmt: skip

    def _reattach(self) -> None:
        """This runner was taken for dead (suspended, cut off): it folds the log first, ends those of its jobs that
        nobody adopted, and goes on as a new runner."""
        self.say("this runner's lease was taken over while it was not heard of; it goes on under a new one")
        self.asked = None
        self.inbox.clear()
        old = self.lease.epoch
        state = open_state(self.store, self.settings.study)
        for key in list(self.executor.jobs()):
            live = state.live.get(self.keys[key][0])
            mine = live is not None and live.attempt == self.keys[key][1] and live.exit is None
            adopted = mine and live is not None and live.epoch != old
            (self.executor.forget if adopted or mine else self.executor.kill)(key)
        self.held.clear()
        self._attach()
        self.wake.set()
