"""Jobs of shell and Python programs for the tests of the executors, and how to look at what they left."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING
from uuid import uuid4

from rung.execute import processes
from rung.execute.base import Job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def shell(directory: Path, script: str, **settings: object) -> Job:
    """A job that runs this shell script, with a key of its own."""
    return command(directory, "sh", "-c", script, **settings)


def python(directory: Path, script: str, **settings: object) -> Job:
    """A job that runs this Python program."""
    return command(directory, sys.executable, "-c", script, **settings)


def command(directory: Path, *argv: str, **settings: object) -> Job:
    """A job that runs this command."""
    given: dict[str, object] = {"metrics": ("loss",), "grace_s": 5.0, **settings}
    return Job(key=f"test-{uuid4().hex}", directory=str(directory), argv=argv, **given)  # type: ignore[arg-type]


def wait_for(condition: Callable[[], object], within_s: float = 10.0) -> None:
    """The condition holds. Fails when it does not come true in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def runs(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    found = processes.inspect(pid)
    return found is not None and not found.gone


def marked(key: str) -> list[int]:
    """The living processes that carry the job's token."""
    return [one.pid for one in processes.everyone() if not one.gone and processes.token(one.pid) == key]
