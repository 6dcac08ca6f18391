"""What one server serves: a store, the folder of its trials, and the project folder that it was started in."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING

from rung.api.handle import Handle
from rung.model import LogError, UnknownStudy
from rung.server.feed import Feed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rung.api.places import Places
    from rung.store.base import Store
    from rung.study import events as ev

MOST_TRIALS = 1_000_000  # of all studies in memory together; the least recently used are let go
MOST_STUDIES = 100
REMEMBERED = 5_000  # trials of a study of which is known when they last changed


class Touched:
    """Which trials events were about, newest last. `floor`: of events up to this one nothing is known."""

    def __init__(self, floor: int) -> None:
        self.floor = floor
        self._last: OrderedDict[int, int] = OrderedDict()  # trial -> sequence number

    def note(self, events: Sequence[ev.AnyEvent], last: int) -> None:
        """These events were folded; the last of them is number `last`."""
        for seq, event in enumerate(events, start=last - len(events) + 1):
            trial = getattr(event, "trial", None)
            if trial is not None:
                self._last[trial] = seq
                self._last.move_to_end(trial)
        while len(self._last) > REMEMBERED:
            self.floor = self._last.popitem(last=False)[1]

    def since(self, seq: int, most: int) -> list[int] | None:
        """The trials that events after `seq` were about, ascending; None where that is not known, or more than
        `most`."""
        if seq < self.floor:
            return None
        found: list[int] = []
        for trial in reversed(self._last):
            if self._last[trial] <= seq:
                break
            if len(found) == most:
                return None
            found.append(trial)
        return sorted(found)


class Watched:
    """A study that the server follows. Requests are answered in threads: who looks at the study holds its lock."""

    def __init__(self, store: Store, name: str) -> None:
        """Raises `UnknownStudy`."""
        self.name, self.store = name, store
        self.lock = threading.RLock()
        self._open()

    def _open(self) -> None:
        self.handle = Handle(self.store, self.name)
        self.touched = Touched(self.handle.state.seq)
        self._last = self._last_entry()

    def _last_entry(self) -> bytes:
        """The last event that is known here, as the log has it: it says when it was written, and by whom."""
        found = self.store.read(self.name, after=self.handle.state.seq - 1, limit=1)
        return found[0].body if found else b""

    @contextlib.contextmanager
    def read(self) -> Iterator[Handle]:
        """The study as the log has it now; nobody else changes the object meanwhile. One that was deleted and made
        again under the same name is the new one, and in a store that was put back as it once was the old one. Raises
        `UnknownStudy` for one that is gone."""
        with self.lock:
            self._follow()
            yield self.handle

    def _follow(self) -> None:
        if self._last_entry() != self._last:
            self._open()
            return
        try:
            events = self.handle.refresh()
        except LogError:  # it was replaced between two looks, or its log is broken: then opening it says so
            self._open()
            return
        if events:
            self.touched.note(events, self.handle.state.seq)
            self._last = self._last_entry()


class Site:
    """The studies that were asked for lately, each opened once; and the feed that tells pages what changes."""

    def __init__(self, store: Store, places: Places, project: Path) -> None:
        self.store, self.places, self.project = store, places, project
        self.feed = Feed(self)
        self._watched: OrderedDict[str, Future[Watched]] = OrderedDict()  # the most recently used last
        self._lock = threading.Lock()

    def study(self, name: str) -> Watched:
        """The study of that name; who comes while it is being opened waits for that. Raises `UnknownStudy`."""
        with self._lock:
            found = self._watched.get(name)
            mine = found is None
            if found is None:
                found = self._watched[name] = Future()
            self._watched.move_to_end(name)
        if mine:
            try:
                found.set_result(Watched(self.store, name))
            except BaseException as error:  # noqa: BLE001 - whatever it is, who waits for it must be told
                self.forget(name)
                found.set_exception(error)
            self._let_go()
        return found.result()

    def opened(self, name: str) -> bool:
        """Whether `study` need not open it first."""
        with self._lock:
            found = self._watched.get(name)
        return found is not None and found.done()

    def forget(self, name: str) -> None:
        """The study is not kept in memory: it is gone."""
        with self._lock:
            self._watched.pop(name, None)

    def _let_go(self) -> None:
        """What was not looked at for the longest time is dropped, but for what pages follow."""
        followed = self.feed.followed()
        with self._lock:
            trials = {name: _trials(future) for name, future in self._watched.items()}
            total = sum(trials.values())
            for name in list(self._watched)[:-1]:
                if total <= MOST_TRIALS and len(self._watched) <= MOST_STUDIES:
                    return
                if name not in followed and self._watched[name].done():
                    del self._watched[name]
                    total -= trials[name]


def _trials(future: Future[Watched]) -> int:
    return len(future.result().handle.state) if future.done() and future.exception() is None else 0


__all__ = ["Site", "Touched", "UnknownStudy", "Watched"]
