"""Callbacks beyond storing results."""

from ..callbacks.tensorboard_callback import TensorboardCallback

__all__ = ["TensorboardCallback"]
