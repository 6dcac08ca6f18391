"""A store in this process's memory: for ask and tell without a file, and for tests."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rung.model import BadInput
from rung.store.address import parse
from rung.store.base import Entry, Lease, LeaseOwner, Logged, Position, Snapshot, StudyRow
from rung.store.checks import conflict, count_decisions, fenced, taken, unknown_study
from rung.store.hints import ChangeHint

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class _Study:
    created: float
    decisions: int = 0
    epoch: int = 0
    log: list[Logged] = field(default_factory=list)
    by_trial: defaultdict[int, list[Logged]] = field(default_factory=lambda: defaultdict(list))
    leases: dict[str, Lease] = field(default_factory=dict)  # by runner
    snapshot: Snapshot | None = None

    @property
    def position(self) -> Position:
        return Position(len(self.log), self.decisions)

    def extend(self, entries: Sequence[Entry], decisions: int) -> None:
        for seq, entry in enumerate(entries, start=len(self.log) + 1):
            logged = Logged(seq, entry.kind, entry.body)
            self.log.append(logged)
            if entry.trial is not None:
                self.by_trial[entry.trial].append(logged)
        self.decisions += decisions

    def holds(self, lease: Lease) -> bool:
        current = self.leases.get(lease.owner.runner)
        return current is not None and current.epoch == lease.epoch


class MemoryStore:
    """A `Store` whose studies live as long as this object. Any number of threads may use it."""

    def __init__(self, url: str = "memory://") -> None:
        if parse(url).scheme != "memory":
            raise BadInput("expected memory://", place=repr(url), key="store")
        self.url = url
        self._lock = threading.RLock()
        self._studies: dict[str, _Study] = {}
        self._hint = ChangeHint()

    def create(self, study: str, entries: Sequence[Entry], *, at: float) -> Position:
        """The study exists and holds `entries`. Raises `BadInput` when the name is taken."""
        with self._lock:
            if study in self._studies:
                raise taken(study, self.url)
            row = _Study(created=at)
            row.extend(entries, count_decisions(entries, after=0))
            self._studies[study] = row
            self._hint.wrote()
            return row.position

    def studies(self) -> list[StudyRow]:
        """All studies, oldest first."""
        with self._lock:
            return [StudyRow(name, row.created, len(row.log), row.decisions) for name, row in self._studies.items()]

    def delete(self, study: str) -> None:
        """The study, its log, leases and snapshot are gone. Raises `UnknownStudy`."""
        with self._lock:
            self._find(study)
            del self._studies[study]
            self._hint.wrote()

    def append(
        self, study: str, entries: Sequence[Entry], *, after: int | None = None, lease: Lease | None = None
    ) -> Position:
        """`entries` are at the end of the log; the position after them. Raises as `Store.append` says."""
        decisions = count_decisions(entries, after)
        with self._lock:
            row = self._find(study)
            if lease is not None and not row.holds(lease):
                raise fenced(lease)
            if after is not None and after != row.decisions:
                raise conflict(study, after=after, decisions=row.decisions)
            row.extend(entries, decisions)
            self._hint.wrote()
            return row.position

    def position(self, study: str) -> Position:
        """How much the log holds. Raises `UnknownStudy`."""
        with self._lock:
            return self._find(study).position

    def read(self, study: str, *, after: int = 0, limit: int = 10_000, trial: int | None = None) -> list[Logged]:
        """The next entries with a sequence number above `after`, at most `limit`; only those about `trial` if given."""
        with self._lock:
            row = self._find(study)
            if trial is None:
                first, log = max(after, 0), row.log
            else:
                log = row.by_trial.get(trial, [])
                first = bisect_right(log, after, key=lambda logged: logged.seq)
            return log[first : first + max(limit, 0)]

    def changed(self) -> bool:
        """Whether another thread may have written since this thread's last call; the first call is True."""
        with self._lock:
            return self._hint.changed()

    def acquire(self, study: str, owner: LeaseOwner) -> Lease:
        """A fresh lease with the study's next epoch; an older lease of the same runner id is replaced."""
        with self._lock:
            row = self._find(study)
            row.epoch += 1
            row.leases[owner.runner] = Lease(study, row.epoch, 0, owner)
            self._hint.wrote()
            return row.leases[owner.runner]

    def renew(self, lease: Lease) -> Lease:
        """The same lease, one heartbeat later. Raises `Fenced` when it is gone."""
        with self._lock:
            row = self._studies.get(lease.study)
            if row is None or not row.holds(lease):
                raise fenced(lease)
            kept = row.leases[lease.owner.runner]
            renewed = Lease(kept.study, kept.epoch, kept.counter + 1, kept.owner)
            row.leases[lease.owner.runner] = renewed
            self._hint.wrote()
            return renewed

    def release(self, lease: Lease) -> None:
        """The lease is gone; nothing happens if it already was."""
        with self._lock:
            row = self._studies.get(lease.study)
            if row is not None and row.holds(lease):
                del row.leases[lease.owner.runner]
                self._hint.wrote()

    def leases(self, study: str) -> list[Lease]:
        """The current leases, by epoch."""
        with self._lock:
            return sorted(self._find(study).leases.values(), key=lambda lease: lease.epoch)

    def put_snapshot(self, study: str, snapshot: Snapshot) -> None:
        """The study's snapshot is this one (an older `seq` than the one kept is ignored)."""
        with self._lock:
            row = self._find(study)
            if row.snapshot is None or snapshot.seq >= row.snapshot.seq:
                row.snapshot = snapshot
                self._hint.wrote()

    def snapshot(self, study: str) -> Snapshot | None:
        """The study's snapshot, if any."""
        with self._lock:
            return self._find(study).snapshot

    def close(self) -> None:
        """Nothing is held open; the studies stay as long as the object does."""

    def _find(self, study: str) -> _Study:
        row = self._studies.get(study)
        if row is None:
            raise unknown_study(study, self.url)
        return row
