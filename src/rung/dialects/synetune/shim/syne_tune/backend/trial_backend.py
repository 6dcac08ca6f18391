"""What the backends share: the tuner's study behind them, by which trials can be looked at and started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..backend.trial_status import Trial, TrialResult
    from ..tuner import Tuner


class TrialBackend:
    """A backend. It knows its trials once a `Tuner` that was given it has run."""

    def __init__(self, delete_checkpoints: bool = False, pass_args_as_json: bool = False) -> None:
        self.delete_checkpoints = delete_checkpoints
        self.pass_args_as_json = pass_args_as_json
        self.num_gpus_per_trial, self.rotate_gpus = 1, False
        self.gpus_to_use: list[int] | None = None
        self._tuner: Tuner | None = None

    def set_tuner(self, tuner: Tuner) -> None:
        """The tuner whose trials these are."""
        self._tuner = tuner

    @property
    def tuner(self) -> Tuner:
        """The tuner. Raises `RuntimeError` before there is one."""
        if self._tuner is None:
            raise RuntimeError("this backend has no tuner yet: give it to a Tuner first")
        return self._tuner

    def entrypoint_path(self) -> Path:
        """The script."""
        raise NotImplementedError

    def program(self) -> dict[str, Any]:
        """How a trial is started, for the study's log."""
        raise NotImplementedError

    def trial_ids(self) -> list[int]:
        """All trials."""
        return list(range(self.tuner.experiment.count))

    def start_trial(self, config: dict[str, Any], checkpoint_trial_id: int | None = None) -> Trial:
        """A trial of its own, apart from the study, runs `config` to its end now, from the last checkpoint of
        `checkpoint_trial_id` if one is given; returns it once it is over."""
        return self.tuner.retrain(config, checkpoint_trial_id)

    def trial_path(self, trial_id: int) -> Path:
        """The folder of the trial's last attempt."""
        return self.tuner.experiment.attempt(trial_id)

    def checkpoint_trial_path(self, trial_id: int) -> Path:
        """The folder that holds the trial's last checkpoint."""
        return self.tuner.experiment.checkpoint(trial_id)

    def stdout(self, trial_id: int) -> list[str]:
        """The lines that the trial wrote."""
        return self._lines(trial_id, "stdout")

    def stderr(self, trial_id: int) -> list[str]:
        """The lines that the trial wrote as errors."""
        return self._lines(trial_id, "stderr")

    def _lines(self, trial_id: int, name: str) -> list[str]:
        path = self.trial_path(trial_id) / name
        return path.read_text("utf-8", "replace").splitlines(keepends=True) if path.is_file() else []

    def fetch_status_results(
        self, trial_ids: Sequence[int]
    ) -> tuple[dict[int, tuple[Trial, str]], list[tuple[int, dict[str, Any]]]]:
        """The status of these trials, and all that they have reported, oldest first."""
        return self.tuner.experiment.fetch(trial_ids)

    def trial_results(self, trial_ids: Sequence[int]) -> list[TrialResult]:
        """These trials with all that they have reported."""
        statuses, results = self.fetch_status_results(trial_ids)
        return [
            trial.add_results([result for number, result in results if number == trial_id], status)
            for trial_id, (trial, status) in statuses.items()
        ]
