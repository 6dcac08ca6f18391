"""The log in one SQLite file: the default store.

The write-ahead log (WAL) lets any number of processes read while one writes; every append is flushed to the disk
before it returns. A reader takes one short snapshot a chunk, so that it never keeps the write-ahead log from being
folded back for long.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import msgspec

from rung.model import BadInput
from rung.store.address import DEFAULT, parse
from rung.store.base import Entry, Lease, LeaseOwner, Logged, Position, Snapshot, StudyRow
from rung.store.checks import conflict, count_decisions, fenced, taken, unknown_study
from rung.store.database import Database
from rung.store.hints import ChangeHint
from rung.store.opening import SQL

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_CHUNK = 1_000  # rows a snapshot

_encode_owner = msgspec.json.Encoder().encode
_decode_owner = msgspec.json.Decoder(LeaseOwner).decode


class SqliteStore:
    """A `Store` in the file that `url` names. Threads may share it; a forked child gets a connection of its own.

    Only `create` makes the file and its directory; everything else raises `StoreMissing` when there is none. Other
    bad places are `StoreUnusable`; a lock held for longer than `patience_s` seconds is `StoreBusy`; a full disk is
    `StoreFull`, and then nothing was written. After `close` the next call opens the file again.
    """

    def __init__(self, url: str = DEFAULT, *, patience_s: float = 30.0) -> None:
        address = parse(url)
        if address.scheme != "sqlite":
            raise BadInput(f"expected a URL such as {DEFAULT}", place=repr(url), key="store")
        self.url = url
        self._database = Database(Path(address.path).absolute(), url, patience_s=patience_s)
        self._hint = ChangeHint()

    @property
    def path(self) -> Path:
        """The file, absolute: a later change of directory does not move it."""
        return self._database.path

    def create(self, study: str, entries: Sequence[Entry], *, at: float) -> Position:
        """The study exists and holds `entries`. Raises `BadInput` when the name is taken."""
        position = Position(len(entries), count_decisions(entries, after=0))

        def work(connection: sqlite3.Connection) -> None:
            if connection.execute(SQL["find_study"], (study,)).fetchall():
                raise taken(study, self.url)
            row = (study, at, position.seq, position.decisions)
            self._insert(connection, connection.execute(SQL["create_study"], row).lastrowid or 0, 1, entries)

        self._database.ensure()
        self._database.write(work)
        return position

    def studies(self) -> list[StudyRow]:
        """All studies, oldest first."""
        return [StudyRow(*row) for row in self._database.read(lambda held: held.execute(SQL["studies"]).fetchall())]

    def delete(self, study: str) -> None:
        """The study, its log, leases and snapshot are gone. Raises `UnknownStudy`."""

        def work(connection: sqlite3.Connection) -> None:
            number = self._find(connection, study)[0]
            for name in ("delete_entries", "delete_leases", "delete_snapshot", "delete_study"):
                connection.execute(SQL[name], (number,))
            self._hint.wrote()

        self._database.write(work)

    def append(
        self, study: str, entries: Sequence[Entry], *, after: int | None = None, lease: Lease | None = None
    ) -> Position:
        """`entries` are durable at the end of the log; the position after them. Raises as `Store.append` says."""
        decisions = count_decisions(entries, after)
        runner, epoch = (None, None) if lease is None else (lease.owner.runner, lease.epoch)
        row = (study, len(entries), decisions, after, runner, epoch)

        def work(connection: sqlite3.Connection) -> Position:
            rows = connection.execute(SQL["advance"], row).fetchall()
            if not rows:
                self._refuse(connection, study, after, lease)
            number, seq, held = rows[0]
            self._insert(connection, number, seq - len(entries) + 1, entries)
            return Position(seq, held)

        return self._database.write(work)

    def position(self, study: str) -> Position:
        """How much the log holds. Raises `UnknownStudy`."""
        _, seq, decisions = self._database.read(lambda held: self._find(held, study))
        return Position(seq, decisions)

    def read(self, study: str, *, after: int = 0, limit: int = 10_000, trial: int | None = None) -> list[Logged]:
        """The next entries with a sequence number above `after`, at most `limit`; only those about `trial` if given."""
        number = self._database.read(lambda held: self._find(held, study))[0]
        found: list[Logged] = []
        while len(found) < limit:
            wanted = min(_CHUNK, limit - len(found))
            chunk = self._chunk(number, found[-1].seq if found else after, wanted, trial)
            found += chunk
            if len(chunk) < wanted:
                break
        return found

    def changed(self) -> bool:
        """Whether another connection or thread may have written since this thread's last call; the first is True."""
        return self._database.read(lambda held: self._hint.changed(self._database.mark(held)))

    def acquire(self, study: str, owner: LeaseOwner) -> Lease:
        """A fresh lease with the study's next epoch; an older lease of the same runner id is replaced."""

        def work(connection: sqlite3.Connection) -> Lease:
            rows = connection.execute(SQL["next_epoch"], (study,)).fetchall()
            if not rows:
                raise unknown_study(study, self.url)
            number, epoch = rows[0]
            connection.execute(SQL["put_lease"], (number, owner.runner, epoch, _encode_owner(owner)))
            self._hint.wrote()
            return Lease(study, epoch, 0, owner)

        return self._database.write(work)

    def renew(self, lease: Lease) -> Lease:
        """The same lease, one heartbeat later. Raises `Fenced` when it is gone."""

        def work(connection: sqlite3.Connection) -> Lease:
            rows = connection.execute(SQL["renew_lease"], (lease.study, lease.owner.runner, lease.epoch)).fetchall()
            if not rows:
                raise fenced(lease)
            self._hint.wrote()
            return Lease(lease.study, lease.epoch, rows[0][0], lease.owner)

        return self._database.write(work)

    def release(self, lease: Lease) -> None:
        """The lease is gone; nothing happens if it already was."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(SQL["release_lease"], (lease.study, lease.owner.runner, lease.epoch))
            self._hint.wrote()

        self._database.write(work)

    def leases(self, study: str) -> list[Lease]:
        """The current leases, by epoch."""

        def work(connection: sqlite3.Connection) -> list[tuple[int, int, bytes]]:
            return connection.execute(SQL["leases"], (self._find(connection, study)[0],)).fetchall()

        rows = self._database.read(work)
        return [Lease(study, epoch, counter, _decode_owner(owner)) for epoch, counter, owner in rows]

    def put_snapshot(self, study: str, snapshot: Snapshot) -> None:
        """The study's snapshot is this one (an older `seq` than the one kept is ignored)."""

        def work(connection: sqlite3.Connection) -> None:
            number = self._find(connection, study)[0]
            row = (number, snapshot.seq, snapshot.decisions, snapshot.version, snapshot.body)
            connection.execute(SQL["put_snapshot"], row)
            self._hint.wrote()

        self._database.write(work)

    def snapshot(self, study: str) -> Snapshot | None:
        """The study's snapshot, if any."""

        def work(connection: sqlite3.Connection) -> list[tuple[int, int, str, bytes]]:
            return connection.execute(SQL["snapshot"], (self._find(connection, study)[0],)).fetchall()

        rows = self._database.read(work)
        return Snapshot(*rows[0]) if rows else None

    def close(self) -> None:
        """The file is closed; closing twice is allowed."""
        self._database.close()

    # ------------------------------------------------------------------------------------------- within one reading

    def _find(self, connection: sqlite3.Connection, study: str) -> tuple[int, int, int]:
        """The study's number, last sequence number and decisions."""
        rows: list[tuple[int, int, int]] = connection.execute(SQL["find_study"], (study,)).fetchall()
        if not rows:
            raise unknown_study(study, self.url)
        return rows[0]

    def _chunk(self, number: int, after: int, limit: int, trial: int | None) -> list[Logged]:
        def work(connection: sqlite3.Connection) -> list[tuple[int, str, bytes]]:
            if trial is None:
                return connection.execute(SQL["read"], (number, after, limit)).fetchall()
            return connection.execute(SQL["read_trial"], (number, after, limit, trial)).fetchall()

        return [Logged(*row) for row in self._database.read(work)]  # type: ignore[arg-type]  # kind: one of Kind

    # ------------------------------------------------------------------------------------------ within one writing

    def _insert(self, connection: sqlite3.Connection, number: int, first: int, entries: Sequence[Entry]) -> None:
        connection.executemany(
            SQL["append_entry"],
            [(number, seq, entry.kind, entry.trial, entry.body) for seq, entry in enumerate(entries, start=first)],
        )
        self._hint.wrote()

    def _refuse(self, connection: sqlite3.Connection, study: str, after: int | None, lease: Lease | None) -> NoReturn:
        """Raises what kept `advance` from finding its row."""
        number, _, decisions = self._find(connection, study)
        if lease is not None:
            named = (number, lease.owner.runner, lease.epoch)
            if not connection.execute(SQL["find_lease"], named).fetchall():
                raise fenced(lease)
        raise conflict(study, after=after, decisions=decisions)
