"""What a trial does with a batch, whatever era its class is of, and with all of a validation."""

from __future__ import annotations

import contextlib
import inspect
from typing import TYPE_CHECKING, Any

import torch

from determined import _study
from determined.pytorch._data import DataLoader
from determined.pytorch._lr_scheduler import LRScheduler
from determined.pytorch._reducer import Reducer, reduced
from determined.pytorch._trial import overrides

if TYPE_CHECKING:
    from determined.pytorch._callback import PyTorchCallback
    from determined.pytorch._context import PyTorchTrialContext


class Worker:
    """One trial, with its model of the first era if it has one."""

    def __init__(self, trial: Any, context: PyTorchTrialContext) -> None:
        self.trial, self.context = trial, context
        self.callbacks: dict[str, PyTorchCallback] = trial.build_callbacks()
        self._model: Any = None
        if hasattr(trial, "build_model"):
            self._build()
        self._takes_index = self._wants_index()

    def _build(self) -> None:
        """The model, optimizer and scheduler of a class of the first era, wrapped."""
        context = self.context
        self._model = context.wrap_model(self.trial.build_model())
        self._optimizer = context.wrap_optimizer(self.trial.optimizer(self._model))
        make = getattr(self.trial, "create_lr_scheduler", None)
        scheduler = make(self._optimizer) if make is not None else None
        if isinstance(scheduler, LRScheduler):
            context.lr_schedulers.append(scheduler)

    def _wants_index(self) -> bool:
        if not overrides(self.trial, "evaluate_batch"):
            return False
        parameters = inspect.signature(self.trial.evaluate_batch).parameters
        return "batch_idx" in parameters or len(parameters) > (2 if self._model is not None else 1)

    def call(self, hook: str, *arguments: Any) -> None:
        """Every callback's hook was called."""
        for callback in self.callbacks.values():
            getattr(callback, hook)(*arguments)

    def _precision(self) -> contextlib.AbstractContextManager[Any]:
        """Mixed precision, where the trial asked for it."""
        return torch.autocast(self.context.device.type) if self.context._auto_amp else contextlib.nullcontext()

    def _moved(self, batch: Any) -> Any:
        return self.context.to_device(batch) if self.context._auto_to_device else batch

    # ------------------------------------------------------------------------------------------------------- training

    def training(self) -> None:
        """All models are in training mode."""
        for model in self.context.models:
            model.train()

    def train(self, batch: Any, epoch: int, index: int) -> dict[str, Any]:
        """The batch was trained; returns its metrics. Raises `TypeError` for what is neither metrics nor a loss."""
        batch = self._moved(batch)
        with self._precision():
            if self._model is not None:
                found = self._trained_of_old(batch, epoch, index)
            else:
                found = self.trial.train_batch(batch=batch, epoch_idx=epoch, batch_idx=index)
        if isinstance(found, torch.Tensor):
            found = {"loss": found}
        if not isinstance(found, dict):
            raise TypeError(f"train_batch() must return a dict of metrics or the loss, got {type(found).__name__}")
        return {name: _kept(value) for name, value in found.items()}

    def _trained_of_old(self, batch: Any, epoch: int, index: int) -> Any:
        found = self.trial.train_batch(batch=batch, model=self._model, epoch_idx=epoch, batch_idx=index)
        loss = found if isinstance(found, torch.Tensor) else found.get("loss")
        if not isinstance(loss, torch.Tensor):
            raise TypeError("train_batch() of a trial with build_model must return a dict with the tensor `loss`")
        self.context.backward(loss)
        self.context.step_optimizer(self._optimizer, clip_grads=lambda parameters: self._before_step(list(parameters)))
        return found

    def _before_step(self, parameters: list[Any]) -> None:
        for callback in self.callbacks.values():
            callback.on_before_optimizer_step(iter(parameters))

    # ----------------------------------------------------------------------------------------------------- validation

    def validate(self, loader: Any) -> dict[str, Any]:
        """The validation metrics; the models are in training mode again."""
        self.context._reducers.reset(training=False)
        self.call("on_validation_start")
        self.call("on_validation_step_start")
        for model in self.context.models:
            model.eval()
        with torch.no_grad(), self._precision():
            whole = overrides(self.trial, "evaluate_full_dataset")
            metrics = self._evaluate_all(loader) if whole else self._evaluate_each(loader)
        metrics = {**metrics, **self.context._reducers.metrics(training=False)}
        metrics = {name: _number_or_same(value) for name, value in metrics.items()}
        self.call("on_validation_end", metrics)
        self.call("on_validation_step_end", metrics)
        self.training()
        return metrics

    def _evaluate_all(self, loader: Any) -> dict[str, Any]:
        whole = loader.get_data_loader() if isinstance(loader, DataLoader) else loader
        model = {"model": self._model} if self._model is not None else {}
        return dict(self.trial.evaluate_full_dataset(data_loader=whole, **model))

    def _evaluate_each(self, loader: Any) -> dict[str, Any]:
        self.call("on_validation_epoch_start")
        outputs: list[dict[str, Any]] = []
        model = {"model": self._model} if self._model is not None else {}
        for index, batch in enumerate(loader):
            place = {"batch_idx": index} if self._takes_index else {}
            found = self.trial.evaluate_batch(batch=self._moved(batch), **model, **place)
            if not isinstance(found, dict):
                raise TypeError(f"evaluate_batch() must return a dict of metrics, got {type(found).__name__}")
            outputs.append({name: _kept(value) for name, value in found.items()})
        if not outputs:
            raise ValueError("the validation data loader has no batches: is the data set smaller than one batch?")
        self.call("on_validation_epoch_end", outputs)
        how = self.trial.evaluation_reducer()
        names = dict.fromkeys(name for output in outputs for name in output)
        return {
            name: reduced(
                [_number_or_same(output[name]) for output in outputs if name in output],
                how if isinstance(how, Reducer) else how.get(name, Reducer.AVG),
            )
            for name in names
        }


def averaged(batches: list[dict[str, Any]]) -> dict[str, Any]:
    """The mean of each metric over the batches that have it, of those that are numbers."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(name for metrics in batches for name in metrics):
        numbers = [number for metrics in batches if (number := _study.plain(metrics.get(name))) is not None]
        if numbers:
            found[name] = sum(numbers) / len(numbers)
    return found


def _kept(value: Any) -> Any:
    """A metric to keep until it is needed: without the graph that led to it."""
    return value.detach() if isinstance(value, torch.Tensor) else value


def _number_or_same(value: Any) -> Any:
    number = _study.plain(value)
    return value if number is None else number
