"""Ends a trial whose best result so far is worse than a percentile of what others had at the same resource."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from rung.model import MethodOption, defaults
from rung.schedule.marks import Column, Marks, Point, passed
from rung.schedule.options import GRACE, INTERVAL, MAX, Options
from rung.schedule.reasons import figure, shown
from rung.schedule.watch import Watch, losses_of

if TYPE_CHECKING:
    from rung.model import Stop
    from rung.schedule.base import Contest, Ended, Progress

POPULATION = MethodOption(5, "So many others must have come as far before a trial is ended")


class _Runner:
    """What is kept of a trial that may run: its last point, its best losses, and the sums of all finite ones."""

    def __init__(self, objectives: int) -> None:
        self.last: Point | None = None
        self.best = (math.inf,) * objectives
        self.count = 0
        self._sums = [Fraction(0)] * objectives  # exact: equal averages must not differ by a rounding
        self._worst = [False] * objectives

    def add(self, losses: tuple[float, ...]) -> None:
        """One more report."""
        self.count += 1
        self.best = tuple(map(min, self.best, losses))
        for o, loss in enumerate(losses):
            if loss == math.inf:
                self._worst[o] = True
            else:
                self._sums[o] += Fraction(loss)

    def means(self) -> tuple[float, ...]:
        """The running average of each objective; +inf once one of its losses was."""
        pairs = zip(self._sums, self._worst, strict=True)
        return tuple(math.inf if worst else float(total / self.count) for total, worst in pairs)


class Percentile(Watch):
    """The best `percentile` per cent of the trials at each resource go on, as Optuna's `PercentilePruner` has it.

    At each mark (`marks.Marks`) that a report passes, the trial's best loss so far is compared with the percentile of
    the losses that the other trials had there.

    Several objectives: the trial ends when more of the others dominate its best values (the best of each objective)
    than may stand in front of it. Whoever breaks a bound stands behind all who keep them.
    """

    rule: ClassVar[str] = "percentile"
    declared: ClassVar[dict[str, MethodOption]] = {
        "percentile": MethodOption(50, "The best so many per cent at each resource go on"),
        "population": POPULATION,
        "grace": GRACE,
        "interval": INTERVAL,
        "max": MAX,
    }
    options: ClassVar[dict[str, Any]] = defaults(declared)
    average = False

    def __init__(self, contest: Contest) -> None:
        super().__init__(contest)
        options = Options(contest)
        self.share = options.number("percentile", self.options.get("percentile", 50), above=0, below=100) / 100
        self.population = options.whole("population", 5)
        self.grace = options.number("grace", 0, least=0)
        self.marks = Marks(options.number("interval", None, above=0))
        self._columns: dict[int, Column] = {}
        self._runners: dict[int, _Runner] = {}

    def judge(self, progress: Progress) -> Stop | None:
        """The lowest mark passed that speaks against the trial; all of them get its result."""
        losses = losses_of(progress)
        if losses is None or progress.step <= 0:
            return None
        runner = self._runners.setdefault(progress.number, _Runner(len(losses)))
        runner.add(losses)
        now = Point(progress.step, runner.means() if self.average else losses)
        found: Stop | None = None
        for mark, there in passed(self.marks, runner.last, now):
            column = self._columns.setdefault(mark, Column(len(self.objectives)))
            found = found or self._against(progress, runner, mark, column)
            column.add(progress.number, there, progress.violation)
        runner.last = now
        return found

    def forget(self, ended: Ended) -> None:
        """What is kept of a running trial goes; its results stay."""
        self._runners.pop(ended.number, None)

    def _against(self, progress: Progress, runner: _Runner, mark: int, column: Column) -> Stop | None:
        if len(column) < self.population or self.marks.at(mark) < self.grace:
            return None
        ahead = column.ahead(runner.best, progress.violation)
        if ahead <= self.share * (len(column) - 1):
            return None
        several = len(self.objectives) > 1
        threshold = None if several else column.quantile(self.share)
        if threshold is not None and progress.violation == 0 and runner.best[0] <= threshold:
            return None
        return self.stop(
            progress,
            self._text(progress, runner.best, threshold, ahead, column),
            value=self.shown(runner.best),
            threshold=None if threshold is None else self.shown([threshold]),
            lost_to=column.named(runner.best, progress.violation),
            others=len(column),
        )

    def _text(
        self, progress: Progress, best: tuple[float, ...], threshold: float | None, ahead: int, column: Column
    ) -> str:
        if progress.violation > 0:
            return f"breaks its bounds by {progress.violation:.6g}: {ahead} of {len(column)} others are ahead"
        if threshold is None:
            return f"best {self.named(best)}: dominated by {ahead} of {len(column)} others, not within {self.what}"
        found = figure(shown(self.objectives[0], threshold))
        return f"best {self.named(best)} is {self.worse(0)} {found}, {self.what} of {len(column)} others"

    @property
    def what(self) -> str:
        """What the trial is compared with, in words."""
        return f"the best {self.share * 100:g} %"

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        return (
            f"percentile: ends a trial whose best so far is not within the best {self.share * 100:g} % of others at "
            f"the same {self.unit}, once {self.population} others came as far"
        )
