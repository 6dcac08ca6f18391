"""The loop that makes the world match the log: the only place where a study meets time and processes.

    wake -> append what happened -> fold -> append what follows -> reconcile jobs -> sleep until something happens

Three things wake it: the executor's events, another process's entry in the log, and timers (heartbeat, time budget, a
held start, a store without room). A slow proposal is computed in a thread while the loop goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from rung.execute import attempt
from rung.execute.base import Executor, Exited, Held, Job, JobEvent
from rung.model import Command, Fenced, RungError
from rung.runner import jobs as jobs_
from rung.runner.asking import Asking, beside
from rung.runner.checkpoints import Copies, Gone
from rung.runner.facts import Watched, facts_of, gone
from rung.runner.lease import TIME_TO_LIVE_S
from rung.runner.log import open_state
from rung.runner.reconcile import reconcile
from rung.runner.seat import Seat
from rung.store.errors import StoreBusy, StoreFull
from rung.study import events as ev
from rung.study.checkpoints import left_over
from rung.study.guard import failure_of
from rung.study.state import Live, State

if TYPE_CHECKING:
    from rung.runner.seat import Observer
    from rung.store.base import Store
    from rung.study.engine import PolicyFactory, Question

POLL_S = 0.01  # how often the store is asked whether another process wrote: under 1 % of a core
RETRY_HELD_S = 1.0  # how long a start that found no room or no device waits
BEING_TRIED = -math.inf  # in place of a time: a held start was made again, and its news is to come
RETRY_STORE_S = 1.0  # how long an append that found no room in the store waits
QUICK_ANSWER_S = 0.005  # a searcher that answered faster is asked without a thread

BY_THE_SIGNAL = {None, 130, 143}  # not over yet, or an objective inside this process that the same signal ended
CURABLE = (Fenced, StoreFull, StoreBusy)

Say = Callable[[str], None]
Timed = tuple[list[Command], float]  # what an answer is, and how many seconds it took


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How one runner works on a study. `runs` is absolute; `workers` 0 only winds up what is there, None follows the
    study. Once `until` holds, the runner leaves what still runs to be adopted. `launch` says how trials are started."""

    study: str
    runs: Path
    workers: int | None
    until: Callable[[State], bool] | None = None
    heartbeat_s: float = TIME_TO_LIVE_S / 5
    launch: jobs_.Launcher = jobs_.native


class Runner:
    """One runner of one study. `run()` returns why it ended: done, interrupted, terminated, hangup."""

    def __init__(
        self, store: Store, executor: Executor, policy_for: PolicyFactory, settings: Settings, *,
        observe: Observer, say: Say,
    ) -> None:  # fmt: skip
        self.executor, self.settings, self.say = executor, settings, say
        self.seat = Seat(
            store, settings.study, policy_for, role="runner", clock=executor.clock, monotonic=executor.monotonic,
            observe=self._saw, lease_clock=time.monotonic,
        )  # fmt: skip
        self.observe = observe
        self.ending: str | None = None
        self.insisted = False
        self.watched: dict[str, Watched] = {}
        self.jobs: dict[int, dict[int, str]] = {}  # trial -> attempt -> key, of those watched
        self.touched: set[int] = set()  # trials that the log said something of since jobs were last compared with it
        self.compare_all = True
        self.held: dict[tuple[int, int], float] = {}
        self.inbox: list[JobEvent] = []
        self.unlogged: list[ev.Event] = []  # what happened and could not be appended yet
        self.store_due: float | None = None  # when a store without room is tried again
        self.cut_off = False  # the lease is gone
        self.stale = True  # another process wrote
        self.wake = asyncio.Event()
        self.copies = Copies(settings.runs, settings.study, self.wake.set, say)
        self.asked: tuple[Question, asyncio.Future[Timed]] | None = None
        self.asking = Asking()
        self.answer_took_s = QUICK_ANSWER_S

    # ------------------------------------------------------------------------------------------------ life cycle

    async def run(self) -> str:
        """The study has been worked on until it was over or the runner was told to end."""
        self.seat.take(workers=self.settings.workers)
        self._take_over()
        self._drop(tuple(left_over(self.state)))  # whoever dropped them may have died before their folders were gone
        tasks = [asyncio.create_task(work()) for work in (self._listen, self._beat, self._watch_log)]
        for task in tasks:
            task.add_done_callback(lambda _: self.wake.set())
        try:
            while not self._turn():
                await self._sleep(tasks)
        except BaseException:
            self.ending = self.ending or "error"
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self.asked is not None:
                self.asked[1].cancel()  # its thread is a daemon, and nobody waits for it any more
            self.copies.close()
            try:
                self._detach()
            finally:
                await self.executor.close()
        return self.ending or "done"

    def end(self, why: str) -> None:
        """No new trials from now on; `interrupted` and `terminated` also end the running ones (they can be resumed),
        `hangup` leaves them to be adopted. Said twice, running ones are killed."""
        running = list(self.executor.jobs())
        if why == "hangup":
            for key in running:
                self._forget(key)
        else:
            act = self.executor.stop if self.ending is None else self.executor.kill
            for key in running:
                watched = self.watched[key]
                if self.ending is None and attempt.status(watched.directory) not in BY_THE_SIGNAL:
                    continue  # it has just ended by itself
                watched.interrupted = True
                act(key)
        self.insisted = self.ending is not None
        if running and why != "hangup":
            what = "killing" if self.insisted else "ending"
            self.say(
                f"{what} {len(running)} running trial{'s' * (len(running) > 1)}"
                + ("" if self.insisted else f" (they have {self.state.spec.run.grace_s:g} s; once more kills them)")
            )
        self.ending = why if self.ending in {None, "hangup"} else self.ending
        self.held.clear()
        self.wake.set()

    @property
    def state(self) -> State:
        """What is known now."""
        return self.seat.state

    def _saw(self, state: State, events: Sequence[ev.AnyEvent]) -> None:
        """What was folded is looked at once."""
        for event in events:
            trial = getattr(event, "trial", None)
            if trial is not None:
                self.touched.add(trial)
            if isinstance(event, ev.TrialReported):
                self._remark(event)
            elif isinstance(event, ev.CheckpointsDropped) and event.epoch == self.seat.lease.epoch:
                self._drop(event.dropped)
            elif isinstance(event, ev.TrialExited) and event.trial in state.live:
                self._tidy(state.live[event.trial])
        self.observe(state, events)

    def _remark(self, event: ev.TrialReported) -> None:
        """What was strange about a trial's reports is not passed over in silence."""
        for note in event.notes if event.trial in self.jobs else ():
            self.say(f"trial {event.trial}: {note}")

    def _drop(self, dropped: Sequence[ev.Dropped]) -> None:
        if self.executor.keeps_files:
            self.copies.drop(dropped)

    def _tidy(self, live: Live) -> None:
        if self.executor.keeps_files and live.epoch == self.seat.lease.epoch:
            self.copies.tidy(self.state, live)

    def _detach(self) -> None:
        """The log says that this runner has gone, if it can: else whoever comes next finds its process gone."""
        try:
            with contextlib.suppress(Fenced):  # whoever took over has said that this runner is gone
                self.seat.leave(self.ending or "done")
            self.seat.store.release(self.seat.lease)
        except (StoreFull, StoreBusy) as error:
            self.say(f"the end of this runner could not be recorded: {error}")

    # --------------------------------------------------------------------------------------------------- wakers

    async def _listen(self) -> None:
        async for batch in self.executor.events():
            self.inbox += batch
            self.wake.set()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.settings.heartbeat_s)
            try:
                self.seat.renew()
                self._take_over()
            except CURABLE as error:
                self._put_off(error)
            self.wake.set()

    async def _watch_log(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            if self.seat.store.changed():
                self.stale = True
                self.wake.set()

    async def _sleep(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Until something happens, a held start or a store without room is due, or the time budget is used up."""
        for task in tasks:
            if task.done():
                task.result()  # a waker ends only by an error
        if not self.wake.is_set():
            timeout = self._rest()
            alarm = None if timeout is None else asyncio.get_running_loop().call_later(timeout, self.wake.set)
            await self.wake.wait()
            if alarm is not None:
                alarm.cancel()
        self.wake.clear()
        await asyncio.sleep(0)  # whatever else is ready has its turn, however busy the study is

    def _rest(self) -> float | None:
        """How many real seconds there is nothing to do, if nothing happens; None: for good."""
        now = self.executor.monotonic()
        held = [due - now for due in self.held.values() if due != BEING_TRIED]
        times = held if self.store_due is None else [self.store_due - now]
        left = self._time_left()
        wait = min([*times, *([] if left is None or self.store_due is not None else [left])], default=None)
        return self.executor.rest(None if wait is None else now + max(0.0, wait))

    def _time_left(self) -> float | None:
        """Seconds of the time budget, None without one. What passed since the last event is taken from a clock that
        nobody can set back."""
        budget, switches = self.state.spec.budget.time_s, self.state.switches
        if budget is None or switches.time_spent or self.ending or switches.completed:
            return None
        return budget - switches.elapsed - (self.executor.monotonic() - self.seat.folded_at)

    # ----------------------------------------------------------------------------------------------------- turn

    def _turn(self) -> bool:
        """Everything that can be done now is done. True when nothing is left to do at all."""
        self._take_inbox()
        if self.store_due is not None and self.executor.monotonic() < self.store_due:
            return self.insisted and not self.executor.jobs()  # the jobs' own directories hold what the log does not
        try:
            if self.cut_off:
                self._reattach()
            self._append_facts()
            self._append_decisions()
            if self.ending == "hangup":
                return True
            self._reconcile()
            self.seat.keep_snapshot()
        except CURABLE as error:
            self._put_off(error)
            return False
        self._store_is_well()
        if self.ending is None and self.settings.until is not None and self.settings.until(self.state):
            self.end("hangup")
            return True
        over = self.ending is not None or self.state.switches.completed is not None
        return over and not self.watched and not self.inbox

    def _put_off(self, error: RungError) -> None:
        """The lease is gone, or the store has no room: the next turn begins with the cure."""
        if isinstance(error, Fenced):
            self.cut_off = True
            self.wake.set()
            return
        self.stale = self.compare_all = True  # what was written may not have been read back
        if self.store_due is None:
            self.say(f"{error}; running trials go on, nothing new starts until the store can be written again")
        self.store_due = self.executor.monotonic() + RETRY_STORE_S

    def _store_is_well(self) -> None:
        if self.store_due is not None:
            self.store_due = None
            self.say("the store can be written again; nothing was lost")

    def _take_inbox(self) -> None:
        batch, self.inbox = self.inbox, []
        for event in batch:
            self.unlogged += self._facts(event)

    def _append_facts(self) -> None:
        """What happened is in the log, once, and all that is new there is folded."""
        facts = list(self.unlogged)
        left = self._time_left()
        if left is not None and left <= 0:
            facts.append(ev.TimeSpent(at=self.executor.clock(), seconds=self.state.spec.budget.time_s or 0.0))
        if facts:
            self.seat.log.append(facts)
            self.unlogged.clear()
        if facts or self.stale or self.seat.store.changed():
            self.seat.catch_up()
        self.stale = False

    def _append_decisions(self) -> None:
        """All that follows is in the log, the next proposals included as far as they are quick."""
        while True:
            decisions = self.seat.engine.decide(at=self.executor.clock(), free=self._free())
            if decisions:
                self.seat.decide(decisions)
            elif not self._propose():
                return

    def _propose(self) -> bool:
        """Whether a proposal was appended, so that there may be more to do."""
        if self.asked is None:
            question = None if self._free() <= 0 else self.seat.engine.question(free=self._free())
            if question is None:
                return False
            self.asked = question, self._answer(question)
        question, future = self.asked
        if not future.done():
            return False
        self.asked = None
        commands, self.answer_took_s = future.result()
        decisions = self.seat.engine.conclude(question, commands, at=self.executor.clock(), seconds=self.answer_took_s)
        if self.ending is not None or not self.seat.engine.startable():
            return False
        if not decisions:
            return question.based_on != self.state.seq  # what made it wait may be over: nothing else would ask again
        legal = self.seat.engine.legal(decisions)  # the log may have moved on while the answer was computed
        self.seat.decide(legal)
        self._warn_of(legal)
        return True

    def _warn_of(self, decisions: Sequence[ev.Decision]) -> None:
        """A searcher that failed is not passed over in silence."""
        for decision in decisions:
            if isinstance(decision, ev.TrialProposed) and failure_of(decision.reason) is not None:
                self.say(f"warning: trial {decision.trial} is {decision.reason.text}")

    def _answer(self, question: Question) -> asyncio.Future[Timed]:
        """The answer, at once from a searcher of ours that was quick last time, else from a thread."""
        at_once = self.answer_took_s < QUICK_ANSWER_S and question.answer.limit_s is None
        if at_once or not self.executor.asks_beside:
            future: asyncio.Future[Timed] = asyncio.get_running_loop().create_future()
            future.set_result(self._timed(question))
            return future
        future = asyncio.wrap_future(beside(lambda: self._timed(question)))
        future.add_done_callback(lambda _: self.wake.set())
        return future

    def _timed(self, question: Question) -> Timed:
        before = time.perf_counter()
        return self.asking(question.answer), time.perf_counter() - before

    def _free(self) -> int:
        if self.ending is not None:
            return 0
        mine = self.state.busy[self.seat.lease.epoch]
        capacity = self.executor.capacity
        return max(0, (self.seat.workers if capacity is None else min(self.seat.workers, capacity)) - mine)

    # ------------------------------------------------------------------------------------------------- the jobs

    def _facts(self, event: JobEvent) -> list[ev.Fact]:
        """What an executor's event means to the log; nothing for a job that the log gave to another runner."""
        watched = self.watched.get(event.key)
        if watched is None:
            return []
        which = (watched.trial, watched.attempt)
        if isinstance(event, Held | Exited):
            self._unwatch(event.key)
            self.touched.add(watched.trial)
        if isinstance(event, Exited):
            self._room_made()
        live = self.state.live.get(watched.trial)
        if live is None or live.attempt != watched.attempt or live.epoch != self.seat.lease.epoch:
            return []
        if isinstance(event, Held):
            self._hold(which, event.why)
            return []
        if self.held.pop(which, None) is not None:
            self.say(f"trial {watched.trial} is no longer held")
        return list(facts_of(event, watched, live, here=self.seat.here, at=self.executor.clock()))

    def _hold(self, which: tuple[int, int], why: str) -> None:
        if which not in self.held:
            self.say(f"trial {which[0]} is held: {why}")
        self.held[which] = self.executor.monotonic() + RETRY_HELD_S

    def _room_made(self) -> None:
        """Held starts are due at once, and so before any trial that is proposed for the room."""
        now = self.executor.monotonic()
        self.held = {which: min(due, now) for which, due in self.held.items()}

    def _reconcile(self) -> None:
        """Jobs are compared with the log, where either may have changed."""
        touched = self.touched | {n for n, _ in self.held} | {n for n, _ in self.copies.under_way}
        trials = None if self.compare_all else touched
        self.touched, self.compare_all = set(), False
        actions = reconcile(self.state, self.seat.lease.epoch, self.jobs, trials)
        for live in actions.start:
            self._start(live)
        for live in actions.adopt:
            self._adopt(live)
        for trial, attempt_ in actions.stop:
            self.executor.stop(self.jobs[trial][attempt_])
        for trial, attempt_ in actions.forget:
            self._forget(self.jobs[trial][attempt_])
        for trial, attempt_ in actions.kill:
            self.executor.kill(self.jobs[trial][attempt_])

    def _start(self, live: Live) -> None:
        which = (live.number, live.attempt)
        if self.ending is not None or self.held.get(which, 0.0) > self.executor.monotonic():
            return
        if which in self.held:
            self.held[which] = BEING_TRIED
        try:
            if not self.executor.keeps_files or self.copies.arrived(self.state, live):
                self.executor.start(self._watch(live))
        except Gone as error:
            self._begin_elsewhere(live, str(error))
        except OSError as error:
            self._hold(which, f"its checkpoint cannot be copied: {error}")

    def _begin_elsewhere(self, live: Live, why: str) -> None:
        """The checkpoint that the attempt was to begin from is none: the attempt is over before it began, and the next
        one begins from an older checkpoint, or from the beginning."""
        at = self.executor.clock()
        self.say(f"trial {live.number}: {why}; it begins from an older checkpoint, or anew")
        if live.source is not None:  # else what an earlier attempt had saved, and never named, went meanwhile
            owner, made = live.source.trial, live.source.checkpoint
            lost = ev.CheckpointLost(at=at, owner=owner, attempt=made.attempt, name=made.name, why=why)
            self.unlogged.append(lost)
        self.unlogged.append(ev.TrialExited(at=at, trial=live.number, attempt=live.attempt, how="never", tail=why))
        self.wake.set()

    def _adopt(self, live: Live) -> None:
        """The attempt is watched from where the log ends; one of another machine or of an asking process is over."""
        self.held.pop((live.number, live.attempt), None)
        if live.asked or live.host not in {"", self.seat.here.host}:
            self.seat.facts(gone(live, at=self.executor.clock()))
            self.wake.set()
        else:
            ran_s = None  # the system knows, where there are processes
            if not self.executor.keeps_files and live.started is not None:
                ran_s = self.executor.clock() - live.started
            self.executor.adopt(self._watch(live), jobs_.cursor_of(live), ran_s=ran_s)
            self.touched.add(live.number)  # now that it has a job: it may have been told to end before
            self.wake.set()

    def _watch(self, live: Live) -> Job:
        settings = self.settings
        job = jobs_.job_for(self.state, live, study=settings.study, runs=settings.runs, launch=settings.launch)
        self.watched[job.key] = Watched(live.number, live.attempt, job.directory)
        self.jobs.setdefault(live.number, {})[live.attempt] = job.key
        return job

    def _unwatch(self, key: str) -> None:
        watched = self.watched.pop(key)
        attempts = self.jobs[watched.trial]
        del attempts[watched.attempt]
        if not attempts:
            del self.jobs[watched.trial]

    def _forget(self, key: str) -> None:
        self.executor.forget(key)
        self._unwatch(key)

    def _take_over(self) -> None:
        if self.ending is None:
            self.seat.take_over()

    def _reattach(self) -> None:
        """This runner was taken for dead (suspended, cut off): it folds the log first, ends those of its jobs that
        nobody adopted and the log gave up, and goes on as a new runner."""
        self.say("this runner's lease was taken over while it was not heard of; it goes on under a new one")
        self.asked = None
        state = open_state(self.seat.store, self.settings.study)
        for key, watched in list(self.watched.items()):
            live = state.live.get(watched.trial)
            if live is not None and live.attempt == watched.attempt and live.exit is None:
                self._forget(key)  # adopted by another runner, or by this one in a moment, from where the log ends
            else:
                self.executor.kill(key)
        self.inbox = [event for event in self.inbox if event.key in self.watched]
        self.unlogged.clear()
        self.held.clear()
        self.compare_all = True
        self.seat.take(workers=self.settings.workers)
        self._take_over()
        self.cut_off = False
        self.wake.set()
