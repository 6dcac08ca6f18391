"""Ends a trial whose best result so far is worse than the median of the running averages of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rung.schedule.options import Options
from rung.schedule.percentile import Percentile

if TYPE_CHECKING:
    from rung.schedule.base import Contest


class Median(Percentile):
    """The median stopping rule (Golovin et al. 2017, "Google Vizier", section 3.2.1): a trial ends at step s when its
    best value by s is strictly worse than the median of the running averages, over the steps up to s, of the other
    trials that have come as far. `average: false` takes their values at s instead, as Optuna's `MedianPruner` does.

    `population`: so many others must have come as far. `grace`: nobody is ended below that resource. `interval`:
    compare at its multiples only.
    """

    rule: ClassVar[str] = "median"
    options: ClassVar[dict[str, Any]] = {"population": 5, "grace": 0, "interval": None, "average": True, "max": None}

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
