"""Samplers of batches by index: over and over, from the middle on, in a seeded order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class RepeatBatchSampler:
    """The batches of another sampler, again and again. Its length is that of one pass."""

    def __init__(self, batch_sampler: Any) -> None:
        self.batch_sampler = batch_sampler

    def __len__(self) -> int:
        return len(self.batch_sampler)

    def __iter__(self) -> Iterator[Any]:
        while True:
            yield from self.batch_sampler


class SkipBatchSampler:
    """The batches of another sampler but the first `skip`. Its length is that of the whole."""

    def __init__(self, batch_sampler: Any, skip: int) -> None:
        self.batch_sampler, self.skip = batch_sampler, skip

    def __len__(self) -> int:
        return len(self.batch_sampler)

    def __iter__(self) -> Iterator[Any]:
        for index, batch in enumerate(self.batch_sampler):
            if index >= self.skip:
                yield batch


class DistributedBatchSampler:
    """Every `num_workers`-th batch of another sampler, from the `rank`-th on."""

    def __init__(self, batch_sampler: Any, num_workers: int, rank: int) -> None:
        self.batch_sampler, self.num_workers, self.rank = batch_sampler, num_workers, rank

    def __len__(self) -> int:
        full, rest = divmod(len(self.batch_sampler), self.num_workers)
        return full + (self.rank < rest)

    def __iter__(self) -> Iterator[Any]:
        for index, batch in enumerate(self.batch_sampler):
            if index % self.num_workers == self.rank:
                yield batch


class ReproducibleShuffleSampler:
    """What another sampler gives, shuffled: in an order of its own in each pass, the same for the same seed."""

    def __init__(self, sampler: Iterable[Any], seed: int) -> None:
        self.sampler = sampler
        self.generator = torch.Generator()
        self.generator.manual_seed(seed)

    def __len__(self) -> int:
        return len(self.sampler)  # type: ignore[arg-type]  # a sampler with a length, as the original wants it

    def __iter__(self) -> Iterator[Any]:
        found = list(self.sampler)
        yield from (found[place] for place in torch.randperm(len(found), generator=self.generator).tolist())


class ReproducibleShuffleBatchSampler(ReproducibleShuffleSampler):
    """As `ReproducibleShuffleSampler`, for whole batches."""

    def __init__(self, batch_sampler: Iterable[Any], seed: int) -> None:
        super().__init__(batch_sampler, seed)
