"""What an executor promises. It knows *jobs*, not trials: argv, a directory, an environment, a time limit.

A job tells its own story in its directory (ARCHITECTURE rule 7), whoever started it:

| file | written by | says |
|---|---|---|
| `params.json` | runner, before the start | the parameters |
| `exit` | room made by the runner before the start, filled by the wrapper | blank, or the exit status |
| `started` | the wrapper, exclusively (or a recovering runner, to claim it) | pid, start ticks, boot id, a mark |
| `stop` | the executor, when it ends the job | that `rung.should_stop()` is true |
| `invalid` | the program, if its parameters cannot be run at all | why |
| `stdout`, `stderr` | the program | its output |
| `reports.jsonl` | the program, or `rung.report` inside it | one JSON object a line |
| `…tfevents…`, anywhere below | the program | scalars, as TensorBoard reads them |

`start` returns at once; what happens arrives through `events()`. A runner that did not start a job watches it with
`adopt`. Offsets in `Reported` are the only cursors: an adopter passes those that the log holds, so each line counts
exactly once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping  # noqa: TC003 - msgspec resolves annotations at run time
from typing import Literal, Protocol

import msgspec

from rung.model import Checkpoint, Report

Channel = Literal["none", "text", "events", "json", "file"]


class Cursor(msgspec.Struct, frozen=True):
    """How far a job's reports were read: the byte offset each file was read to, how many reports that gave, the step
    of the last one, and the best channel that has delivered a declared metric."""

    offsets: dict[str, int] = {}
    reports: int = 0
    step: float = 0.0
    channel: Channel = "none"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """As what and where an attempt runs. `directory`: its own, absolute; `cwd`: where the program runs; `seed`: the
    trial's; `resource`: the step up to which it may run, None: to its end; `resumed`: it begins from a checkpoint."""

    study: str
    trial: int
    attempt: int
    seed: int
    directory: str
    cwd: str = ""
    resource: float | None = None
    resumed: bool = False


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """How a trial is started. `env` is added to the runner's; `files`, text by its path below the attempt's directory,
    are there before the program starts; `folder/` with no text is an empty folder. `shown`: the command as the user
    knows it, where `argv` wraps it."""

    argv: tuple[str, ...]
    env: dict[str, str] = {}
    files: dict[str, str] = {}
    shown: tuple[str, ...] | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a program. `key` is unique among live jobs of this user on any host: it is the token that marks the
    job's processes (environment variable `RUNG_JOB`). `directory` is absolute and belongs to this job alone.

    `metrics` are the declared metrics (read from text lines); `steps` the names that may carry the step, best first.
    `function` is set instead of `argv` for an in-process objective. `gpus` and `cpus` are devices wanted.

    `files` are written below the directory before the start.

    `resource`: the step up to which the program may run before it is looked at, None: to its end. `begin`: what its
    reports count on from, the step and number of the report whose checkpoint it resumes from (`resumed`), else zero.
    """

    key: str
    directory: str
    argv: tuple[str, ...] = ()
    cwd: str = ""
    env: dict[str, str] = {}
    params: dict[str, object] = {}
    files: dict[str, str] = {}
    metrics: tuple[str, ...] = ()
    steps: tuple[str, ...] = ("step", "epoch", "iteration")
    timeout_s: float | None = None
    grace_s: float = 10.0
    gpus: float = 0.0
    cpus: float = 0.0
    attempt: int = 1
    resource: float | None = None
    begin: Cursor = Cursor()
    resumed: bool = False


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """The program runs: `started` was read. `pid` is the wrapper's; `ticks` since boot, 0 where unknown."""

    key: str
    pid: int
    ticks: int
    boot: str
    devices: tuple[str, ...] = ()


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """All report lines of one drain, and where it ended. `checkpoints`: the snapshots that the lines name. `notes` say
    what was skipped and why."""

    key: str
    reports: list[Report]
    cursor: Cursor
    notes: list[str] = []
    checkpoints: list[Checkpoint] = []


class Exited(msgspec.Struct, frozen=True, kw_only=True):
    """The job's tree is gone and all its output was read.

    `how`: `exited` (with `code`; above 128 it is 128 + signal), `timeout` (ended at its limit), `lost` (no exit status
    and nothing left of the tree), `never` (it was stopped or claimed before it could start: nothing ran). `invalid`:
    why the program refused its configuration, None when it did not.
    """

    key: str
    how: Literal["exited", "timeout", "lost", "never"]
    code: int | None = None
    tail: str = ""
    invalid: str | None = None


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """The job could not be started now (disk full, no device free); nothing ran; starting again is right. `why` is one
    line for the user."""

    key: str
    why: str


JobEvent = Started | Reported | Exited | Held


class Executor(Protocol):
    """The contract; `rung.testing.executors.ExecutorConformance` proves it for an implementation."""

    capacity: int | None
    """How many jobs can run at once, or None when only the runner's `workers` limits them."""

    keeps_files: bool
    """Whether jobs have directories: a runner brings checkpoints to those of the jobs that do."""

    asks_beside: bool
    """Whether a slow decision may be computed in a thread while jobs go on. Where the clock is virtual it may not."""

    def start(self, job: Job) -> None:
        """The job's directory is prepared and its program will run; its story comes through `events()`.

        A directory whose `started` exists is never started again: it is adopted instead. Raises `BadInput` for a job
        that could never run: no program, a NUL byte, more devices than this machine has.
        """
        ...

    def adopt(self, job: Job, cursor: Cursor, *, ran_s: float | None = None) -> None:
        """A job that another runner (or this one, before a crash) may have started is watched from `cursor` on.

        If it never started it is claimed and reported as `Exited(how="never")`. `ran_s`: seconds it is known to have
        run (for its time limit), None: ask the system.
        """
        ...

    def stop(self, key: str) -> None:
        """TERM goes to the whole tree now and KILL after the job's grace; `Exited` follows. Twice is the same as
        once; an unknown key is ignored."""
        ...

    def kill(self, key: str) -> None:
        """KILL goes to the whole tree now; `Exited` follows."""
        ...

    def forget(self, key: str) -> None:
        """The job is left alone: it runs on, unwatched (SIGHUP, a lost lease whose job was adopted elsewhere)."""
        ...

    def jobs(self) -> Mapping[str, Job]:
        """The jobs that this executor watches or is starting."""
        ...

    def events(self) -> AsyncIterator[list[JobEvent]]:
        """What happened, in batches; waits when nothing did. One consumer."""
        ...

    def clock(self) -> float:
        """Unix seconds now (a virtual clock for the simulator). Differences are taken only from `monotonic`."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def rest(self, until: float | None) -> float | None:
        """The runner has nothing to do before an event or `until` (of `monotonic`; None: no such time).

        Returns how many real seconds it may sleep, None: until it is woken. Only now a virtual clock goes on, from
        where the real time since the last batch of events has brought it; when it comes to `until`, an empty batch
        wakes the runner."""
        ...

    async def close(self) -> None:
        """Watching ends; running jobs are left as they are."""
        ...
