"""Hooks into the life of a trial."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class PyTorchCallback:
    """Does nothing at every hook; override what you need. One with a state overrides `state_dict` and its load too.

    `on_trial_startup` and `on_trial_shutdown` enclose everything; epochs are counted from 0.
    """

    def on_trial_startup(self, first_batch_idx: int, checkpoint_uuid: str | None) -> None:
        """Before training, after a checkpoint was loaded: where it goes on, and from which checkpoint."""

    def on_trial_shutdown(self) -> None:
        """After everything, also when training raised."""

    def on_training_start(self) -> None:
        """Before the first batch of this process."""

    def on_training_epoch_start(self, epoch_idx: int) -> None:
        """Before the first batch of an epoch, and where training goes on within one."""

    def on_training_epoch_end(self, epoch_idx: int) -> None:
        """After the last batch of an epoch."""

    def on_training_workload_end(self, avg_metrics: dict[str, Any], batch_metrics: list[dict[str, Any]]) -> None:
        """Training metrics are to be reported: their averages, and those of each batch since the report before."""

    def on_validation_start(self) -> None:
        """Before a validation."""

    def on_validation_end(self, metrics: dict[str, Any]) -> None:
        """After a validation, with what is reported."""

    def on_validation_epoch_start(self) -> None:
        """Before the first batch of a validation."""

    def on_validation_epoch_end(self, outputs: list[Any]) -> None:
        """After the last batch of a validation, with what `evaluate_batch` gave for each."""

    def on_validation_step_start(self) -> None:
        """As `on_validation_start`, of old."""

    def on_validation_step_end(self, metrics: dict[str, Any]) -> None:
        """As `on_validation_end`, of old."""

    def on_checkpoint_load_start(self, checkpoint: dict[str, Any] | None) -> None:
        """A checkpoint was read and may be changed before it is loaded."""

    def on_checkpoint_save_start(self, checkpoint: dict[str, Any]) -> None:
        """A checkpoint was put together and may be changed before it is written."""

    def on_checkpoint_end(self, checkpoint_dir: str) -> None:
        """As `on_checkpoint_write_end`, of old."""

    def on_checkpoint_write_end(self, checkpoint_dir: str) -> None:
        """The checkpoint is in this folder; what is added to it is stored with it."""

    def on_checkpoint_upload_end(self, uuid: str) -> None:
        """The checkpoint is stored under this id."""

    def on_before_optimizer_step(self, parameters: Iterator[Any]) -> None:
        """Before a step of the optimizer, of old: for trials with `build_model`."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint is to hold of this callback."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The callback is as it was when `state_dict` gave this."""


class ClipGradsL2Norm(PyTorchCallback):
    """Clips the gradients to this norm before every step, for trials with `build_model`."""

    def __init__(self, clip_value: float) -> None:
        self._clip_value = clip_value

    def on_before_optimizer_step(self, parameters: Iterator[Any]) -> None:
        """The gradients have at most that norm."""
        import torch

        torch.nn.utils.clip_grad_norm_(parameters, self._clip_value)


class ClipGradsL2Value(PyTorchCallback):
    """Clips each gradient to this value before every step, for trials with `build_model`."""

    def __init__(self, clip_value: float) -> None:
        self._clip_value = clip_value

    def on_before_optimizer_step(self, parameters: Iterator[Any]) -> None:
        """No gradient is larger than that value."""
        import torch

        torch.nn.utils.clip_grad_value_(parameters, self._clip_value)
