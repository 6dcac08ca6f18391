"""The answers of views, kept: each is computed once, however many pages ask for it at the same time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import msgspec

from rung.analysis.views.still import Still

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.analysis.views import View
    from rung.server.site import Watched

KEPT = 64  # answers a study: the views of a page, with the options that people try
Key = tuple[int, int, str, bytes]  # which opening of the study, how far, view, options


class Answers:
    """The answers of one study. What is asked is computed on a still copy, outside of the study's lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, Future[bytes]] = OrderedDict()
        self._still: Still | None = None
        self._opening = 0  # the study may be deleted and made again, and come as far with other values

    def answer(self, watched: Watched, view: View, options: dict[str, Any]) -> bytes:
        """The JSON of the view's record as the log has it now. Raises what the view raises."""
        opening, still = self._at_rest(watched)
        key = (opening, still.state.seq, view.name, msgspec.json.encode(options, order="sorted"))
        return self.once(key, lambda: msgspec.json.encode(view.make(still, **options)))

    def _at_rest(self, watched: Watched) -> tuple[int, Still]:
        with watched.read() as handle:
            still = self._still
            if still is None or still.study is not handle:
                self._opening += 1
            if still is None or still.state.seq != handle.state.seq or still.study is not handle:
                still = self._still = Still(handle)
            return self._opening, still

    def once(self, key: Key, make: Callable[[], bytes]) -> bytes:
        """What `make` returns; where somebody else makes it already, that. What it raises everybody gets, and it is not
        kept."""
        with self._lock:
            future = self._kept.get(key)
            mine = future is None
            if future is None:
                future = self._kept[key] = Future()
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            else:
                self._kept.move_to_end(key)
        if mine:
            try:
                future.set_result(make())
            except BaseException as error:  # noqa: BLE001 - whoever waits must not wait for ever
                with self._lock:
                    self._kept.pop(key, None)
                future.set_exception(error)
        return future.result()


_answers: WeakKeyDictionary[Watched, Answers] = WeakKeyDictionary()
_lock = threading.Lock()


def answers_of(watched: Watched) -> Answers:
    """The kept answers of a study that the server follows; they go when it is not followed any more."""
    with _lock:
        return _answers.setdefault(watched, Answers())
