"""Who keeps the mirrors in step while a runner is attached here.

Each mirror has a thread, which folds the log for itself: nothing waits for it but the end of `rung run`, for a bounded
time. The runner only hints that something has changed. Of several runners one keeps a mirror, whoever holds its lock
file; when that one is gone, however it went, the system frees the lock and another goes on from what the other tool
holds. ADR 16.
"""

from __future__ import annotations

import contextlib
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from rung.api.follower import CHANGES, Follower, line, make, subject
from rung.mirrors.address import shown
from rung.model import BadInput
from rung.store.errors import StoreMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from rung.api.handle import Handle
    from rung.mirrors.base import Mirror, Subject
    from rung.runner.loop import Say
    from rung.runner.seat import Observer
    from rung.store.base import Store
    from rung.study import events as ev
    from rung.study.state import State

START_S = 5.0  # so long a start waits for what is wrong with an address; a server that is slower is waited for beside
CHECK_S = 20.0  # so long a new study waits for the first answer of the other tool
LIMIT_S = 120.0  # so long the end waits for a mirror that gets on
LIMIT_SIGNALLED_S = 5.0  # and after a signal


def check_new(created: ev.StudyCreated, store: Store) -> None:
    """The mirrors of a study to be can be reached and fit it, before anything is written; of one that exists already
    they may be away for a while. Raises `BadInput`."""
    with contextlib.suppress(StoreMissing):  # then there is no study either
        if created.spec.name in {row.name for row in store.studies()}:
            return
    for address in created.spec.run.mirrors:
        mirror = make(address)
        error = _answer(partial(_checked, mirror, subject(created.spec.name, created)))
        if isinstance(error, BadInput):
            raise error
        if error is not None:
            raise BadInput(f"cannot be reached: {line(error)}", place=f"--mirror {shown(address)}")


def _checked(mirror: Mirror, study: Subject) -> None:
    try:
        mirror.check(study)
    finally:
        mirror.close()


def _answer(work: Callable[[], None]) -> Exception | None:
    """What the work raised, if anything; its thread is left alone when it takes too long."""
    found: list[Exception] = [TimeoutError(f"no answer within {CHECK_S:g} s")]

    def run() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - drivers of other tools raise what they like
            found[0] = error
        else:
            found.clear()

    thread = threading.Thread(target=run, name="rung-mirror-check", daemon=True)
    thread.start()
    thread.join(CHECK_S)
    return found[0] if found else None


class Mirroring:
    """All mirrors of a study. Nothing runs before `start`."""

    def __init__(self, handle: Handle, *, runs: Path, say: Say) -> None:
        self.why = "done"  # how the runner ended
        folder = runs / handle.name
        addresses = dict.fromkeys(handle.state.spec.run.mirrors)
        self.followers = [Follower(handle, address, folder=folder, say=say) for address in addresses]

    def start(self) -> None:
        """The mirrors are followed. Raises `BadInput` for an address that cannot be, or a record of another search."""
        for follower in self.followers:
            follower.start()
        deadline = time.monotonic() + START_S
        for follower in self.followers:
            follower.tried.wait(max(0.0, deadline - time.monotonic()))
            if follower.failed is not None:
                self.finish("error")
                raise follower.failed

    def beside(self, observe: Observer) -> Observer:
        """`observe`, with a hint to each mirror when something of interest has happened."""
        if not self.followers:
            return observe

        def both(state: State, events: Sequence[ev.AnyEvent]) -> None:
            if any(isinstance(event, CHANGES) for event in events):
                for follower in self.followers:
                    follower.hint.set()
            observe(state, events)

        return both

    def finish(self, why: str = "done") -> None:
        """The mirrors hold all that the log does, or it is said what they lack. `why`: as a runner ended."""
        limit = LIMIT_S if why == "done" else LIMIT_SIGNALLED_S
        for follower in self.followers:
            follower.end()
        try:
            for follower in self.followers if why != "error" else ():
                follower.wait(limit)
        except KeyboardInterrupt:  # who waits no longer is told what is missing
            pass
        for follower in self.followers:
            follower.leave(quietly=why == "error")


@contextlib.contextmanager
def mirrored(handle: Handle, *, runs: Path, say: Say) -> Iterator[Mirroring]:
    """While this lasts the study's mirrors are followed, and at the end they are in step, or it is said what they lack.

    Raises `BadInput` before anything else happens.
    """
    mirroring = Mirroring(handle, runs=runs, say=say)
    mirroring.start()
    try:
        yield mirroring
    except BaseException:
        mirroring.finish("error")
        raise
    mirroring.finish(mirroring.why)


def catch_up(handle: Handle, *, runs: Path, say: Say) -> None:
    """The mirrors of a study that is over hold all of it. Raises `BadInput`."""
    with mirrored(handle, runs=runs, say=say):
        pass
