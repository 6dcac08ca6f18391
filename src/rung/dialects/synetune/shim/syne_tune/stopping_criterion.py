"""When a tuning is over: at the first limit that is reached, and at it, not after it."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .tuning_status import TuningStatus


@dataclass
class StoppingCriterion:
    """True once any of its limits is reached. Those of a metric hold for any single report of it; times are seconds,
    `max_num_evaluations` counts reports, `finished` are trials that completed, were stopped or failed."""

    max_wallclock_time: float | None = None
    max_num_evaluations: int | None = None
    max_num_trials_started: int | None = None
    max_num_trials_completed: int | None = None
    max_cost: float | None = None
    max_num_trials_finished: int | None = None
    min_metric_value: dict[str, float] | None = None
    max_metric_value: dict[str, float] | None = None

    def __call__(self, status: TuningStatus) -> bool:
        """Whether a limit is reached."""
        counted = (
            (self.max_wallclock_time, status.wallclock_time),
            (self.max_num_evaluations, status.num_evaluations),
            (self.max_num_trials_started, status.num_trials_started),
            (self.max_num_trials_completed, status.num_trials_completed),
            (self.max_cost, status.cost),
            (self.max_num_trials_finished, status.num_trials_finished),
        )
        if any(limit is not None and number >= limit for limit, number in counted):
            return True
        seen = status.overall_metric_statistics
        low, high = seen.min_metrics, seen.max_metrics
        return any(name in low and low[name] <= value for name, value in (self.min_metric_value or {}).items()) or any(
            name in high and high[name] >= value for name, value in (self.max_metric_value or {}).items()
        )


class PlateauStopper:
    """True once the best values of the `num_trials` best trials differ by a standard deviation of at most `std`, and
    did at `patience` looks before."""

    def __init__(
        self, metric: str, std: float = 0.001, num_trials: int = 10, mode: str = "min", patience: int = 0
    ) -> None:
        if mode not in {"min", "max"}:
            raise ValueError(f"mode: expected min or max, got {mode!r}")
        if not isinstance(num_trials, int) or num_trials < 2:
            raise ValueError(f"num_trials: expected a whole number of 2 or more, got {num_trials!r}")
        if not isinstance(patience, int) or patience < 0:
            raise ValueError(f"patience: expected a whole number of 0 or more, got {patience!r}")
        if std <= 0:
            raise ValueError(f"std: must be above 0, got {std!r}")
        self.metric, self.std, self.num_trials, self.mode, self.patience = metric, std, num_trials, mode, patience
        self._looks = 0

    def __call__(self, status: TuningStatus) -> bool:
        """Whether nothing better is to be expected."""
        high = self.mode == "max"
        values = [
            found[self.metric]
            for trial in status.trial_metric_statistics.values()
            if self.metric in (found := trial.max_metrics if high else trial.min_metrics)
        ]
        best = sorted(values, reverse=high)[: self.num_trials]
        flat = len(best) == self.num_trials and statistics.pstdev(best) <= self.std
        self._looks = self._looks + 1 if flat else 0
        return flat and self._looks > self.patience


class AutomaticTerminationCriterion:
    """Not covered: raises, and says what takes its place."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError(
            "AutomaticTerminationCriterion is not covered: PlateauStopper is, and so is Rung's own "
            "`rung run --set budget.improvement=X launch.py`, with BayesianOptimization"
        )
