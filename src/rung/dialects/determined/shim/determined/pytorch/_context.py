"""What a trial may ask and say while it trains."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import torch

from determined import _absent, _study
from determined._info import seed
from determined.pytorch._data import to_device
from determined.pytorch._lr_scheduler import LRScheduler
from determined.pytorch._reducer import Wrapped
from rung.inside import session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from determined.core import Context


class PyTorchTrialContext:
    """Hyperparameters, wrapped models, optimizers and schedulers, steps of training, and where the trial is.

    `device`: the first GPU that the trial may use, else the CPU. `distributed`: one process. Made by
    `det.pytorch.init()` or by the harness, never by a program.
    """

    def __init__(
        self,
        core: Context,
        hparams: dict[str, Any] | None,
        config: dict[str, Any] | None,
        *,
        trial_seed: int | None = None,
        aggregation_frequency: int = 1,
        average_aggregated_gradients: bool = True,
        slots: int = 1,
    ) -> None:
        self._core = core
        self._hparams, self._config = hparams, config
        self._seed = seed() if trial_seed is None else trial_seed
        self._slots = slots
        self._aggregation = aggregation_frequency
        self._average = average_aggregated_gradients
        self.device = torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
        self.distributed = core.distributed
        self.experimental = PyTorchExperimentalContext(self)
        self.models: list[Any] = []
        self.optimizers: list[Any] = []
        self.lr_schedulers: list[LRScheduler] = []
        self._optimizer_steps: dict[int, int] = {}
        self._reducers = Wrapped()
        self._scaler: Any = None
        self._auto_amp = False
        self._auto_to_device = True
        self._reproducible = True
        self._stop_requested = False
        self._batch_index: int | None = None
        self._epoch_batches: int | None = None

    # ------------------------------------------------------------------------------------------------- the experiment

    def get_hparams(self) -> dict[str, Any]:
        """The hyperparameters, nested as in the configuration. Raises `RuntimeError` where none were given."""
        if self._hparams is None:
            raise RuntimeError("there are no hyperparameters: outside a study pass det.pytorch.init(hparams={...})")
        return self._hparams

    def get_hparam(self, name: str) -> Any:
        """The hyperparameter of that name, a dict for a group. Raises `ValueError` for an unknown one."""
        found = self.get_hparams()
        if name not in found:
            known = ", ".join(sorted(found)) or "none"
            raise ValueError(f"there is no hyperparameter {name!r} in the configuration; there are: {known}")
        return found[name]

    def get_experiment_config(self) -> dict[str, Any]:
        """The experiment configuration with its defaults. Raises `RuntimeError` where none was given."""
        if self._config is None:
            raise RuntimeError("there is no configuration: outside a study pass det.pytorch.init(exp_conf={...})")
        return self._config

    def get_data_config(self) -> dict[str, Any]:
        """The configuration's `data`."""
        found = self.get_experiment_config().get("data")
        return found if isinstance(found, dict) else {}

    def get_experiment_id(self) -> int:
        """A number of the study; 0 outside one."""
        study = _study.current()
        return study.experiment_id if study is not None else 0

    def get_trial_id(self) -> int:
        """The trial's number in the study, from 0."""
        return session.trial.number or 0

    def get_trial_seed(self) -> int:
        """The trial's seed, in [0, 2^31), the same in each attempt."""
        return self._seed

    def get_global_batch_size(self) -> int:
        """The hyperparameter `global_batch_size`. Raises `ValueError` without one."""
        return int(self.get_hparam("global_batch_size"))

    def get_per_slot_batch_size(self) -> int:
        """The same: one process trains."""
        return self.get_global_batch_size()

    def get_tensorboard_path(self) -> Path:
        """A folder for event files, which exists now."""
        return self._core.train.get_tensorboard_path()

    def get_tensorboard_writer(self) -> Any:
        """A writer of event files into that folder, one for the trial. Needs the package `tensorboard`."""
        from determined.tensorboard.metric_writers.pytorch import TorchWriter

        if not hasattr(self, "_tensorboard"):
            self._tensorboard = TorchWriter()
        return self._tensorboard.writer

    def set_enable_tensorboard_logging(self, enable_tensorboard: bool) -> None:
        """Nothing to do: metrics are reported, not logged to event files."""

    def get_enable_tensorboard_logging(self) -> bool:
        """False."""
        return False

    def set_profiler(self, *_: Any, **__: Any) -> None:
        """Raises: nothing is profiled."""
        _absent.refuse("pytorch.PyTorchTrialContext.set_profiler", "use torch.profiler in train_batch")

    # ---------------------------------------------------------------------------------------------------- what trains

    def wrap_model(self, model: Any) -> Any:
        """The model, on the device; its weights are part of checkpoints."""
        model.to(self.device)
        self.models.append(model)
        return model

    def wrap_optimizer(
        self,
        optimizer: Any,
        backward_passes_per_step: int = 1,
        fp16_compression: bool | None = None,
        average_aggregated_gradients: bool | None = None,
    ) -> Any:
        """The optimizer; its state is part of checkpoints."""
        if backward_passes_per_step < 1:
            raise ValueError(f"backward_passes_per_step must be at least 1, got {backward_passes_per_step}")
        self.optimizers.append(optimizer)
        return optimizer

    def wrap_lr_scheduler(self, lr_scheduler: Any, step_mode: LRScheduler.StepMode, frequency: int = 1) -> LRScheduler:
        """A scheduler that steps as it says; its state is part of checkpoints. Raises for an optimizer not wrapped."""
        if isinstance(lr_scheduler, LRScheduler):
            raise TypeError("wrap_lr_scheduler() takes a scheduler of torch, not one that is wrapped already")
        optimizer = getattr(lr_scheduler, "optimizer", None)
        if optimizer is not None and not any(optimizer is known for known in self.optimizers):
            raise ValueError("wrap the optimizer with wrap_optimizer() before you make its learning rate scheduler")
        wrapped = LRScheduler(lr_scheduler, step_mode, frequency)
        self.lr_schedulers.append(wrapped)
        return wrapped

    def wrap_scaler(self, scaler: Any) -> Any:
        """The gradient scaler for mixed precision; its state is part of checkpoints."""
        self._scaler = scaler
        return scaler

    def wrap_reducer(
        self, reducer: Any, name: str | None = None, for_training: bool = True, for_validation: bool = True
    ) -> Any:
        """The reducer, or one made of a function, reported as `name` (without one: a dict of metrics)."""
        return self._reducers.wrap(reducer, name, for_training=for_training, for_validation=for_validation)

    def configure_apex_amp(self, *_: Any, **__: Any) -> Any:
        """Raises: Apex is not supported."""
        _absent.refuse("pytorch.PyTorchTrialContext.configure_apex_amp", "use context.experimental.use_amp()")

    def to_device(self, data: Any) -> Any:
        """The same with all its tensors on the device."""
        return to_device(data, self.device)

    # ------------------------------------------------------------------------------------------------ steps of training

    def _should_communicate_and_update(self) -> bool:
        """Whether the gradients of enough batches are together for a step of the optimizer."""
        return self._batch_index is None or (self._batch_index + 1) % self._aggregation == 0

    def backward(
        self,
        loss: Any,
        gradient: Any = None,
        retain_graph: bool = False,
        create_graph: bool = False,
    ) -> None:
        """The gradients of the loss are added up; over several batches, where so configured, as their mean."""
        if self._auto_amp and self._scaler is not None:
            loss = self._scaler.scale(loss)
        if self._aggregation > 1 and self._average:
            loss = loss / self._aggregation
        loss.backward(gradient=gradient, retain_graph=retain_graph, create_graph=create_graph)

    def step_optimizer(
        self,
        optimizer: Any,
        clip_grads: Callable[[Iterator[Any]], Any] | None = None,
        auto_zero_grads: bool = True,
        scaler: Any = None,
    ) -> None:
        """The optimizer has stepped, its gradients clipped by the function and then set to zero; nothing happens until
        those of enough batches are together."""
        if not self._should_communicate_and_update():
            return
        scaler = scaler or (self._scaler if self._auto_amp else None)
        if clip_grads is not None:
            if scaler is not None:
                scaler.unscale_(optimizer)
            clip_grads(parameter for group in optimizer.param_groups for parameter in group["params"])
        if scaler is not None:
            scaler.step(optimizer)
            if self._auto_amp:
                scaler.update()
        else:
            optimizer.step()
        if auto_zero_grads:
            optimizer.zero_grad()
        self._stepped(optimizer)

    def _stepped(self, optimizer: Any) -> None:
        steps = self._optimizer_steps[id(optimizer)] = self._optimizer_steps.get(id(optimizer), 0) + 1
        for scheduler in self.lr_schedulers:
            if getattr(scheduler._scheduler, "optimizer", None) is optimizer:
                scheduler.after_optimizer_step(steps)

    # ----------------------------------------------------------------------------------------------- where the trial is

    def current_train_batch(self) -> int:
        """The number of the batch in training, from 0 over the trial. Raises `RuntimeError` before the first."""
        if self._batch_index is None:
            raise RuntimeError("no batch is in training yet")
        return self._batch_index

    def current_train_epoch(self) -> int:
        """The number of the epoch in training, from 0. Raises `RuntimeError` before the first."""
        return self.current_train_batch() // self._epoch_length()

    def is_epoch_start(self) -> bool:
        """Whether the batch in training is the first of its epoch."""
        return self.current_train_batch() % self._epoch_length() == 0

    def is_epoch_end(self) -> bool:
        """Whether the batch in training is the last of its epoch."""
        return (self.current_train_batch() + 1) % self._epoch_length() == 0

    def _epoch_length(self) -> int:
        if self._epoch_batches is None:
            raise RuntimeError("training has not begun: the length of an epoch is not known yet")
        return self._epoch_batches

    def set_stop_requested(self, stop_requested: bool) -> None:
        """After this batch the trial validates, saves a checkpoint and ends, complete. Raises `TypeError`."""
        if not isinstance(stop_requested, bool):
            raise TypeError(f"set_stop_requested() takes True or False, got {stop_requested!r}")
        self._stop_requested = stop_requested

    def get_stop_requested(self) -> bool:
        """Whether the program asked for the end."""
        return self._stop_requested

    def get_initial_batch(self) -> int:
        """How many batches the checkpoint that this process goes on from had."""
        from determined import _storage  # only here

        return _storage.steps_completed()


class PyTorchExperimentalContext:
    """Switches that the original calls experimental."""

    def __init__(self, context: PyTorchTrialContext) -> None:
        self._context = context

    def use_amp(self) -> None:
        """Training and validation run in automatic mixed precision. Without a GPU nothing changes, which is said."""
        if self._context.device.type != "cuda":
            sys.stderr.write("determined (stand-in): use_amp() changes nothing without a GPU\n")
            return
        self._context.wrap_scaler(torch.amp.GradScaler("cuda"))
        self._context._auto_amp = True

    def disable_dataset_reproducibility_checks(self) -> None:
        """Torch's own data loaders are accepted; going on in the middle of an epoch then reads what comes before."""
        self._context._reproducible = False

    def disable_auto_to_device(self) -> None:
        """Batches are left where the loader puts them."""
        self._context._auto_to_device = False

    def reduce_metrics(self, *_: Any, **__: Any) -> Any:
        """Raises: reducers are called by the trainer."""
        _absent.refuse("pytorch.PyTorchExperimentalContext.reduce_metrics", "use context.wrap_reducer()")
