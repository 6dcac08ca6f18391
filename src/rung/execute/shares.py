"""Shares of devices as file locks: taken by a process, held by all that inherit its descriptor, gone with the last.

On Linux a device is a lock file with one byte per hundredth, and a share a set of bytes locked on an open file
description (`F_OFD_SETLK`). Where there are no such locks, a device is ten files under `flock`, and a share is rounded
up to tenths.
"""

from __future__ import annotations

import fcntl
import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = 100
FIRST_FD = 20  # the wrapper's shell uses 9, and shells keep their own descriptors from 10 on
_FLOCK = struct.Struct("hhqqi4x")  # struct flock of 64-bit Linux: type, whence, start, length, pid
HAS_RANGES = hasattr(fcntl, "F_OFD_SETLK")


def open_lock(path: Path) -> int:
    """A descriptor of the lock file, made if need be, with a number that no shell uses itself."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FIRST_FD)
    finally:
        os.close(fd)


def lock_whole(path: Path) -> int | None:
    """A descriptor that holds the whole file alone, until it is closed; None when another has it."""
    fd = open_lock(path)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        return None
    return fd


class RangeLocks:
    """One kind of device: `size` hundredths, each a byte of one file."""

    def __init__(self, path: Path, size: int) -> None:
        self._path, self.size = path, size

    def free(self) -> int:
        """Hundredths that nobody holds."""
        fd = open_lock(self._path)
        try:
            return sum(end - start for start, end in self._gaps(fd))
        finally:
            os.close(fd)

    def take(self, amount: int) -> list[int] | None:
        """Descriptors that hold `amount` hundredths; None when fewer are free."""
        fd = open_lock(self._path)
        wanted = amount
        for start, end in self._gaps(fd):
            length = min(wanted, end - start)
            if length and self._ask(fd, fcntl.F_OFD_SETLK, start, length) is not None:
                wanted -= length
        if wanted:
            os.close(fd)  # what was locked on the way is free again
            return None
        return [fd]

    def _gaps(self, fd: int) -> list[tuple[int, int]]:
        """The free byte ranges [start, end), in order."""
        todo, found = [(0, self.size)], []
        while todo:
            start, end = todo.pop()
            if start >= end:
                continue
            answer = self._ask(fd, fcntl.F_OFD_GETLK, start, end - start)
            if answer is None or answer[0] == fcntl.F_UNLCK:
                found.append((start, end))
                continue
            _, _, taken, length, _ = answer
            todo += [(start, taken), (taken + length, end)]
        return sorted(found)

    def _ask(self, fd: int, command: int, start: int, length: int) -> tuple[int, int, int, int, int] | None:
        request = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, start, length, 0)
        try:
            answer = fcntl.fcntl(fd, command, request)
        except (BlockingIOError, PermissionError):
            return None
        kind, whence, at, size, pid = _FLOCK.unpack(answer)
        return int(kind), int(whence), int(at), int(size), int(pid)


class SlotLocks:
    """One kind of device where only whole files can be locked: a file for each tenth."""

    def __init__(self, path: Path, size: int) -> None:
        self._path, self.size = path, size

    def free(self) -> int:
        """Hundredths that nobody holds."""
        held = self._lock_up_to(self.size // 10)
        for fd in held:
            os.close(fd)
        return 10 * len(held)

    def take(self, amount: int) -> list[int] | None:
        """Descriptors that hold `amount` hundredths, rounded up to tenths; None when fewer are free."""
        wanted = -(-amount // 10)
        held = self._lock_up_to(wanted)
        if len(held) == wanted:
            return held
        for fd in held:
            os.close(fd)
        return None

    def _lock_up_to(self, wanted: int) -> list[int]:
        held: list[int] = []
        for slot in range(self.size // 10):
            fd = lock_whole(self._path.with_name(f"{self._path.name}.{slot}")) if len(held) < wanted else None
            if fd is not None:
                held.append(fd)
        return held


Locks = RangeLocks if HAS_RANGES else SlotLocks
