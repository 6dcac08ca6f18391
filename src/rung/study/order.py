"""When a searcher is shown a result: as it comes, or in the order of the trials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.search.base import Proposed, Result
from rung.study.settle import remaining

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rung.model import StudySpec
    from rung.search.base import Delta
    from rung.study.state import State


def order_of(state: State) -> Arrival | InOrder:
    """The order that the study keeps."""
    return InOrder(state) if in_order(state) else Arrival()


def in_order(state: State) -> bool:
    """Whether results count in the order of the trials."""
    return state.created.deterministic or state.created.spec.search.batch is not None


class Arrival:
    """Deltas go to the searcher as they come."""

    def add(self, delta: Delta) -> list[Delta]:
        """The deltas that the searcher may see now."""
        return [delta]

    def hold(self, number: int) -> list[Delta]:
        """A trial is paused: nobody waits for its result."""
        return []

    def let_in(self, history: Sequence[Delta]) -> list[Delta]:
        """What a new searcher may see of all that was added so far."""
        return list(history)

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
        """The trials that work on a result."""
        return sorted(state.active)


class InOrder:
    """Results go to the searcher by trial number, and proposal k sees exactly those of trials below `horizon(k)`: in a
    batch all those before the batch, else all but the last `lag`.

    So what is proposed does not depend on which trial happened to be faster. When the budget is used up, further
    results are let in one by one: a failed trial among them makes room for one more proposal.
    """

    def __init__(self, state: State) -> None:
        self.horizon = _horizon(state.created.spec)
        self.trials = state.created.spec.budget.trials
        self.replaces = state.created.spec.budget.on_failure is None  # whether a failed trial makes room for another
        self.results: dict[int, Result] = {}
        self.number = 0  # the next proposal
        self.fed = 0  # results of trials below this were let in
        self.failures: set[int] = set()  # failed ones among them
        self.paused: set[int] = set()  # nobody waits for their results, which are let in when they come

    def add(self, delta: Delta) -> list[Delta]:
        """The deltas that the searcher may see now."""
        ready: list[Delta] = []
        if isinstance(delta, Proposed):
            self.number = delta.number + 1
            ready.append(delta)
        elif isinstance(delta, Result) and delta.number >= self.fed:
            self.results[delta.number] = delta
        elif isinstance(delta, Result) and delta.number in self.paused:
            self.paused.discard(delta.number)
            self._judge(delta)
            ready.append(delta)
        elif isinstance(delta, Result):  # tried again by a user: only whether another trial takes its place can change
            self._judge(delta)
        return ready + self._let_in()

    def hold(self, number: int) -> list[Delta]:
        """A trial is paused: proposals no longer wait for its result, which may never come."""
        self.paused.add(number)
        return self._let_in()

    def let_in(self, history: Sequence[Delta]) -> list[Delta]:
        """What a new searcher may see of all that was added so far: no result that is still held back."""
        results = {delta.number: delta for delta in history if isinstance(delta, Result)}
        proposals: list[Delta] = [delta for delta in history if isinstance(delta, Proposed)]
        return proposals + [results[number] for number in range(self.fed) if number in results]

    def rebudget(self, trials: int | None) -> list[Delta]:
        """The results that another budget lets in."""
        self.trials = trials
        return self._let_in()

    def _let_in(self) -> list[Delta]:
        ready: list[Delta] = []
        while self.fed < self.horizon(self.number) or self._full():
            result = self.results.pop(self.fed, None)
            if result is not None:
                self.paused.discard(self.fed)
                self._judge(result)
                ready.append(result)
            elif self.fed not in self.paused:
                break
            self.fed += 1
        return ready

    def _judge(self, result: Result) -> None:
        makes_room = result.losses is None and (self.replaces or result.invalid)
        (self.failures.add if makes_room else self.failures.discard)(result.number)

    def _full(self) -> bool:
        return self.trials is not None and self.number - len(self.failures) >= self.trials

    def may_propose(self, number: int) -> bool:
        """Whether every result that proposal `number` must see is in."""
        return self.fed >= self.horizon(number)

    def remaining(self, state: State) -> float:
        """Whether one more trial may begin, by the results let in so far."""
        return 0 if self._full() else 1

    def pending(self, state: State) -> list[int]:
        """The trials whose results were not let in."""
        return list(range(self.fed, self.number))


def _horizon(spec: StudySpec) -> Callable[[int], int]:
    """Proposal -> the number below which it sees the results of all trials."""
    batch, lag = spec.search.batch, spec.search.lag
    if batch is not None:
        return lambda number: number // batch * batch
    held_back = lag if lag is not None else spec.run.workers
    return lambda number: number - held_back
