"""Jobs as processes of this machine, each under a small sh wrapper that tells its story in its directory."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from rung.execute import attempt
from rung.execute.base import Held, Job
from rung.execute.devices import Devices, Taken
from rung.execute.watcher import Watcher
from rung.inside import wire
from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.execute.watch import Watch

_NO_PROGRAM = {errno.ENOENT: 127, errno.ENOTDIR: 127, errno.EACCES: 126, errno.E2BIG: 126, errno.ENAMETOOLONG: 127}


class LocalExecutor(Watcher):
    """Runs jobs on this machine. Created inside a running event loop."""

    def __init__(self, *, devices: Devices | None = None) -> None:
        super().__init__()
        self._devices = devices or Devices()
        # Ours never leak in from a trial that this runner itself runs in.
        self._inherited = {name: value for name, value in os.environ.items() if name not in wire.TRIAL_VARIABLES}

    def start(self, job: Job) -> None:
        """The job's program will run, or `Held` says why not now; a directory that has started is adopted.

        Raises `BadInput` when the job could never run: no program, a NUL byte in an argument, more devices than there
        are.
        """
        self._check(job)
        if job.key in self._watches:
            return
        if attempt.is_started(job.directory):
            self.adopt(job, job.begin)
            return
        taken = self._devices.take(gpus=job.gpus, cpus=job.cpus)
        if isinstance(taken, str):
            self._emit(Held(key=job.key, why=taken))
            return
        try:
            self._start_with(job, taken)
        finally:
            taken.close()  # the job's own processes hold the devices now, for exactly as long as they live

    def _check(self, job: Job) -> None:
        if not job.argv:
            raise BadInput("the job has no program to run", place=job.key)
        for word in (*job.argv, job.cwd, *job.env.keys(), *job.env.values()):
            if "\0" in word:
                raise BadInput(f"a NUL byte cannot be passed to a program: {word!r:.60}", place=job.key)

    def _start_with(self, job: Job, taken: Taken) -> None:
        try:
            stdout, stderr = attempt.prepare(job.directory, job.params, job.files)
        except OSError as error:
            self._emit(Held(key=job.key, why=f"{job.directory}: {error.strerror or error}"))
            return
        except TypeError as error:
            raise BadInput(f"a parameter cannot be written as JSON: {error}", place=job.key) from None
        watch = self._add(job, job.begin)
        watch.devices = taken.names
        self._watch_files(watch)
        try:
            self._launch(watch, self._environment(job, taken), streams=(stdout, stderr), keep=taken.fds)
        except OSError as error:
            self._not_spawned(watch, error)
            return
        finally:
            os.close(stdout)
            os.close(stderr)
        self._set_deadline(watch, 0.0)

    def _launch(self, watch: Watch, env: dict[str, str], *, streams: tuple[int, int], keep: Sequence[int]) -> None:
        """The job's wrapper runs with these streams and the descriptors `keep`. Raises `OSError`."""
        self._attach(watch, _spawn(watch.job, env, streams=streams, keep=keep))

    def _environment(self, job: Job, taken: Taken) -> dict[str, str]:
        """The variables that the job's program sees, on top of those that this process began with."""
        inherited = self._inherited
        own = {
            wire.TRIAL_DIR: job.directory,
            wire.PARAMS_FILE: f"{job.directory}/{wire.PARAMS}",
            wire.JOB: job.key,
            "PYTHONUNBUFFERED": "1",
        }
        limits = {name: value for name, value in taken.limits.items() if name not in inherited}
        return {**inherited, **limits, **job.env, **own, **taken.variables}

    def _not_spawned(self, watch: Watch, error: OSError) -> None:
        """A program or folder that is not there is the job's own failure; a machine out of room holds it."""
        job = watch.job
        if error.errno not in _NO_PROGRAM:
            self._hold(watch, f"the trial's process could not be started: {error.strerror}")
            return
        what = job.cwd if error.errno in (errno.ENOENT, errno.ENOTDIR) else job.argv[0]
        try:
            attempt.record_unstartable(job.directory, _NO_PROGRAM[error.errno or 0], f"{what}: {error.strerror}")
        except OSError as full:
            self._hold(watch, f"{job.directory}: {full.strerror}")
            return
        watch.phase = "recovering"
        self._recover(watch)


def _spawn(job: Job, env: dict[str, str], *, streams: tuple[int, int], keep: Sequence[int]) -> int:
    """The wrapper runs in a session of its own; returns its process id. Raises `OSError`."""
    program = _resolve(job.argv[0], env, job.cwd)
    process = subprocess.Popen(
        ["/bin/sh", attempt.WRAPPER, job.directory, program, *job.argv[1:]],
        cwd=job.cwd or None,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=streams[0],
        stderr=streams[1],
        start_new_session=True,
        pass_fds=keep,
    )
    process.returncode = 0  # we reap by process id (watch.py): Popen must neither wait for it nor warn about it
    return process.pid


def _resolve(name: str, env: dict[str, str], cwd: str) -> str:
    """The program's path. Never a bare word: the shell would run its own builtin of that name."""
    if "/" in name:
        return name
    found = shutil.which(name, path=env.get("PATH", os.defpath))
    if found is None:
        return f"./{name}"
    return found if Path(found).is_absolute() else str(Path(cwd or ".").absolute() / found)
