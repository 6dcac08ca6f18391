"""How an SQLite file becomes a connection: whose file it is, whether it may be written, which schema it has."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import quote

from rung.model import StoreUnusable
from rung.store import diagnosis
from rung.store.filesystem import network_type
from rung.store.queries import migrations, statements

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

APPLICATION_ID = 1381322311  # the letters RUNG; the schema writes it
SQL = statements("queries.sql")
SCHEMA = len(migrations())

T = TypeVar("T")


class Opened(NamedTuple):
    """A connection, the file it holds (device and inode), and whether it must not outlive one reading."""

    connection: sqlite3.Connection
    file: tuple[int, int]
    immutable: bool = False


def open_existing(path: Path, url: str) -> Opened:
    """The store at `path`, upgraded when it may be written; nothing is created."""
    file = identity(path)
    if file is None:
        raise diagnosis.missing(url)
    _refuse_place(path, url)
    if diagnosis.allowed(path, os.W_OK) and diagnosis.allowed(path.parent, os.W_OK):
        return Opened(_dial(path, url, "mode=rw", _ready_to_write), file)
    try:
        return Opened(_dial(path, url, "mode=ro", _ready_to_read), file)
    except sqlite3.OperationalError as error:
        if not diagnosis.cannot_reach(error) or not diagnosis.allowed(path, os.R_OK):
            raise
    # SQLite may not make the index of the write-ahead log here. Without such a log, the file alone is the store.
    if _has_log(path):
        raise StoreUnusable(
            f"{path} is read-only here and its last writes are in {path.name}-wal; copy both to a directory that is "
            "writable and name the copy",
            place=url,
        )
    return Opened(_dial(path, url, "mode=ro&immutable=1", _ready_to_read), file, immutable=True)


def open_or_make(path: Path, url: str) -> Opened:
    """The store at `path`, made with its directory if there is none."""
    _refuse_place(path, url)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise diagnosis.unreachable(path, url) from None
    connection = _dial(path, url, "mode=rwc", _made)
    file = identity(path)
    if file is None:
        connection.close()
        raise diagnosis.missing(url)
    return Opened(connection, file)


def identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of the file at `path`, or None when there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - on the way of every append, three times as fast as Path.stat
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino


def transaction(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """What `work` returns; all it wrote is committed, or rolled back when anything raised."""
    try:
        connection.execute(SQL["begin"])
        result = work(connection)
        connection.execute(SQL["commit"])
    except BaseException:
        if connection.in_transaction:
            connection.execute(SQL["rollback"])
        raise
    return result


def upgrade(connection: sqlite3.Connection, version: int) -> None:
    """The schema is the newest; `version` is what it was. Within a transaction of the caller's."""
    for file in migrations()[version:]:
        _run(connection, file)


# ------------------------------------------------------------------------------------------------------- the steps


def _dial(path: Path, url: str, mode: str, prepare: Callable[[sqlite3.Connection, str], None]) -> sqlite3.Connection:
    """A connection in autocommit mode that `prepare` accepted."""
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?{mode}", uri=True, timeout=0, isolation_level=None, check_same_thread=False
    )
    try:
        prepare(connection, url)
        for name in ("synchronous", "plain_delete", "log_size"):
            connection.execute(SQL[name])
    except BaseException:
        connection.close()
        raise
    return connection


def _ready_to_read(connection: sqlite3.Connection, url: str) -> None:
    version = _version(connection, url)
    if version == 0:
        raise diagnosis.missing(url)
    if version < SCHEMA:
        raise StoreUnusable(
            f"written by an older Rung (schema {version}; this one reads {SCHEMA}) and read-only here; "
            "open it once where it can be written",
            place=url,
        )


def _ready_to_write(connection: sqlite3.Connection, url: str) -> None:
    version = _version(connection, url)
    if version == 0:
        raise diagnosis.missing(url)
    _write_ahead(connection, url)
    if version < SCHEMA:
        transaction(connection, lambda held: upgrade(held, _version(held, url)))


def _made(connection: sqlite3.Connection, url: str) -> None:
    def fill(held: sqlite3.Connection) -> None:
        version = _version(held, url)  # again: another process may have filled it meanwhile
        if version:
            upgrade(held, version)
        else:
            _run(held, "schema.sql")

    version = _version(connection, url)
    _write_ahead(connection, url)
    if version < SCHEMA:
        transaction(connection, fill)


def _version(connection: sqlite3.Connection, url: str) -> int:
    """The schema's number, 0 for an empty database; raises `StoreUnusable` when it is not ours or too new."""
    application, version, objects = connection.execute(SQL["identity"]).fetchone()
    if (application, version, objects) == (0, 0, 0):
        return 0
    if application != APPLICATION_ID:
        raise StoreUnusable("an SQLite file of another program, not a Rung store; name another path", place=url)
    if version > SCHEMA:
        raise StoreUnusable(
            f"written by a newer Rung (schema {version}; this one knows {SCHEMA}); upgrade Rung to open it", place=url
        )
    return int(version)


def _write_ahead(connection: sqlite3.Connection, url: str) -> None:
    (mode,) = connection.execute(SQL["write_ahead"]).fetchone()
    if mode != "wal":
        raise StoreUnusable("SQLite cannot keep a write-ahead log there; put the store on a local disk", place=url)


def _run(connection: sqlite3.Connection, file: str) -> None:
    for statement in statements(file).values():
        connection.execute(statement)


def _refuse_place(path: Path, url: str) -> None:
    if path.exists() and not path.is_file():
        raise diagnosis.unreachable(path, url)
    kind = network_type(path)
    if kind:
        raise StoreUnusable(
            f"{path} is on {kind}, a network file system, where SQLite can lose data; "
            "put the store on a local disk (--store or RUNG_STORE)",
            place=url,
        )


def _has_log(path: Path) -> bool:
    file = path.resolve()
    log = file.with_name(f"{file.name}-wal")
    return log.exists() and log.stat().st_size > 0
