"""Keeping what trials report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .tuner_callback import TunerCallback

if TYPE_CHECKING:
    from collections.abc import Callable

    from .backend.trial_status import Trial
    from .tuner import Tuner


class ExtraResultsComposer:
    """Further columns for each row of results; override both methods."""

    def __call__(self, tuner: Tuner) -> dict[str, Any] | None:
        """What to add to the row now, by column; None for nothing."""
        raise NotImplementedError

    def keys(self) -> list[str]:
        """The columns that there may be."""
        raise NotImplementedError


class StoreResultsCallback(TunerCallback):
    """The results are written in any case, from the study's log; this one adds columns of `extra_results_composer`."""

    def __init__(
        self,
        add_wallclock_time: bool = True,
        extra_results_composer: Callable[[Tuner], dict[str, Any] | None] | None = None,
    ) -> None:
        self.add_wallclock_time = add_wallclock_time
        self.extra_results_composer = extra_results_composer
        self.results: list[dict[str, Any]] = []
        self._tuner: Tuner | None = None

    def on_tuning_start(self, tuner: Tuner) -> None:
        """The tuner is known."""
        self._tuner = tuner

    def on_trial_result(self, trial: Trial, status: str, result: dict[str, Any], decision: str) -> None:
        """The row of this report, with what the composer adds, is known."""
        row: dict[str, Any] = {
            **result, "st_decision": decision, "st_status": status, "trial_id": trial.trial_id,
            **{f"config_{name}": value for name, value in trial.config.items()},
        }  # fmt: skip
        if self._tuner is not None:
            if self.add_wallclock_time:
                row["st_tuner_time"] = self._tuner.tuning_status.wallclock_time
            if self.extra_results_composer is not None:
                row.update(self.extra_results_composer(self._tuner) or {})
        self.results.append(row)

    def extend(self, rows: list[dict[str, Any]], first: int) -> None:
        """The rows from `first` on, which are those that this callback has seen, have its further columns too."""
        if self.extra_results_composer is not None:
            for row, seen in zip(rows[first:], self.results, strict=False):
                row.update({name: value for name, value in seen.items() if name not in row})

    def dataframe(self) -> Any:
        """The rows of this run, as a frame."""
        import pandas as pd  # only for those who ask for a frame

        return pd.DataFrame(self.results)
