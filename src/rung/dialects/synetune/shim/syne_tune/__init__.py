"""Stands in for Syne Tune: what its training and launcher scripts import, with nothing of it installed.

Names are loaded when they are asked for: a training script pays for its reporter alone.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing costs every trial 3 ms
if TYPE_CHECKING:
    from typing import Any

    from .report import Reporter

__version__ = "0.13.0"
"""The edition whose names and rules are kept; those of 0.16 are accepted beside them."""
__all__ = ["Reporter", "StoppingCriterion", "Tuner"]

_HOMES = {"Reporter": "report", "Tuner": "tuner", "StoppingCriterion": "stopping_criterion"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        from ._missing import missing

        return missing(__name__)(name)
    import importlib

    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
