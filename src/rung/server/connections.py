"""One connection, and how long it is borne: who sends a request drop by drop, or never reads the answer, is dropped.

uvicorn waits for both without end, and takes any number of connections. Where all that there may be are taken, the one
that has waited longest for a request makes room: whoever opens connections and says nothing keeps nobody out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol

from rung.server.security import ALWAYS, DATA_POLICY

MOST = 256  # connections at a time
REQUEST_S = 10.0  # from the first byte of a request, or from the beginning of a connection, to the end of its headers
ANSWER_S = 30.0  # for what a full buffer holds (some 50 kB)


class Connection(H11Protocol):
    """An HTTP/1.1 connection with an end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.silent_since = self.loop.time()  # when it began to say what it wants, last
        self._asking = _Clock(self.loop, REQUEST_S, self._drop)
        self._reading = _Clock(self.loop, ANSWER_S, self._drop)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is taken, or refused where there are too many."""
        if len(self.connections) >= MOST and not self._made_room():
            self.transport = transport  # type: ignore[assignment]
            self.transport.write(_plain_answer("503 Service Unavailable", "too many connections: close a page"))
            self.transport.close()
            return
        super().connection_made(transport)  # type: ignore[arg-type]
        self._asking.start()

    def data_received(self, data: bytes) -> None:
        """More of a request is there; the first byte of one starts its clock."""
        if not self._answering:
            if not self._asking.runs:
                self.silent_since = self.loop.time()
            self._asking.start()
        super().data_received(data)
        if self._answering:
            self._asking.stop()

    def pause_writing(self) -> None:
        """The client does not read: it has some time to do so."""
        super().pause_writing()
        self._reading.start()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._reading.stop()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over, and so are its clocks."""
        self._asking.stop()
        self._reading.stop()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP, or has headers without end, is answered as all errors are."""
        self.transport.write(_plain_answer("400 Bad Request", msg))
        self.transport.close()

    def cut_stream(self) -> None:
        """An answer that has begun and has no end is over."""
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            self.transport.abort()

    def _made_room(self) -> bool:
        """Whether there was one without an answer under way; it is dropped."""
        others = [other for other in self.connections if isinstance(other, Connection) and not other._answering]
        if not others:
            return False
        oldest = min(others, key=lambda other: other.silent_since)
        oldest._drop()
        self.connections.discard(oldest)
        return True

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _drop(self) -> None:
        self.transport.abort()


class _Clock:
    """Calls `then` when it was not stopped for so many seconds since it was started."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, then: Callable[[], None]) -> None:
        self._loop, self._seconds, self._then = loop, seconds, then
        self._timer: asyncio.TimerHandle | None = None

    @property
    def runs(self) -> bool:
        return self._timer is not None

    def start(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._then)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _plain_answer(status: str, detail: str) -> bytes:
    """An error, written without the help of a protocol that has come to its end."""
    body = msgspec.json.encode({"status_code": int(status[:3]), "detail": detail})
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        (b"content-security-policy", DATA_POLICY.encode()),
        (b"cache-control", b"no-store"),
        *ALWAYS,
    ]
    lines = [b"HTTP/1.1 " + status.encode(), *(name + b": " + value for name, value in headers), b"", body]
    return b"\r\n".join(lines)
