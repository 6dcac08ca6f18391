"""One SQLite file: opened with care, shared by threads, retried when busy, never used across a fork.

Opening never changes a file that is not ours. Only `Database.ensure` makes one. Nothing here opens the file by other
means than SQLite: POSIX locks belong to the process, and closing such a handle would drop those that SQLite holds.
"""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
import weakref
from typing import TYPE_CHECKING, TypeVar

from rung.model import StoreUnusable
from rung.store import diagnosis
from rung.store.opening import SQL, Opened, identity, open_existing, open_or_make, transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OLDEST_SQLITE = (3, 35, 0)  # RETURNING

T = TypeVar("T")

# Of the errors SQLite raises, these tell of the file; the others (wrong types, broken constraints) of our own mistakes.
_OF_THE_FILE = (sqlite3.OperationalError, sqlite3.DatabaseError)


class Database:
    """A file at `path`, named `url` in messages; a busy one is waited for up to `patience_s` seconds."""

    def __init__(self, path: Path, url: str, *, patience_s: float = 30.0) -> None:
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise StoreUnusable(f"needs SQLite 3.35 or newer, this Python has {sqlite3.sqlite_version}", place=url)
        self.path, self.url, self._patience_s = path, url, patience_s
        self._lock = threading.RLock()
        self._opened: Opened | None = None
        self._generation = 0
        _ALL.add(self)

    def ensure(self) -> None:
        """The file exists, with the newest schema and its directory."""
        self._patiently(self._make)

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns. It runs single statements, each a snapshot of its own."""
        return self._patiently(lambda: work(self._connection()))

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns; all it wrote is durable, or nothing is when this raises."""
        return self._patiently(lambda: transaction(self._connection(), work))

    def mark(self, connection: sqlite3.Connection) -> tuple[int, int]:
        """A pair that differs when another connection may have committed since the last call; from within `read`."""
        return self._generation, connection.execute(SQL["data_version"]).fetchone()[0]

    def close(self) -> None:
        """The connection is closed; a later call opens another."""
        with self._lock:
            if self._opened is not None:
                self._opened.connection.close()
                self._opened = None

    def forget_after_fork(self) -> None:
        """In a forked child: the parent's connection is neither used nor closed, its lock is not waited for."""
        self._lock = threading.RLock()
        if self._opened is not None:
            _INHERITED.append(self._opened.connection)
            self._opened = None

    def _patiently(self, step: Callable[[], T]) -> T:
        """`step()` under the lock, again while another connection is in the way.

        All who wait come back after short random pauses of the same length, so that nobody is favoured: SQLite's own
        handler pauses longer and longer, and late comers overtake.
        """
        until: float | None = None
        while True:
            try:
                with self._lock:
                    return step()
            except sqlite3.DatabaseError as error:
                if type(error) not in _OF_THE_FILE:
                    raise
                if not diagnosis.is_busy(error):
                    raise diagnosis.explain(error, self.path, self.url) from error
            except OSError as error:
                raise diagnosis.explain_os(error, self.url) from error
            until = time.monotonic() + self._patience_s if until is None else until
            if time.monotonic() > until:
                raise diagnosis.busy(self.url, self._patience_s)
            time.sleep(random.uniform(0.0005, 0.003))  # noqa: S311 - a pause, not a secret

    def _connection(self) -> sqlite3.Connection:
        """The open connection, or a new one when there is none or the file was moved away or replaced."""
        opened = self._opened
        if opened is not None:
            if not opened.immutable and opened.file == identity(self.path):
                return opened.connection
            self.close()
        return self._keep(open_existing(self.path, self.url))

    def _keep(self, opened: Opened) -> sqlite3.Connection:
        self._opened = opened
        self._generation += 1
        return opened.connection

    def _make(self) -> None:
        if self._opened is not None and self._opened.file == identity(self.path):
            return
        self.close()
        self._keep(open_or_make(self.path, self.url))


_ALL: weakref.WeakSet[Database] = weakref.WeakSet()
_INHERITED: list[sqlite3.Connection] = []  # kept, since closing one would act on the parent's files


def _after_fork() -> None:
    for database in list(_ALL):
        database.forget_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
