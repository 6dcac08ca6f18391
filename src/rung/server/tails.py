"""The ends of logs that pages watch: what a program wrote goes to all who watch that trial."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from rung.api.triallogs import LogWindow, TrialLog, log_of
from rung.model import BadInput
from rung.server.listeners import Listener, frame

if TYPE_CHECKING:
    from rung.server.site import Site

LOOK_S = 0.1
CHUNK = 1 << 16  # bytes an event


class Key(NamedTuple):
    """Which log."""

    study: str
    trial: int
    stream: str


class Tail:
    """One log, and how far it was told."""

    def __init__(self) -> None:
        self.listeners: set[Listener] = set()
        self.log: TrialLog | None = None
        self.offset = 0
        self.stale = True
        self.ended = False


class Tails:
    """All logs that are watched. Belongs to the feed's thread."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._tails: dict[Key, Tail] = {}
        self._looked_at = -1e9

    def join(self, listener: Listener) -> list[tuple[Listener, bytes]]:
        """It is told what is written from now on; first where that begins. Nothing for a trial that there is not."""
        key = _key(listener)
        tail = self._tails.setdefault(key, Tail())
        tail.listeners.add(listener)
        if tail.log is None:
            self._refresh(key, tail)
            tail.offset = 0 if tail.log is None else tail.log.window(0, 0).size
        log = tail.log
        return [] if log is None else [(listener, frame("log", _nothing(log, tail.offset)))]

    def leave(self, listener: Listener) -> None:
        """It is told nothing any more."""
        if listener.log is None or listener.study is None:
            return
        key = _key(listener)
        tail = self._tails.get(key)
        if tail is not None:
            tail.listeners.discard(listener)
            if not tail.listeners:
                del self._tails[key]

    def stale(self, study: str) -> None:
        """Something happened in the study: a trial may be over, or run again."""
        for key, tail in self._tails.items():
            tail.stale = tail.stale or key.study == study

    def look(self, now: float) -> list[tuple[Listener, bytes]]:
        """What was written since the last look, and who is to be told."""
        if not self._tails or now - self._looked_at < LOOK_S:
            return []
        self._looked_at = now
        found: list[tuple[Listener, bytes]] = []
        for key, tail in self._tails.items():
            found += self._look_at(key, tail)
        return found

    def _look_at(self, key: Key, tail: Tail) -> list[tuple[Listener, bytes]]:
        if tail.stale:
            self._refresh(key, tail)
        log = tail.log
        if log is None or tail.ended:
            return []
        window = log.window(tail.offset, CHUNK)
        if window.size - window.next > 4 * CHUNK:  # it writes faster than anybody reads: the end is what counts
            window = log.window(-CHUNK, CHUNK)
        over = window.ended and window.next >= window.size
        if not window.text and not over:
            return []
        tail.offset, tail.ended = window.next, over
        data = frame("log", window)
        return [(listener, data) for listener in tail.listeners]

    def _refresh(self, key: Key, tail: Tail) -> None:
        """Which attempt it is that writes now."""
        try:
            with self._site.study(key.study).read() as handle:
                log = log_of(handle, key.trial, None, "stderr" if key.stream == "stderr" else "stdout")
        except BadInput:  # no such trial or study: there may be one later
            return
        if tail.log is not None and log.attempt != tail.log.attempt:
            tail.offset = 0
        if tail.log is None or log != tail.log:
            tail.ended = False
        tail.log, tail.stale = log, False


def _nothing(log: TrialLog, offset: int) -> LogWindow:
    """The window without a text: where what follows begins."""
    return msgspec.structs.replace(log.window(offset, 0), text="", offset=offset, next=offset)


def _key(listener: Listener) -> Key:
    return Key(listener.study or "", listener.log or 0, listener.stream)
