"""Where a store may lie, what it says of a place that will not do, and that looking leaves no trace."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rung.model import BadInput, StoreUnusable
from rung.store.base import LeaseOwner, Snapshot
from rung.store.errors import StoreMissing
from rung.store.filesystem import Mount
from rung.store.sqlite import SqliteStore
from rung.testing.stores import STUDY, bodies, fact, log_of

CALLS: list[Callable[[SqliteStore], object]] = [
    lambda store: store.studies(),
    lambda store: store.position(STUDY),
    lambda store: store.read(STUDY),
    lambda store: store.changed(),
    lambda store: store.leases(STUDY),
    lambda store: store.snapshot(STUDY),
    lambda store: store.append(STUDY, [fact("a")]),
    lambda store: store.delete(STUDY),
    lambda store: store.acquire(STUDY, LeaseOwner("r", "h", "b", 1, 1)),
    lambda store: store.put_snapshot(STUDY, Snapshot(1, 0, "1", b"")),
]


def at(path: Path) -> SqliteStore:
    return SqliteStore(f"sqlite:///{path}")


def filled(path: Path) -> Path:
    """A closed store with one study and one fact."""
    with closing(at(path)) as store:
        store.create(STUDY, [fact("kept")], at=1.0)
    return path


def refusal(call: Callable[[], object]) -> str:
    """What the refusal says: always one line that begins with the store's URL."""
    with pytest.raises(StoreUnusable) as refused:
        call()
    said = str(refused.value)
    assert "\n" not in said
    assert said.startswith("sqlite:///")
    return said


# ------------------------------------------------------------------------------------------------------- no store


@pytest.mark.parametrize("call", CALLS)
def test_looking_where_no_store_is_says_so_and_makes_nothing(
    tmp_path: Path, call: Callable[[SqliteStore], object]
) -> None:
    with pytest.raises(StoreMissing, match="`rung run` makes one"):
        call(at(tmp_path / "runs" / "rung.db"))
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_is_no_store_until_create_fills_it(tmp_path: Path) -> None:
    path = tmp_path / "rung.db"
    path.touch()
    with pytest.raises(StoreMissing):
        at(path).studies()
    assert path.stat().st_size == 0
    filled(path)
    with closing(at(path)) as store:
        assert log_of(store) == bodies([fact("kept")])


def test_a_relative_path_is_bound_to_the_directory_of_the_first_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with closing(SqliteStore("sqlite:///runs/rung.db")) as store:
        monkeypatch.chdir(tmp_path / "elsewhere")
        store.create(STUDY, [], at=1.0)
        assert store.path == tmp_path / "runs" / "rung.db"
    assert (tmp_path / "runs" / "rung.db").is_file()
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("name", ["a b.db", "ü#%41;.db", "100%.db", "it's.db", "file:x.db"])
def test_any_file_name_is_taken_as_it_stands(tmp_path: Path, name: str) -> None:
    filled(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_url_of_another_kind_is_refused() -> None:
    with pytest.raises(BadInput, match=r"sqlite:///runs/rung\.db"):
        SqliteStore("memory://")


# ---------------------------------------------------------------------------------------------------- not a place


def test_a_directory_is_refused_with_a_file_in_it_named(tmp_path: Path) -> None:
    for call in (lambda: at(tmp_path).studies(), lambda: at(tmp_path).create(STUDY, [], at=1.0)):
        said = refusal(call)
        assert "is a directory" in said
        assert str(tmp_path / "rung.db") in said


def test_a_path_through_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "not a directory" in refusal(lambda: at(tmp_path / "file" / "rung.db").create(STUDY, [], at=1.0))
    deeper = at(tmp_path / "file" / "deep" / "rung.db")
    assert "directory" in refusal(lambda: deeper.create(STUDY, [], at=1.0))
    with pytest.raises(StoreMissing):
        deeper.studies()


def test_a_name_too_long_for_the_system_is_refused(tmp_path: Path) -> None:
    long = at(tmp_path / ("x" * 300))
    assert "too long" in refusal(long.studies)
    assert "too long" in refusal(lambda: long.create(STUDY, [], at=1.0))


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rung.db")
    assert "not a regular file" in refusal(at(tmp_path / "rung.db").studies)
    assert "not a regular file" in refusal(lambda: at(tmp_path / "rung.db").create(STUDY, [], at=1.0))


@pytest.mark.parametrize("content", [b"hello\n", b"not a database " * 1000, b"\0" * 8192])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rung.db"
    path.write_bytes(content)
    assert "not a Rung store" in refusal(at(path).studies)
    assert "not a Rung store" in refusal(lambda: at(path).create(STUDY, [], at=1.0))
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_the_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "rung.db"
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE studies (study_id INTEGER)")
    content = path.read_bytes()
    assert "another program" in refusal(at(path).studies)
    assert "another program" in refusal(lambda: at(path).create(STUDY, [], at=1.0))
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_store_is_told_from_a_foreign_one(tmp_path: Path) -> None:
    path = filled(tmp_path / "rung.db")
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    assert "damaged" in refusal(lambda: at(path).read(STUDY))


def test_a_network_file_system_is_refused_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled(tmp_path / "rung.db")
    monkeypatch.setattr("rung.store.filesystem._mounts", lambda: [Mount("/", "ext4"), Mount(str(tmp_path), "nfs4")])
    for call in (at(path).studies, lambda: at(tmp_path / "new" / "rung.db").create(STUDY, [], at=1.0)):
        said = refusal(call)
        assert "nfs4" in said
        assert "local disk" in said
    assert not (tmp_path / "new").exists()


# ------------------------------------------------------------------------------------------------------ read-only


def test_a_directory_that_may_not_be_written_is_refused(place: Path, become_nobody: Callable[[], None]) -> None:
    place.chmod(0o555)
    become_nobody()
    assert "not writable" in refusal(lambda: at(place / "rung.db").create(STUDY, [], at=1.0))
    assert "Permission denied" in refusal(lambda: at(place / "runs" / "rung.db").create(STUDY, [], at=1.0))
    assert list(place.iterdir()) == []


def test_a_read_only_store_is_read_and_nothing_else(place: Path, become_nobody: Callable[[], None]) -> None:
    path = filled(place / "rung.db")
    path.chmod(0o444)
    place.chmod(0o555)
    become_nobody()
    with closing(at(path)) as store:
        assert log_of(store) == bodies([fact("kept")])
        assert store.read(STUDY, trial=1) == []
        assert [row.name for row in store.studies()] == [STUDY]
        assert store.changed()
        for call in (lambda: store.append(STUDY, [fact("b")]), lambda: store.create("new", [], at=1.0)):
            assert "read-only" in refusal(call)
    assert list(place.iterdir()) == [path]


def test_a_reader_without_rights_follows_a_live_writer(place: Path, become_nobody: Callable[[], None]) -> None:
    path = place / "rung.db"
    with closing(at(path)) as writer, closing(at(path)) as reader:
        writer.create(STUDY, [fact("a")], at=1.0)
        for file in place.iterdir():
            file.chmod(0o444)
        place.chmod(0o555)
        writing_as = os.geteuid()
        become_nobody()
        assert log_of(reader) == bodies([fact("a")])
        os.seteuid(writing_as)
        writer.append(STUDY, [fact("b")])
        become_nobody()
        assert reader.changed()
        assert log_of(reader) == bodies([fact("a"), fact("b")])
        os.seteuid(writing_as)


def test_a_read_only_store_with_unfolded_writes_is_refused_rather_than_read_short(
    place: Path, become_nobody: Callable[[], None]
) -> None:
    (place / "live").mkdir()
    with closing(at(place / "live" / "rung.db")) as writer:
        writer.create(STUDY, [fact("a")], at=1.0)
        for name in ("rung.db", "rung.db-wal"):
            shutil.copy(place / "live" / name, place / name)
    for file in place.iterdir():
        file.chmod(0o555)
    place.chmod(0o555)
    become_nobody()
    assert "rung.db-wal; copy both" in refusal(at(place / "rung.db").studies)


def test_a_file_that_may_not_be_read_is_refused(place: Path, become_nobody: Callable[[], None]) -> None:
    path = filled(place / "rung.db")
    path.chmod(0)
    place.chmod(0o555)
    become_nobody()
    assert "may not be read" in refusal(at(path).studies)


def test_a_directory_that_may_not_be_entered_is_refused(place: Path, become_nobody: Callable[[], None]) -> None:
    path = filled(place / "rung.db")
    place.chmod(0)
    become_nobody()
    assert "Permission denied" in refusal(at(path).studies)
    assert "Permission denied" in refusal(lambda: at(path).create("new", [], at=1.0))
