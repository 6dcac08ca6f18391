"""What only the SQLite store promises: whole transactions, patience, one connection for many threads, none across a fork."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from rung.model import UnknownStudy
from rung.store.base import Entry, Position
from rung.store.errors import StoreBusy, StoreFull, StoreMissing
from rung.store.sqlite import SqliteStore
from rung.testing.stores import STUDY, bodies, decision, fact, log_of


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(f"sqlite:///{tmp_path}/runs/rung.db")) as store:
        store.create(STUDY, [fact("kept")], at=1.0)
        yield store


@contextmanager
def locked(store: SqliteStore) -> Iterator[sqlite3.Connection]:
    """Another program holds the write lock."""
    with closing(sqlite3.connect(store.path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


# ------------------------------------------------------------------------------------------------- whole or nothing


def test_an_append_that_breaks_in_the_middle_is_taken_back(store: SqliteStore) -> None:
    broken = [fact("a", 1), Entry("fact", object()), fact("c")]  # type: ignore[arg-type]  # no value SQLite could keep
    with pytest.raises(sqlite3.Error, match=r"unsupported|not supported"):
        store.append(STUDY, broken)
    assert log_of(store) == bodies([fact("kept")])
    assert store.read(STUDY, trial=1) == []
    assert store.append(STUDY, [fact("next")]) == Position(2, 0)


def test_a_create_that_breaks_leaves_no_study(store: SqliteStore) -> None:
    with pytest.raises(sqlite3.Error):
        store.create("new", [fact("a"), Entry("fact", object())], at=1.0)  # type: ignore[arg-type]
    assert [row.name for row in store.studies()] == [STUDY]


def test_an_append_is_on_the_disk_when_it_returns(store: SqliteStore, tmp_path: Path) -> None:
    """A copy of the files, taken without closing anything, holds it: nothing waits in this process."""
    store.append(STUDY, [decision("a")], after=0)
    shutil.copytree(store.path.parent, tmp_path / "copy")
    (tmp_path / "copy" / "rung.db-shm").unlink()
    with closing(SqliteStore(f"sqlite:///{tmp_path}/copy/rung.db")) as copy:
        assert log_of(copy) == bodies([fact("kept"), decision("a")])


def test_connections_flush_every_commit(store: SqliteStore) -> None:
    assert store._database.read(lambda held: held.execute("PRAGMA synchronous").fetchone()) == (2,)


# -------------------------------------------------------------------------------------------------------- patience


def test_a_store_locked_for_too_long_is_said_to_be_busy_and_still_read(store: SqliteStore) -> None:
    with closing(SqliteStore(store.url, patience_s=0.02)) as hasty, locked(store):
        with pytest.raises(StoreBusy, match=r"locked for 0\.02 s"):
            hasty.append(STUDY, [fact("late")])
        assert log_of(hasty) == bodies([fact("kept")])
        assert len(hasty.studies()) == 1
    assert store.position(STUDY) == Position(1, 0)


def test_a_writer_waits_until_the_lock_is_free_while_other_threads_read(store: SqliteStore) -> None:
    with ThreadPoolExecutor(1) as pool, locked(store) as other:
        waiting = pool.submit(store.append, STUDY, [fact("patient")])
        for _ in range(50):
            assert log_of(store) == bodies([fact("kept")])
        assert not waiting.done()
        other.execute("ROLLBACK")
        assert waiting.result() == Position(2, 0)


def test_a_reader_keeps_nobody_from_folding_the_write_ahead_log(store: SqliteStore) -> None:
    with closing(SqliteStore(store.url)) as reader:
        store.append(STUDY, [fact("x")] * 3000)
        assert len(reader.read(STUDY)) == 3001
        with closing(sqlite3.connect(store.path)) as other:
            busy, *_ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert busy == 0
        assert Path(f"{store.path}-wal").stat().st_size == 0
        assert len(reader.read(STUDY)) == 3001


# ------------------------------------------------------------------------------------- the file below an open store


def test_a_store_whose_file_was_deleted_does_not_write_into_the_void(store: SqliteStore) -> None:
    shutil.rmtree(store.path.parent)
    with pytest.raises(StoreMissing):
        store.append(STUDY, [fact("lost")])
    assert store.create(STUDY, [fact("new")], at=2.0) == Position(1, 0)
    assert log_of(store) == bodies([fact("new")])


def test_a_store_whose_file_was_replaced_reads_the_new_one(store: SqliteStore, tmp_path: Path) -> None:
    store.changed()
    with closing(SqliteStore(f"sqlite:///{tmp_path}/new.db")) as new:
        new.create("other", [fact("new")], at=1.0)
    os.replace(tmp_path / "new.db", store.path)
    for name in ("-wal", "-shm"):
        Path(f"{store.path}{name}").unlink()
    assert store.changed()
    with pytest.raises(UnknownStudy):
        store.append(STUDY, [fact("lost")])
    assert log_of(store, "other") == bodies([fact("new")])


def test_two_creators_at_once_make_one_store(tmp_path: Path) -> None:
    start = threading.Barrier(4)

    def create(number: int) -> None:
        with closing(SqliteStore(f"sqlite:///{tmp_path}/runs/deep/rung.db")) as store:
            start.wait()
            store.create(f"s{number}", [fact("a")], at=1.0)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(create, range(4)))
    with closing(SqliteStore(f"sqlite:///{tmp_path}/runs/deep/rung.db")) as store:
        assert sorted(row.name for row in store.studies()) == ["s0", "s1", "s2", "s3"]


# ------------------------------------------------------------------------------------------------------------ fork

FORKING = """
import os, sys
from rung.store.sqlite import SqliteStore
from rung.testing.stores import STUDY, fact
store = SqliteStore(sys.argv[1])
store.append(STUDY, [fact("parent")])
inherited = store._database._opened.connection
child = os.fork()
for name in "abc":
    store.append(STUDY, [fact(name)])
assert (store._database._opened.connection is inherited) == bool(child)
if child:
    assert os.waitpid(child, 0)[1] == 0
    assert store.changed()
    print(store.append(STUDY, [fact("end")]).seq)
    store.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_writes_through_a_connection_of_its_own(store: SqliteStore) -> None:
    done = subprocess.run([sys.executable, "-c", FORKING, store.url], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "9\n", "")
    texts = sorted(body for _, _, body in log_of(store))
    assert texts == sorted(entry.body for entry in map(fact, ["kept", "parent", *"aabbcc", "end"]))


# ------------------------------------------------------------------------------------------------------- full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "rung-test", str(disk)], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {made.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def append_until_full(store: SqliteStore) -> list[Entry]:
    """What the store took before it refused."""
    written: list[Entry] = []
    while True:
        entries = [Entry("fact", b"%d" % len(written) + b"x" * 20_000), fact("y")]
        try:
            store.append(STUDY, entries)
        except StoreFull:
            return written
        written += entries


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
def test_a_full_disk_refuses_whole_appends_until_there_is_room(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(300_000))
    with closing(SqliteStore(f"sqlite:///{small_disk}/rung.db")) as store:
        store.create(STUDY, [], at=1.0)
        written = append_until_full(store)
        assert len(written) > 2
        assert log_of(store) == bodies(written)
        assert store.position(STUDY) == Position(len(written), 0)
        with pytest.raises(StoreFull, match="free some space"):
            store.append(STUDY, [Entry("fact", b"x" * 30_000)])
        ballast.unlink()
        assert store.append(STUDY, [fact("again")]) == Position(len(written) + 1, 0)
    with closing(SqliteStore(f"sqlite:///{small_disk}/rung.db")) as store:
        assert log_of(store) == bodies([*written, fact("again")])


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
def test_a_store_that_finds_no_room_is_made_once_there_is_some(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free))
    with closing(SqliteStore(f"sqlite:///{small_disk}/runs/rung.db")) as store:
        with pytest.raises(StoreFull):
            store.create(STUDY, [fact("a")], at=1.0)
        with pytest.raises(StoreMissing):
            store.studies()
        ballast.unlink()
        assert store.create(STUDY, [fact("a")], at=1.0) == Position(1, 0)
        assert log_of(store) == bodies([fact("a")])
