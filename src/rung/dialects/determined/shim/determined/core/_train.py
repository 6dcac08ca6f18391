"""Reporting metrics."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from determined import _absent, _study
from determined.core._searcher import place_of, progress
from rung.inside import session

if TYPE_CHECKING:
    from collections.abc import Callable


class EarlyExitReason(enum.Enum):
    """Why a trial ends before its time."""

    INVALID_HP = "EXITED_REASON_INVALID_HP"
    USER_REQUESTED_STOP = "EXITED_REASON_USER_REQUESTED_STOP"


class TrainContext:
    """Reports of training and validation metrics. The searcher judges by the validation's alone."""

    def set_status(self, status: str) -> None:
        """The text is in the trial's log."""
        _study.say(f"status: {status}")

    def report_training_metrics(
        self,
        steps_completed: int,
        metrics: dict[str, Any],
        batch_metrics: list[dict[str, Any]] | None = None,
        epochs: int | None = None,
    ) -> None:
        """The metrics are part of the report of these steps, as `training.NAME`."""
        self.report_metrics("training", steps_completed, metrics)

    def report_validation_metrics(self, steps_completed: int, metrics: dict[str, Any]) -> None:
        """The metrics are the trial's at these steps. Raises `RuntimeError` for one that is None, and, where a time
        metric is configured, for reports without it or without the searcher's metric."""
        missing = [name for name, value in metrics.items() if value is None]
        if missing:
            raise RuntimeError(f"validation metric {missing[0]!r} is None: report a number, or leave it out")
        study = _study.current()
        if study is not None and study.time_metric is not None:
            _check(study, metrics)
        self._say("validation", steps_completed, metrics)
        if progress.operation is None:
            _study.reports.flush()

    def report_metrics(self, group: str, steps_completed: int, metrics: dict[str, Any]) -> None:
        """The metrics are part of the report of these steps, as `GROUP.NAME`; of the group `validation` as NAME."""
        if group == "validation":
            self.report_validation_metrics(steps_completed, metrics)
        else:
            self._say(group, steps_completed, metrics)

    def _say(self, group: str, steps: int, metrics: dict[str, Any]) -> None:
        if _study.current() is None:
            _study.say(f"step {steps}: {group} {metrics}")
            return
        prefix = "" if group == "validation" else f"{group}."
        place = _place(steps, metrics)
        if place is None:
            progress.hold(steps, metrics, prefix)
        else:  # what is said too late to be placed where it was belongs to where the trial is
            _study.reports.add(max(place, _study.reports.place), metrics, prefix=prefix)

    def report_progress(self, progress: float) -> None:
        """Nothing to do: Rung counts by what is reported."""

    def report_early_exit(self, reason: EarlyExitReason) -> None:
        """The trial ends for this reason: another takes its place when its hyperparameters are invalid."""
        if EarlyExitReason(reason) is EarlyExitReason.INVALID_HP:
            session.invalid("the program reported that its hyperparameters are invalid")

    def get_experiment_best_validation(self) -> float | None:
        """The best value that this trial has reported, None before any: a trial does not see the others."""
        return _study.reports.best

    def get_tensorboard_path(self) -> Path:
        """A folder for event files, which exists now."""
        base = Path(session.current().directory) if session.trial else session.checkpoint_dir().parent
        path = base / "tensorboard"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def upload_tensorboard_files(
        self,
        selector: Callable[[Path], bool] | None = None,
        mangler: Callable[[Path, int], Path] | None = None,
    ) -> None:
        """Nothing to do: they stay where they are."""

    def set_metadata(self, metadata: dict[str, Any]) -> None:
        """Raises: trials have no metadata."""
        _absent.refuse("core.TrainContext.set_metadata", "print it, or write a file into RUNG_TRIAL_DIR")

    def get_metadata(self) -> dict[str, Any] | None:
        """Raises: trials have no metadata."""
        _absent.refuse("core.TrainContext.get_metadata", "read the file that you wrote")


def _place(steps: int, metrics: dict[str, Any]) -> float | None:
    """How far the trial is: by the time metric where one is configured and reported, else by its steps."""
    study = _study.current()
    if study is None or study.time_metric is None:
        return place_of(steps)
    time = _study.plain(metrics.get(study.time_metric))
    return float(time) if time is not None else max(_study.reports.here, 0.0)


def _check(study: _study.Study, metrics: dict[str, Any]) -> None:
    """Raises what the original's searcher says of a report that it cannot judge."""
    found = _study.plain(metrics.get(study.metric))
    if found is None:
        raise RuntimeError(f"error parsing searcher metric ({study.metric}) from validation metrics")
    time = _study.plain(metrics.get(study.time_metric or ""))
    if time is None:
        raise RuntimeError(f"error parsing searcher time metric ({study.time_metric}) in validation metrics")


class ProfilerContext:
    """Profiling, of which there is none: both calls do nothing."""

    def on(self, sampling_interval: int = 1, samples_per_report: int = 10) -> None:
        """Nothing is measured."""

    def off(self) -> None:
        """Nothing was measured."""
