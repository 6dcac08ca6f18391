"""Files that are sent bit by bit: whatever becomes of the reader, they are closed."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Generator
from typing import Any

import pytest
from litestar import Litestar, get

from rung.server.chunks import Held, sent
from rung.server.security import BrokenOff, Guard
from rung.server.sessions import Access
from server.conftest import BASE


class Reading:
    """What a download reads from. `fails`: with its second chunk."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails, self.closed = fails, threading.Event()

    def chunks(self) -> Generator[bytes]:
        try:
            yield b"1"
            while not self.fails:
                yield b"1"
            raise OSError("it has become shorter")
        finally:
            self.closed.set()


async def downloaded(guard: Guard, access: Access, *, most: int) -> None:
    """A reader that goes after so many chunks."""
    enough, messages = asyncio.Event(), list[Any]()

    async def receive() -> Any:
        if not messages:
            return {"type": "http.request", "body": b"", "more_body": False}
        await enough.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        messages.append(message)
        if len(messages) > most:
            enough.set()
            await asyncio.Event().wait()  # the connection takes no more

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/api/file", "raw_path": b"/api/file", "query_string": b"", "root_path": "", "state": {},
        "headers": [(b"host", b"127.0.0.1:8585"), (b"authorization", f"Bearer {access.tokens.read}".encode())],
        "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 8585),
    }  # fmt: skip
    await guard(scope, receive, send)


def guarded(reading: Reading, access: Access, pages: Any) -> Guard:
    @get("/api/file", sync_to_thread=True)
    def file() -> Held:
        return Held(sent(reading.chunks()))

    app: Any = Litestar([file], openapi_config=None, logging_config=None)
    return Guard(app, access=access, hosts={"127.0.0.1:8585": BASE}, cookie="c", pages=pages)


def test_a_file_is_closed_when_its_reader_goes(access: Access, pages: Any) -> None:
    reading = Reading()

    async def test() -> None:
        await downloaded(guarded(reading, access, pages), access, most=3)
        assert await asyncio.to_thread(reading.closed.wait, 10)

    asyncio.run(test())


def test_what_cannot_be_sent_to_its_end_is_one_line(
    access: Access, pages: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The connection breaks off, and the terminal of the server is told why; no traceback."""
    reading = Reading(fails=True)

    async def test() -> None:
        await downloaded(guarded(reading, access, pages), access, most=100)

    with caplog.at_level(logging.WARNING), pytest.raises(Exception) as caught:
        asyncio.run(test())
    assert not isinstance(caught.value, BrokenOff)  # wrapped, as the framework does
    assert [(record.getMessage(), record.exc_info) for record in caplog.records] == [
        ("GET /api/file broke off: it has become shorter", None)
    ]
    assert reading.closed.is_set()
