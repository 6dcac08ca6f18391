"""Ends a trial whose best result so far is worse than the median of the running averages of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rung.model import MethodOption, defaults
from rung.schedule.options import GRACE, INTERVAL, MAX, Options
from rung.schedule.percentile import POPULATION, Percentile

if TYPE_CHECKING:
    from rung.schedule.base import Contest


class Median(Percentile):
    """The median stopping rule (Golovin et al. 2017, "Google Vizier", section 3.2.1): a trial ends at step s when its
    best value by s is strictly worse than the median of the running averages, over the steps up to s, of the other
    trials that have come as far. `average: false` takes their values at s instead, as Optuna's `MedianPruner` does.
    """

    rule: ClassVar[str] = "median"
    declared: ClassVar[dict[str, MethodOption]] = {
        "population": POPULATION,
        "grace": GRACE,
        "interval": INTERVAL,
        "average": MethodOption(True, "Whether others count by their running average, not by their value at the step"),
        "max": MAX,
    }
    options: ClassVar[dict[str, Any]] = defaults(declared)

    def __init__(self, contest: Contest) -> None:
        super().__init__(contest)
        self.average = Options(contest).flag("average", True)

    @property
    def what(self) -> str:
        """What the trial is compared with, in words."""
        return "the median of the running averages" if self.average else "the median"

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        what = "running averages" if self.average else "results"
        return (
            f"median: ends a trial whose best so far is worse than the median of the {what} of others at the same "
            f"{self.unit}, once {self.population} others came as far"
        )
