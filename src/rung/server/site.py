"""What one server serves: a store, the folder of its trials, and the project folder that it was started in."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from rung.api.handle import Handle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rung.api.places import Places
    from rung.store.base import Store


class Watched:
    """A study that the server follows. Requests are answered in threads: who looks at the study holds its lock."""

    def __init__(self, store: Store, name: str) -> None:
        """Raises `UnknownStudy`."""
        self.name = name
        self.handle = Handle(store, name)
        self.lock = threading.RLock()

    @contextlib.contextmanager
    def read(self) -> Iterator[Handle]:
        """The study as the log has it now; nobody else changes the object meanwhile."""
        with self.lock:
            self.handle.refresh()
            yield self.handle


class Site:
    """The studies that were asked for so far, each opened once."""

    def __init__(self, store: Store, places: Places, project: Path) -> None:
        self.store, self.places, self.project = store, places, project
        self._watched: dict[str, Watched] = {}
        self._lock = threading.Lock()

    def study(self, name: str) -> Watched:
        """The study of that name. Raises `UnknownStudy`."""
        with self._lock:
            found = self._watched.get(name)
            if found is None:
                found = self._watched[name] = Watched(self.store, name)
            return found
