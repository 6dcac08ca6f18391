"""Asynchronous successive halving that ends trials: each runs until a rung's results speak against it.

At the first report at or past a rung the trial's result joins the rung, and the trial goes on if it is among the best
of those that are there by then (`Rung.earns`); what comes later does not change that. One report may clear several
rungs, from the lowest on. A trial at or past the most resource is not cut any more: there is nothing left to save.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from rung.model import Continue, Pause, Stop
from rung.schedule.base import Ask, Begun, Ended, Held, Progress, Resumed
from rung.schedule.plan import Allocation, sizes
from rung.schedule.reasons import Verdicts
from rung.schedule.rungs import Cut, Ladder, Rung, result

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from rung.schedule.base import Contest, Delta, Next


class Rungs:
    """The rungs of several brackets, and which bracket a trial is in. Bracket b has those from number b on; every
    bracket has its own, since trials of others were chosen at other rungs."""

    def __init__(self, ladder: Ladder, brackets: int, objectives: int, cut: Cut) -> None:
        self.ladder = ladder
        self.weights = [sizes(ladder, b)[0] for b in range(brackets)] if brackets > 1 else [1]
        self.allocation = Allocation(self.weights)
        self._rungs = [
            [Rung.of(ladder, i, objectives, cut) if i >= b else None for i in range(len(ladder.levels))]
            for b in range(brackets)
        ]

    def of(self, bracket: int, index: int) -> Rung:
        """Rung number `index`, which the bracket has."""
        found = self._rungs[bracket][index]
        assert found is not None, "a bracket has no rung below its first"
        return found

    def passed(self, bracket: int, index: int, step: float) -> list[Rung]:
        """The rungs from number `index` on that a report at `step` clears."""
        return [self.of(bracket, i) for i in range(max(index, bracket), self.ladder.above(step))]

    def all_from_the_top(self) -> list[tuple[int, Rung]]:
        """Every rung with its bracket, the highest first; of equal ones that of the bracket with the lower rungs."""
        found = [(b, rung) for b, rungs in enumerate(self._rungs) for rung in rungs if rung is not None]
        return sorted(found, key=lambda pair: (-pair[1].index, pair[0]))

    def joined(self, begun: Begun) -> int:
        """The bracket that the trial's ticket names, else the first."""
        named = (begun.ticket or {}).get("bracket")
        bracket = named if isinstance(named, int) and 0 <= named < len(self.weights) else 0
        self.allocation.add(bracket)
        return bracket


class _Runner(msgspec.Struct):
    """A trial that may run. `rung`: the number of the next one. `told`: it was told to end."""

    bracket: int
    rung: int
    told: bool = False


class Stopping:
    """The fold behind `asha` and `hyperband` of the type `stopping`."""

    def __init__(self, contest: Contest, rule: str, rungs: Rungs) -> None:
        self.rungs, self.ladder = rungs, rungs.ladder
        self.verdicts = Verdicts(contest, rule)
        self._runners: dict[int, _Runner] = {}

    def observe(self, deltas: Sequence[Delta]) -> list[Stop | Pause | Continue]:
        """Stops for those whose rungs speak against them."""
        found: dict[int, Stop] = {}
        for delta in deltas:
            if isinstance(delta, Progress):
                stop = self._reported(delta)
                if stop is not None:
                    found[delta.number] = stop
            elif isinstance(delta, Begun):
                self._begun(delta)
            elif isinstance(delta, Ended):
                found.pop(delta.number, None)
                self._runner(delta.number).told = False  # a user may try it again
            else:
                assert isinstance(delta, Held | Resumed)  # of a trial that others pause nothing changes
        return list(found.values())

    def next(self, number: int, rng: np.random.Generator) -> Next:
        """A new trial, in the bracket that has too few. It may run to the top."""
        return Ask(resource=self.ladder.top, ticket={"bracket": self.rungs.allocation.next()})

    def _begun(self, begun: Begun) -> None:
        bracket = self.rungs.joined(begun)
        self._runners[begun.number] = _Runner(bracket, max(bracket, self.ladder.above(begun.step)))

    def _runner(self, number: int) -> _Runner:
        if number not in self._runners:
            self._begun(Begun(number, {}))
        return self._runners[number]

    def _reported(self, progress: Progress) -> Stop | None:
        runner, top = self._runner(progress.number), self.ladder.top
        passed = self.rungs.passed(runner.bracket, runner.rung, progress.step)
        full = top is not None and progress.step >= top
        losses = result(progress) if passed or full else None  # most reports are between rungs
        if runner.told or losses is None:
            return None
        for rung in passed:
            rung.ranking.add(progress.number, losses, progress.violation)
            runner.rung = rung.index + 1
            if not full and not rung.earns(progress.number, least=1):
                runner.told = True
                reason = self.verdicts.cut(rung, progress.number, progress.step, losses, bracket=runner.bracket)
                return Stop(trial=progress.number, reason=reason)
        return self._ended_beyond(runner, progress)

    def _ended_beyond(self, runner: _Runner, progress: Progress) -> Stop | None:
        top = self.ladder.top
        if top is None or progress.step <= top:  # at the top a program ends by itself
            return None
        runner.told = True
        return Stop(trial=progress.number, reason=self.verdicts.full(progress.step, top), complete=True)
