"""Checkpoints of PyTorch trials: what is in them, and how they are read."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from determined import _absent
from determined._errors import InvalidCheckpointException
from determined.core import init as core_init
from determined.pytorch._context import PyTorchTrialContext

if TYPE_CHECKING:
    from determined.pytorch._callback import PyTorchCallback

FILE = "state_dict.pth"
CALLBACKS = "callbacks"
RNG = "rng"


def gathered(context: PyTorchTrialContext, callbacks: dict[str, PyTorchCallback]) -> dict[str, Any]:
    """The state of everything that was wrapped, of the callbacks, and of the random numbers."""
    return {
        "models_state_dict": [model.state_dict() for model in context.models],
        "optimizers_state_dict": [optimizer.state_dict() for optimizer in context.optimizers],
        "lr_schedulers_state_dict": [scheduler.state_dict() for scheduler in context.lr_schedulers],
        "optimizer_steps": [context._optimizer_steps.get(id(optimizer), 0) for optimizer in context.optimizers],
        "scaler_state_dict": context._scaler.state_dict() if context._scaler is not None else None,
        CALLBACKS: {name: callback.state_dict() for name, callback in callbacks.items()},
        RNG: random_states(),
    }


def read(folder: Path) -> dict[str, Any]:
    """What `gathered` gave. Raises `InvalidCheckpointException` for a folder without it."""
    path = folder / FILE
    if not path.is_file():
        raise InvalidCheckpointException(f"{folder} holds no {FILE}: it is no checkpoint of a PyTorchTrial")
    # It holds what callbacks keep, of any class, and was written by this very program.
    found: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=False)
    return found


def restore(checkpoint: dict[str, Any], context: PyTorchTrialContext, callbacks: dict[str, PyTorchCallback]) -> None:
    """Everything is as it was but for the random numbers. Raises `InvalidCheckpointException` when the program wraps
    another number of things than it did."""
    for kind, things in (
        ("models", context.models),
        ("optimizers", context.optimizers),
        ("lr_schedulers", context.lr_schedulers),
    ):
        states = checkpoint[f"{kind}_state_dict"]
        if len(states) != len(things):
            raise InvalidCheckpointException(f"the checkpoint has {len(states)} {kind}, the trial wraps {len(things)}")
        for thing, state in zip(things, states):  # noqa: B905 - lengths are equal
            thing.load_state_dict(state)
    for optimizer, steps in zip(context.optimizers, checkpoint["optimizer_steps"]):  # noqa: B905
        context._optimizer_steps[id(optimizer)] = steps
    if context._scaler is not None and checkpoint["scaler_state_dict"] is not None:
        context._scaler.load_state_dict(checkpoint["scaler_state_dict"])
    for name, callback in callbacks.items():
        if name in checkpoint[CALLBACKS]:
            callback.load_state_dict(checkpoint[CALLBACKS][name])


def random_states() -> dict[str, Any]:
    """Where the generators of Python, NumPy (if it is used) and torch are."""
    return {
        "random": random.getstate(),
        "numpy": _numpy().random.get_state() if _numpy() is not None else None,
        "torch": torch.random.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_states(states: dict[str, Any]) -> None:
    """The generators are where they were."""
    random.setstate(states["random"])
    if states["numpy"] is not None and _numpy() is not None:
        _numpy().random.set_state(states["numpy"])
    torch.random.set_rng_state(states["torch"])
    if states["cuda"] and torch.cuda.device_count() == len(states["cuda"]):
        torch.cuda.set_rng_state_all(states["cuda"])


def seed_all(seed: int) -> None:
    """The generators of Python, NumPy and torch start from this seed."""
    random.seed(seed)
    if _numpy() is not None:
        _numpy().random.seed(seed % 2**32)
    torch.random.manual_seed(seed)


def _numpy() -> Any:
    """NumPy, where there is one."""
    try:
        import numpy as np
    except ModuleNotFoundError:
        return None
    return np


class CheckpointLoadContext(PyTorchTrialContext):
    """A context to make a trial with whose weights are then loaded, outside of any training."""

    def __init__(self, hparams: dict[str, Any] | None = None, exp_conf: dict[str, Any] | None = None, **_: Any) -> None:
        super().__init__(core_init(), hparams or {}, exp_conf or {}, trial_seed=0)


def load_trial_from_checkpoint_path(
    path: str, trial_class: Any = None, trial_kwargs: dict[str, Any] | None = None, **kwargs: Any
) -> Any:
    """A trial of `trial_class` with the weights of the checkpoint at `path`. Raises `NotCovered` without a class."""
    if trial_class is None:
        _absent.refuse(
            "pytorch.load_trial_from_checkpoint_path without trial_class",
            "pass trial_class=YourTrial and trial_kwargs={'context': CheckpointLoadContext(hparams={...})}",
        )
    given = dict(trial_kwargs or {})
    context = given.pop("context", None) or CheckpointLoadContext()
    trial = trial_class(context, **given)
    checkpoint = read(Path(path))
    for model, state in zip(context.models, checkpoint["models_state_dict"]):  # noqa: B905 - those that it makes
        model.load_state_dict(state, **{key: kwargs[key] for key in ("strict",) if key in kwargs})
    return trial


def reset_parameters(model: Any) -> None:
    """Every layer that can has set its weights anew."""
    for layer in model.modules():
        if layer is not model and callable(getattr(layer, "reset_parameters", None)):
            layer.reset_parameters()
