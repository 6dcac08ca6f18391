"""What a store promises: an append-only log for each study, leases for its runners, one snapshot.

A store knows nothing of what events mean. It keeps *entries*: opaque JSON bodies with a kind.

* **Facts and requests** append without a condition. **Decisions** append with `after=n` and are accepted only if the
  study holds exactly n decisions (optimistic concurrency, ARCHITECTURE rule 2). An append is all or nothing.
* Sequence numbers start at 1 and are given under the study's lock: no reader sees n + 1 before n.
* An append that carries a `Lease` is refused (`Fenced`) in the same transaction when that lease is no longer the
  current one of its runner (rule 9). Requests carry none.
* Readers never block a writer and never fail because of one.
"""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 - msgspec resolves annotations at run time
from typing import Literal, Protocol

import msgspec

Kind = Literal["fact", "request", "decision"]


class Entry(msgspec.Struct, frozen=True):
    """One event to append. `trial` is the trial it is about, or None: `read(trial=...)` finds it by that."""

    kind: Kind
    body: bytes
    trial: int | None = None


class Logged(msgspec.Struct, frozen=True):
    """One event in the log."""

    seq: int
    kind: Kind
    body: bytes


class Position(msgspec.Struct, frozen=True):
    """How much a study's log holds: the last sequence number and the number of decisions."""

    seq: int
    decisions: int


class LeaseOwner(msgspec.Struct, frozen=True):
    """The process that holds a lease. `ticks` is its start time in clock ticks since boot (0 where unknown)."""

    runner: str
    host: str
    boot: str
    pid: int
    ticks: int
    role: Literal["runner", "asker"] = "runner"


class Lease(msgspec.Struct, frozen=True):
    """A runner's right to append. `epoch` is unique and rising within the study; `counter` counts heartbeats."""

    study: str
    epoch: int
    counter: int
    owner: LeaseOwner


class Snapshot(msgspec.Struct, frozen=True):
    """A folded state as of `seq`. `version` names the fold that wrote it; another fold must ignore it."""

    seq: int
    decisions: int
    version: str
    body: bytes


class StudyRow(msgspec.Struct, frozen=True):
    """A study as a listing needs it. `created` is Unix seconds."""

    name: str
    created: float
    seq: int
    decisions: int


class Store(Protocol):
    """The contract; `rung.testing.stores.StoreConformance` proves it for an implementation."""

    url: str

    def create(self, study: str, entries: Sequence[Entry], *, at: float) -> Position:
        """The study exists and holds `entries`. Raises `BadInput` when the name is taken."""
        ...

    def studies(self) -> list[StudyRow]:
        """All studies, oldest first."""
        ...

    def delete(self, study: str) -> None:
        """The study, its log, leases and snapshot are gone."""
        ...

    def append(
        self, study: str, entries: Sequence[Entry], *, after: int | None = None, lease: Lease | None = None
    ) -> Position:
        """`entries` are durable at the end of the log; returns the position after them.

        `after` is required when any entry is a decision. Raises `Conflict`, `Fenced`, `UnknownStudy`; then nothing
        was written.
        """
        ...

    def position(self, study: str) -> Position:
        """How much the log holds. Raises `UnknownStudy`."""
        ...

    def read(self, study: str, *, after: int = 0, limit: int = 10_000, trial: int | None = None) -> list[Logged]:
        """The next entries with a sequence number above `after`, at most `limit`; only those about `trial` if given."""
        ...

    def changed(self) -> bool:
        """Whether anything may have been written by another connection since the last call. A cheap hint; the first
        call is True."""
        ...

    def acquire(self, study: str, owner: LeaseOwner) -> Lease:
        """A fresh lease with the study's next epoch; an older lease of the same runner id is replaced."""
        ...

    def renew(self, lease: Lease) -> Lease:
        """The same lease, one heartbeat later. Raises `Fenced` when it is gone."""
        ...

    def release(self, lease: Lease) -> None:
        """The lease is gone; nothing happens if it already was."""
        ...

    def leases(self, study: str) -> list[Lease]:
        """The current leases, by epoch. Whether one has expired is the observer's to judge (`runner/lease.py`)."""
        ...

    def put_snapshot(self, study: str, snapshot: Snapshot) -> None:
        """The study's snapshot is this one (an older `seq` than the one kept is ignored)."""
        ...

    def snapshot(self, study: str) -> Snapshot | None:
        """The study's snapshot, if any."""
        ...

    def close(self) -> None:
        """Files and connections are released; closing twice is allowed."""
        ...
