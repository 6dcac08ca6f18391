"""The log of one study as events: reading, appending, and opening the state by way of the snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.model import LogError, ScheduleSpec, UnknownStudy
from rung.store.base import Entry, Lease, Logged, Position, Snapshot, Store
from rung.study import events as ev
from rung.study import snapshot
from rung.study.engine import Engine, Me, PolicyFactory
from rung.study.order import in_order
from rung.study.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PAGE = 10_000  # entries a read: a reader's transaction stays short


def entry(event: ev.Event) -> Entry:
    """The event as a store keeps it."""
    return Entry(event.kind, ev.encode(event), getattr(event, "trial", None))


def read(store: Store, study: str, *, after: int = 0, trial: int | None = None) -> Iterator[tuple[int, ev.AnyEvent]]:
    """The events after a sequence number, page by page."""
    for logged in _logged(store, study, after=after, trial=trial):
        yield logged.seq, _event(logged)


def raw(store: Store, study: str, *, after: int = 0, trial: int | None = None) -> Iterator[tuple[int, bytes]]:
    """The bodies of the events after a sequence number, for readers who decode only what they need."""
    for logged in _logged(store, study, after=after, trial=trial):
        yield logged.seq, logged.body


def _logged(store: Store, study: str, *, after: int, trial: int | None) -> Iterator[Logged]:
    while True:
        page = store.read(study, after=after, limit=PAGE, trial=trial)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].seq


def _event(logged: Logged) -> ev.AnyEvent:
    return ev.decode(logged.body, seq=logged.seq)


def open_state(store: Store, study: str) -> State:
    """The study's state as of now: from its snapshot where this fold wrote one, else from the first event.

    Raises `UnknownStudy`, `LogError`.
    """
    state = _from_snapshot(store.snapshot(study)) or _begun(store, study)
    for seq, event in read(store, study, after=state.seq):
        state.apply(seq, event)
    return state


def _begun(store: Store, study: str) -> State:
    """The state after the first event of the log."""
    first = store.read(study, limit=1)
    if not first:
        raise UnknownStudy(f"study {study} holds no event")
    return State.begin(_event(first[0]), seq=first[0].seq)


def _from_snapshot(kept: Snapshot | None) -> State | None:
    if kept is None or kept.version != snapshot.FOLD_VERSION:
        return None
    try:
        return snapshot.load(kept.body)
    except LogError:
        return None  # a snapshot is only a shortcut: the log says the same


def open_engine(store: Store, study: str, policy_for: PolicyFactory, me: Me) -> Engine:
    """The study as a runner works on it: its state, and a policy that has observed all of it.

    Where a policy has seen more than the columns of a state tell, the whole log is folded again: where results count
    in order (`deterministic`, batches), such as when the budget changed; with a scheduler, every report.
    """
    state = _begun(store, study)
    if not in_order(state) and state.spec.schedule.method == ScheduleSpec().method:
        state = open_state(store, study)
    engine = Engine(state, policy_for(state), me)
    engine.fold(read(store, study, after=state.seq))
    return engine


def write_snapshot(store: Store, study: str, state: State) -> None:
    """The study's snapshot is this state."""
    body = snapshot.dump(state)
    store.put_snapshot(study, Snapshot(state.seq, state.decisions, snapshot.FOLD_VERSION, body))


class Log:
    """One study's log with a place in it: `tail` gives what came after, `append_*` adds under a lease."""

    def __init__(self, store: Store, study: str, *, seq: int, lease: Lease | None = None) -> None:
        self.store, self.study, self.seq, self.lease = store, study, seq, lease
        self._own: list[tuple[int, ev.AnyEvent]] = []  # appended right behind `seq`, and not given by `tail` yet

    def tail(self) -> list[tuple[int, ev.AnyEvent]]:
        """The events since the last call (own appended ones among them, once)."""
        found, self._own = self._own or list(read(self.store, self.study, after=self.seq)), []
        if found:
            self.seq = found[-1][0]
        return found

    def append(self, events: Sequence[ev.Event], *, after: int | None = None) -> None:
        """The events are in the log, and `tail` will give them. Raises `Fenced`, `Conflict`; then nothing was written.

        Whoever must not write a fact twice calls this and `tail` apart: reading may fail when writing did not.
        """
        entries = [entry(event) for event in events]
        position: Position = self.store.append(self.study, entries, after=after, lease=self.lease)
        first = position.seq - len(entries) + 1
        if first != self.seq + len(self._own) + 1:  # somebody else wrote in between: all of it is to be read
            self._own = []
            return
        # What is folded is what was written, not the object it was written from.
        self._own += [(first + i, ev.decode(e.body, seq=first + i)) for i, e in enumerate(entries)]

    def append_facts(self, events: Sequence[ev.Event]) -> list[tuple[int, ev.AnyEvent]]:
        """The facts are in the log; returns what is new there, they included. Raises `Fenced`."""
        self.append(events)
        return self.tail()

    def append_decisions(self, events: Sequence[ev.Decision], *, after: int) -> list[tuple[int, ev.AnyEvent]]:
        """The decisions are in the log; returns what is new there. Raises `Conflict`, `Fenced`."""
        self.append(events, after=after)
        return self.tail()
