"""Jobs as calls in a thread of this process: for a breakpoint in the objective, and for what cannot be sent elsewhere.

The executor lives in the runner's loop; the thread that is to run objectives (the main one, so that pdb works) calls
`run_here`. A job keeps the same files as any other, except that output stays on the terminal.
"""

from __future__ import annotations

import os
import queue
import traceback
from typing import TYPE_CHECKING

from rung.execute import attempt, processes
from rung.execute.attempt import Beginning
from rung.execute.base import Held, Job
from rung.execute.watcher import Watcher
from rung.inside import call, wire
from rung.inside.session import Session

if TYPE_CHECKING:
    from rung.inside.call import Objective

_LIMIT_NOTE = "a time limit cannot be enforced inside this process: the objective is only asked to stop"


class InlineExecutor(Watcher):
    """Runs `objective(params)` for one job after another. Created inside a running event loop."""

    capacity: int | None = 1

    def __init__(self, objective: Objective) -> None:
        super().__init__()
        self._objective = objective
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        here = processes.inspect(os.getpid())
        self._beginning = Beginning(os.getpid(), here.ticks if here else 0, self._boot, "inline")

    def start(self, job: Job) -> None:
        """The job waits for the thread in `run_here`; a directory that has started is adopted."""
        if job.key in self._watches:
            return
        if attempt.is_started(job.directory):
            self.adopt(job, job.begin)
            return
        try:
            for fd in attempt.prepare(job.directory, job.params, job.files):
                os.close(fd)
        except OSError as error:
            self._emit(Held(key=job.key, why=f"{job.directory}: {error.strerror or error}"))
            return
        watch = self._add(job, job.begin)
        self._watch_files(watch)
        if job.timeout_s is not None:
            self._note(watch, _LIMIT_NOTE)
        self._queue.put(job)

    def stop(self, key: str) -> None:
        """A job that has not begun never will; one that runs is asked (`rung.should_stop()`)."""
        watch = self._watches.get(key)
        if watch is not None and watch.phase == "starting" and attempt.claim(watch.job.directory):
            self._conclude(watch, "never")
            return
        super().stop(key)

    def kill(self, key: str) -> None:
        """As `stop`: a call inside this process cannot be ended from outside."""
        self.stop(key)

    async def close(self) -> None:
        """Watching ends, and `run_here` returns after the job it is at."""
        self._queue.put(None)
        await super().close()

    def run_here(self) -> None:
        """The jobs have been run in this thread, until the executor was closed.

        Ctrl-C ends the running job with status 130 and is raised again.
        """
        while (job := self._queue.get()) is not None:
            self._run(job)

    def _run(self, job: Job) -> None:
        try:
            if not attempt.begin(job.directory, self._beginning):
                return  # stopped before it began, or taken by another runner: the watch knows
        except OSError as error:
            self._tell(job.key, f"{job.directory}: {error.strerror}", begun=False)
            return
        session = Session(job.directory, {**job.env, wire.TRIAL_DIR: job.directory}, values=dict(job.params))
        code, summary = 1, ""
        try:
            with session.entered():
                code, summary = _called(self._objective, job)
        except KeyboardInterrupt:
            code, summary = 130, "interrupted"
            raise
        finally:
            attempt.record_status(job.directory, code)
            self._tell(job.key, summary, begun=True)

    def _tell(self, key: str, error: str, *, begun: bool) -> None:
        told = self._ended if begun else self._not_begun
        if not self._closed:
            self._loop.call_soon_threadsafe(told, key, error)

    def _ended(self, key: str, error: str) -> None:
        watch = self._watches.get(key)
        if watch is not None and watch.phase != "over":
            watch.error = error
            self._wrapper_ended(watch)

    def _not_begun(self, key: str, error: str) -> None:
        watch = self._watches.get(key)
        if watch is not None:
            self._hold(watch, error)


def _called(objective: Objective, job: Job) -> tuple[int, str]:
    """The exit status of a program that makes this call, and its error in one line; the traceback is in `stderr`."""
    try:
        call.run(objective, job.metrics)
    except SystemExit as end:
        return call.exit_status(end), str(end.code or "")
    except Exception as error:  # noqa: BLE001 - whatever the objective raises is the trial's failure, not ours
        with open(f"{job.directory}/{wire.STDERR}", "a", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - one line
            file.write("".join(traceback.format_exception(type(error), error, error.__traceback__)))
        return 1, traceback.format_exception_only(type(error), error)[-1].strip().splitlines()[0]
    return 0, ""
