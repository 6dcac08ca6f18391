"""What trials report, as TensorBoard's event files."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..tuner_callback import TunerCallback

if TYPE_CHECKING:
    from pathlib import Path

    from ..backend.trial_status import Trial
    from ..tuner import Tuner


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class TensorboardCallback(TunerCallback):
    """Writes every metric, the best so far of `target_metric`, how it came about, runtime and number of trials to
    `tensorboard_output` below the tuner's folder. Needs the package tensorboardX."""

    def __init__(
        self,
        ignore_metrics: list[str] | None = None,
        target_metric: str | None = None,
        mode: str | None = None,
        log_hyperparameters: bool = True,
    ) -> None:
        self.ignore_metrics = set(ignore_metrics or ())
        self.target_metric, self.mode = target_metric, mode
        self.log_hyperparameters = log_hyperparameters
        self.output_path: Path | None = None
        self._best: float | None = None
        self._step = 0
        self._trials: set[int] = set()

    def on_tuning_start(self, tuner: Tuner) -> None:
        """The writer is open."""
        try:
            from tensorboardX import SummaryWriter  # type: ignore[import-untyped,unused-ignore] # only for event files
        except ModuleNotFoundError:
            raise ModuleNotFoundError(
                "TensorboardCallback needs the package tensorboardX: install it, or leave the callback out "
                "and look at the study with `rung show`"
            ) from None
        self.output_path = tuner.tuner_path / "tensorboard_output"
        self.writer = SummaryWriter(str(self.output_path))
        names = tuner.scheduler.metric_names()
        if self.target_metric is None:
            self.target_metric = names[0]
        if self.mode is None:
            modes = tuner.scheduler.metric_modes()
            self.mode = modes[names.index(self.target_metric)] if self.target_metric in names else modes[0]
        self._began = time.monotonic()

    def on_trial_result(self, trial: Trial, status: str, result: dict[str, Any], decision: str) -> None:
        """The report is written, one step on."""
        self._trials.add(trial.trial_id)
        for name, value in result.items():
            if _is_number(value) and name not in self.ignore_metrics and not name.startswith("st_"):
                self.writer.add_scalar(name, value, self._step)
        value = result.get(self.target_metric or "")
        if value is not None:
            self._follow_best(trial, value)
        self.writer.add_scalar("runtime", time.monotonic() - self._began, self._step)
        self.writer.add_scalar("number_of_trials", len(self._trials), self._step)
        self._step += 1

    def _follow_best(self, trial: Trial, value: float) -> None:
        better = self._best is None or (value < self._best if self.mode == "min" else value > self._best)
        if better:
            self._best = value
        self.writer.add_scalar(f"optimal_{self.target_metric}", self._best, self._step)
        if better and self.log_hyperparameters:
            for name, setting in trial.config.items():
                if _is_number(setting):
                    self.writer.add_scalar(f"optimal_{name}", setting, self._step)
                else:
                    self.writer.add_text(f"optimal_{name}", str(setting), self._step)

    def on_tuning_end(self) -> None:
        """The files are whole."""
        self.writer.close()
