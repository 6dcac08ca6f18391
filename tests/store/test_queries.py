from __future__ import annotations

import re
from pathlib import Path

import pytest

from rung.store import opening, queries
from rung.store.queries import migrations, statements


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(queries, "FOLDER", tmp_path)
    return tmp_path


def test_statements_are_found_by_name_without_their_comments(folder: Path) -> None:
    (folder / "q.sql").write_text(
        "-- about\n\n-- name: one\n-- why\nSELECT 1\n  -- indented\nFROM x;\n-- name: two\nB;\n"
    )
    assert statements("q.sql") == {"one": "SELECT 1\nFROM x;", "two": "B;"}


def test_a_name_given_twice_is_refused(folder: Path) -> None:
    (folder / "q.sql").write_text("-- name: one\nA;\n-- name: one\nB;\n")
    with pytest.raises(ValueError, match="two statements are called one"):
        statements("q.sql")


def test_migrations_are_numbered_from_one_without_gaps() -> None:
    numbers = [int(Path(file).name.split("_")[0]) for file in migrations()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert opening.SCHEMA == len(numbers) >= 1


def test_every_query_is_used_and_every_used_one_exists() -> None:
    room = Path(opening.__file__).parent
    source = "".join(path.read_text() for path in room.glob("*.py"))
    used = set(re.findall(r'SQL\["(\w+)"\]', source))
    looped = {
        "delete_entries",
        "delete_leases",
        "delete_snapshot",
        "delete_study",
        "synchronous",
        "plain_delete",
        "log_size",
    }
    assert used | looped == set(statements("queries.sql"))
    assert all(f'"{name}"' in source for name in looped)
