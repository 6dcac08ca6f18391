"""Folding a log again, and computing every decision again.

A decision is a function of the log up to its `based_on` and of how many trials were asked for. So a second engine
that is fed up to that point must come to it too, whatever was appended in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from rung.model import LogError
from rung.study import events as ev
from rung.study.engine import Engine, Me, PolicyFactory
from rung.study.invariants import broken
from rung.study.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


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
    engine = _engine(events, policy_for)
    known: dict[tuple[int, int], set[bytes]] = {}
    for seq, event in enumerate(events, start=1):
        if not isinstance(event, ev.Decision) or isinstance(event, ev.AttemptAdopted):
            continue  # who adopts a live process is a fact of the world, not of the log
        key = (event.based_on, event.free)
        if key not in known:
            if event.based_on < engine.state.seq:  # several runners: an older state is asked for again
                engine = _engine(events, policy_for)
            engine.fold(enumerate(events[engine.state.seq : event.based_on], start=engine.state.seq + 1))
            known = {k: v for k, v in known.items() if k[0] >= event.based_on}
            known[key] = _decisions(engine, free=event.free)
        if _bare(event) not in known[key]:
            computed = b" or ".join(sorted(known[key])) or b"nothing"
            yield Deviation(seq, _bare(event).decode(), computed.decode())
    final = fold(events)
    for line in broken(final):
        yield Deviation(final.seq, "a broken invariant", line)


def _engine(events: Sequence[ev.AnyEvent], policy_for: PolicyFactory) -> Engine:
    state = State.begin(events[0], seq=1)
    return Engine(state, policy_for(state), Me("replay", 0))


def _decisions(engine: Engine, *, free: int) -> set[bytes]:
    found = list(engine.decide(at=0.0, free=free))
    question = engine.question(free=free)
    if question is not None:
        found += engine.conclude(question, question.answer(), at=0.0)
    return {_bare(decision) for decision in found}


def _bare(decision: ev.Decision) -> bytes:
    """A decision without who took it and when."""
    if isinstance(decision, ev.AttemptAssigned):
        decision = msgspec.structs.replace(decision, asked=False)  # so is whether a program or a person runs it
    return ev.encode(msgspec.structs.replace(decision, at=0.0, runner="", epoch=0, based_on=0, free=0))
