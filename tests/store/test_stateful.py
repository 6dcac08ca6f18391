"""The SQLite store and the one in memory give the same answer to any sequence of calls."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from rung.model import RungError
from rung.store.base import Entry, Lease, LeaseOwner, Logged, Position, Snapshot, Store, StudyRow
from rung.store.memory import MemoryStore
from rung.store.sqlite import SqliteStore

NAMES = st.sampled_from(["a", "b", "it's ü"])
TRIALS = st.none() | st.integers(0, 3)
ENTRIES = st.lists(
    st.builds(Entry, st.sampled_from(["fact", "request", "decision"]), st.binary(max_size=8), TRIALS), max_size=4
)
OWNERS = st.builds(LeaseOwner, st.sampled_from(["r1", "r2"]), st.just("h"), st.just("b"), st.integers(1, 9), st.just(0))
AFTER = st.none() | st.integers(0, 6)


def outcome(call: Callable[[], object]) -> object:
    """What the call returned, or the type of what it raised."""
    try:
        return call()
    except (RungError, ValueError) as error:
        return type(error)


class BothStores(RuleBasedStateMachine):
    leases = Bundle("leases")

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="rung-store-")
        self.sqlite = SqliteStore(f"sqlite:///{Path(self.folder.name)}/rung.db")
        self.memory = MemoryStore()
        self.both(lambda store: store.create("a", [], at=0.0))

    def teardown(self) -> None:
        self.sqlite.close()
        self.folder.cleanup()

    def both(self, call: Callable[[Store], Any]) -> Any:
        expected = outcome(lambda: call(self.memory))
        assert outcome(lambda: call(self.sqlite)) == expected
        return expected

    @rule(study=NAMES, entries=ENTRIES, at=st.floats(0, 10))
    def create(self, study: str, entries: list[Entry], at: float) -> None:
        self.both(lambda store: store.create(study, entries, at=at))

    @rule(study=NAMES)
    def delete(self, study: str) -> None:
        self.both(lambda store: store.delete(study))

    @rule(study=NAMES, entries=ENTRIES, after=AFTER)
    def append(self, study: str, entries: list[Entry], after: int | None) -> None:
        self.both(lambda store: store.append(study, entries, after=after))

    @rule(study=NAMES, entries=ENTRIES)
    def decide(self, study: str, entries: list[Entry]) -> None:
        """An append that is never refused for its `after`, so that logs grow."""
        now = outcome(lambda: self.memory.position(study))
        if isinstance(now, Position):
            decisions = now.decisions
            self.both(lambda store: store.append(study, entries, after=decisions))

    @rule(study=NAMES, entries=ENTRIES, lease=leases, after=AFTER)
    def append_under_lease(self, study: str, entries: list[Entry], lease: Lease, after: int | None) -> None:
        self.both(lambda store: store.append(study, entries, after=after, lease=lease))

    @rule(study=NAMES, after=st.integers(-1, 12), limit=st.integers(-1, 5), trial=TRIALS)
    def read(self, study: str, after: int, limit: int, trial: int | None) -> None:
        self.both(lambda store: store.read(study, after=after, limit=limit, trial=trial))

    @rule(target=leases, study=st.just("a"), owner=OWNERS)
    def acquire(self, study: str, owner: LeaseOwner) -> object:
        lease = self.both(lambda store: store.acquire(study, owner))
        return lease if isinstance(lease, Lease) else Lease(study, 1, 0, owner)

    @rule(lease=leases)
    def renew(self, lease: Lease) -> None:
        self.both(lambda store: store.renew(lease))

    @rule(lease=consumes(leases))
    def release(self, lease: Lease) -> None:
        self.both(lambda store: store.release(lease))

    @rule(study=NAMES, seq=st.integers(0, 9), version=st.sampled_from(["1", "2"]), body=st.binary(max_size=4))
    def put_snapshot(self, study: str, seq: int, version: str, body: bytes) -> None:
        self.both(lambda store: store.put_snapshot(study, Snapshot(seq, seq // 2, version, body)))

    @rule()
    def reopen(self) -> None:
        self.sqlite.close()

    @invariant()
    def alike(self) -> None:
        rows: list[StudyRow] = self.both(lambda store: store.studies())
        for row in rows:
            self.study_alike(row)

    def study_alike(self, row: StudyRow) -> None:
        assert self.both(lambda store: store.position(row.name)) == Position(row.seq, row.decisions)
        log: list[Logged] = self.both(lambda store: store.read(row.name))
        assert [logged.seq for logged in log] == list(range(1, row.seq + 1))
        assert sum(logged.kind == "decision" for logged in log) == row.decisions
        self.both(lambda store: (store.leases(row.name), store.snapshot(row.name)))


BothStores.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None, derandomize=True)
TestBothStores = BothStores.TestCase
