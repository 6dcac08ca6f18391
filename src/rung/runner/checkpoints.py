"""What an attempt saved, brought to the next one's directory. Copies run in threads: they may be as large as disks."""

from __future__ import annotations

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from rung.runner.jobs import CHECKPOINT, attempt_directory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rung.study.live import Live


def saved_before(runs: Path, study: str, *, trial: int, attempt: int) -> Path | None:
    """The checkpoint of the latest earlier attempt that has one: an attempt that never started saved nothing."""
    for earlier in range(attempt - 1, 0, -1):
        found = attempt_directory(runs, study, trial=trial, attempt=earlier) / CHECKPOINT
        if found.is_dir():
            return found
    return None


def bring(saved: Path, here: Path) -> None:
    """`here` is a copy of `saved`, whole at any moment that it exists. Raises `OSError`."""
    partial = here.with_name(here.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(saved, partial, symlinks=True)
    partial.rename(here)


class Copies:
    """The copies under way; `done` is called, in the loop, when one has ended."""

    def __init__(self, runs: Path, study: str, done: Callable[[], None]) -> None:
        self.runs, self.study, self.done = runs, study, done
        self.under_way: dict[tuple[int, int], asyncio.Future[None]] = {}
        self.threads = ThreadPoolExecutor(2, "rung-checkpoint")

    def arrived(self, live: Live) -> bool:
        """Whether the attempt finds what an earlier one saved; while False, it is being brought.

        Raises `OSError` when that failed; the next call begins again.
        """
        which = (live.number, live.attempt)
        if live.attempt == 1:
            return True
        copy = self.under_way.get(which)
        if copy is None:
            here = attempt_directory(self.runs, self.study, trial=live.number, attempt=live.attempt) / CHECKPOINT
            saved = saved_before(self.runs, self.study, trial=live.number, attempt=live.attempt)
            if saved is None or here.exists():
                return True
            copy = asyncio.get_running_loop().run_in_executor(self.threads, bring, saved, here)
            copy.add_done_callback(lambda _: self.done())
            self.under_way[which] = copy
            return False
        if copy.done():
            del self.under_way[which]
            copy.result()
            return True
        return False

    def close(self) -> None:
        """No more copies begin."""
        self.threads.shutdown(wait=False, cancel_futures=True)
