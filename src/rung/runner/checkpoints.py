"""The folders of checkpoints: brought to an attempt before it starts, deleted when nobody needs them.

The log names them (`rung.study.checkpoints`); what no line of the log names is garbage. Work on them runs in threads:
they may be as large as disks.
"""

from __future__ import annotations

import asyncio
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rung.inside import snapshot
from rung.inside.wire import SNAPSHOTS, WORKING_COPY
from rung.runner.jobs import attempt_directory
from rung.study.checkpoints import over_budget

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from rung.model import Source
    from rung.study.events import Dropped
    from rung.study.live import Live
    from rung.study.state import State


class Gone(Exception):
    """A checkpoint that the log names is not there, or not whole. The text is one line that says what is wrong."""


def snapshot_directory(runs: Path, study: str, *, trial: int, attempt: int, name: str) -> Path:
    """`RUNS/STUDY/NNNNN/A/checkpoints/NAME`."""
    return attempt_directory(runs, study, trial=trial, attempt=attempt) / SNAPSHOTS / name


def folder_of(runs: Path, study: str, source: Source) -> Path:
    """Where a checkpoint lies."""
    made = source.checkpoint
    return snapshot_directory(runs, study, trial=source.trial, attempt=made.attempt, name=made.name)


def saved_before(runs: Path, study: str, *, trial: int, attempt: int, since: int = 1) -> Path | None:
    """The working copy of the latest attempt from `since` on and before this one that has one: what a program saved
    without naming it."""
    for earlier in range(attempt - 1, since - 1, -1):
        found = attempt_directory(runs, study, trial=trial, attempt=earlier) / WORKING_COPY
        if found.is_dir():
            return found
    return None


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder. Raises `OSError`."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())


def bring(saved: Path, here: Path, *, size: int | None = None, to_attempt: bool = True) -> None:
    """`here` is a copy of `saved`, whole at any moment that it exists. `size`: how many bytes it must have.
    `to_attempt`: a program goes on from it, and need not have it kept again. Raises `Gone`, `OSError`."""
    if not saved.is_dir():
        raise Gone(f"{saved} is not there any more")
    if size and size_of(saved) != size:
        raise Gone(f"{saved} holds {size_of(saved)} bytes, not the {size} that were saved")
    partial_copy = here.with_name(here.name + ".partial")
    shutil.rmtree(partial_copy, ignore_errors=True)
    shutil.copytree(saved, partial_copy, symlinks=True, ignore=_special)
    if to_attempt:
        snapshot.mark(str(here.parent), snapshot.listing(str(partial_copy)))  # until it changes nothing is to be kept
    partial_copy.rename(here)


def _special(folder: str, names: list[str]) -> list[str]:
    """Those that are neither files, folders nor links: a pipe or a socket that a program left cannot be copied."""
    modes = {name: Path(folder, name).lstat().st_mode for name in names}
    plain = (stat.S_ISREG, stat.S_ISDIR, stat.S_ISLNK)
    return [name for name, mode in modes.items() if not any(holds(mode) for holds in plain)]


def is_linked(directory: Path) -> bool:
    """Whether the attempt's `directory`, its trial's, or its folder of snapshots is a link. A program has made it one,
    and where it leads nothing is ours to delete."""
    return any(path.is_symlink() for path in (directory.parent, directory, directory / SNAPSHOTS))


def tidy(directory: Path, kept: Collection[str], *, all_of_it: bool) -> None:
    """Of the snapshots of an attempt that is over only those that the log names are left.

    `all_of_it`: where there are any the working copy goes too, because a trial that was ended goes on from them, if at
    all. What one that ended by itself has saved after its last report stays."""
    folder = directory / SNAPSHOTS
    if is_linked(directory) or not folder.is_dir():
        return
    for found in folder.iterdir():
        if found.name not in kept:
            remove(found)
    if kept and all_of_it:
        remove(directory / WORKING_COPY)


def remove(path: Path) -> None:
    """The file or folder is gone, as far as the disk lets us."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


class Copies:
    """The work under way; `done` is called, in the loop, when a copy has ended."""

    def __init__(self, runs: Path, study: str, done: Callable[[], None], say: Callable[[str], None]) -> None:
        self.runs, self.study, self.done, self.say = runs, study, done, say
        self.said = False  # that they take too much room
        self.under_way: dict[tuple[int, int], asyncio.Future[None]] = {}
        self.threads = ThreadPoolExecutor(2, "rung-checkpoint")

    def arrived(self, state: State, live: Live) -> bool:
        """Whether the attempt finds what it begins from; while False, it is being brought.

        Raises `Gone` when the checkpoint is none, `OSError` when it could not be copied; then the next call begins
        again.
        """
        which = (live.number, live.attempt)
        copy = self.under_way.get(which)
        if copy is not None:
            if not copy.done():
                return False
            del self.under_way[which]
            copy.result()
            return True
        here = attempt_directory(self.runs, self.study, trial=live.number, attempt=live.attempt) / WORKING_COPY
        work = self._work(state, live, here)
        if work is None:
            return True
        copy = asyncio.get_running_loop().run_in_executor(self.threads, work)
        copy.add_done_callback(lambda _: self.done())
        self.under_way[which] = copy
        return False

    def _work(self, state: State, live: Live, here: Path) -> Callable[[], None] | None:
        if here.exists():
            return None
        if live.source is not None:
            saved, size = folder_of(self.runs, self.study, live.source), live.source.checkpoint.bytes
            return partial(_bring_new, saved, here, size=size)
        if live.attempt == 1 or live.number in state.shelf.places:  # what was named once is what counts
            return None
        working = saved_before(self.runs, self.study, trial=live.number, attempt=live.attempt, since=live.since)
        return None if working is None else partial(_bring_new, working, here)

    def drop(self, dropped: Iterable[Dropped]) -> None:
        """The folders of these checkpoints go."""
        for one in dropped:
            directory = attempt_directory(self.runs, self.study, trial=one.trial, attempt=one.attempt)
            self.threads.submit(_drop, directory, one.name)

    def tidy(self, state: State, live: Live) -> None:
        """What an attempt that is over left, and no line of the log names, goes."""
        too_much = None if self.said else over_budget(state)
        if too_much is not None:
            self.said = True
            self.say(too_much)
        saved = state.shelf.saved.get(live.number, ())
        kept = {one.checkpoint.name for one in saved if one.checkpoint.attempt == live.attempt}
        copy = self.under_way.pop((live.number, live.attempt), None)
        if copy is not None:  # it was ended while it was waited for, and nobody asks any more how that went
            copy.add_done_callback(lambda done: done.cancelled() or done.exception())
        directory = attempt_directory(self.runs, self.study, trial=live.number, attempt=live.attempt)
        ended_by_us = live.pause is not None or live.stop is not None
        self.threads.submit(tidy, directory, kept, all_of_it=ended_by_us)

    def close(self) -> None:
        """No more copies begin; what is to be deleted is."""
        for copy in self.under_way.values():
            copy.cancel()
        self.threads.shutdown(wait=True)


def _drop(directory: Path, name: str) -> None:
    """The snapshot of the attempt with this `directory` is gone."""
    if not is_linked(directory):
        remove(directory / SNAPSHOTS / name)


def _bring_new(saved: Path, here: Path, *, size: int | None = None) -> None:
    here.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    bring(saved, here, size=size)
