"""Where trials came from and what came from them: who was cloned from whom.

The log is read through once for each study, and then followed: only proposals are looked at, and of these only such as
name another trial.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import msgspec

from rung.analysis.records import wired
from rung.api.attempts import Origin, origin_of
from rung.model import Source, TrialState, WireNumber
from rung.study import events as ev

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rung.api.handle import Handle
    from rung.study.state import State

MOST_ANCESTORS = 50
MOST_CHILDREN = 50


class Relative(msgspec.Struct, frozen=True, kw_only=True):
    """A trial that this one came from, or that came from it: `step` is that of the checkpoint it began from."""

    number: int
    state: TrialState
    value: WireNumber | None
    step: float | None


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """The trial was let go on, `at` seconds after the study began: up to `to`, None: to its end."""

    seq: int
    at: float
    to: float | None
    by: str
    why: str


class Ancestry(msgspec.Struct, frozen=True, kw_only=True):
    """Where a trial came from (`ancestors`: its parent first) and what came from it.

    `by` and `why` are who proposed it and why; `origin` is the checkpoint that it began from. Of many children and
    ancestors only so many are given: `of_children` says how many there are.
    """

    by: str
    why: str
    origin: Origin | None
    ancestors: list[Relative]
    children: list[Relative]
    of_children: int
    promotions: list[Promotion]


class _Parent(msgspec.Struct):
    parent: int | None = None


class _Proposal(msgspec.Struct):
    """What of a proposal says who it was cloned from."""

    trial: int
    reason: _Parent
    source: Source | None = None


_decoder = msgspec.json.Decoder(_Proposal)
_BEGIN = b'{"event":"TrialProposed"'
_MARKS = (b'"parent":', b'"source":[')


class _Family:
    """The parents and children in one study, as far as its log was read."""

    def __init__(self) -> None:
        self.seq = 0
        self.parents: dict[int, tuple[int, float | None]] = {}
        self.children: dict[int, list[int]] = {}

    def follow(self, handle: Handle) -> None:
        """It is that of the log up to where the study's state is."""
        if self.seq >= handle.state.seq:
            return
        for seq, body in handle.entries(after=self.seq):
            if seq > handle.state.seq:
                return
            self.seq = seq
            if body.startswith(_BEGIN) and any(mark in body for mark in _MARKS):
                self._add(_decoder.decode(body))

    def _add(self, found: _Proposal) -> None:
        source = found.source
        parent = source.trial if source is not None else found.reason.parent
        if parent is not None:
            self.parents[found.trial] = parent, None if source is None else source.checkpoint.step
            self.children.setdefault(parent, []).append(found.trial)


_families: WeakKeyDictionary[Handle, _Family] = WeakKeyDictionary()
_lock = threading.Lock()


def _family(handle: Handle) -> _Family:
    """That of the study; whoever calls holds the study's lock where it is shared."""
    with _lock:
        family = _families.setdefault(handle, _Family())
    if handle.state.spec.schedule.method != "none":  # without one nobody is cloned
        family.follow(handle)
    return family


def ancestry(handle: Handle, number: int, events: Iterable[tuple[int, ev.AnyEvent]]) -> Ancestry:
    """The trial's ancestry; `events` are its own, with their sequence numbers."""
    family, state, begun = _family(handle), handle.state, handle.state.created.at
    proposed: ev.TrialProposed | None = None
    promotions: list[Promotion] = []
    for seq, event in events:
        if isinstance(event, ev.TrialProposed):
            proposed = event
        elif isinstance(event, ev.TrialContinued):
            reason, at = event.reason, round(event.at - begun, 3)
            promotions.append(Promotion(seq=seq, at=at, to=event.to, by=reason.by, why=reason.text))
    ancestors: list[Relative] = []
    at = number
    while at in family.parents and len(ancestors) < MOST_ANCESTORS:
        at, step = family.parents[at]
        ancestors.append(_relative(state, at, step))
    children = family.children.get(number, [])
    return Ancestry(
        by="" if proposed is None else proposed.reason.by,
        why="" if proposed is None else proposed.reason.text,
        origin=None if proposed is None else origin_of(proposed.source),
        ancestors=ancestors,
        children=[_relative(state, child, family.parents[child][1]) for child in children[:MOST_CHILDREN]],
        of_children=len(children),
        promotions=promotions,
    )


def _relative(state: State, number: int, step: float | None) -> Relative:
    trial = state.trial(number)
    return Relative(number=number, state=trial.state, value=wired(trial.value), step=step)
