"""Several real processes on one file: writers that race, writers that are killed, readers without end."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest

from rung.store.base import Position
from rung.store.sqlite import SqliteStore
from rung.testing.stores import STUDY, fact, log_of

DECIDER = """
import sys
from rung.store.sqlite import SqliteStore
from rung.testing.stores import decide, decision
store, name = SqliteStore(sys.argv[1]), sys.argv[2]
for number in range(200):
    decide(store, decision(f"{name}.{number}", int(name)))
"""

# Tells each append after it returned, so that the one who kills knows what must have survived.
TELLER = """
import sys
from rung.store.sqlite import SqliteStore
from rung.testing.stores import STUDY, fact
store = SqliteStore(sys.argv[1])
while True:
    print(store.append(STUDY, [fact("a", 1), fact("b", 2), fact("c")]).seq, flush=True)
"""

# Opens and closes the store for every look, as `rung ls` does.
READER = """
import sys
from contextlib import closing
from rung.store.sqlite import SqliteStore
from rung.testing.stores import log_of
seen = 0
for _ in range(8):
    with closing(SqliteStore(sys.argv[1])) as store:
        log = log_of(store, page=500)
        assert [seq for seq, _, _ in log] == list(range(1, len(log) + 1)) and len(log) >= seen
        seen = len(log)
print(seen)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(f"sqlite:///{tmp_path}/rung.db")) as store:
        store.create(STUDY, [], at=1.0)
        yield store


@pytest.fixture
def crew() -> Iterator[list[subprocess.Popen[str]]]:
    """The processes a test started; none outlives it."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def start(crew: list[subprocess.Popen[str]], program: str, *args: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *args]
    crew.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    return crew[-1]


def finish(crew: list[subprocess.Popen[str]]) -> list[str]:
    """What each wrote; all of them ended well."""
    said = [process.communicate() for process in crew]
    assert [(process.returncode, errors) for process, (_, errors) in zip(crew, said, strict=True)] == [(0, "")] * len(
        crew
    )
    return [text for text, _ in said]


def out(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout


@pytest.mark.slow
def test_racing_processes_decide_everything_exactly_once(store: SqliteStore, crew: list[subprocess.Popen[str]]) -> None:
    for name in range(4):
        start(crew, DECIDER, store.url, str(name))
    finish(crew)
    log = log_of(store)
    assert [seq for seq, _, _ in log] == list(range(1, 801))
    assert store.position(STUDY) == Position(800, 800)
    for name in range(4):
        own = [logged.body for logged in store.read(STUDY, trial=name)]
        assert own == [b'"%d.%d"' % (name, number) for number in range(200)]


@pytest.mark.slow
@pytest.mark.chaos
@pytest.mark.parametrize("appends", [1, 40, 700])
def test_a_killed_writer_leaves_a_log_with_all_it_told_and_no_gap(
    store: SqliteStore, crew: list[subprocess.Popen[str]], appends: int
) -> None:
    """700 appends cross several checkpoints; the pipe lets the writer run ahead of what is read here."""
    store.close()
    writer = start(crew, TELLER, store.url)
    for _ in range(appends):
        out(writer).readline()
    writer.send_signal(signal.SIGKILL)
    told = 3 * (appends + out(writer).read().count("\n"))
    assert writer.wait() == -signal.SIGKILL
    log = log_of(store)
    assert len(log) in {told, told + 3}
    assert [seq for seq, _, _ in log] == list(range(1, len(log) + 1))
    assert [body for _, _, body in log] == [b'"a"', b'"b"', b'"c"'] * (len(log) // 3)
    assert len(store.read(STUDY, trial=2)) == len(log) // 3
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert store.append(STUDY, [fact("next")]).seq == len(log) + 1


@pytest.mark.slow
def test_twenty_readers_never_make_a_writer_or_one_another_fail(
    store: SqliteStore, crew: list[subprocess.Popen[str]]
) -> None:
    for _ in range(20):
        start(crew, READER, store.url)
    written = 0
    while any(reader.poll() is None for reader in crew):
        assert store.append(STUDY, [fact("a"), fact("b")]) == Position(written + 2, 0)
        written += 2
    assert all(0 < int(seen) <= written for seen in finish(crew))
