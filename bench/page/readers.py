"""`readers.py ADDRESS COOKIE STUDY COUNT`: so many readers of the study's stream in one process, until stdin ends.

Says `ready` when all have heard something. At the end one line of JSON: how many bytes and events came, and how many
readers were dropped. They do nothing with what they read: what is measured is what they cost the server and the runner.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from urllib.parse import quote, urlsplit


class Reader:
    """One open page, as the server sees it."""

    def __init__(self) -> None:
        self.bytes = self.events = 0
        self.dropped = False
        self.heard = asyncio.Event()

    async def read(self, address: str, cookie: str, study: str) -> None:
        place = urlsplit(address)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        asked = f"GET /api/stream?study={quote(study)} HTTP/1.1\r\nHost: {place.netloc}\r\nCookie: {cookie}\r\n"
        writer.write((asked + "Accept: text/event-stream\r\nSec-Fetch-Site: same-origin\r\n\r\n").encode())
        with contextlib.closing(writer):
            status = await reader.readline()
            if b" 200 " not in status:
                raise RuntimeError(f"the stream was refused: {status.decode().strip()}")
            while chunk := await reader.read(65_536):
                self.bytes += len(chunk)
                self.events += chunk.count(b"\nevent:") + chunk.startswith(b"event:")
                self.heard.set()
        self.dropped = True


async def main(address: str, cookie: str, study: str, count: int) -> None:
    """All readers read until somebody closes stdin."""
    readers = [Reader() for _ in range(count)]
    tasks = [asyncio.create_task(reader.read(address, cookie, study)) for reader in readers]
    ready = asyncio.gather(*(reader.heard.wait() for reader in readers))
    await asyncio.wait([ready, *tasks], return_when=asyncio.FIRST_COMPLETED)
    failed = [task for task in tasks if task.done() and task.exception()]
    if failed:
        failed[0].result()
    await ready
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    said = {
        "bytes": sum(r.bytes for r in readers), "events": sum(r.events for r in readers),
        "dropped": sum(r.dropped for r in readers),
    }  # fmt: skip
    print(json.dumps(said), flush=True)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
