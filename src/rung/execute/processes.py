"""Which processes there are, and whether a process is the one that was meant.

A process id is reused; (id, start time in clock ticks since boot, boot id) is not. On Linux everything is read from
/proc; elsewhere psutil answers, ticks and boot id are unknown (0 and ""), and a job's token has to identify it.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rung.inside import wire

if TYPE_CHECKING:
    from collections.abc import Iterator

LINUX = Path("/proc/self/stat").exists()
_TOKEN = f"{wire.JOB}=".encode()


class Process(NamedTuple):
    """One process. `ticks` is its start in clock ticks since boot; 0 where unknown."""

    pid: int
    ppid: int
    session: int
    ticks: int
    gone: bool
    """A zombie, or dead: nothing of it runs."""


def boot_id() -> str:
    """What names this boot of this machine; "" where there is no such thing."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def inspect(pid: int) -> Process | None:
    """The process with this id, or None."""
    return _inspect_proc(pid) if LINUX else _inspect_psutil(pid)


def _inspect_proc(pid: int) -> Process | None:
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return None
    try:
        line = os.read(fd, 4096)
    except OSError:  # it ended between the two calls
        return None
    finally:
        os.close(fd)
    fields = line[line.rfind(b")") + 2 :].split(maxsplit=20)
    if len(fields) < 20:
        return None
    return Process(pid, int(fields[1]), int(fields[3]), int(fields[19]), fields[0] in (b"Z", b"X", b"x"))


def _inspect_psutil(pid: int) -> Process | None:
    import psutil  # needed only where there is no /proc

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            gone = process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
            return Process(pid, process.ppid(), os.getsid(pid), 0, gone)
    except (psutil.Error, OSError):
        return None


def everyone() -> Iterator[Process]:
    """All processes that can be seen now."""
    for pid in ids():
        process = inspect(pid)
        if process is not None:
            yield process


def ids() -> list[int]:
    """The ids of all processes that can be seen now."""
    if LINUX:
        names = os.listdir("/proc")  # noqa: PTH208 - names, not paths: 4 times as fast
        return [int(name) for name in names if name.isdecimal()]
    import psutil  # needed only where there is no /proc

    return list(psutil.pids())


def token(pid: int) -> str:
    """The job token in the environment that the process was started with; "" when there is none or it is not ours."""
    if not LINUX:
        return _token_psutil(pid)
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return ""
    if environment.startswith(_TOKEN):
        start = len(_TOKEN)
    else:
        found = environment.find(b"\0" + _TOKEN)
        if found < 0:
            return ""
        start = found + 1 + len(_TOKEN)
    return environment[start:].split(b"\0", 1)[0].decode(errors="replace")


def _token_psutil(pid: int) -> str:
    import psutil  # needed only where there is no /proc

    try:
        return str(psutil.Process(pid).environ().get(wire.JOB, ""))
    except (psutil.Error, OSError):
        return ""


def is_ours(pid: int) -> bool:
    """Whether the process belongs to this user."""
    if not LINUX:
        return True  # psutil reads the environment of own processes only, and the token was checked
    try:
        return Path(f"/proc/{pid}").stat().st_uid == os.geteuid()
    except OSError:
        return False


def is_alive(pid: int, ticks: int, key: str) -> bool:
    """Whether the process that started then still runs. A zombie does not; `key` decides where ticks are unknown."""
    process = inspect(pid)
    if process is None or process.gone or not is_ours(pid):
        return False
    return process.ticks == ticks if ticks else token(pid) == key


def seconds_since(ticks: int) -> float | None:
    """Seconds since a process that started at `ticks` did so, sleep of the machine included; None when unknown."""
    if not ticks or not hasattr(time, "CLOCK_BOOTTIME"):
        return None
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))


def reap(pid: int) -> int | None:
    """A child that has ended leaves no zombie; returns its exit status. Of others their parent takes care (None)."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return os.waitstatus_to_exitcode(status) if found else None


def send(process: Process, number: signal.Signals) -> None:
    """The signal goes to this very process, or to nobody when it has gone."""
    if hasattr(os, "pidfd_open"):
        _send_by_pidfd(process, number)
        return
    now = inspect(process.pid)
    if now is not None and now.ticks == process.ticks:
        _ignoring_gone(process.pid, number)


def _send_by_pidfd(process: Process, number: signal.Signals) -> None:
    try:
        fd = os.pidfd_open(process.pid)
    except OSError:
        return
    try:
        now = inspect(process.pid)
        if now is not None and now.ticks == process.ticks:
            signal.pidfd_send_signal(fd, number)
    except (ProcessLookupError, PermissionError):
        return  # gone, or a program that became another user's: not ours to end
    finally:
        os.close(fd)


def _ignoring_gone(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return
