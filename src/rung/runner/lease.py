"""When a lease has expired, as one observer sees it (ARCHITECTURE rule 9).

A lease is gone at once when it names a process of this host that no longer exists. Otherwise its heartbeat counter
must have stood still for the time to live on the observer's own monotonic clock: no two clocks are ever compared.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rung.runner.identity import alive

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rung.store.base import Lease, LeaseOwner

TIME_TO_LIVE_S = float(os.environ.get("RUNG_LEASE_TTL", "15"))


class LeaseWatch:
    """What this observer has seen of the other runners' heartbeats."""

    def __init__(self, here: LeaseOwner, *, time_to_live_s: float = TIME_TO_LIVE_S) -> None:
        self.here, self.time_to_live_s = here, time_to_live_s
        self._seen: dict[int, tuple[int, float]] = {}  # epoch -> (counter, when it was first seen)

    def expired(self, leases: Iterable[Lease], *, now: float) -> list[Lease]:
        """Those of the leases that have expired at monotonic time `now`."""
        return [lease for lease in leases if self._expired(lease, now)]

    def _expired(self, lease: Lease, now: float) -> bool:
        if lease.owner.runner == self.here.runner:
            return False
        exists = alive(lease.owner, here=self.here)
        if exists is False:
            return True
        counter, since = self._seen.setdefault(lease.epoch, (lease.counter, now))
        if counter != lease.counter:
            self._seen[lease.epoch] = (lease.counter, now)
            return False
        return now - since > self.time_to_live_s
