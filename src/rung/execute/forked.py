"""Jobs as forks of this process, for objectives that no other process could import (lambdas, notebooks). Linux.

`ForkServer` is forked while the process is still simple, before any thread of ours runs; it does nothing but fork.
For each job it forks a monitor, which does what `wrapper.sh` does: a session of its own, `started`, the program (a
fork that calls the objective), `exit`. So whoever watches or adopts the job cannot tell the difference.

On the socket: 4 bytes of length, then JSON; the descriptors of stdout, stderr and the devices travel with the length.
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import socket
import struct
import sys
import traceback
import warnings
from typing import TYPE_CHECKING, NoReturn, TypedDict

from rung.execute import attempt, processes
from rung.execute.attempt import Beginning
from rung.execute.local import LocalExecutor
from rung.execute.watcher import NOT_WRITTEN
from rung.inside import call
from rung.model import RungError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.execute.base import Job
    from rung.execute.devices import Devices
    from rung.execute.watch import Watch
    from rung.inside.call import Objective

_LENGTH = struct.Struct("!I")
_MOST_FDS = 64
_GONE = "the process that starts trials has ended; run the study again"
_QUIET = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Request(TypedDict):
    """One job, as the server hears of it."""

    key: str
    directory: str
    cwd: str
    env: dict[str, str]
    metrics: list[str]


class ForkServer:
    """A process that forks this one's state, as it is now, once for each job. Make it before starting threads."""

    def __init__(self, objective: Objective) -> None:
        if not sys.platform.startswith("linux"):
            raise RungError("an objective that cannot be imported by name runs in parallel on Linux only")
        self.socket, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = _fork()
        if self.pid == 0:
            self.socket.close()
            _serve(objective, theirs)
        theirs.close()

    def close(self) -> None:
        """The server has ended; the jobs that it started run on. Closing twice is allowed."""
        if self.socket.fileno() >= 0:
            self.socket.close()
            os.waitpid(self.pid, 0)


class ForkedExecutor(LocalExecutor):
    """Runs an objective in forks of `server`. Created inside a running event loop."""

    def __init__(self, server: ForkServer, *, devices: Devices | None = None) -> None:
        super().__init__(devices=devices)
        self._server = server
        self._said = bytearray()
        self._gone = False
        self._loop.add_reader(server.socket, self._server_said)

    async def close(self) -> None:
        """Watching ends; running jobs, and the server, are left as they are."""
        if not self._closed and self._server.socket.fileno() >= 0:
            self._loop.remove_reader(self._server.socket)
        await super().close()

    def _check(self, job: Job) -> None:
        """Any job will do: the program is the objective."""

    def _launch(self, watch: Watch, env: dict[str, str], *, streams: tuple[int, int], keep: Sequence[int]) -> None:
        if self._gone:
            raise OSError(errno.EPIPE, _GONE)
        job = watch.job
        request = Request(key=job.key, directory=job.directory, cwd=job.cwd, env=env, metrics=list(job.metrics))
        body = json.dumps(request).encode()
        try:
            socket.send_fds(self._server.socket, [_LENGTH.pack(len(body))], [*streams, *keep])
            self._server.socket.sendall(body)
        except OSError:
            self._gone = True
            raise OSError(errno.EPIPE, _GONE) from None

    def _server_said(self) -> None:
        """A monitor ended, or the server did: jobs that have not begun by then never will."""
        try:
            data = self._server.socket.recv(1 << 16, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._server_ended()
            return
        self._said += data
        *lines, rest = self._said.split(b"\n")
        self._said = bytearray(rest)
        for line in lines:
            key, code = json.loads(line)
            self._monitor_ended(key, code)

    def _monitor_ended(self, key: str, code: int) -> None:
        """A monitor that ended before it began is known from nowhere else; the others are watched like any process."""
        watch = self._watches.get(key)
        if watch is None or watch.phase != "starting":
            return
        self._say_started(watch)
        if watch.phase == "starting":
            self._nothing_ran(watch, code)

    def _server_ended(self) -> None:
        self._gone = True
        self._loop.remove_reader(self._server.socket)
        for watch in list(self._watches.values()):
            if watch.phase == "starting" and not attempt.is_started(watch.job.directory):
                self._hold(watch, _GONE)


# ------------------------------------------------------------------------------------------------- inside the server


def _fork() -> int:
    with (
        warnings.catch_warnings()
    ):  # Python 3.12 warns when other threads exist; the child starts none and takes no lock
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _serve(objective: Objective, connection: socket.socket) -> NoReturn:
    """Jobs are forked until the other side closes the connection. Never returns."""
    try:
        os.setsid()  # Ctrl-C on the terminal is for the runner
        for number in _QUIET:
            signal.signal(number, signal.SIG_DFL)
        woken, waker = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        _serve_requests(objective, connection, woken)
    except BaseException:  # noqa: BLE001 - the copy of the user's program above this frame must never run on
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _serve_requests(objective: Objective, connection: socket.socket, woken: int) -> None:
    monitors: dict[int, str] = {}
    while True:
        ready, _, _ = select.select([connection.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _reap_monitors(monitors, connection)
        if connection.fileno() in ready:
            header, fds, _, _ = socket.recv_fds(connection, _LENGTH.size, _MOST_FDS)
            if not header:
                return
            request = json.loads(_exactly(connection, _LENGTH.unpack(header)[0]))
            _start_monitor(objective, connection, request, fds=fds, monitors=monitors)


def _exactly(connection: socket.socket, length: int) -> bytes:
    parts = []
    while length:
        part = connection.recv(length)
        if not part:
            raise EOFError
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _reap_monitors(monitors: dict[int, str], connection: socket.socket) -> None:
    """No zombie is left; the runner hears which jobs' monitors have ended."""
    while monitors:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        key = monitors.pop(pid, None)
        if key is not None:
            _tell(connection, key, os.waitstatus_to_exitcode(status))


def _tell(connection: socket.socket, key: str, code: int) -> None:
    """The runner hears how a monitor ended."""
    try:
        connection.sendall(json.dumps([key, code]).encode() + b"\n")
    except BrokenPipeError:
        return  # the runner is gone: the next read says so too


def _start_monitor(
    objective: Objective,
    connection: socket.socket,
    request: Request,
    *,
    fds: list[int],
    monitors: dict[int, str],
) -> None:
    try:
        pid = _fork()
    except OSError:  # no process to be had now: to the runner it is a monitor that ended without beginning
        _tell(connection, request["key"], NOT_WRITTEN)
        pid = -1
    if pid == 0:
        connection.close()
        _monitor(objective, request, fds)
    for fd in fds:
        os.close(fd)
    if pid > 0:
        monitors[pid] = request["key"]


def _monitor(objective: Objective, request: Request, fds: list[int]) -> NoReturn:
    """What `wrapper.sh` does, for a call. Never returns."""
    code = NOT_WRITTEN
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        here = processes.inspect(os.getpid())
        beginning = Beginning(os.getpid(), here.ticks if here else 0, processes.boot_id())
        if not attempt.begin(request["directory"], beginning):
            os._exit(121)
        for number in _QUIET:
            signal.signal(number, lambda *_: None)
        pid = _fork()
        if pid == 0:
            _child(objective, request, fds)
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        code = 128 - code if code < 0 else code
        attempt.record_status(request["directory"], code)
    finally:
        os._exit(code)


def _child(objective: Objective, request: Request, fds: list[int]) -> NoReturn:
    """The objective is called as a program of its own would call it. Never returns."""
    code = 1
    try:
        for number in (*_QUIET, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        _redirect(fds)
        os.environ.clear()
        os.environ.update(request["env"])
        if request["cwd"]:
            os.chdir(request["cwd"])
        _reseed()
        code = _status_of(objective, request["metrics"])
    except BaseException:  # noqa: BLE001 - whatever the objective raises is the trial's failure
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def _status_of(objective: Objective, metrics: Sequence[str]) -> int:
    try:
        call.run(objective, metrics)
    except SystemExit as end:
        return call.exit_status(end)
    except call.TargetError as error:
        sys.stderr.write(f"rung: {error}\n")
        return 1
    return 0


def _redirect(fds: list[int]) -> None:
    """Standard streams are /dev/null and the job's files, for Python and for what it starts; devices stay held."""
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in zip((null, *fds[:2]), range(3), strict=True):
        os.dup2(source, target)
    for held in fds[2:]:
        os.set_inheritable(held, True)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)


def _reseed() -> None:
    """Forks of one process do not draw the same numbers: Python's own generator reseeds itself, NumPy's does not."""
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()
