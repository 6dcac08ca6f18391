"""A runner in a process of its own, to be killed: starts the jobs given as JSON on argv and prints what it is told."""

from __future__ import annotations

import asyncio
import sys

import msgspec

from rung.execute.base import Job
from rung.execute.local import LocalExecutor


async def main() -> None:
    executor = LocalExecutor()
    for text in sys.argv[1:]:
        executor.start(msgspec.json.decode(text, type=Job))
    async for batch in executor.events():
        for event in batch:
            sys.stdout.write(f"{type(event).__name__} {msgspec.json.encode(event).decode()}\n")
        sys.stdout.flush()


asyncio.run(main())
