"""A searcher that can fail. What it says is checked; what went wrong becomes a word in the log and a random draw.

A proposal made without the searcher has the phase `fallback`, and its reason's data say what happened: `raised`,
`unfit` (it answered, but not with a configuration to evaluate) or `hung` (it did not answer in time). After `ENOUGH` of
these in the log it is not asked any more (`given up`). So whoever folds the log knows how often it has failed.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from rung.search.base import Exhausted, Proposed, Searcher, Suggestion
from rung.search.novelty import draw
from rung.space.errors import SpaceError

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    import numpy as np

    from rung.model import Reason
    from rung.search.base import Delta
    from rung.space import Space

ENOUGH = 3  # failures, then a searcher is left alone
FALLBACK = "fallback"
GIVEN_UP = "given up"
TEXT_KEPT = 200  # characters of what an exception says


class Failure(msgspec.Struct, frozen=True):
    """Why a searcher has no answer. `what` goes on after its name: "raised ValueError: no such value"."""

    kind: Literal["raised", "unfit", "hung"]
    what: str


def raised(error: BaseException) -> Failure:
    """The failure of a searcher that raised."""
    said = " ".join(str(error).split())[:TEXT_KEPT]
    return Failure("raised", f"raised {type(error).__name__}" + (f": {said}" if said else ""))


def hung(seconds: float) -> Failure:
    """The failure of a searcher that was waited for."""
    return Failure("hung", f"gave no answer within {seconds:g} s")


def failure_of(reason: Reason) -> Failure | None:
    """The failure that a proposal's reason tells of, if it does."""
    kind = reason.data.get(FALLBACK) if reason.phase == FALLBACK else None
    return None if kind in {None, GIVEN_UP} else Failure(kind, str(reason.data.get("what", "")))


def fallback(
    failure: Failure | None, space: Space, taken: Container[Mapping[str, Any]], rng: np.random.Generator, *, by: str,
    before: int,
) -> Suggestion | Exhausted:  # fmt: skip
    """A random draw in place of what the searcher `by` should have said: it has failed `before` times already, and
    now in this way (None: it was not asked)."""
    params = draw(space, taken, rng)
    if params is None:
        return Exhausted(text="every configuration of the space has been proposed")
    name = by.rpartition("/")[2]
    if failure is None or before >= ENOUGH:
        text, data = f"{name} failed {ENOUGH} times and is not asked any more", {FALLBACK: GIVEN_UP}
    else:
        last = before + 1 == ENOUGH
        text = f"{name} {failure.what}" + (f"; after {ENOUGH} failures it is not asked any more" if last else "")
        data = {FALLBACK: failure.kind, "what": failure.what}
    return Suggestion(params=params, text=f"a random draw: {text}", phase=FALLBACK, data=data)


class Guard:
    """A searcher behind a door: what it raises and what cannot be used comes out as a `Failure`.

    A `lazy` one learns of deltas only when it is asked next, so that learning counts as a part of the answer: it may
    be done in another thread, under a time limit, while more deltas come in.
    """

    def __init__(self, searcher: Searcher, space: Space, *, lazy: bool) -> None:
        self.searcher, self.space, self.lazy = searcher, space, lazy
        self.known = 0  # deltas that came in
        self._shown = 0  # deltas that the searcher has seen
        self._waiting: deque[Delta] = deque()
        self._broken: Failure | None = None

    def observe(self, deltas: Sequence[Delta]) -> None:
        """The deltas are known. An eager searcher that raises now is not asked again: its state is torn."""
        self._waiting.extend(deltas)
        self.known += len(deltas)
        if not self.lazy:
            self._show(self.known)

    @property
    def backlog(self) -> int:
        """How many of its own proposals the searcher has not seen yet: many, when it was made for an old study."""
        return sum(isinstance(delta, Proposed) and delta.memo is not None for delta in self._waiting)

    def suggest(
        self, known: int, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]],
        rng: np.random.Generator,
    ) -> Suggestion | Exhausted | Failure:  # fmt: skip
        """What the searcher says once it has seen the first `known` deltas, or why that is of no use."""
        self._show(known)
        if self._broken is not None:
            return self._broken
        try:
            return self._checked(self.searcher.suggest(number, pending, taken, rng), taken)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plug-in can raise anything
            return raised(error)

    def _show(self, known: int) -> None:
        batch = [self._waiting.popleft() for _ in range(known - self._shown)]
        self._shown += len(batch)
        if self._broken is not None or not batch:
            return
        try:
            self.searcher.observe(batch)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plug-in can raise anything
            self._broken = raised(error)

    def _checked(self, found: object, taken: Container[Mapping[str, Any]]) -> Suggestion | Exhausted | Failure:
        if isinstance(found, Exhausted):
            return Exhausted(text=_one_line(str(found.text)))
        if not isinstance(found, Suggestion):
            return _unfit(f"a {type(found).__name__}, which is no Suggestion")
        params: Any = found.params  # a plug-in's: anything
        if not isinstance(params, dict):
            return _unfit(f"parameters that are no dict but a {type(params).__name__}")
        try:
            params = self.space.check(params)
            said = {"text": found.text, "phase": found.phase, "memo": found.memo, "data": found.data}
            words = msgspec.convert(msgspec.to_builtins(said), _Words)
        except SpaceError as error:
            return _unfit(str(error))
        except (TypeError, ValueError, msgspec.ValidationError) as error:  # what a log could not be read with
            return _unfit(f"a text, phase, memo or data that are none ({error})")
        if params in taken:
            return _unfit("a configuration that was proposed already")
        phase = None if words.phase == FALLBACK else words.phase  # a word of ours
        return Suggestion(params=params, text=_one_line(words.text), phase=phase, memo=words.memo, data=words.data)


class _Words(msgspec.Struct):
    text: str
    phase: str | None
    memo: dict[str, Any] | None
    data: dict[str, Any]


def _one_line(text: str) -> str:
    return " ".join(text.split()) if "\n" in text else text


def _unfit(what: str) -> Failure:
    return Failure("unfit", "answered with " + " ".join(what.split())[:TEXT_KEPT])


__all__ = ["ENOUGH", "FALLBACK", "Failure", "Guard", "failure_of", "fallback", "hung", "raised"]
