"""`rung_open.py URL NAME FROM`: the seconds and the peak memory of opening a study; FROM: `snapshot` or `log`."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

from process_memory import peak_mb

from rung.plugins import open_store
from rung.runner.log import open_state
from rung.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from rung.store.base import Snapshot


class WithoutSnapshot(SqliteStore):
    """A store that has lost its snapshots."""

    def snapshot(self, study: str) -> Snapshot | None:
        """There is none."""
        del study
        return None


if __name__ == "__main__":
    url, name = sys.argv[1], sys.argv[2]
    store = WithoutSnapshot(url) if sys.argv[3] == "log" else open_store(url)
    store.studies()
    before = peak_mb()
    started = time.perf_counter()
    state = open_state(store, name)
    taken = time.perf_counter() - started
    held = {"seconds": taken, "peak_mb": peak_mb(), "before_mb": before}
    print(json.dumps(held | {"trials": len(state), "events": state.seq}))
