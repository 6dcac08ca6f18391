"""Data loaders that can go on in the middle of an epoch, with the same batches in the same order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

import torch

from determined import _absent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TorchData = Union[dict[str, torch.Tensor], list[torch.Tensor], tuple[torch.Tensor, ...], torch.Tensor]  # noqa: UP007 - 3.9
"""What a batch may be."""


class DataLoader:
    """As torch's, from which the trainer can take the batches of any epoch from any place on.

    The order of an epoch is a function of the trial's seed and the epoch: whatever sampler there is draws it with
    torch's generator seeded by these.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool = False,
        sampler: Any = None,
        batch_sampler: Any = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: torch.Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
    ) -> None:
        if isinstance(dataset, torch.utils.data.IterableDataset):
            _absent.refuse(
                "pytorch.DataLoader with an IterableDataset",
                "return torch's own DataLoader, after context.experimental.disable_dataset_reproducibility_checks()",
            )
        if batch_sampler is None and batch_size is None:
            raise ValueError("DataLoader needs a batch_size or a batch_sampler")
        self.dataset, self.batch_size = dataset, batch_size
        self._options: dict[str, Any] = {
            "num_workers": num_workers, "collate_fn": collate_fn, "pin_memory": pin_memory, "timeout": timeout,
            "worker_init_fn": worker_init_fn, "multiprocessing_context": multiprocessing_context,
        }  # fmt: skip
        if num_workers > 0:
            self._options |= {"prefetch_factor": prefetch_factor, "persistent_workers": persistent_workers}
        self.generator = generator
        self.batch_sampler = _batches(dataset, batch_size, shuffle, sampler, batch_sampler, drop_last, generator)

    def __len__(self) -> int:
        return len(self.batch_sampler)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._loader(self.batch_sampler))

    def get_data_loader(
        self, repeat: bool = False, skip: int = 0, num_replicas: int = 1, rank: int = 0
    ) -> torch.utils.data.DataLoader[Any]:
        """Torch's loader of the same batches: over and over, without the first `skip`, every `num_replicas`-th one."""
        from determined.pytorch import samplers

        chosen = self.batch_sampler
        if num_replicas > 1:
            chosen = samplers.DistributedBatchSampler(chosen, num_replicas, rank)
        if repeat:
            chosen = samplers.RepeatBatchSampler(chosen)
        if skip > 0:
            chosen = samplers.SkipBatchSampler(chosen, skip)
        return self._loader(chosen)

    def endless(self, seed: int, skip: int) -> Iterator[Any]:
        """The batches of all epochs, in the order of `seed`, from the batch on whose number over all epochs is `skip`.

        Raises `ValueError` when there is none.
        """
        return iter(self._loader(_Endless(self.batch_sampler, seed, skip)))

    def _loader(self, batch_sampler: Any) -> torch.utils.data.DataLoader[Any]:
        return torch.utils.data.DataLoader(
            self.dataset, batch_sampler=batch_sampler, generator=self.generator, **self._options
        )


class _Endless:
    """The batches of epoch after epoch, as lists of indices, from a place on."""

    def __init__(self, batch_sampler: Any, seed: int, skip: int) -> None:
        self.batch_sampler, self.seed, self.skip = batch_sampler, seed, skip

    def __iter__(self) -> Iterator[Any]:
        length = len(self.batch_sampler)
        if length == 0:
            raise ValueError("the training data loader has no batches: is the data set smaller than one batch?")
        epoch, place = divmod(self.skip, length)
        while True:
            yield from self._epoch(epoch)[place:]
            epoch, place = epoch + 1, 0

    def _epoch(self, epoch: int) -> list[Any]:
        """The whole of an epoch, drawn at once so that nothing else has a part in it."""
        seed = (self.seed * 1_000_003 + epoch) % 2**63
        own = _generators(self.batch_sampler)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for generator in own:
                generator.manual_seed(seed)
            return list(self.batch_sampler)


def _generators(batch_sampler: Any) -> list[torch.Generator]:
    """The generators that a sampler, or one within it, draws from."""
    found = []
    for one in (batch_sampler, getattr(batch_sampler, "sampler", None)):
        generator = getattr(one, "generator", None)
        if isinstance(generator, torch.Generator):
            found.append(generator)
    return found


def _batches(
    dataset: Any, batch_size: int | None, shuffle: bool, sampler: Any, batch_sampler: Any, drop_last: bool,
    generator: torch.Generator | None,
) -> Any:  # fmt: skip
    """The sampler of batches that torch's loader would make. Raises `ValueError` for options excluding each other."""
    if batch_sampler is not None:
        if shuffle or sampler is not None or drop_last or batch_size != 1:
            raise ValueError("batch_sampler excludes batch_size, shuffle, sampler and drop_last")
        return batch_sampler
    if sampler is not None and shuffle:
        raise ValueError("sampler excludes shuffle")
    if sampler is None:
        kinds = torch.utils.data
        chosen = kinds.RandomSampler(dataset, generator=generator) if shuffle else kinds.SequentialSampler(dataset)
    else:
        chosen = sampler
    return torch.utils.data.BatchSampler(chosen, batch_size, drop_last)


def adapt_batch_sampler(
    batch_sampler: Any, *, repeat: bool = False, skip: int = 0, num_replicas: int = 1, rank: int = 0
) -> Any:
    """The sampler, over and over, without the first `skip` batches, every `num_replicas`-th one."""
    from determined.pytorch import samplers

    if num_replicas > 1:
        batch_sampler = samplers.DistributedBatchSampler(batch_sampler, num_replicas, rank)
    if repeat:
        batch_sampler = samplers.RepeatBatchSampler(batch_sampler)
    return samplers.SkipBatchSampler(batch_sampler, skip) if skip > 0 else batch_sampler


def data_length(data: Any) -> int:
    """How many records a batch has. Raises `TypeError` for what has no length."""
    if isinstance(data, torch.Tensor) or not isinstance(data, (dict, list, tuple)):
        return len(data)
    if not data:
        return 0
    return data_length(next(iter(data.values()))) if isinstance(data, dict) else data_length(data[0])


def to_device(data: Any, device: torch.device, warned_types: set[type] | None = None) -> Any:  # noqa: ARG001
    """The same with all tensors on that device, within dicts, lists and tuples too; other values as they are."""
    if isinstance(data, dict):
        return {key: to_device(value, device) for key, value in data.items()}
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(to_device(value, device) for value in data))
    if isinstance(data, (list, tuple)):
        return type(data)(to_device(value, device) for value in data)
    return data.to(device) if hasattr(data, "to") else data
