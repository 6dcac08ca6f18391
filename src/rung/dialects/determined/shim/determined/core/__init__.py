"""The Core API: report metrics, store checkpoints, ask how far to train and whether to stop."""

from __future__ import annotations

from typing import Any

from determined import _absent
from determined.core._checkpoint import CheckpointContext, DownloadMode
from determined.core._context import Context, TensorboardMode, init
from determined.core._distributed import DistributedContext, DummyDistributedContext
from determined.core._preempt import PreemptContext, PreemptMode
from determined.core._searcher import SearcherContext, SearcherMode, SearcherOperation, Unit
from determined.core._train import EarlyExitReason, ProfilerContext, TrainContext


def __getattr__(name: str) -> Any:
    return _absent.attribute(__name__, name)


__all__ = [
    "CheckpointContext",
    "Context",
    "DistributedContext",
    "DownloadMode",
    "DummyDistributedContext",
    "EarlyExitReason",
    "PreemptContext",
    "PreemptMode",
    "ProfilerContext",
    "SearcherContext",
    "SearcherMode",
    "SearcherOperation",
    "TensorboardMode",
    "TrainContext",
    "Unit",
    "init",
]
