"""Who listens to the feed: bytes wait here, in the event loop's thread, until the connection takes them."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

from rung.model import RungError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from rung.server.feed import Feed

MOST_WAITING = 256  # messages, and bytes, that a slow reader may leave
MOST_BYTES = 4_000_000
PING_S = 15.0
PING = b"event: ping\ndata: {}\n\n"  # an event, so that a page hears that the connection lives
HELLO = b"retry: 1000\n\n"

_encode = msgspec.json.Encoder().encode


def frame(event: str, data: Any, *, id: str | None = None) -> bytes:  # noqa: A002 - the word of the protocol
    """A server-sent event. JSON has no line breaks, so that it is one line."""
    head = f"event: {event}\n" if id is None else f"event: {event}\nid: {id}\n"
    return b"%bdata: %b\n\n" % (head.encode(), _encode(data))


class Busy(RungError):
    """There are too many listeners."""


class Listener:
    """One page that listens. `study`, `log`, `stream`: what it wants to hear of; `last`: the id of the last event that
    it had. All but these belong to the event loop's thread."""

    def __init__(self, *, study: str | None = None, log: int | None = None, stream: str = "stdout",
                 last: str | None = None) -> None:  # fmt: skip
        self.study, self.log, self.stream, self.last = study, log, stream, last
        self.loop = asyncio.get_running_loop()
        self.over = False
        self._waiting: deque[bytes] = deque([HELLO])
        self._bytes = 0
        self._news = asyncio.Event()
        self._news.set()

    def put(self, data: bytes) -> None:
        """The bytes are next in its queue. One that leaves too much there is dropped: it comes back by itself, and is
        told what it missed."""
        if self.over:
            return
        self._waiting.append(data)
        self._bytes += len(data)
        if len(self._waiting) > MOST_WAITING or self._bytes > MOST_BYTES:
            self.end()
        self._news.set()

    def end(self) -> None:
        """Its stream ends; what still waits is forgotten."""
        self.over = True
        self._waiting.clear()
        self._news.set()

    async def frames(self, feed: Feed, *, ping_s: float = PING_S) -> AsyncGenerator[bytes]:
        """What to send, as it comes; a ping where nothing did, by which both sides find connections that are dead. It
        listens from the first step on, so that nobody does who never takes one; where others were quicker to take the
        last place, that is all, and who comes again is told why."""
        try:
            feed.join(self)
        except Busy:
            return
        try:
            while not self.over:
                try:
                    await asyncio.wait_for(self._news.wait(), ping_s)
                except (TimeoutError, asyncio.TimeoutError):  # they differ before 3.11
                    yield PING
                    continue
                self._news.clear()
                data = b"".join(self._waiting)
                self._waiting.clear()
                self._bytes = 0
                if data:
                    yield data
        finally:
            self.end()
            feed.leave(self)
