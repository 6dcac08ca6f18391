"""Ends a trial whose metric leaves its bounds or diverges."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from rung.model import MethodOption, defaults
from rung.schedule.options import GRACE, MAX, METRIC, Options
from rung.schedule.reasons import figure, named, shown
from rung.schedule.watch import WatchOne

if TYPE_CHECKING:
    from rung.model import Stop
    from rung.schedule.base import Contest, Ended, Progress

AGAINST = ("best", "first")


class Threshold(WatchOne):
    """Ends a trial as soon as a report of one objective (`metric`; the first by default) shows one of these.

    - It is above `above` or below `below`: bounds on the metric as it is reported (for a goal that is a number, on the
      distance to it).
    - It is no finite number, unless `nan: false`.
    - It is `factor` times worse than the trial's best so far, or than its first with `against: first`. A factor says
      nothing where that value is zero or negative (or the objective is both maximised and negative).

    Bounds and factor hold from resource `grace` on; a number that is not finite ends the trial at once.
    """

    rule: ClassVar[str] = "threshold"
    declared: ClassVar[dict[str, MethodOption]] = {
        "metric": METRIC,
        "above": MethodOption(None, "A trial whose metric is above this is ended", "number"),
        "below": MethodOption(None, "A trial whose metric is below this is ended", "number"),
        "factor": MethodOption(None, "A trial that is so many times worse than it was is ended", "number"),
        "against": MethodOption("best", "Its best value so far, or its first, is what the factor is of", words=AGAINST),
        "nan": MethodOption(True, "Whether a value that is no finite number ends a trial"),
        "grace": GRACE,
        "max": MAX,
    }
    options: ClassVar[dict[str, Any]] = defaults(declared)

    def __init__(self, contest: Contest) -> None:
        super().__init__(contest)
        options = Options(contest)
        self.above = options.number("above", None)
        self.below = options.number("below", None)
        self.factor = options.number("factor", None, above=1)
        self.against = options.word("against", "best", AGAINST)
        self.nan = options.flag("nan", True)
        self._base: dict[int, float] = {}  # the finite loss that the factor is held against, of each running trial
        if self.above is not None and self.below is not None and self.above <= self.below:
            raise options.error(
                "above", f"must be above `below` ({self.below}), or every value is out, got {self.above}"
            )
        if self.factor is None and self.above is None and self.below is None and not self.nan:
            raise options.error("nan", "nothing would ever end a trial: give `above`, `below` or `factor`")

    def judge(self, progress: Progress) -> Stop | None:
        """The first of the bounds that the report breaks."""
        loss = progress.losses[self.index]
        if loss is None:
            return None
        if not math.isfinite(loss):
            what = f"{self.objective.metric} is not a finite number"
            return self._out(progress, loss, what, None, "nan") if self.nan else None
        base = self._base.get(progress.number)
        found = self._outside(progress, loss) or (None if base is None else self._diverged(progress, loss, base))
        if base is None or (self.against == "best" and loss < base):
            self._base[progress.number] = loss
        return found if progress.step >= self.grace else None

    def forget(self, ended: Ended) -> None:
        """Its first or best value is not needed any more."""
        self._base.pop(ended.number, None)

    def _outside(self, progress: Progress, loss: float) -> Stop | None:
        value = shown(self.objective, loss)
        if self.above is not None and value > self.above:
            bound, word = self.above, "above"
        elif self.below is not None and value < self.below:
            bound, word = self.below, "below"
        else:
            return None
        text = f"{named(self.objective, loss)} is {word} {figure(bound)}"
        return self._out(progress, loss, text, bound, word)

    def _diverged(self, progress: Progress, loss: float, base: float) -> Stop | None:
        if self.factor is None:
            return None
        start = shown(self.objective, base)
        if start <= 0:
            return None
        maximized = self.objective.goal == "maximize"
        limit = start / self.factor if maximized else start * self.factor
        value = shown(self.objective, loss)
        if value >= limit if maximized else value <= limit:
            return None
        text = (
            f"{named(self.objective, loss)} is {self.worse(self.index)} {figure(limit)}, "
            f"{self.factor:g} times worse than its {self.against}, {figure(start)}"
        )
        return self._out(progress, loss, text, limit, "factor")

    def _out(self, progress: Progress, loss: float, text: str, bound: float | None, which: str) -> Stop:
        value = [shown(self.objective, loss)]
        return self.stop(progress, text, value=value, threshold=None if bound is None else [bound], which=which)

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        bounds = [f"above {self.above:g}"] if self.above is not None else []
        bounds += [f"below {self.below:g}"] if self.below is not None else []
        bounds += [f"{self.factor:g} times worse than its {self.against}"] if self.factor is not None else []
        bounds += ["no finite number"] if self.nan else []
        return f"threshold: ends a trial whose {self.objective.metric} is {' or '.join(bounds)}"
