"""Answers that are made while they are sent, such as files: what they are made from is let go of with the reader."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, cast

from litestar.concurrency import sync_to_thread
from litestar.response import Stream

from rung.server.security import BrokenOff

if TYPE_CHECKING:
    from collections.abc import Generator

    from litestar.response.base import ASGIResponse

    from rung.server.security import Receive, Scope, Send


class Held(Stream):
    """A stream whose generator is closed when the answer ends, however it ends. Litestar leaves one whose reader went
    to the garbage collector: files stay open, and whoever listens is counted, for as long as nothing else happens."""

    def to_asgi_response(self, *args: Any, **kwargs: Any) -> ASGIResponse:
        """The answer as ASGI sends it."""
        app, made = super().to_asgi_response(*args, **kwargs), cast("AsyncGenerator[bytes]", self.iterator)

        async def closing(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await app(scope, receive, send)  # type: ignore[arg-type]
            finally:
                await made.aclose()

        return cast("ASGIResponse", closing)


async def sent(chunks: Generator[bytes]) -> AsyncGenerator[bytes]:
    """The chunks, each read in a thread; `chunks` is closed at the end. Raises `BrokenOff` where it fails with
    `OSError`."""
    reading = threading.Lock()  # a reader may go while a thread still reads for it

    def following() -> bytes | None:
        with reading:
            return next(chunks, None)

    def close() -> None:
        with reading:
            chunks.close()

    try:
        while (chunk := await sync_to_thread(following)) is not None:
            yield chunk
    except OSError as error:
        raise BrokenOff(str(error)) from error
    finally:
        await sync_to_thread(close)
