"""Watching jobs: what they report, when they end, how they are ended. Shared by every executor of real processes.

A job goes through: begun (`started` was read) - the wrapper gone - the tree gone - everything read - `Exited`. Each
step is taken when the system tells of it (pidfd, inotify) or, at the latest, by the tick, which looks at everything.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Literal

from rung.execute import attempt, processes, tree
from rung.execute.base import Cursor, Exited, Held, Job, JobEvent, Reported, Started
from rung.execute.realtime import RealTime
from rung.execute.wakeups import open_inotify
from rung.execute.watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from rung.execute.attempt import Beginning
    from rung.execute.drain import Drained

_TICK_S = 0.5
_TICK_WITHOUT_HINTS_S = 0.1
_TICK_BUSY_S = 0.02
_DRAIN_SPACING_S = 0.005
_INCOMPLETE_S = 1.0  # how long a `started` without its end of line may still be in the writing
_SPARED_S = 1.0
"""How long a wrapper is given to record the status of a program that was killed."""
_ORPHANED_CENSUS_S = 0.25
_NEWBORN_S = 0.2
_KILLED = 137
NOT_WRITTEN = 122
"""What a wrapper ends with that made `started` but could not write it: nothing ran."""


class Watcher(RealTime):
    """Everything of the executor contract except `start`. Created inside a running event loop."""

    capacity: int | None = None

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._watches: dict[str, Watch] = {}
        self._by_directory: dict[str, Watch] = {}
        self._batch: list[JobEvent] = []
        self._wake = asyncio.Event()
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._later: set[str] = set()
        self._forgotten: dict[int, int] = {}
        self._boot = processes.boot_id()
        self._noted: set[str] = set()
        self._strangers = tree.Strangers()
        self._hints = open_inotify()
        self._tick_s = _TICK_WITHOUT_HINTS_S if self._hints is None else _TICK_S
        if self._hints is not None:
            self._loop.add_reader(self._hints.fd, self._hinted)

    # ------------------------------------------------------------------------------------------------- the contract

    def adopt(self, job: Job, cursor: Cursor, *, ran_s: float | None = None) -> None:
        """The job is watched from `cursor` on, or claimed if it never started."""
        if job.key in self._watches:
            return
        watch = self._add(job, cursor)
        watch.ran_s = ran_s
        watch.phase = "recovering"
        watch.seen_at = self.monotonic()
        self._loop.call_soon(self._recover, watch)

    def stop(self, key: str) -> None:
        """TERM goes to the whole tree now, KILL after the grace."""
        watch = self._watches.get(key)
        if watch is not None and watch.phase != "over" and watch.ending in ("", "leftovers"):
            self._end(watch, "stop")

    def kill(self, key: str) -> None:
        """KILL goes to the whole tree now."""
        watch = self._watches.get(key)
        if watch is None or watch.phase == "over":
            return
        watch.ending = watch.ending or "stop"
        attempt.ask_to_stop(watch.job.directory)
        watch.kill_at = self.monotonic()
        self._tick()

    def forget(self, key: str) -> None:
        """The job runs on unwatched, nothing more is told of it; a child of ours is still reaped when it ends."""
        watch = self._watches.get(key)
        if watch is not None:
            self._drop(watch)
        self._batch = [event for event in self._batch if event.key != key]

    def jobs(self) -> Mapping[str, Job]:
        """The jobs watched or starting, by key."""
        return {key: watch.job for key, watch in self._watches.items()}

    async def events(self) -> AsyncIterator[list[JobEvent]]:
        """Batches of what happened; ends when the executor is closed."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._batch = self._batch, []
            if batch:
                yield batch
            if self._closed:
                return

    async def close(self) -> None:
        """Watching ends; running jobs are left as they are. Closing twice is allowed."""
        if self._closed:
            return
        for watch in list(self._watches.values()):
            self._drop(watch)
        for pid, pidfd in self._forgotten.items():
            self._loop.remove_reader(pidfd)
            os.close(pidfd)
            processes.reap(pid)
        self._forgotten.clear()
        self._closed = True
        self._wake.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._hints is not None:
            self._loop.remove_reader(self._hints.fd)
            self._hints.close()

    # --------------------------------------------------------------------------------------------------- beginnings

    def _add(self, job: Job, cursor: Cursor) -> Watch:
        watch = Watch(job, cursor)
        self._watches[job.key] = watch
        self._by_directory[job.directory] = watch
        self._schedule(_TICK_S)
        return watch

    def _watch_files(self, watch: Watch) -> None:
        """Changes in the job's directory are told at once, where the system can."""
        if self._hints is None:
            return
        try:
            watch.hint = self._hints.add(watch.job.directory)
        except OSError as error:
            self._tick_s = _TICK_WITHOUT_HINTS_S
            self._note(watch, f"changes of files are found by polling only: {error.strerror}")

    def _attach(self, watch: Watch, pid: int) -> None:
        """The end of the process `pid` will be told, by pidfd or by the tick."""
        watch.pid = pid
        if not hasattr(os, "pidfd_open"):
            self._schedule(_TICK_BUSY_S)
            return
        try:
            watch.pidfd = os.pidfd_open(pid)
        except OSError:  # gone already, or no descriptor left: the tick finds out
            self._schedule(0.0)
            return
        self._loop.add_reader(watch.pidfd, self._wrapper_ended, watch)

    def _recover(self, watch: Watch) -> None:
        """What is found in the directory decides: never started, running, or ended."""
        if watch.phase != "recovering" or watch.job.key not in self._watches:
            return
        begun = attempt.beginning(watch.job.directory)
        if begun is None:
            self._recover_unbegun(watch)
        elif begun.pid == 0:
            self._conclude(watch, "never")
        else:
            self._recover_begun(watch, begun)

    def _recover_unbegun(self, watch: Watch) -> None:
        """No word of a beginning: claim the attempt, unless somebody may be writing `started` at this moment."""
        directory = watch.job.directory
        if not attempt.is_started(directory):
            try:
                if attempt.claim(directory):
                    self._conclude(watch, "never")
                    return
            except OSError as error:
                self._note(watch, f"cannot claim {directory}: {error.strerror}; trying again")
        elif self.monotonic() - watch.seen_at > _INCOMPLETE_S and not watch.tree(tree.Census()):
            self._conclude(watch, "never")  # its maker died before it could say anything, so it ran nothing
            return
        self._schedule(_TICK_BUSY_S)

    def _recover_begun(self, watch: Watch, begun: Beginning) -> None:
        watch.beginning = begun
        self._say_started(watch)
        if begun.boot and self._boot and begun.boot != self._boot:
            self._drain_out(watch)  # that machine, or that boot of it, is gone with all its processes
            return
        watch.phase = "running"
        if watch.apart and attempt.status(watch.job.directory) is not None:
            self._drain_out(watch)
            return
        self._watch_files(watch)
        if not processes.is_alive(begun.pid, begun.ticks, watch.job.key):
            self._wrapper_ended(watch)
            return
        ran_s = watch.ran_s if watch.ran_s is not None else processes.seconds_since(begun.ticks)
        self._set_deadline(watch, ran_s or 0.0)
        self._attach(watch, begun.pid)
        self._look(watch)

    def _set_deadline(self, watch: Watch, ran_s: float) -> None:
        if watch.job.timeout_s is not None:
            watch.deadline = self.monotonic() + watch.job.timeout_s - ran_s
            self._schedule(max(0.0, watch.job.timeout_s - ran_s))

    # --------------------------------------------------------------------------------------------------- on the way

    def _look(self, watch: Watch) -> None:
        """What the job's files say now has been told."""
        if watch.phase not in ("starting", "running", "orphaned"):
            return
        self._say_started(watch)
        now = self.monotonic()
        if now - watch.drained_at >= _DRAIN_SPACING_S:
            self._drain(watch)
        elif watch.job.key not in self._later:  # a job that writes without pause is read in gulps
            self._later.add(watch.job.key)
            self._loop.call_later(_DRAIN_SPACING_S, self._look_later, watch)

    def _look_later(self, watch: Watch) -> None:
        self._later.discard(watch.job.key)
        if self._watches.get(watch.job.key) is watch:
            self._look(watch)

    def _say_started(self, watch: Watch) -> None:
        """`Started` has been told if `started` could be read and is this job's own."""
        if watch.phase == "starting":
            begun = attempt.beginning(watch.job.directory)
            if begun is None or (watch.pid and begun.pid != watch.pid):
                return
            watch.beginning = begun
            watch.phase = "running"
            if not watch.pid and not watch.apart:
                self._attach(watch, begun.pid)
            if watch.deadline is None:
                self._set_deadline(watch, 0.0)
        elif watch.phase != "recovering":
            return
        begun = watch.beginning
        if begun is not None:
            self._emit(
                Started(key=watch.job.key, pid=begun.pid, ticks=begun.ticks, boot=begun.boot, devices=watch.devices)
            )

    def _drain(self, watch: Watch) -> bool:
        """One gulp of reports has been told; True when there is more, which is read after other jobs had their turn."""
        drained = watch.reader.drain(self.clock())
        watch.drained_at = self.monotonic()
        self._emit_drained(watch, drained)
        if drained.more and watch.phase != "over":
            self._loop.call_soon(self._look_later, watch)
        return drained.more

    def _emit_drained(self, watch: Watch, drained: Drained) -> None:
        watch.cursor = drained.cursor
        told = drained.told(watch.job.key)
        if told is not None:
            self._emit(told)

    def _note(self, watch: Watch, note: str) -> None:
        """The note has been told, once for all jobs."""
        if note not in self._noted:
            self._noted.add(note)
            self._emit(Reported(key=watch.job.key, reports=[], cursor=watch.cursor, notes=[note]))

    def _emit(self, event: JobEvent) -> None:
        self._batch.append(event)
        self._wake.set()

    # ------------------------------------------------------------------------------------------------------- endings

    def _wrapper_ended(self, watch: Watch) -> None:
        """The wrapper is gone. On a normal exit that is all; else what is left of its tree decides."""
        self._detach(watch)
        code = processes.reap(watch.pid) if watch.pid else None
        self._say_started(watch)
        if watch.phase == "starting":
            self._nothing_ran(watch, code)
            return
        begun = watch.beginning
        assert begun is not None
        settled = attempt.status(watch.job.directory) is not None and not watch.ending
        if watch.apart or (settled and not self._strangers.outlived(begun.pid, watch.job.key)):
            self._drain_out(watch)
            return
        watch.phase = "orphaned"
        self._check_orphaned(watch, tree.Census())

    def _nothing_ran(self, watch: Watch, code: int | None) -> None:
        """Our wrapper ended without beginning: another one has the attempt, or `started` could not be written."""
        directory = watch.job.directory
        if code == NOT_WRITTEN:
            attempt.unclaim(directory)
        if attempt.is_started(directory):
            watch.phase, watch.pid, watch.seen_at = "recovering", 0, self.monotonic()
            self._recover(watch)
        elif watch.ending and attempt.claim(directory):
            self._conclude(watch, "never")
        else:
            self._hold(watch, "the start could not be recorded in the trial's directory; is the disk full?")

    def _hold(self, watch: Watch, why: str) -> None:
        attempt.undo(watch.job.directory)
        self._drop(watch)
        self._emit(Held(key=watch.job.key, why=why))

    def _end(self, watch: Watch, why: Literal["stop", "timeout", "leftovers"]) -> None:
        """The whole tree was asked to end and will be killed after the grace."""
        watch.ending = why
        watch.asked_at = self.monotonic()
        if watch.kill_at is None:
            watch.kill_at = watch.asked_at + watch.job.grace_s
        if why != "leftovers":
            attempt.ask_to_stop(watch.job.directory)
        self._ask(watch, watch.tree(tree.Census()))
        self._schedule(_TICK_BUSY_S)

    def _ask(self, watch: Watch, members: list[processes.Process]) -> None:
        """Those of the tree that were not asked before are asked to end: twice means "at once" to many programs."""
        tree.terminate([one for one in members if (one.pid, one.ticks) not in watch.asked])
        watch.asked.update((one.pid, one.ticks) for one in members)

    def _check_orphaned(self, watch: Watch, census: tree.Census) -> None:
        """Without its wrapper: what is left of the tree runs on, is ended, or there is nothing and the job is over."""
        watch.seen_at = self.monotonic()
        members = watch.tree(census)
        if not members:
            self._drain_out(watch)
        elif watch.ending:
            self._ask(watch, members)
            self._kill_when_due(watch, members)
        elif attempt.status(watch.job.directory) is not None:
            self._end(watch, "leftovers")
        else:
            self._schedule(_ORPHANED_CENSUS_S)

    def _kill_when_due(self, watch: Watch, members: list[processes.Process]) -> None:
        """Past the grace all are killed, the wrapper last: it is to record how the program ended."""
        now = self.monotonic()
        if watch.kill_at is None or now < watch.kill_at:
            return
        watch.killed = True
        spared = now < watch.kill_at + _SPARED_S and len(members) > 1
        tree.kill(members, spare=watch.beginning.pid if spared and watch.beginning else 0)

    def _ladder(self, watch: Watch, census: tree.Census) -> None:
        """The next rung of ending a job whose wrapper still lives."""
        members = watch.tree(census)
        if watch.kill_at is not None and self.monotonic() >= watch.kill_at:
            self._kill_when_due(watch, members)
            return
        watch.asked_at = None
        newborn = [one for one in members if (processes.seconds_since(one.ticks) or 1.0) < _NEWBORN_S]
        watch.asked.difference_update((one.pid, one.ticks) for one in newborn)  # a shell about to exec may swallow TERM
        self._ask(watch, members)

    def _drain_out(self, watch: Watch) -> None:
        """Everything the job wrote is read, gulp by gulp; then it is over."""
        if self._watches.get(watch.job.key) is not watch:
            return
        watch.phase = "over"
        if self._drain(watch):
            self._loop.call_soon(self._drain_out, watch)
            return
        self._emit_drained(watch, watch.reader.finish(self.clock()))
        status = attempt.status(watch.job.directory)
        if status is None and watch.killed:
            status = _KILLED
        if watch.ending == "timeout":
            self._conclude(watch, "timeout", status)
        else:
            self._conclude(watch, "lost" if status is None else "exited", status)

    def _conclude(
        self, watch: Watch, how: Literal["exited", "timeout", "lost", "never"], code: int | None = None
    ) -> None:
        tail = "" if how == "never" else watch.last_words(code)
        self._drop(watch)
        refused = None if how == "never" else attempt.invalid(watch.job.directory)
        self._emit(Exited(key=watch.job.key, how=how, code=code, tail=tail, invalid=refused))

    def _drop(self, watch: Watch) -> None:
        """The job is no longer watched; if it is a running child of ours it will still be reaped."""
        running_child = watch.pid if watch.pidfd is not None and watch.phase in ("starting", "running") else 0
        watch.phase = "over"
        self._watches.pop(watch.job.key, None)
        if self._by_directory.get(watch.job.directory) is watch:
            del self._by_directory[watch.job.directory]
        if watch.hint is not None and self._hints is not None:
            self._hints.remove(watch.hint)
        if running_child and watch.pidfd is not None:
            self._loop.add_reader(watch.pidfd, self._forgotten_ended, running_child)
            self._forgotten[running_child] = watch.pidfd
            watch.pidfd = None
        self._detach(watch)

    def _forgotten_ended(self, pid: int) -> None:
        pidfd = self._forgotten.pop(pid)
        self._loop.remove_reader(pidfd)
        os.close(pidfd)
        processes.reap(pid)

    def _detach(self, watch: Watch) -> None:
        if watch.pidfd is not None:
            self._loop.remove_reader(watch.pidfd)
            os.close(watch.pidfd)
            watch.pidfd = None

    # ---------------------------------------------------------------------------------------------- hints and ticks

    def _hinted(self) -> None:
        assert self._hints is not None
        for directory in self._hints.changed():
            watch = self._by_directory.get(directory)
            if watch is not None:
                self._look(watch)

    def _schedule(self, delay: float) -> None:
        """A tick comes in at most `delay` seconds."""
        at = self._loop.time() + delay
        if self._timer is not None and not self._timer.cancelled() and self._timer.when() <= at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._tick)

    def _tick(self) -> None:
        """Everything has been looked at, hints or no hints."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        census: tree.Census | None = None
        for watch in list(self._watches.values()):
            if watch.phase == "recovering":
                self._recover(watch)
            elif watch.phase != "over":
                census = self._tick_one(watch, census)
        if self._watches and not self._closed:
            self._schedule(self._pause())

    def _tick_one(self, watch: Watch, census: tree.Census | None) -> tree.Census | None:
        """One running job has been looked at; returns the census if one had to be taken, for the next job to use."""
        now = self.monotonic()
        if watch.phase == "starting" or watch.reader.grown():
            self._look(watch)
        if watch.deadline is not None and now >= watch.deadline and not watch.ending:
            self._end(watch, "timeout")
        if watch.phase == "orphaned":
            if watch.ending or now - watch.seen_at >= _ORPHANED_CENSUS_S:
                census = census or tree.Census()
                self._check_orphaned(watch, census)
        elif self._has_ended(watch):
            self._wrapper_ended(watch)
        elif watch.ending and not watch.apart and self._ladder_due(watch, now):
            census = census or tree.Census()
            self._ladder(watch, census)
        return census

    def _ladder_due(self, watch: Watch, now: float) -> bool:
        """Past the grace; or once soon after TERM, for a program that the wrapper was just about to start."""
        if watch.asked_at is not None and now >= watch.asked_at + _TICK_BUSY_S:
            return True
        return watch.kill_at is not None and now >= watch.kill_at

    def _has_ended(self, watch: Watch) -> bool:
        """Whether the wrapper is gone, asked of the system where no event tells it."""
        if watch.apart:
            return attempt.status(watch.job.directory) is not None
        if watch.pidfd is not None or not watch.pid:
            return False
        processes.reap(watch.pid)
        begun = watch.beginning
        if begun is not None:
            return not processes.is_alive(begun.pid, begun.ticks, watch.job.key)
        return processes.inspect(watch.pid) is None

    def _pause(self) -> float:
        """Seconds until the next tick: short while something is under way that no event will tell of."""
        longest = self._tick_s
        now = self.monotonic()
        for watch in self._watches.values():
            if watch.ending or watch.phase == "recovering" or (watch.pid and watch.pidfd is None):
                return _TICK_BUSY_S
            if watch.deadline is not None:
                longest = min(longest, max(0.0, watch.deadline - now))
        return longest
