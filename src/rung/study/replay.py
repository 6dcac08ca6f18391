"""Folding a log again, and computing every decision again.

A decision is a function of the log up to its `based_on` and of how many trials were asked for. So a second engine
that is fed up to that point must come to it too, whatever was appended in between. One exception: that a searcher
raised or did not answer in time is taken from the log, since nobody can make it happen again; what followed is not.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from rung.model import LogError
from rung.study import events as ev
from rung.study.engine import Engine, Me, PolicyFactory
from rung.study.guard import Failure, failure_of
from rung.study.invariants import broken
from rung.study.state import State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence


class Deviation(msgspec.Struct, frozen=True):
    """A decision that came out differently when it was computed again."""

    seq: int
    logged: str
    computed: str

    def __str__(self) -> str:
        return f"decision {self.seq}: logged {self.logged}; computed {self.computed}"


def fold(events: Sequence[ev.AnyEvent]) -> State:
    """The state after all events. Raises `LogError` where one does not fit."""
    if not events:
        raise LogError("the log is empty")
    state = State.begin(events[0], seq=1)
    for seq, event in enumerate(events[1:], start=2):
        state.apply(seq, event)
    return state


def check(events: Sequence[ev.AnyEvent], policy_for: PolicyFactory) -> Iterator[Deviation]:
    """Each decision that cannot be computed again, in the order of the log; and each broken invariant at its end."""
    asked: defaultdict[tuple[int, int], list[tuple[int, bytes]]] = defaultdict(list)
    failures: dict[tuple[int, int], Failure] = {}
    for seq, event in enumerate(events, start=1):
        # Who adopts a live process is a fact of the world, not of the log.
        if isinstance(event, ev.Decision) and not isinstance(event, ev.AttemptAdopted):
            asked[event.based_on, event.free].append((seq, _bare(event)))
        if isinstance(event, ev.TrialProposed) and (failure := failure_of(event.reason)) and failure.kind != "unfit":
            failures[event.based_on, event.free] = failure
    state = State.begin(events[0], seq=1)
    engine = Engine(state, policy_for(state), Me("replay", 0))
    deviations: list[Deviation] = []
    for based_on, free in sorted(asked):  # slow answers are logged late: in this order one fold serves them all
        engine.fold(enumerate(events[engine.state.seq : based_on], start=engine.state.seq + 1))
        logged = asked[based_on, free]
        computed = {_bare(decision) for decision in engine.decide(at=0.0, free=free)}
        if any(decision not in computed for _, decision in logged):  # else nothing was proposed there
            computed |= _proposed(engine, free=free, failure=failures.get((based_on, free)))
        deviations += _deviations(logged, computed)
    yield from sorted(deviations, key=lambda deviation: deviation.seq)
    final = fold(events)
    for line in broken(final):
        yield Deviation(final.seq, "a broken invariant", line)


def _deviations(logged: Sequence[tuple[int, bytes]], computed: Collection[bytes]) -> Iterator[Deviation]:
    for seq, decision in logged:
        if decision not in computed:
            yield Deviation(seq, decision.decode(), (b" or ".join(sorted(computed)) or b"nothing").decode())


def _proposed(engine: Engine, *, free: int, failure: Failure | None) -> set[bytes]:
    found = engine.propose(at=0.0, free=free, ask=lambda answer: answer(failure))
    return {_bare(decision) for decision in found}


def _bare(decision: ev.Decision) -> bytes:
    """A decision without who took it and when, and how long that took."""
    if isinstance(decision, ev.TrialProposed):
        decision = msgspec.structs.replace(decision, seconds=None)
    if isinstance(decision, ev.AttemptAssigned):
        decision = msgspec.structs.replace(decision, asked=False)  # so is whether a program or a person runs it
    return ev.encode(msgspec.structs.replace(decision, at=0.0, runner="", epoch=0, based_on=0, free=0))
