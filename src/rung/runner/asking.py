"""Asking a searcher that may take too long, or for ever.

Python cannot end a thread. One that does not answer in time is left behind: a daemon, so that the process can still
exit. A searcher is never asked by two threads: whoever asks next waits for the one before, and the wait counts.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, TypeVar

from rung.study.guard import hung, raised

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.model import Command
    from rung.study.policy import Answer

Found = TypeVar("Found")


def beside(work: Callable[[], Found]) -> Future[Found]:
    """The work is done in a daemon thread; the future has what came of it."""
    future: Future[Found] = Future()

    def run() -> None:
        if future.set_running_or_notify_cancel():
            try:
                found = work()
            except BaseException as error:  # noqa: BLE001 - whoever waits for the future gets it
                future.set_exception(error)
            else:
                future.set_result(found)

    threading.Thread(target=run, name="rung-proposal", daemon=True).start()
    return future


class Asking:
    """The questions to one searcher, one after the other."""

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def __call__(self, answer: Answer) -> list[Command]:
        """The searcher's answer; without one in time, or when its thread came to an end, what is done without it."""
        if answer.limit_s is None:
            return answer()
        due = time.monotonic() + answer.limit_s
        if not self._turn.acquire(timeout=answer.limit_s):
            return answer(hung(answer.limit_s))
        asked = beside(lambda: self._in_turn(answer))
        wait([asked], timeout=max(0.0, due - time.monotonic()))
        if not asked.done():
            return answer(hung(answer.limit_s))
        error = asked.exception()
        return answer(raised(error)) if error is not None else asked.result()

    def _in_turn(self, answer: Answer) -> list[Command]:
        try:
            return answer()
        finally:
            self._turn.release()
