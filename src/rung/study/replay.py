"""Folding a log again, and computing every decision again.

A decision is a function of the log up to its `based_on` and of how many trials were asked for. So a second engine
that is fed up to that point must come to it too, whatever was appended in between.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from rung.model import LogError
from rung.study import events as ev
from rung.study.engine import Engine, Me, PolicyFactory
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
    for seq, event in enumerate(events, start=1):
        # Who adopts a live process is a fact of the world, not of the log.
        if isinstance(event, ev.Decision) and not isinstance(event, ev.AttemptAdopted):
            asked[event.based_on, event.free].append((seq, _bare(event)))
    state = State.begin(events[0], seq=1)
    engine = Engine(state, policy_for(state), Me("replay", 0))
    deviations: list[Deviation] = []
    for based_on, free in sorted(asked):  # slow answers are logged late: in this order one fold serves them all
        engine.fold(enumerate(events[engine.state.seq : based_on], start=engine.state.seq + 1))
        deviations += _deviations(asked[based_on, free], _decisions(engine, free=free))
    yield from sorted(deviations, key=lambda deviation: deviation.seq)
    final = fold(events)
    for line in broken(final):
        yield Deviation(final.seq, "a broken invariant", line)


def _deviations(logged: Sequence[tuple[int, bytes]], computed: Collection[bytes]) -> Iterator[Deviation]:
    for seq, decision in logged:
        if decision not in computed:
            yield Deviation(seq, decision.decode(), (b" or ".join(sorted(computed)) or b"nothing").decode())


def _decisions(engine: Engine, *, free: int) -> set[bytes]:
    found = engine.decide(at=0.0, free=free) + engine.propose(at=0.0, free=free)
    return {_bare(decision) for decision in found}


def _bare(decision: ev.Decision) -> bytes:
    """A decision without who took it and when."""
    if isinstance(decision, ev.AttemptAssigned):
        decision = msgspec.structs.replace(decision, asked=False)  # so is whether a program or a person runs it
    return ev.encode(msgspec.structs.replace(decision, at=0.0, runner="", epoch=0, based_on=0, free=0))
