"""Learning rate schedulers that step by themselves."""

from __future__ import annotations

import enum
from typing import Any


class LRScheduler:
    """A scheduler of torch, and when it steps: every `frequency` epochs, batches or optimizer steps, or by hand."""

    class StepMode(enum.Enum):
        """When the scheduler steps."""

        STEP_EVERY_EPOCH = 1
        STEP_EVERY_BATCH = 2
        MANUAL_STEP = 3
        STEP_EVERY_OPTIMIZER_STEP = 4

    def __init__(self, scheduler: Any, step_mode: LRScheduler.StepMode, frequency: int = 1) -> None:
        if not isinstance(step_mode, LRScheduler.StepMode):
            raise TypeError(f"step_mode must be one of LRScheduler.StepMode, got {step_mode!r}")
        if not isinstance(frequency, int) or frequency < 1:
            raise ValueError(f"frequency must be a whole number from 1, got {frequency!r}")
        self._scheduler = scheduler
        self._step_mode = step_mode
        self._frequency = frequency

    def step(self, *args: Any, **kwargs: Any) -> None:
        """The scheduler has stepped."""
        self._scheduler.step(*args, **kwargs)

    def get_last_lr(self) -> list[float]:
        """The learning rates that it set last."""
        found: list[float] = self._scheduler.get_last_lr()
        return found

    def state_dict(self) -> dict[str, Any]:
        """Its state."""
        found: dict[str, Any] = self._scheduler.state_dict()
        return found

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Its state is what `state_dict` gave."""
        self._scheduler.load_state_dict(state_dict)

    def after_batch(self, batches: int, epoch_batches: int) -> None:
        """So many batches were trained in all, the last one just now: it steps when that is due."""
        modes = {LRScheduler.StepMode.STEP_EVERY_BATCH: 1, LRScheduler.StepMode.STEP_EVERY_EPOCH: epoch_batches}
        every = modes.get(self._step_mode)
        if every is not None and batches % (every * self._frequency) == 0:
            self.step()

    def after_optimizer_step(self, steps: int) -> None:
        """Its optimizer made its `steps`-th step just now: it steps when that is due."""
        if self._step_mode is LRScheduler.StepMode.STEP_EVERY_OPTIMIZER_STEP and steps % self._frequency == 0:
            self.step()
