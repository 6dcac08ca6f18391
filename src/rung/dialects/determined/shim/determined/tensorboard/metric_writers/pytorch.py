"""A writer of event files for programs that log more than metrics."""

from __future__ import annotations

from typing import Any

from determined.core._train import TrainContext


class TorchWriter:
    """`writer` is torch's SummaryWriter into the trial's folder. Needs the package `tensorboard`."""

    def __init__(self) -> None:
        from torch.utils.tensorboard import SummaryWriter  # needs tensorboard, which few programs use

        self.writer: Any = SummaryWriter(log_dir=str(TrainContext().get_tensorboard_path()))

    def add_scalar(self, name: str, value: Any, step: int) -> None:
        """The value is in the event file."""
        self.writer.add_scalar(name, value, step)

    def reset(self) -> None:
        """What was written is on the disk."""
        self.writer.flush()
