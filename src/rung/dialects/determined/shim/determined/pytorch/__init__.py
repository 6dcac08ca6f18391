"""Trials in PyTorch: the trial class, its context, data loaders, and the trainer."""

from __future__ import annotations

from typing import Any

from determined import _absent

try:
    import torch  # noqa: F401 - looked for before anything else, to say whose Python it is
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    import sys

    raise ModuleNotFoundError(
        f"det.pytorch needs torch, which {sys.executable} does not have: install it there, or run Rung with the Python "
        "of your project first on PATH",
        name="torch",
    ) from None

from determined.pytorch import samplers
from determined.pytorch._callback import ClipGradsL2Norm, ClipGradsL2Value, PyTorchCallback
from determined.pytorch._context import PyTorchExperimentalContext, PyTorchTrialContext
from determined.pytorch._data import DataLoader, TorchData, adapt_batch_sampler, data_length, to_device
from determined.pytorch._load import CheckpointLoadContext, load_trial_from_checkpoint_path, reset_parameters
from determined.pytorch._lr_scheduler import LRScheduler
from determined.pytorch._reducer import MetricReducer, Reducer
from determined.pytorch._trainer import Trainer, init
from determined.pytorch._trial import PyTorchTrial
from determined.pytorch._units import Batch, Epoch, Record, TrainUnit


def __getattr__(name: str) -> Any:
    return _absent.attribute(__name__, name)


__all__ = [
    "Batch",
    "CheckpointLoadContext",
    "ClipGradsL2Norm",
    "ClipGradsL2Value",
    "DataLoader",
    "Epoch",
    "LRScheduler",
    "MetricReducer",
    "PyTorchCallback",
    "PyTorchExperimentalContext",
    "PyTorchTrial",
    "PyTorchTrialContext",
    "Record",
    "Reducer",
    "TorchData",
    "TrainUnit",
    "Trainer",
    "adapt_batch_sampler",
    "data_length",
    "init",
    "load_trial_from_checkpoint_path",
    "reset_parameters",
    "samplers",
    "to_device",
]
