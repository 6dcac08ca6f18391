"""Asynchronous successive halving that holds trials: each runs to its rung and waits there to be promoted.

Li et al. 2018, "A System for Massively Parallel Hyperparameter Tuning" (arXiv:1810.05934), algorithm 2: whenever a
place is free, the best trial of the highest rung that may go on and has not yet is promoted; where there is none, a new
trial begins at the first rung. A trial that is among the best of its rung when it gets there goes on at once.

A trial *stands* at the highest rung that it has cleared, and its result is in every one below. It has *earned* what
lies above when it was promoted there. A report that clears several rungs at once brings it to the highest of them.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Literal

import msgspec

from rung.model import Continue, Pause, Stop
from rung.schedule.base import Ask, Begun, Ended, Held, Progress, Resumed
from rung.schedule.reasons import Verdicts
from rung.schedule.rungs import result

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from rung.schedule.base import Contest, Delta, Next
    from rung.schedule.rungs import Rung
    from rung.schedule.stopping import Rungs


class _Runner(msgspec.Struct):
    """A trial. `rung`: the number of the next one that it has not cleared. `earned`: it may run on from where it
    stands. `losses`: its result in the rung where it stands."""

    bracket: int
    rung: int
    state: Literal["running", "pausing", "held", "full", "ended"] = "running"
    earned: bool = True
    losses: tuple[float, ...] = ()


class Promotion:
    """The fold behind `asha` and `hyperband` of the type `promotion`."""

    def __init__(self, contest: Contest, rule: str, rungs: Rungs) -> None:
        self.rungs, self.ladder = rungs, rungs.ladder
        self.verdicts = Verdicts(contest, rule)
        self._descending = rungs.all_from_the_top()
        self._runners: dict[int, _Runner] = {}
        self._owed: list[int] = []  # held although they may go on, ascending: they stopped short of their rung

    # ------------------------------------------------------------------------------------------------ what is observed

    def observe(self, deltas: Sequence[Delta]) -> list[Stop | Pause | Continue]:
        """At its rung a trial is held, or goes on at once."""
        found: dict[int, Stop | Pause | Continue] = {}
        for delta in deltas:
            if isinstance(delta, Progress):
                command = self._reported(delta)
                if command is not None:
                    found[delta.number] = command
                continue
            found.pop(delta.number, None)  # whatever was to become of it, this has come of it
            if isinstance(delta, Begun):
                self._begun(delta)
            elif isinstance(delta, Held):
                self._held(delta.number)
            elif isinstance(delta, Resumed):
                self._resumed(delta.number, delta.to)
            else:
                assert isinstance(delta, Ended)
                self._leave(delta.number, "ended")
                self._runner(delta.number).earned = True  # should a user try it again
        return list(found.values())

    def _begun(self, begun: Begun) -> None:
        bracket = self.rungs.joined(begun)
        self._runners[begun.number] = _Runner(bracket, max(bracket, self.ladder.above(begun.step)))

    def _runner(self, number: int) -> _Runner:
        if number not in self._runners:
            self._begun(Begun(number, {}))
        return self._runners[number]

    def _held(self, number: int) -> None:
        runner = self._runner(number)
        if runner.state in {"held", "full"}:
            return
        runner.state = "held"
        if runner.earned:
            insort(self._owed, number)
        else:
            self._standing(runner).ranking.mark(number)

    def _resumed(self, number: int, to: float | None) -> None:
        self._leave(number, "running")
        runner = self._runner(number)
        # Decided before its last report was known, it may say less than where the trial stands by now.
        runner.earned = not runner.losses or to is None or to > self._standing(runner).level

    def _leave(self, number: int, state: Literal["running", "ended"]) -> None:
        """It is not held any more, if it was: `next` has nothing to do with it."""
        runner = self._runner(number)
        if runner.state == "held" and runner.earned:
            del self._owed[bisect_left(self._owed, number)]
        elif runner.state == "held":
            self._standing(runner).ranking.unmark(number)
        runner.state = state

    def _standing(self, runner: _Runner) -> Rung:
        return self.rungs.of(runner.bracket, runner.rung - 1)

    def _reported(self, progress: Progress) -> Stop | Pause | Continue | None:
        runner, losses = self._runner(progress.number), result(progress)
        if losses is None or runner.state in {"held", "full"}:
            return None
        if runner.state == "ended":  # a user has tried it again
            runner.state = "running"
        return self._judged(runner, progress, losses)

    def _judged(self, runner: _Runner, progress: Progress, losses: tuple[float, ...]) -> Stop | Pause | Continue | None:
        for rung in self.rungs.passed(runner.bracket, runner.rung, progress.step):
            rung.ranking.add(progress.number, losses, progress.violation)
            runner.rung, runner.earned, runner.losses = rung.index + 1, False, losses
        top = self.ladder.top
        if top is not None and progress.step > top:
            runner.state = "full"
            return Stop(trial=progress.number, reason=self.verdicts.full(progress.step, top), complete=True)
        if top is not None and progress.step == top:  # there a program ends by itself
            runner.earned = True
        if runner.earned or runner.state != "running":
            return None
        rung = self._standing(runner)
        if rung.earns(progress.number, least=0):
            runner.earned = True
            return self._promotion(progress.number)
        runner.state = "pausing"
        reason = self.verdicts.cut(
            rung, progress.number, progress.step, runner.losses, bracket=runner.bracket, then="held until it is"
        )
        return Pause(trial=progress.number, reason=reason)

    # ------------------------------------------------------------------------------------------------- what begins next

    def next(self, number: int, rng: np.random.Generator) -> Next:
        """Who was held on the way; the best one of the highest rung that has one to promote; a new trial."""
        if self._owed:
            return self._promotion(self._owed[0])
        for _, rung in self._descending:
            best = rung.ranking.first_marked()
            if best is not None and rung.earns(best, least=0):
                return self._promotion(best)
        bracket = self.rungs.allocation.next()
        return Ask(resource=self._up_to(bracket), ticket={"bracket": bracket})

    def _up_to(self, index: int) -> float | None:
        """The resource of rung number `index`, or the top above the last one."""
        resources = self.ladder.resources
        return resources[index] if index < len(resources) else None

    def _promotion(self, number: int) -> Continue:
        runner = self._runners[number]
        to = self._up_to(runner.rung)
        if not runner.losses:
            return Continue(trial=number, to=to, reason=self.verdicts.on(to))
        reason = self.verdicts.kept(self._standing(runner), number, runner.losses, to, bracket=runner.bracket)
        return Continue(trial=number, to=to, reason=reason)
