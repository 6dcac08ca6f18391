"""Helpers of training scripts, loaded when they are asked for."""

from __future__ import annotations

from .parse_bool import parse_bool

TYPE_CHECKING = False  # importing typing costs every trial 3 ms
if TYPE_CHECKING:
    from typing import Any

    from .checkpoint import (
        add_checkpointing_to_argparse,
        checkpoint_model_at_rung_level,
        pytorch_load_save_functions,
        resume_from_checkpointed_model,
    )  # fmt: skip
    from .config_as_json import add_config_json_to_argparse, load_config_json
    from .convert_domain import streamline_config_space

__all__ = [
    "add_checkpointing_to_argparse", "add_config_json_to_argparse", "checkpoint_model_at_rung_level",
    "load_config_json", "parse_bool", "pytorch_load_save_functions", "resume_from_checkpointed_model",
    "streamline_config_space",
]  # fmt: skip

_HOMES = {
    "add_checkpointing_to_argparse": "checkpoint",
    "resume_from_checkpointed_model": "checkpoint",
    "checkpoint_model_at_rung_level": "checkpoint",
    "pytorch_load_save_functions": "checkpoint",
    "add_config_json_to_argparse": "config_as_json",
    "load_config_json": "config_as_json",
    "streamline_config_space": "convert_domain",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        from .._missing import missing

        return missing(__name__)(name)
    import importlib

    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
