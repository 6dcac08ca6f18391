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
from rung.schedule.base import Ask, Bracket, Ended, Held, Level, Progress, Resumed
from rung.schedule.plan import geometry
from rung.schedule.ranking import Line
from rung.schedule.reasons import Verdicts
from rung.schedule.rungs import Rung, result

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from rung.model import Reason
    from rung.schedule.base import Contest, Delta, Next
    from rung.schedule.rungs import Ladder

Command = Stop | Pause | Continue


class Stage(Rung):
    """The rung that the members of a bracket are in: `keeps` of its `size` go on. `waits`: of how many members the
    result is not known yet."""

    def __init__(self, index: int, level: float, *, keeps: int, size: int, objectives: int) -> None:
        super().__init__(index, level, share=keeps / size, eta=size / keeps, objectives=objectives, cut="count")
        self.keeps, self.size, self.waits = keeps, size, 0

    def threshold(self) -> float | None:
        """The loss of the last one that goes on, of those that are known."""
        return self.ranking.loss_at(self.keeps - 1) if isinstance(self.ranking, Line) else None


class OpenBracket:
    """One bracket on its way. `number`: how many were opened before it. `first`: the number of its first rung in the
    ladder. The last of its levels is the top, where nothing is decided any more."""

    def __init__(self, number: int, first: int, levels: Sequence[Level], objectives: int) -> None:
        self.number, self.first, self.objectives = number, first, objectives
        self.levels = list(levels)
        self.at = self.begun = 0
        self.stage = self._stage()

    def _stage(self) -> Stage:
        here = self.levels[self.at]
        keeps = here.trials if self.last else self.levels[self.at + 1].trials
        index = self.first + self.at
        return Stage(index, here.resource, keeps=keeps, size=here.trials, objectives=self.objectives)

    @property
    def last(self) -> bool:
        """Whether its members run to the top."""
        return self.at == len(self.levels) - 1

    @property
    def full(self) -> bool:
        """Whether it takes no more trials."""
        return self.at > 0 or self.begun >= self.levels[0].trials

    def join(self) -> None:
        """One more trial is in it."""
        self.begun += 1
        self.stage.waits += 1

    def shrink(self) -> None:
        """No more trials will join: its sizes are those of a bracket of as many as there are."""
        planned, known = self.levels[0].trials, self.stage.ranking
        self.levels = [Level(ceil(level.trials * self.begun / planned), level.resource) for level in self.levels]
        self.stage = self._stage()
        self.stage.ranking = known

    def advance(self, members: int) -> None:
        """So many go on to the next rung."""
        self.at += 1
        self.stage = self._stage()
        self.stage.waits = members


class _Runner(msgspec.Struct):
    """A trial. `alone`: out of its bracket, and left to its program. `known`: its result is in the stage that it is a
    member of, or it has none. `earned`: it may run to the level of that stage, for what it did in the stage `before`
    where it came in at `place`. `report`: the last one; `entered`: the one that is in the
    last stage that it came to."""

    number: int
    bracket: OpenBracket
    state: Literal["running", "pausing", "held", "told", "ended", "alone"] = "running"
    earned: bool = True
    known: bool = False
    failed: bool = False
    before: Stage | None = None
    place: int = 0
    report: Progress | None = None
    entered: Progress | None = None

    @property
    def step(self) -> float:
        return self.report.step if self.report is not None else 0.0


class Synchronous:
    """The fold behind `hyperband` with `synchronous: true`."""

    def __init__(self, contest: Contest, ladder: Ladder, brackets: int) -> None:
        assert ladder.top is not None
        self.top, self.most, self.objectives = ladder.top, contest.budget.trials, len(contest.objectives)
        self.kinds = geometry(ladder, brackets)
        self.verdicts = Verdicts(contest, "hyperband")
        self._runners: dict[int, _Runner] = {}
        self._failed = 0
        self._newest = self._bracket(0)
        self._owed: list[tuple[int, int, int]] = []  # bracket, place and number of held trials that may go on

    # ------------------------------------------------------------------------------------------------ what is observed

    def observe(self, deltas: Sequence[Delta]) -> list[Stop | Pause | Continue]:
        """Holds at a rung; when all of a rung is known, who goes on and who is ended."""
        found: dict[int, Command] = {}
        for delta in deltas:
            if not isinstance(delta, Progress):
                found.pop(delta.number, None)  # whatever was to become of it, this has come of it
            found.update({command.trial: command for command in self._observed(delta)})
        return list(found.values())

    def _observed(self, delta: Delta) -> list[Command]:
        runner = self._runner(delta.number)
        if isinstance(delta, Progress):
            return self._reported(runner, delta)
        if isinstance(delta, Ended):
            return self._ended(runner, failed=delta.losses is None)
        if isinstance(delta, Held):
            self._held(runner)
        elif isinstance(delta, Resumed):
            self._leave(runner, "running")
        return []

    def _bracket(self, number: int) -> OpenBracket:
        """The one that is opened as number `number`: the ladder's brackets take turns."""
        first = number % len(self.kinds)
        return OpenBracket(number, first, self.kinds[first], self.objectives)

    def _runner(self, number: int) -> _Runner:
        """The trial; a new one joins the newest bracket, or the next one."""
        if number not in self._runners:
            if self._newest.full:
                self._newest = self._bracket(self._newest.number + 1)
            self._runners[number] = _Runner(number, self._newest)
            self._newest.join()
        return self._runners[number]

    def _held(self, runner: _Runner) -> None:
        if runner.state in {"running", "pausing"}:
            runner.state = "held"
            if runner.earned:
                insort(self._owed, self._claim(runner))

    def _leave(self, runner: _Runner, state: Literal["running", "ended", "told"]) -> None:
        """It is not held any more, if it was: `next` has nothing to do with it."""
        if runner.state == "held" and runner.earned:
            del self._owed[bisect_left(self._owed, self._claim(runner))]
        if runner.state in {"held", "running", "pausing"} or state == "ended":
            runner.state = state

    @staticmethod
    def _claim(runner: _Runner) -> tuple[int, int, int]:
        return (runner.bracket.number, runner.place, runner.number)

    def _ended(self, runner: _Runner, *, failed: bool) -> list[Command]:
        self._leave(runner, "ended")
        self._failed += failed - runner.failed
        runner.failed = failed
        if not runner.known:
            runner.known = True
            runner.bracket.stage.waits -= 1
        # Its end may also mean that no more trials begin, and the newest bracket has all that it will get.
        return self._settled(runner.bracket) + self._settled(self._newest)

    def _reported(self, runner: _Runner, progress: Progress) -> list[Command]:
        if result(progress) is None or runner.state in {"told", "held"}:
            return []
        if runner.state == "ended":  # a user has tried it again
            runner.state = "alone"
        commands = [] if runner.state == "alone" else self._moved(runner, progress)
        if progress.step > self.top:
            runner.state = "told"
            reason = self.verdicts.full(progress.step, self.top)
            commands.append(Stop(trial=runner.number, reason=reason, complete=True))
        return commands

    def _moved(self, runner: _Runner, progress: Progress) -> list[Command]:
        runner.report = progress
        commands = self._settled(runner.bracket) if self._enters(runner) else []
        if runner.state == "running" and not runner.earned and progress.step < self.top:
            runner.state = "pausing"
            commands.append(Pause(trial=runner.number, reason=self._waits(runner)))
        return commands

    def _enters(self, runner: _Runner) -> bool:
        """Whether the trial's result is in the stage now that it is a member of, and was not before."""
        stage = runner.bracket.stage
        if runner.known or runner.bracket.last or runner.step < stage.level:
            return False
        entered = runner.entered = runner.report
        assert entered is not None
        stage.ranking.add(runner.number, _losses(entered), entered.violation)
        stage.waits -= 1
        runner.known, runner.earned = True, False
        return True

    # ------------------------------------------------------------------------------------------------ from rung to rung

    def _settled(self, bracket: OpenBracket) -> list[Command]:
        """The bracket goes on as far as all is known of it."""
        commands: list[Command] = []
        while not bracket.last and not bracket.stage.waits and (bracket.full or self._complete(bracket)):
            commands += self._advance(bracket)
        return commands

    def _complete(self, bracket: OpenBracket) -> bool:
        """Whether a bracket that is not full gets no more trials; then it has its final sizes."""
        if self.most is None or not bracket.begun or len(self._runners) - self._failed < self.most:
            return False
        bracket.shrink()
        return True

    def _advance(self, bracket: OpenBracket) -> list[Command]:
        done = bracket.stage
        ordered = [self._runners[number] for number in done.ranking.best(len(done))]
        alive = [runner for runner in ordered if runner.state in {"running", "pausing", "held"}]
        bracket.advance(min(len(alive), done.keeps))
        lost = [self._loses(runner, done) for runner in alive[done.keeps :]]
        won = [self._goes_on(runner, done, place) for place, runner in enumerate(alive[: done.keeps])]
        return [command for command in lost + won if command is not None]

    def _loses(self, runner: _Runner, done: Stage) -> Command | None:
        if runner.step >= self.top and runner.state == "running":  # nothing is left to save
            runner.state = "alone"
            return None
        self._leave(runner, "told")
        return Stop(trial=runner.number, reason=self._behind(done, runner))

    def _goes_on(self, runner: _Runner, done: Stage, place: int) -> Command | None:
        runner.before, runner.place, runner.known, runner.earned = done, place, False, True
        if self._enters(runner):  # its last report was beyond the next rung too
            return None
        if runner.state == "held":
            insort(self._owed, self._claim(runner))
        return self._onward(runner) if runner.state == "running" and runner.step < self.top else None

    def _behind(self, stage: Stage, runner: _Runner) -> Reason:
        assert runner.entered is not None
        step, losses = runner.entered.step, _losses(runner.entered)
        return self.verdicts.cut(stage, runner.number, step, losses, bracket=runner.bracket.number)

    def _waits(self, runner: _Runner) -> Reason:
        assert runner.entered is not None
        stage, step, losses = runner.bracket.stage, runner.entered.step, _losses(runner.entered)
        then = f"held until all {stage.size} of the rung are known"
        return self.verdicts.waits(stage, runner.number, step, losses, bracket=runner.bracket.number, then=then)

    def _onward(self, runner: _Runner) -> Continue:
        to, before, number, entered = runner.bracket.stage.level, runner.before, runner.number, runner.entered
        if before is None or entered is None:
            return Continue(trial=number, to=to, reason=self.verdicts.on(to))
        reason = self.verdicts.kept(before, number, _losses(entered), to, bracket=runner.bracket.number)
        return Continue(trial=number, to=to, reason=reason)

    # ------------------------------------------------------------------------------------------------- what begins next

    def next(self, number: int, rng: np.random.Generator) -> Next:
        """The best that the oldest bracket has to promote, or a new trial for the newest one, or for the next."""
        if self._owed:
            return self._onward(self._runners[self._owed[0][2]])
        bracket = self._bracket(self._newest.number + 1) if self._newest.full else self._newest
        return Ask(resource=bracket.levels[0].resource, ticket={"bracket": bracket.number, "first": bracket.first})

    def planned(self, trials: int | None) -> list[Bracket]:
        """The brackets, each with all of its turns added up; for None one turn of each."""
        begin = [kind[0].trials for kind in self.kinds]
        turns, rest = (1, 0) if trials is None else divmod(trials, sum(begin))
        found = []
        for kind in self.kinds:
            part = min(rest, kind[0].trials)
            rest -= part
            levels = [Level(turns * n + ceil(n * part / kind[0].trials), resource) for n, resource in _pairs(kind)]
            found.append(Bracket(levels[0].trials, tuple(levels)))
        return [bracket for bracket in found if bracket.trials]


def _losses(progress: Progress) -> tuple[float, ...]:
    found = result(progress)
    assert found is not None, "a report without all objectives does not count"
    return found


def _pairs(levels: Sequence[Level]) -> list[tuple[int, float]]:
    return [(level.trials, level.resource) for level in levels]
