"""Processes of Rung that begin with everything imported: each is forked from one that has done so, of which every test
worker has one. They are processes like any other; only the half a second that an interpreter takes to get so far is
spared, hundreds of times."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

_FRESH = multiprocessing.get_context("spawn")
_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(
    [
        "numpy.ma", "numpy.random", "scipy.linalg.lapack", "scipy.special", "rung.api.attachment", "rung.api.creation",
        "rung.api.targets", "rung.cli.run_verbs", "rung.cli.study_verbs", "rung.cli.tables", "rung.cli.trial_verbs",
        "rung.dialects.rung.writer", "rung.execute.local", "rung.search.auto", "rung.search.gp", "rung.search.tpe",
        "rung.store.sqlite",
    ]
)  # fmt: skip


def start(
    target: Callable[..., Any],
    *args: Any,
    folder: Path,
    environment: Mapping[str, str],
    out: Path,
    err: Path,
    fresh: bool = False,
) -> BaseProcess:
    """A process that runs `target(*args)` in `folder`, in a session of its own, with these variables; what it says goes
    to the files. Its exit code is that of `SystemExit`, or 0. `fresh`: it is not forked, and inherits signals that are
    ignored and variables that are read when Rung is imported."""
    before = dict(os.environ)
    os.environ.update(environment if fresh else {})
    try:
        process = (_FRESH if fresh else _FORKED).Process(
            target=_begin, args=(target, args, str(folder), dict(environment), str(out), str(err))
        )
        process.start()
    finally:
        for name in environment.keys() - before.keys() if fresh else ():
            del os.environ[name]
        os.environ.update(before)
    return process


def _begin(
    target: Callable[..., Any], args: Sequence[Any], folder: str, environment: dict[str, str], out: str, err: str
) -> None:
    os.setsid()
    for number, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, out, os.O_WRONLY | os.O_APPEND | os.O_CREAT),
        (2, err, os.O_WRONLY | os.O_APPEND | os.O_CREAT),
    ):
        file = os.open(path, flags, 0o600)
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path.insert(0, folder)  # as `python -m` has it
    target(*args)


class Rung:
    """`rung WORDS…`, running in `folder`; to be asked as a `subprocess.Popen` with pipes is."""

    def __init__(self, *words: str, folder: Path, environment: Mapping[str, str]) -> None:
        self.words = ["rung", *words]
        self._scratch = tempfile.TemporaryDirectory()
        self._said: tuple[str, str] | None = None
        self._out, self._err = Path(self._scratch.name, "out"), Path(self._scratch.name, "err")
        self._out.touch()
        self._err.touch()
        self._process = start(_main, words, folder=folder, environment=environment, out=self._out, err=self._err)
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code, negative for the signal that ended it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """As `returncode`."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended; raises `TimeoutExpired` when that is not within `timeout` seconds."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self.words, timeout or 0.0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """The signal was sent."""
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """`kill -9`."""
        self._process.kill()

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it wrote, once it has ended; raises as `wait`."""
        self.wait(timeout)
        if self._said is None:
            self._said = (self._out.read_text(), self._err.read_text())
            self._scratch.cleanup()
        return self._said


def rung(*words: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What `rung WORDS…` said in `folder`, and how it ended."""
    process = Rung(*words, folder=folder, environment=environment)
    try:
        out, err = process.communicate(50)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return subprocess.CompletedProcess(process.words, process.wait(), out, err)


def _main(words: Sequence[str]) -> None:
    sys.argv = ["rung", *words]
    sys.exit(import_module("rung.cli.main").main())
