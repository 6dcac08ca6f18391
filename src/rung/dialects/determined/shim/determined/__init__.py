"""Rung's stand-in for Determined's Python package, as far as a program inside a trial needs it.

Written for Rung; on a trial's path only where the real package is absent. What is missing says so when it is used.
"""

from __future__ import annotations

import importlib
from typing import Any

from determined import _absent
from determined._errors import InvalidCheckpointException, InvalidConfigurationException, InvalidHP
from determined._info import ClusterInfo, TrialInfo, get_cluster_info

__version__ = "0.38.1+rung"
LOG_FORMAT = "%(levelname)s: [%(process)s] %(name)s: %(message)s"

_LAZY = ("core", "pytorch", "exec", "launch", "tensorboard")
_CONTEXTS = {"TrialContext": "PyTorchTrialContext", "Trial": "PyTorchTrial"}

_absent.install()


def __getattr__(name: str) -> Any:
    """The modules that are loaded when they are named, torch with `pytorch` only."""
    if name in _LAZY:
        return importlib.import_module(f"determined.{name}")
    if name in _CONTEXTS:
        return getattr(importlib.import_module("determined.pytorch"), _CONTEXTS[name])
    return _absent.attribute(__name__, name)


__all__ = [
    "LOG_FORMAT",
    "ClusterInfo",
    "InvalidCheckpointException",
    "InvalidConfigurationException",
    "InvalidHP",
    "TrialInfo",
    "get_cluster_info",
]
