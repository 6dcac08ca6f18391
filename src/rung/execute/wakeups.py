"""Hints that a job's directory changed: inotify on Linux, nothing elsewhere. A poll by size runs beside it always.

Network file systems send no hints and the system's limit on watches may be reached; both cost time, never reports.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from typing import TYPE_CHECKING

from rung.inside import wire

if TYPE_CHECKING:
    from collections.abc import Iterator

_IN_MODIFY, _IN_MOVED_TO, _IN_CREATE, _IN_Q_OVERFLOW = 0x2, 0x80, 0x100, 0x4000
_HEADER = struct.Struct("iIII")
_NAMES = {name.encode() for name in (wire.STARTED, wire.EXIT, wire.STDOUT, wire.REPORTS)}


class Inotify:
    """Watches on directories. Raises `OSError` when the system has no more to give."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self._checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._directories: dict[int, str] = {}

    def _checked(self, result: int) -> int:
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result

    def add(self, directory: str) -> int:
        """Changes in `directory` are told from now on; returns the number to `remove` it by."""
        mask = _IN_MODIFY | _IN_MOVED_TO | _IN_CREATE
        watch = self._checked(self._libc.inotify_add_watch(self.fd, os.fsencode(directory), mask))
        self._directories[watch] = directory
        return watch

    def remove(self, watch: int) -> None:
        """The directory is no longer watched."""
        if self._directories.pop(watch, None) is not None:
            self._libc.inotify_rm_watch(self.fd, watch)  # fails only when the directory is gone: all the same

    def changed(self) -> set[str]:
        """The directories in which a file of ours changed since the last call; all of them when events were lost."""
        try:
            data = os.read(self.fd, 1 << 16)
        except BlockingIOError:
            return set()
        found: set[str] = set()
        for watch, mask, name in _events(data):
            if mask & _IN_Q_OVERFLOW:
                return set(self._directories.values())
            if name in _NAMES and watch in self._directories:
                found.add(self._directories[watch])
        return found

    def close(self) -> None:
        """Nothing is watched any more."""
        os.close(self.fd)


def open_inotify() -> Inotify | None:
    """Hints, or None where the system has none or no more of them: the poll is enough."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return Inotify()
    except OSError:
        return None


def _events(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    position = 0
    while position + _HEADER.size <= len(data):
        watch, mask, _, length = _HEADER.unpack_from(data, position)
        position += _HEADER.size
        yield watch, mask, data[position : position + length].rstrip(b"\0")
        position += length
