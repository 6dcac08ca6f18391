"""The helpers of `syne_tune.utils.checkpoint`, under their other name."""

from __future__ import annotations

from .utils.checkpoint import (
    add_checkpointing_to_argparse,
    checkpoint_model_at_rung_level,
    pytorch_load_save_functions,
    resume_from_checkpointed_model,
)  # fmt: skip

__all__ = [
    "add_checkpointing_to_argparse", "checkpoint_model_at_rung_level", "pytorch_load_save_functions",
    "resume_from_checkpointed_model",
]  # fmt: skip
