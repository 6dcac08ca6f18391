"""What a searcher is shown of a study, from its columns: all of the history that fits the space as it is now.

It is a function of the state, and so of the log: a searcher that is made anew, because the space was edited or because
a runner has just come, is shown the same as one that has lived through it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from rung.model import from_wire
from rung.search.base import Earlier, Proposed, Result
from rung.space import SpaceError
from rung.study.reading import Results
from rung.study.spaces import fitting
from rung.study.state import CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rung.space import Space
    from rung.study import events as ev
    from rung.study.state import State

Refitted = dict[int, "dict[str, Any] | None"]


def earlier(space: Space, events: Iterable[ev.EarlierStudyRead]) -> Iterator[Earlier]:
    """The trials of earlier studies as ones of this space: what they do not know takes its default, what is inactive
    here is left out, and so is a trial whose values are not to be had here."""
    for event in events:
        violations = event.violations or ((),) * len(event.params)
        for params, losses, broken in zip(event.params, event.losses, violations, strict=True):
            try:
                matched = space.adopt(params)
            except SpaceError:
                continue
            yield Earlier(event.source, matched, tuple(map(from_wire, losses)), tuple(map(from_wire, broken)))


def refitted(state: State) -> Refitted:
    """The trials of older versions of the space: their parameters as ones of the newest, None where they are none."""
    if len(state.spaces) == 1:
        return {}
    older: list[int] = np.flatnonzero(state.table["space"] != len(state.spaces)).tolist()
    found: Refitted = {}
    for begin in range(0, len(older), CHUNK):
        numbers = older[begin : begin + CHUNK]
        found.update(zip(numbers, (fitting(state.space, p) for p in state.params_of(numbers)), strict=True))
    return found


def proposal(state: State, event: ev.TrialProposed) -> tuple[Proposed, bool]:
    """The delta that the event is, and whether it fits the newest space: it may have been under way during an edit.

    A memo is a word from a searcher to itself: to another one, made for another space, it means nothing.
    """
    seconds = None if state.created.deterministic else event.seconds
    if int(state.table["space"][event.trial]) == len(state.spaces):
        return Proposed(event.trial, event.params, event.memo, seconds), True
    params = fitting(state.space, event.params)
    return Proposed(event.trial, event.params if params is None else params, None, seconds), params is not None


def result(state: State, number: int) -> Result:
    """The result of a final trial."""
    invalid = number in state.switches.refused
    return _result(number, state.result(number), timed=not state.created.deterministic, invalid=invalid)


def _result(number: int, found: Any, *, timed: bool, invalid: bool = False) -> Result:
    losses, violations, steps, seconds = found
    known = None if losses is None else tuple(losses)
    return Result(number, known, tuple(violations), steps, seconds if timed else None, invalid)


def history(state: State, refit: Mapping[int, Mapping[str, Any] | None]) -> Iterator[Proposed | Result]:
    """All proposals and results of the study in their order; what does not fit is among them."""
    decoded: dict[int, dict[str, Any]] = {}
    took = state.table["proposal_s"].tolist()
    results = Results(state, range(len(state)))
    timed = not state.created.deterministic
    for place, delta in enumerate(state.history["delta"].tolist()):
        if delta >= 0:
            if delta not in decoded:  # proposals come by number: a chunk of them is decoded at once
                chunk = range(delta, min(delta + CHUNK, len(state)))
                decoded = dict(zip(chunk, state.params_of(chunk), strict=True))
            seconds = took[delta] if timed and took[delta] == took[delta] else None
            yield Proposed(delta, *_as_now(delta, decoded[delta], state.memos.get(delta), refit), seconds)
        elif place in state.superseded:
            yield _result(~delta, state.superseded[place], timed=timed)
        else:
            yield _result(~delta, results[~delta], timed=timed, invalid=~delta in state.switches.refused)


def _as_now(
    number: int, params: dict[str, Any], memo: Any, refit: Mapping[int, Mapping[str, Any] | None]
) -> tuple[dict[str, Any], Any]:
    if number not in refit:
        return params, memo
    fit = refit[number]
    return (params if fit is None else dict(fit)), None


class Retold(msgspec.Struct):
    """All that a study knows, told again to a searcher that was made for an edited space."""

    searcher: Any
    taken: Any
    left_out: set[int]
    earlier: list[Earlier]
    history: list[Proposed | Result]


class Stray(msgspec.Struct, frozen=True):
    """A trial that was proposed for an older space and does not fit the newest."""

    number: int
