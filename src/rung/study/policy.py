"""One policy decides what a study does next (ARCHITECTURE rule 5). `Combined` is the default: a searcher proposes, a
scheduler stops.

A policy is a fold like the state beside it: `observe` sees every event after the state has applied it, in the order
of the log. `question` takes what an answer may depend on and gives a function that may run in another thread, because
a proposal can be slow; until its answer is in, the engine holds back what the policy would observe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from rung.model import Budget, Command, Continue, Done, Pause, Reason, Start, Stop, Wait, from_wire
from rung.schedule.base import Ended, Progress, Scheduler
from rung.search.base import Delta, Exhausted, Proposed, Result, Searcher
from rung.study import events as ev
from rung.study.seeds import generator
from rung.study.settle import remaining
from rung.study.state import CHUNK, State
from rung.study.transitions import FINAL, Phase

if TYPE_CHECKING:
    from rung.space import Space

Answer = Callable[[], list[Command]]


class Policy(Protocol):
    """What the engine needs of a policy."""

    def digest(self, state: State, event: ev.AnyEvent) -> list[Any]:
        """What the event means to the policy; called when `state` has applied it."""
        ...

    def observe(self, digested: list[Any]) -> None:
        """It is part of the policy's state."""
        ...

    def due(self, state: State) -> list[Stop | Pause | Continue]:
        """Commands on live trials that follow from what was observed and are not in the log yet."""
        ...

    def question(self, state: State, free: int) -> Answer:
        """What to start next, at most one trial; the answer may be computed in another thread."""
        ...


class Taken(Container[Mapping[str, Any]]):
    """The configurations that may not be proposed again."""

    def __init__(self, space: Space, repeats: int) -> None:
        self.space, self.repeats = space, repeats
        self.counts: Counter[Any] = Counter()

    def add(self, params: Mapping[str, Any]) -> None:
        """One more evaluation of this configuration."""
        self.counts[self.space.fingerprint(params)] += 1

    def add_all(self, state: State) -> None:
        """Every trial of the state is counted: the same as adding their parameters one by one."""
        rows = state.table["params"][:, : len(self.space.names)]
        for number, fingerprint in enumerate(self.space.fingerprints(rows)):
            tweaked = number in state.tweaked
            self.counts[self.space.fingerprint(state.params(number)) if tweaked else fingerprint] += 1

    def __contains__(self, params: object) -> bool:
        assert isinstance(params, Mapping)
        return self.counts[self.space.fingerprint(params)] >= self.repeats

    def __len__(self) -> int:
        """How many configurations are taken."""
        return sum(count >= self.repeats for count in self.counts.values()) if self.repeats > 1 else len(self.counts)


class Combined:
    """`combine(searcher, scheduler)`."""

    def __init__(self, state: State, searcher: Searcher, scheduler: Scheduler) -> None:
        self.searcher, self.scheduler = searcher, scheduler
        self.taken = Taken(state.space, state.spec.search.repeats)
        self.wanted: dict[int, Stop | Pause | Continue] = {}
        self.deltas: Arrival | InOrder = InOrder(state) if state.created.deterministic else Arrival()

    def catch_up(self, state: State) -> None:
        """All that `state` already holds has been observed: the state came from a snapshot or from elsewhere."""
        self.taken.add_all(state)
        for delta in _history(state):
            self._show(self.deltas.add(delta))
            if isinstance(delta, Result):
                self.scheduler.observe([Ended(delta.number, delta.losses)])

    def digest(self, state: State, event: ev.AnyEvent) -> list[Any]:
        """The deltas that searcher and scheduler will see."""
        if isinstance(event, ev.TrialReported):
            return list(_progress(state, event))
        if isinstance(event, ev.TrialProposed):
            return [Proposed(event.trial, event.params, event.memo)]
        if isinstance(event, ev.TrialCompleted) or (
            isinstance(event, ev.TrialTold) and 0 <= event.trial < len(state) and state.phase(event.trial) in FINAL
        ):
            result = _result(state, event.trial)  # TrialTold on a final trial is another result of it
            return [result, Ended(event.trial, result.losses)]
        if isinstance(event, ev.TrialStopped | ev.TrialExited):
            return [event]
        if isinstance(event, ev.SpecChanged) and event.budget is not None:
            return [event.budget]
        return []

    def observe(self, digested: list[Any]) -> None:
        """Searcher and scheduler have seen it; their answers are kept until the log holds them."""
        for item in digested:
            if isinstance(item, Progress | Ended):
                self.wanted.update({command.trial: command for command in self.scheduler.observe([item])})
            if isinstance(item, Ended | ev.TrialStopped | ev.TrialExited):
                self.wanted.pop(item.number if isinstance(item, Ended) else item.trial, None)
            if isinstance(item, Proposed):
                self.taken.add(item.params)
            if isinstance(item, Proposed | Result):
                self._show(self.deltas.add(item))
            if isinstance(item, Budget):
                self._show(self.deltas.rebudget(item.trials))

    def _show(self, deltas: list[Delta]) -> None:
        if deltas:
            self.searcher.observe(deltas)

    def due(self, state: State) -> list[Stop | Pause | Continue]:
        """The scheduler's commands on trials that are still running."""
        return [self.wanted[n] for n in sorted(self.wanted) if n in state.live and state.live[n].stop is None]

    def question(self, state: State, free: int) -> Answer:
        """Enqueued configurations first, then the start, then the searcher's."""
        number = len(state)
        if not free:
            return lambda: [Wait()]
        given = _given(state, self.taken)
        if given is not None:
            return lambda: [given]
        if not self.deltas.may_propose(number) or not self.deltas.remaining(state):
            return lambda: [Wait()]
        pending = self.deltas.pending(state)
        resource = self.scheduler.resource()

        def answer() -> list[Command]:
            rng = generator(state.seed, "search", number)
            found = self.searcher.suggest(number, pending, self.taken, rng)
            if isinstance(found, Exhausted):
                return [Done(reason=Reason(by=state.spec.search.method, text=found.text))]
            reason = Reason(by=state.spec.search.method, text=found.text, phase=found.phase, data=found.data)
            return [Start(params=found.params, reason=reason, resource=resource, memo=found.memo)]

        return answer


def _given(state: State, taken: Taken) -> Start | None:
    """The next configuration that a user gave, if any: enqueued ones, then the study's own first points."""
    if state.queue:
        index = min(state.queue)
        params = state.space.complete(state.queue[index])
        return Start(params=params, reason=Reason(by="enqueue", text="enqueued by the user", data={"index": index}))
    if not remaining(state):
        return None
    for params, text in first_points(state, after=state.switches.starts_served):
        # A configuration that the user listed twice runs once; later ones are found by their place in the list.
        if params not in taken:
            return Start(params=params, reason=Reason(by="start", text=text))
    return None


def first_points(state: State, *, after: int = 0) -> Iterator[tuple[dict[str, Any], str]]:
    """What the study starts with, and why, but for the first `after` of them. Raises `SpaceError` for a point that is
    not in the space."""
    start, space = state.spec.start, state.space
    if isinstance(start, tuple):
        for i in range(after, len(start)):
            yield space.complete(start[i]), f"first point {i + 1} of {len(start)}"
    elif start == "default" and not after:
        yield space.defaults(), "the default configuration"
    elif start == "middle" and not after:
        yield space.middle(), "the middle of the space"


def _progress(state: State, event: ev.TrialReported) -> Iterator[Progress]:
    objectives = state.spec.objectives
    for report in event.reports:
        losses = tuple(
            o.loss(from_wire(report.values[o.metric])) if o.metric in report.values else None for o in objectives
        )
        yield Progress(event.trial, report.step, losses)


def _result(state: State, number: int) -> Result:
    losses, violations, steps = state.result(number)
    return Result(number, None if losses is None else tuple(losses), tuple(violations), steps)


def _history(state: State) -> Iterator[Proposed | Result]:
    """All that a searcher has seen of the study, in order, from the state's columns."""
    decoded: dict[int, dict[str, Any]] = {}
    for place, delta in enumerate(state.history["delta"].tolist()):
        if delta >= 0:
            if delta not in decoded:  # proposals come by number: a chunk of them is decoded at once
                chunk = range(delta, min(delta + CHUNK, len(state)))
                decoded = dict(zip(chunk, state.params_of(chunk), strict=True))
            yield Proposed(delta, decoded[delta], state.memos.get(delta))
        elif place in state.superseded:
            losses, violations, steps = state.superseded[place]
            yield Result(~delta, None if losses is None else tuple(losses), tuple(violations), steps)
        else:
            yield _result(state, ~delta)


class Arrival:
    """Deltas go to the searcher as they come."""

    def add(self, delta: Delta) -> list[Delta]:
        """The deltas that the searcher may see now."""
        return [delta]

    def rebudget(self, trials: int | None) -> list[Delta]:
        """Another budget lets nothing more in."""
        return []

    def may_propose(self, number: int) -> bool:
        """Always."""
        return True

    def remaining(self, state: State) -> float:
        """How many more trials may begin."""
        return remaining(state)

    def pending(self, state: State) -> list[int]:
        """The trials without a result."""
        return list(state.running())


class InOrder:
    """Results go to the searcher by trial number, and proposal k sees exactly those of trials below k - lag.

    So what is proposed does not depend on which trial happened to be faster. When the budget is used up, further
    results are let in one by one: a failed trial among them makes room for one more proposal.
    """

    def __init__(self, state: State) -> None:
        spec = state.created.spec
        self.lag = spec.search.lag if spec.search.lag is not None else spec.run.workers
        self.trials = spec.budget.trials
        self.results: dict[int, Result] = {}
        self.number = 0  # the next proposal
        self.fed = 0  # results of trials below this were let in
        self.failures: set[int] = set()  # failed ones among them

    def add(self, delta: Delta) -> list[Delta]:
        """The deltas that the searcher may see now."""
        ready: list[Delta] = []
        if isinstance(delta, Proposed):
            self.number = delta.number + 1
            ready.append(delta)
        elif isinstance(delta, Result) and delta.number >= self.fed:
            self.results[delta.number] = delta
        elif isinstance(delta, Result):  # tried again by a user: only whether another trial takes its place can change
            self._judge(delta)
        return ready + self._let_in()

    def rebudget(self, trials: int | None) -> list[Delta]:
        """The results that another budget lets in."""
        self.trials = trials
        return self._let_in()

    def _let_in(self) -> list[Delta]:
        ready: list[Delta] = []
        while self.fed in self.results and (self.fed < self.number - self.lag or self._full()):
            result = self.results.pop(self.fed)
            self._judge(result)
            self.fed += 1
            ready.append(result)
        return ready

    def _judge(self, result: Result) -> None:
        (self.failures.add if result.losses is None else self.failures.discard)(result.number)

    def _full(self) -> bool:
        return self.trials is not None and self.number - len(self.failures) >= self.trials

    def may_propose(self, number: int) -> bool:
        """Whether every result that proposal `number` must see is in."""
        return self.fed >= number - self.lag

    def remaining(self, state: State) -> float:
        """Whether one more trial may begin, by the results let in so far."""
        return 0 if self._full() else 1

    def pending(self, state: State) -> list[int]:
        """The trials whose results were not let in."""
        return list(range(self.fed, self.number))


__all__ = ["Combined", "Phase", "Policy", "Taken", "first_points"]
