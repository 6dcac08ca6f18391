"""The class that a program derives its trial from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from determined.pytorch._context import PyTorchTrialContext
from determined.pytorch._reducer import Reducer

if TYPE_CHECKING:
    from determined.pytorch._callback import PyTorchCallback
    from determined.pytorch._data import DataLoader


class PyTorchTrial:
    """Models, optimizers and schedulers are made and wrapped in `__init__`; the rest says what to do with a batch.

    Validation is `evaluate_batch` for each batch, or `evaluate_full_dataset` for all of them at once. A class with
    `build_model` and `optimizer` is of the first era: its `train_batch` and `evaluate_batch` get the model too, and the
    steps of the optimizer are made for it.
    """

    trial_context_class: ClassVar[type[PyTorchTrialContext]] = PyTorchTrialContext

    def __init__(self, context: PyTorchTrialContext) -> None:
        self.context = context

    def train_batch(self, batch: Any, epoch_idx: int, batch_idx: int) -> Any:
        """One step of training; returns the metrics of the batch, or its loss. Indices count from 0 over the trial."""
        raise NotImplementedError(f"{type(self).__name__} needs train_batch(self, batch, epoch_idx, batch_idx)")

    def build_training_data_loader(self) -> DataLoader:
        """The batches to train on."""
        raise NotImplementedError(f"{type(self).__name__} needs build_training_data_loader(self)")

    def build_validation_data_loader(self) -> DataLoader:
        """The batches to validate on."""
        raise NotImplementedError(f"{type(self).__name__} needs build_validation_data_loader(self)")

    def evaluate_batch(self, batch: Any, batch_idx: int) -> dict[str, Any]:
        """The validation metrics of a batch; a `batch_idx` need not be taken."""
        raise NotImplementedError(f"{type(self).__name__} needs evaluate_batch(self, batch) or evaluate_full_dataset")

    def evaluate_full_dataset(self, data_loader: Any) -> dict[str, Any]:
        """The validation metrics, from torch's loader of all batches; instead of `evaluate_batch`."""
        raise NotImplementedError(f"{type(self).__name__} needs evaluate_batch(self, batch) or evaluate_full_dataset")

    def evaluation_reducer(self) -> Reducer | dict[str, Reducer]:
        """How the metrics of batches become one: for all metrics, or by their names (AVG where none is given)."""
        return Reducer.AVG

    def build_callbacks(self) -> dict[str, PyTorchCallback]:
        """Callbacks by the names under which their states are kept."""
        return {}

    def get_batch_length(self, batch: Any) -> int:
        """How many records a batch has."""
        from determined.pytorch._data import data_length

        return data_length(batch)


def overrides(trial: Any, method: str) -> bool:
    """Whether the trial's class has this method of its own."""
    return getattr(type(trial), method, None) is not getattr(PyTorchTrial, method, None)
