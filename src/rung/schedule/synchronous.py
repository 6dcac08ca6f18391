"""Synchronous Hyperband (Li et al. 2017, arXiv:1603.06560, algorithm 1), for workers that must not wait.

A bracket of sizes n_0 > n_1 > ... takes n_0 trials. Each is held at the bracket's first resource; once the results of
all of them are known the n_1 best go on to the next one and the others are ended, and so on up to the top, where trials
end by themselves. A trial that ended before its rung counts as worst, and one that ended since cannot go on: the next
best takes its place. Brackets are opened in turn, and again from the first one on. A free worker takes what the oldest
bracket has for it: a trial to promote, or a new one; where no bracket has anything, the next one is opened. So there is
always something to begin.

A bracket that the budget of trials does not fill goes on with those that it got, in the same proportions. A trial that
a user tries again after its end runs alone: its bracket has gone on without it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from math import ceil
from typing import TYPE_CHECKING, Literal

import msgspec

from rung.model import Continue, Pause, Stop
from rung.schedule.base import Ask, Begun, Bracket, Ended, Held, Level, Progress
from rung.schedule.plan import geometry
from rung.schedule.ranking import Line
from rung.schedule.reasons import Verdicts
from rung.schedule.rungs import Rung, result

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from rung.schedule.base import Contest, Delta, Next
    from rung.schedule.rungs import Ladder

Command = Stop | Pause | Continue


class Stage(Rung):
    """The rung of a bracket that is being filled. `waits`: of how many of its `members` the result is not known yet."""

    def __init__(self, index: int, level: float, *, keeps: int, size: int, objectives: int) -> None:
        share = keeps / size
        super().__init__(index, level, share=share, eta=size / keeps, objectives=objectives, cut="count")
        self.keeps, self.size, self.members, self.waits = keeps, size, list[int](), 0

    def threshold(self) -> float | None:
        """The loss of the last one that goes on, of those that are known."""
        return self.ranking.loss_at(self.keeps - 1) if isinstance(self.ranking, Line) else None


class OpenBracket:
    """One bracket on its way. `number`: how many were opened before it. `first`: the number of its first rung in the
    ladder. The last of its levels is the top, where nothing is decided any more."""

    def __init__(self, number: int, first: int, levels: Sequence[Level], objectives: int) -> None:
        self.number, self.first, self.objectives = number, first, objectives
        self.levels = list(levels)
        self.at = 0
        self.begun = 0
        self.stage = self._stage()

    def _stage(self) -> Stage:
        here = self.levels[self.at]
        keeps = self.levels[self.at + 1].trials if not self.last else here.trials
        index = self.first + self.at
        return Stage(index, here.resource, keeps=keeps, size=here.trials, objectives=self.objectives)

    @property
    def last(self) -> bool:
        """Whether those that are in it now run to the top."""
        return self.at == len(self.levels) - 1

    @property
    def full(self) -> bool:
        """Whether it takes no more trials."""
        return self.at > 0 or self.begun >= self.levels[0].trials

    def shrink(self) -> None:
        """No more trials will join: its sizes are those of a bracket of as many as there are."""
        planned = self.levels[0].trials
        self.levels = [Level(ceil(level.trials * self.begun / planned), level.resource) for level in self.levels]
        self.stage.keeps, self.stage.size = self.levels[1].trials, self.begun
        self.stage.share = self.stage.keeps / self.begun

    def advance(self, winners: list[int]) -> None:
        """These go on to the next rung."""
        self.at += 1
        self.stage = self._stage()
        self.stage.members, self.stage.waits = winners, len(winners)


class _Runner(msgspec.Struct):
    """A trial. `alone`: out of its bracket, and left to its program. `earned`: it may run up to the level of the stage
    that it is a member of; `place`: its place among those that may. `report`: the last that counted."""

    number: int
    bracket: OpenBracket
    state: Literal["running", "pausing", "held", "told", "ended", "alone"] = "running"
    earned: bool = True
    known: bool = False
    failed: bool = False
    place: int = 0
    report: Progress | None = None
    rung: Stage | None = None


class Synchronous:
    """The fold behind `hyperband` with `synchronous: true`."""

    def __init__(self, contest: Contest, ladder: Ladder, brackets: int) -> None:
        assert ladder.top is not None
        self.top, self.most, self.objectives = ladder.top, contest.budget.trials, len(contest.objectives)
        self.kinds = geometry(ladder, brackets)
        self.verdicts = Verdicts(contest, "hyperband")
        self._runners: dict[int, _Runner] = {}
        self._failed = 0
        self._opened = 0
        self._newest = self._another()
        self._owed: list[tuple[int, int, int]] = []  # bracket, place and number of held trials that may go on

    # ------------------------------------------------------------------------------------------------ what is observed

    def observe(self, deltas: Sequence[Delta]) -> list[Stop | Pause | Continue]:
        """Holds at a rung; when all of a rung is known, who goes on and who is ended."""
        found: dict[int, Command] = {}
        for delta in deltas:
            if not isinstance(delta, Progress):
                found.pop(delta.number, None)  # whatever was to become of it, this has come of it
            for command in self._observed(delta):
                found[command.trial] = command
        return list(found.values())

    def _observed(self, delta: Delta) -> list[Command]:
        if isinstance(delta, Begun):
            self._begun(delta.number)
            return []
        runner = self._runner(delta.number)
        if isinstance(delta, Progress):
            return self._reported(runner, delta)
        if isinstance(delta, Ended):
            return self._ended(runner, failed=delta.losses is None)
        if isinstance(delta, Held):
            self._held(runner)
        else:
            self._leave(runner, "running")
        return []

    def _another(self) -> OpenBracket:
        """The next bracket to open; the ladder's brackets take turns."""
        first = self._opened % len(self.kinds)
        return OpenBracket(self._opened, first, self.kinds[first], self.objectives)

    def _begun(self, number: int) -> None:
        if self._newest.full:
            self._opened += 1
            self._newest = self._another()
        bracket = self._newest
        bracket.begun += 1
        bracket.stage.members.append(number)
        bracket.stage.waits += 1
        self._runners[number] = _Runner(number, bracket)

    def _runner(self, number: int) -> _Runner:
        if number not in self._runners:
            self._begun(number)
        return self._runners[number]

    def _held(self, runner: _Runner) -> None:
        if runner.state in {"running", "pausing"}:
            runner.state = "held"
            self._owe(runner)

    def _owe(self, runner: _Runner) -> None:
        if runner.state == "held" and runner.earned:
            insort(self._owed, (runner.bracket.number, runner.place, runner.number))

    def _leave(self, runner: _Runner, state: Literal["running", "ended", "told"]) -> None:
        """It is not held any more, if it was: `next` has nothing to do with it."""
        if runner.state == "held" and runner.earned:
            del self._owed[bisect_left(self._owed, (runner.bracket.number, runner.place, runner.number))]
        if runner.state in {"held", "running", "pausing"} or state == "ended":
            runner.state = state

    def _ended(self, runner: _Runner, *, failed: bool) -> list[Command]:
        first_end = runner.state not in {"ended", "alone"}
        self._leave(runner, "ended")
        self._failed += failed - runner.failed
        runner.failed = failed
        return self._becomes_known(runner) if first_end and not runner.known else []

    def _reported(self, runner: _Runner, progress: Progress) -> list[Command]:
        if result(progress) is None or runner.state in {"told", "held"}:
            return []
        if progress.step > self.top:
            return [*self._enters(runner, progress), self._full(runner, progress)]
        if runner.state == "ended":
            runner.state = "alone"
        return [] if runner.state == "alone" else self._enters(runner, progress)

    def _full(self, runner: _Runner, progress: Progress) -> Stop:
        runner.state = "told"
        return Stop(trial=runner.number, reason=self.verdicts.full(progress.step, self.top), complete=True)
