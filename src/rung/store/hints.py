"""Whether somebody else wrote: the bookkeeping behind `Store.changed`, for stores shared by several threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable


class ChangeHint:
    """Counts the writes made through one store object. Each thread has its own view of what it has seen.

    Both methods are called under the store's lock.
    """

    def __init__(self) -> None:
        self._writes = 0
        self._mine = threading.local()

    def wrote(self) -> None:
        """This thread has written; that alone does not make its next `changed` true."""
        seen: tuple[int, Hashable] | None = getattr(self._mine, "seen", None)
        self._writes += 1
        if seen is not None and seen[0] == self._writes - 1:
            self._mine.seen = (self._writes, seen[1])

    def changed(self, outside: Hashable = None) -> bool:
        """Whether another thread wrote, or `outside` moved, since this thread's last call; the first call is True.

        `outside` stands for what other connections wrote.
        """
        before, now = getattr(self._mine, "seen", None), (self._writes, outside)
        self._mine.seen = now
        return before != now
