"""The lease of a program that asks and tells, kept while nothing of ours runs in it."""

from __future__ import annotations

import contextlib
import threading
import weakref
from typing import TYPE_CHECKING

from rung.model import RungError
from rung.runner.lease import TIME_TO_LIVE_S
from rung.store.errors import StoreBusy, StoreFull

if TYPE_CHECKING:
    from rung.store.base import Lease, Store


def keep_alive(owner: object, store: Store, lease: Lease) -> None:
    """A heartbeat for as long as `owner` lives: results may be told hours after they were asked for."""
    alive = weakref.ref(owner)
    over = threading.Event()
    weakref.finalize(owner, over.set)

    def beat() -> None:
        held = lease
        while not over.wait(TIME_TO_LIVE_S / 5):
            if alive() is None:
                break
            try:
                held = store.renew(held)
            except (StoreBusy, StoreFull):
                continue  # for now; the lease is still ours
            except RungError:
                return  # taken over, or the store is gone: the next append says so to the caller
        with contextlib.suppress(RungError):  # a process that is gone holds no lease for long
            store.release(held)

    threading.Thread(target=beat, name="rung-heartbeat", daemon=True).start()
