"""The trial that this code runs in: its parameters, its reports, its checkpoints. Stdlib only, imported by trials.

A process learns of its trial from the environment. An executor that runs an objective inside its own process enters a
`Session` instead; several may be open at once in different threads or tasks (a context variable keeps them apart).
Outside a study everything here works and does no harm.
"""

from __future__ import annotations

import contextvars
import os
import threading
import time
from contextlib import contextmanager

from rung.inside import wire

TYPE_CHECKING = False  # not `typing.TYPE_CHECKING`: importing typing costs 3 ms at the start of every trial
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from rung.inside.snapshot import Keeper

_STOP_CHECK_S = 0.05


class Session:
    """One trial, seen from inside. `directory` is the attempt's folder, "" outside a study."""

    def __init__(
        self, directory: str, variables: Mapping[str, str], *, values: dict[str, object] | None = None
    ) -> None:
        self.directory = directory
        self._variables = variables
        self._values = values
        self._lock = threading.Lock()
        self._fd = -1
        self._fd_process = 0
        self._torn = False
        self._stopped = False
        self._stop_checked = -1.0
        self._temporary = ""
        wanted = directory and variables.get(wire.SNAPSHOTS_WANTED) != "0"
        self._working = self._working_copy() if wanted else ""
        self._keeper: Keeper | None = None
        self.reports = 0

    def _working_copy(self) -> str:
        return self.variable(wire.CHECKPOINT_DIR) or f"{self.directory}/{wire.WORKING_COPY}"

    def variable(self, name: str) -> str | None:
        """The environment variable `name` of this trial; None when it is unset or empty."""
        return self._variables.get(name) or None

    def integer(self, name: str) -> int | None:
        """The variable `name` as an int; None when it is unset or no integer."""
        try:
            return int(self._variables.get(name, ""))
        except ValueError:
            return None

    def values(self) -> dict[str, object]:
        """The trial's parameters; empty outside a study."""
        if self._values is None:
            path = self.variable(wire.PARAMS_FILE)
            self._values = _read_params(path) if path else {}
        return dict(self._values)

    def report(self, metrics: Mapping[str, object]) -> None:
        """The metrics are at the end of the trial's reports, and name a snapshot of the working copy if it changed.

        Raises `TypeError` for what is no metric, `OSError` when the line could not be written.
        """
        line = wire.report_line(metrics)
        if self._working and os.access(self._working, os.F_OK):
            if self._keeper is None:
                from rung.inside.snapshot import Keeper  # 20 ms that a trial without checkpoints need not pay

                self._keeper = Keeper(self._working, self.directory, self._variables)
            self._keeper.commit(line, metrics, self.write)
        else:
            self.write(line)

    def write(self, line: bytes) -> None:
        """`line` is at the end of the trial's reports, written at once so that concurrent writers never mix."""
        self.reports += 1
        if not self.directory:
            return
        fd = self._fd if self._fd_process == os.getpid() else self._open()
        if self._torn:  # a full disk cut the line before this one: keep its rest from spoiling ours
            line, self._torn = b"\n" + line, False
        if os.write(fd, line) != len(line):
            self._torn = True
            raise OSError(28, "a report was cut short: the disk is full", self.directory)

    def _open(self) -> int:
        """A descriptor of this process alone: after a fork the child opens its own."""
        with self._lock:
            if self._fd_process != os.getpid():
                path = os.path.join(self.directory, wire.REPORTS)  # noqa: PTH118 - pathlib costs 4 ms to import
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
                self._fd = os.open(path, flags, 0o600)
                self._fd_process = os.getpid()
        return self._fd

    def should_stop(self) -> bool:
        """Whether the runner asked this trial to end. Looks at the disk at most every 50 ms."""
        now = time.monotonic()
        if not self._stopped and self.directory and now - self._stop_checked >= _STOP_CHECK_S:
            self._stop_checked = now
            self._stopped = os.access(f"{self.directory}/{wire.STOP}", os.F_OK)
        return self._stopped

    def invalid(self, why: str) -> None:
        """The attempt's folder says, once and for all, that this configuration cannot be run, and `why`."""
        if self.directory:
            path = os.path.join(self.directory, wire.INVALID)  # noqa: PTH118 - pathlib costs 4 ms to import
            with open(f"{path}.{os.getpid()}", "w", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
                file.write(why)
            os.replace(f"{path}.{os.getpid()}", path)  # noqa: PTH105

    def checkpoint_dir(self) -> Path:
        """The folder for this trial's checkpoints, which exists now."""
        from pathlib import Path  # 4 ms that a trial without checkpoints need not pay

        folder = Path(self._working_copy() if self.directory else self._outside())
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _outside(self) -> str:
        """The folder for checkpoints outside a study: the variable's, or a temporary one."""
        given = self.variable(wire.CHECKPOINT_DIR)
        if given is None and not self._temporary:
            import tempfile  # only a script that runs outside a study comes here

            self._temporary = tempfile.mkdtemp(prefix="rung-checkpoint-")
        return given or self._temporary

    def close(self) -> None:
        """The report file is closed."""
        with self._lock:
            if self._fd_process == os.getpid():
                os.close(self._fd)
            self._fd, self._fd_process = -1, 0

    @contextmanager
    def entered(self) -> Iterator[Session]:
        """Inside the block this session is the current one.

        So it is in threads that the block starts, unless another session is open in this process.
        """
        token = _current.set(self)
        _open_here.append(self)
        try:
            yield self
        finally:
            _open_here.remove(self)
            _current.reset(token)
            self.close()


def _read_params(path: str) -> dict[str, object]:
    import json  # 6 ms that a trial which only reports need not pay

    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs 4 ms to import
        values = wire.from_wire(json.load(file))
    if not isinstance(values, dict):
        raise TypeError(f"{path}: expected a JSON object of parameters, got {type(values).__name__}")
    return values


_current: contextvars.ContextVar[Session | None] = contextvars.ContextVar("rung-session", default=None)
_open_here: list[Session] = []
_of_process = Session("", {})


def current() -> Session:
    """The session this code runs in: the one entered, else the one that the environment describes."""
    session = _current.get()
    if session is not None:
        return session
    if len(_open_here) == 1:  # a thread started by an in-process objective: it has no context of its own
        return _open_here[0]
    return _from_environment()


def _from_environment() -> Session:
    global _of_process  # noqa: PLW0603 - one process, one environment, one session
    directory = os.environ.get(wire.TRIAL_DIR, "")
    if _of_process.directory != directory:
        _of_process = Session(directory, os.environ)
    return _of_process


def params(defaults: Mapping[str, object] | None = None, /, **named: object) -> dict[str, object]:
    """The trial's parameters over these defaults; outside a study the defaults alone."""
    return {**(defaults or {}), **named, **current().values()}


def report(metrics: Mapping[str, object] | None = None, /, **named: object) -> None:
    """The metrics are on disk for the runner to read; the step is the key `step`, the schedule's resource, `epoch` or
    `iteration` if given. What `checkpoint_dir()` holds is kept first, as the checkpoint of this step, if it changed.

    Values are numbers (NumPy and torch scalars count; NaN and the infinities are allowed). Raises `TypeError` naming
    the metric for anything else, `OSError` when the line could not be written.
    """
    current().report({**metrics, **named} if metrics else named)


def should_stop() -> bool:
    """Whether the runner asked this trial to end: save what is needed and return."""
    return current().should_stop()


def checkpoint_dir() -> Path:
    """The folder for this trial's checkpoints, holding what it (or the trial it was cloned from) saved before.

    Outside a study: a temporary folder of this process.
    """
    return current().checkpoint_dir()


def invalid(why: str) -> None:
    """This trial's configuration is known to be one that cannot be run, and `why`; the program is to end now.

    However it ends, the trial fails with that text, is not tried again, and does not count as a failure of the study.
    Raises `OSError` when it could not be written.
    """
    current().invalid(why)


class CurrentTrial:
    """The trial that this code runs in; false, with every attribute None, outside a study."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return bool(current().directory)

    def __repr__(self) -> str:
        return f"<trial {self.number} of {self.study}, attempt {self.attempt}>" if self else "<no trial>"

    @property
    def number(self) -> int | None:
        """The trial's number in its study."""
        return current().integer(wire.TRIAL)

    @property
    def study(self) -> str | None:
        """The study's name."""
        return current().variable(wire.STUDY)

    @property
    def seed(self) -> int | None:
        """A seed of this trial's own, the same in every attempt."""
        return current().integer(wire.SEED)

    @property
    def attempt(self) -> int | None:
        """Which run of the trial this is, from 1."""
        return current().integer(wire.ATTEMPT)

    @property
    def resource(self) -> float | None:
        """Up to where the schedule lets this trial run (in the schedule's resource); None: to the end."""
        text = current().variable(wire.RESOURCE)
        try:
            value = float(text) if text else None
        except ValueError:
            return None
        return int(value) if value is not None and value.is_integer() else value


trial = CurrentTrial()
