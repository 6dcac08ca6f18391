"""What a store can run into besides the errors of `rung.model`: each is one line for the user."""

from __future__ import annotations

from rung.model import RungError, StoreUnusable


class StoreMissing(StoreUnusable):
    """No store is at that place yet: nothing was created by looking."""


class StoreBusy(StoreUnusable):
    """Another process held the store for longer than this one was willing to wait; nothing was written."""


class StoreFull(RungError):
    """There is no room left where the store lies; nothing was written, and the same call may succeed later."""
