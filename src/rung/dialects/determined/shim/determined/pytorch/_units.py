"""Lengths of training: so many batches, epochs or records."""

from __future__ import annotations


class TrainUnit:
    """A length of training, at least 1. Use `Batch`, `Epoch` or `Record`."""

    def __init__(self, value: int) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{type(self).__name__}() takes a whole number from 1, got {value!r}")
        self.value = value

    def batches(self, epoch_batches: int, batch_size: int) -> int:
        """How many batches that is, at least 1, when an epoch has so many and a batch so many records."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.value == getattr(other, "value", None)

    def __hash__(self) -> int:
        return hash((type(self), self.value))


class Batch(TrainUnit):
    """So many batches."""

    def batches(self, epoch_batches: int, batch_size: int) -> int:
        """Its value."""
        return self.value


class Epoch(TrainUnit):
    """So many times all of the training data."""

    def batches(self, epoch_batches: int, batch_size: int) -> int:
        """Its value times the batches of an epoch."""
        return self.value * epoch_batches


class Record(TrainUnit):
    """So many records; what is left of a batch is not trained."""

    def batches(self, epoch_batches: int, batch_size: int) -> int:
        """Its value divided by the batch size."""
        return max(self.value // max(batch_size, 1), 1)


KINDS: dict[str, type[TrainUnit]] = {"batches": Batch, "epochs": Epoch, "records": Record}


def configured(period: object, batches_per_step: int) -> TrainUnit | None:
    """The length that a configuration's `{unit: N}`, or an integer of steps as of 0.12, says; None for none or 0."""
    if isinstance(period, dict) and len(period) == 1:
        ((unit, value),) = period.items()
        if unit in KINDS and isinstance(value, int) and value > 0:
            return KINDS[unit](value)
    if isinstance(period, int) and not isinstance(period, bool) and period > 0:
        return Batch(period * batches_per_step)
    return None
