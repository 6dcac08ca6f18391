"""Schemas: a newer one is refused, an older one is upgraded, and both ways to the newest lead to the same tables."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rung.model import StoreUnusable
from rung.store import opening, queries
from rung.store.opening import SCHEMA, transaction, upgrade
from rung.store.queries import statements
from rung.store.sqlite import SqliteStore
from rung.testing.stores import STUDY, bodies, fact, log_of

Shape = dict[str, object]
ADDED = "-- name: note\nALTER TABLE study ADD COLUMN note TEXT;\n-- name: version\nPRAGMA user_version = 2;\n"
BROKEN = "-- name: note\nALTER TABLE study ADD COLUMN note TEXT;\n-- name: version\nPRAGMA user_version = 2;\n-- name: x\nNO SQL;\n"


def shape(connection: sqlite3.Connection) -> Shape:
    """What a schema comes to, however it was reached: columns, indexes, their order, and the two numbers."""
    found: Shape = {
        name: connection.execute(f"PRAGMA {name}").fetchall() for name in ("user_version", "application_id")
    }
    for table, flags in connection.execute("SELECT name, wr FROM pragma_table_list WHERE schema = 'main'").fetchall():
        found[table] = (flags, connection.execute("SELECT * FROM pragma_table_xinfo(?)", (table,)).fetchall())
        for index in connection.execute(
            'SELECT name, "unique", partial FROM pragma_index_list(?)', (table,)
        ).fetchall():
            found[index[0]] = (index, connection.execute("SELECT * FROM pragma_index_xinfo(?)", index[:1]).fetchall())
    return found


@pytest.fixture
def blank() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(f"sqlite:///{tmp_path}/rung.db")) as store:
        store.create(STUDY, [fact("kept")], at=1.0)
        yield store


def raw(store: SqliteStore) -> sqlite3.Connection:
    return sqlite3.connect(store.path, isolation_level=None)


def a_release_later(folder: Path, monkeypatch: pytest.MonkeyPatch, migration: str) -> None:
    """From here on Rung knows schema 2, which `migration` leads to."""
    shutil.copytree(queries.FOLDER, folder)
    (folder / "migrations" / "0002_next.sql").write_text(migration)
    monkeypatch.setattr(queries, "FOLDER", folder)
    monkeypatch.setattr(opening, "SCHEMA", 2)


def test_migrations_lead_to_the_schema_that_a_new_store_gets(blank: sqlite3.Connection, store: SqliteStore) -> None:
    transaction(blank, lambda held: upgrade(held, 0))
    with closing(raw(store)) as made:
        assert shape(made) == shape(blank)
    assert {"study", "entry", "lease", "snapshot", "entry_trial"} < shape(blank).keys()


def test_the_shape_tells_schemas_apart(blank: sqlite3.Connection) -> None:
    transaction(blank, lambda held: upgrade(held, 0))
    before = shape(blank)
    blank.execute("DROP INDEX entry_trial")
    without = shape(blank)
    blank.execute("CREATE INDEX entry_trial ON entry (study, trial, seq)")
    assert before != without
    assert before != shape(blank)


def test_a_new_store_has_the_newest_schema(store: SqliteStore) -> None:
    with closing(raw(store)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize(
    "call",
    [lambda store: store.studies(), lambda store: store.create("new", [], at=1.0)],
)
def test_a_store_of_a_newer_rung_is_refused_and_left_alone(
    store: SqliteStore, call: Callable[[SqliteStore], object]
) -> None:
    store.close()
    with closing(raw(store)) as connection:
        connection.execute("PRAGMA user_version = 99")
    content = store.path.read_bytes()
    with pytest.raises(StoreUnusable, match=rf"newer Rung \(schema 99; this one knows {SCHEMA}\)"):
        call(store)
    assert store.path.read_bytes() == content


def test_an_older_store_is_upgraded_when_it_is_opened_and_keeps_what_it_held(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.close()
    a_release_later(tmp_path / "sql", monkeypatch, ADDED)
    assert log_of(store) == bodies([fact("kept")])
    with closing(raw(store)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert connection.execute("SELECT name, note FROM study").fetchall() == [(STUDY, None)]
    store.close()
    assert log_of(store) == bodies([fact("kept")])


def test_an_older_store_that_is_read_only_is_refused(
    place: Path, become_nobody: Callable[[], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = SqliteStore(f"sqlite:///{place}/rung.db")
    old.create(STUDY, [fact("kept")], at=1.0)
    old.close()
    place.chmod(0o555)
    a_release_later(tmp_path / "sql", monkeypatch, ADDED)
    become_nobody()
    with pytest.raises(StoreUnusable, match=r"older Rung \(schema 1; this one reads 2\) and read-only"):
        old.studies()


def test_an_upgrade_that_breaks_is_taken_back_whole(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.close()
    with closing(raw(store)) as connection:
        before = shape(connection)
    with monkeypatch.context() as later:
        a_release_later(tmp_path / "sql", later, BROKEN)
        with pytest.raises(StoreUnusable, match="syntax error"):
            store.studies()
    with closing(raw(store)) as connection:
        assert shape(connection) == before
    assert log_of(store) == bodies([fact("kept")])


@pytest.mark.parametrize(
    ("name", "row", "by"), [("read", (1, 0, 9), "PRIMARY KEY"), ("read_trial", (1, 0, 9, 5), "INDEX entry_trial")]
)
def test_reads_go_by_an_index(blank: sqlite3.Connection, name: str, row: tuple[int, ...], by: str) -> None:
    transaction(blank, lambda held: upgrade(held, 0))
    plan = " ".join(step[3] for step in blank.execute("EXPLAIN QUERY PLAN " + statements("queries.sql")[name], row))
    assert f"SEARCH entry USING {by}" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan
