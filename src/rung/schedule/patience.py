"""Ends a trial that has stopped getting better: it has finished training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from rung.model import MethodOption, defaults
from rung.schedule.options import MAX, METRIC, Options
from rung.schedule.reasons import named, shown
from rung.schedule.watch import WatchOne

if TYPE_CHECKING:
    from rung.model import Stop
    from rung.schedule.base import Contest, Ended, Progress


class _Best(msgspec.Struct):
    """The best loss of a running trial, the step it was reported at, and how many reports came since."""

    loss: float
    step: float
    since: int = 0


class Patience(WatchOne):
    """Ends a trial after `reports` reports in a row (or once so much resource as `span` was used up) in which one
    objective (`metric`; the first by default) was not better by more than `min_delta` than its best before. The count
    begins at `grace`.

    This is early stopping in the sense of training: the trial has finished, it was not beaten by another. So it ends as
    `complete`, and its value is what the objective's `value:` picks from its reports: with `value: best` its best,
    with the default `last` the one it ended with.
    """

    rule: ClassVar[str] = "patience"
    declared: ClassVar[dict[str, MethodOption]] = {
        "reports": MethodOption(10, "A trial is ended after so many reports in a row without a better value"),
        "span": MethodOption(
            None, "After so much of the resource without a better value, instead of reports", "number"
        ),
        "min_delta": MethodOption(0, "What is better by no more than this does not count"),
        "metric": METRIC,
        "grace": MethodOption(0, "The count begins at this resource"),
        "max": MAX,
    }
    options: ClassVar[dict[str, Any]] = defaults(declared)

    def __init__(self, contest: Contest) -> None:
        super().__init__(contest)
        options = Options(contest)
        self.span = options.number("span", None, above=0)
        self.reports = options.whole("reports", 10 if self.span is None else None)
        self.min_delta = options.number("min_delta", 0, least=0)
        if self.reports is not None and self.span is not None:
            raise options.error("span", "has no meaning beside `reports`; leave one of them out")
        self._best: dict[int, _Best] = {}

    def judge(self, progress: Progress) -> Stop | None:
        """Whether the trial's patience is at its end."""
        loss = progress.losses[self.index]
        if loss is None:
            return None
        best = self._best.get(progress.number)
        if best is None or loss < best.loss - self.min_delta:
            self._best[progress.number] = _Best(loss, progress.step)
            return None
        if progress.step < self.grace:
            return None
        best.since += 1
        return self._enough(progress, loss, best)

    def forget(self, ended: Ended) -> None:
        """Its best value is not needed any more."""
        self._best.pop(ended.number, None)

    def _enough(self, progress: Progress, loss: float, best: _Best) -> Stop | None:
        if self.reports is not None:
            enough, waited = best.since >= self.reports, f"{best.since} reports"
        else:
            since = progress.step - max(best.step, self.grace)
            enough, waited = since >= (self.span or 0), f"{since:g} of {self.unit}"
        if not enough:
            return None
        delta = f" by more than {self.min_delta:g}" if self.min_delta else ""
        text = (
            f"{named(self.objective, best.loss)} of {self.unit} {best.step:g} was not bettered{delta} in {waited}: "
            "the trial has finished"
        )
        value, threshold = [shown(self.objective, found) for found in (loss, best.loss - self.min_delta)]
        return self.stop(progress, text, value=[value], threshold=[threshold], complete=True)

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        waited = f"{self.reports} reports" if self.reports is not None else f"{self.span:g} of {self.unit}"
        return f"patience: a trial has finished when {self.objective.metric} was not better in {waited}"
