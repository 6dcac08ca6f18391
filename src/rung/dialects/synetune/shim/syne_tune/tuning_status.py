"""How a tuning stands: what stopping criteria and callbacks are given."""

from __future__ import annotations

import numbers
import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from .backend.trial_status import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .backend.trial_status import Trial

_OVER = frozenset({Status.completed, Status.failed, Status.stopped, Status.stopping})
_TIME, _COST = "st_worker_time", "st_worker_cost"


class MetricsStatistics:
    """The numbers that were reported under each name: how many reports, the least, the greatest, the sum, the last."""

    def __init__(self) -> None:
        self.count = 0
        self.is_numeric: dict[str, bool] = {}
        self.min_metrics: dict[str, float] = {}
        self.max_metrics: dict[str, float] = {}
        self.sum_metrics: dict[str, float] = {}
        self.last_metrics: dict[str, Any] = {}

    def add(self, metrics: Mapping[str, Any]) -> None:
        """One report more. What is no number only shows as the last value; NaN is neither the least nor greatest."""
        for name, value in metrics.items():
            number = isinstance(value, numbers.Number) and not isinstance(value, bool | complex)
            self.is_numeric[name] = number
            if number and value == value:  # NaN is the number that differs from itself
                self.min_metrics[name] = min(value, self.min_metrics.get(name, value))
                self.max_metrics[name] = max(value, self.max_metrics.get(name, value))
                self.sum_metrics[name] = value + self.sum_metrics.get(name, 0)
        self.last_metrics.update(metrics)
        self.count += 1


class TuningStatus:
    """Counts and statistics of all trials so far. `metric_names`: the objectives."""

    def __init__(self, metric_names: list[str]) -> None:
        self.metric_names = list(metric_names)
        self.start_time = time.perf_counter()
        self.wallclock: float | None = None  # seconds that the study has been worked on, where it knows better
        self.overall_metric_statistics = MetricsStatistics()
        self.trial_metric_statistics: dict[int, MetricsStatistics] = defaultdict(MetricsStatistics)
        self.last_trial_status_seen: dict[int, str] = {}
        self.trial_rows: dict[int, dict[str, Any]] = {}
        self._counts: Counter[str] = Counter()
        self._summed: dict[str, dict[int, float]] = {_TIME: {}, _COST: {}}
        self._sums = {_TIME: 0.0, _COST: 0.0}

    def update(
        self, trial_status_dict: Mapping[int, tuple[Trial, str]], new_results: Iterable[tuple[int, Mapping[str, Any]]]
    ) -> None:
        """The trials named have these statuses now, and have made these reports since."""
        for trial_id, result in new_results:
            self.overall_metric_statistics.add(result)
            self.trial_metric_statistics[trial_id].add(result)
            self._sum(trial_id, result)
        for trial_id, (trial, status) in trial_status_dict.items():
            before = self.last_trial_status_seen.get(trial_id)
            self._counts[status] += 1
            if before is not None:
                self._counts[before] -= 1
            self.last_trial_status_seen[trial_id] = status
            row = self.trial_rows.setdefault(trial_id, {"trial_id": trial_id, **trial.config})
            told = self.trial_metric_statistics.get(trial_id)
            last = {} if told is None else told.last_metrics
            row.update(status=status, **{name: value for name, value in last.items() if name != "trial_id"})

    def _sum(self, trial_id: int, result: Mapping[str, Any]) -> None:
        for name, seen in self._summed.items():
            value = result.get(name)
            if isinstance(value, int | float) and value > seen.get(trial_id, 0.0):
                self._sums[name] += value - seen.get(trial_id, 0.0)
                seen[trial_id] = value

    def mark_running_job_as_stopped(self) -> None:
        """What was running counts as stopped."""
        for trial_id, status in list(self.last_trial_status_seen.items()):
            if status == Status.in_progress:
                self.last_trial_status_seen[trial_id] = Status.stopped
                self._counts[status] -= 1
                self._counts[Status.stopped] += 1

    @property
    def num_trials_started(self) -> int:
        """Trials that were begun."""
        return len(self.last_trial_status_seen)

    @property
    def num_trials_completed(self) -> int:
        """Trials that came to their own end."""
        return self._counts[Status.completed]

    @property
    def num_trials_failed(self) -> int:
        """Trials that failed."""
        return self._counts[Status.failed]

    @property
    def num_trials_finished(self) -> int:
        """Trials that are over, however they ended."""
        return sum(self._counts[status] for status in _OVER)

    @property
    def num_trials_running(self) -> int:
        """Trials that run now."""
        return self._counts[Status.in_progress]

    @property
    def num_evaluations(self) -> int:
        """Reports of all trials."""
        return self.overall_metric_statistics.count

    @property
    def wallclock_time(self) -> float:
        """Seconds since the tuning began."""
        return time.perf_counter() - self.start_time if self.wallclock is None else self.wallclock

    @property
    def user_time(self) -> float:
        """Seconds that all trials together have worked, as they say."""
        return self._sums[_TIME]

    @property
    def cost(self) -> float:
        """What all trials together have cost, as they say."""
        return self._sums[_COST]

    def get_dataframe(self) -> Any:
        """A row a trial: its configuration, its status, what it reported last."""
        import pandas as pd  # only for those who ask for a frame

        return pd.DataFrame(self.trial_rows.values())

    def __str__(self) -> str:
        counts = ", ".join(f"{n} {status}" for status, n in self._counts.items() if n) or "no trials"
        return f"{counts}; {self.num_evaluations} reports in {self.wallclock_time:.1f} s"
