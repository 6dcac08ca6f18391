"""Who this process is, in words that another process on another host can check: host, boot, pid, start ticks."""

from __future__ import annotations

import os
import pwd
import socket
from pathlib import Path
from typing import Literal

from rung.store.base import LeaseOwner


def host() -> str:
    """The name of this machine."""
    return socket.gethostname()


def boot_id() -> str:
    """What tells this boot of the machine from any other: the kernel's id, else the boot time in seconds."""
    path = Path("/proc/sys/kernel/random/boot_id")
    if path.exists():
        return path.read_text().strip()
    import psutil  # needed only where there is no /proc

    return str(int(psutil.boot_time()))


def start_ticks(pid: int) -> int:
    """When a process started, in clock ticks since boot (elsewhere: hundredths of seconds since 1970); 0 when it is
    gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return 0 if Path("/proc/self/stat").exists() else _start_elsewhere(pid)
    except (ProcessLookupError, PermissionError):
        return 0
    fields = stat.rpartition(")")[2].split()
    return 0 if fields[0] in {"Z", "X"} else int(fields[19])


def _start_elsewhere(pid: int) -> int:
    import psutil  # needed only where there is no /proc

    try:
        process = psutil.Process(pid)
        return 0 if process.status() == psutil.STATUS_ZOMBIE else int(process.create_time() * 100)
    except psutil.Error:
        return 0


def myself(role: Literal["runner", "asker"] = "runner") -> LeaseOwner:
    """A new identity for this process; each call gives another runner id."""
    pid = os.getpid()
    return LeaseOwner(
        runner=os.urandom(4).hex(), host=host(), boot=boot_id(), pid=pid, ticks=start_ticks(pid), role=role
    )


def who(surface: str) -> str:
    """Who asks for something, and from where: `cli:ann@node7`."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's uid without a name
        user = str(os.getuid())
    return f"{surface}:{user}@{host()}"


def alive(owner: LeaseOwner, *, here: LeaseOwner) -> bool | None:
    """Whether the owner's process exists; None when that cannot be seen from here. A stopped process exists."""
    if owner.host != here.host:
        return None
    if owner.boot != here.boot:
        return False
    return start_ticks(owner.pid) == owner.ticks
