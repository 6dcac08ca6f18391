"""Who trains: one process a trial."""

from __future__ import annotations

import os
from typing import Any, TypeVar

from determined import _absent

T = TypeVar("T")

ONE_PROCESS = "a trial is one process here; start several inside the script, and call det.core.init() in the first only"


class DistributedContext:
    """The place of this process among those that train together. Everything that they would exchange stays as it is."""

    def __init__(
        self,
        *,
        rank: int = 0,
        size: int = 1,
        local_rank: int = 0,
        local_size: int = 1,
        cross_rank: int = 0,
        cross_size: int = 1,
        chief_ip: str | None = None,
        **_: Any,
    ) -> None:
        if size != 1:
            _absent.refuse(f"core.DistributedContext(size={size})", ONE_PROCESS)
        self.rank, self.size = rank, size
        self.local_rank, self.local_size = local_rank, local_size
        self.cross_rank, self.cross_size = cross_rank, cross_size
        self.chief_ip = chief_ip

    @classmethod
    def from_torch_distributed(cls, chief_ip: str | None = None, **_: Any) -> DistributedContext:
        """The context of a process started by torchrun. Raises `NotCovered` when it is one of several."""
        return cls(size=int(os.environ.get("WORLD_SIZE", "1")), chief_ip=chief_ip)

    @classmethod
    def from_deepspeed(cls, chief_ip: str | None = None, **_: Any) -> DistributedContext:
        """As `from_torch_distributed`."""
        return cls.from_torch_distributed(chief_ip)

    @classmethod
    def from_horovod(cls, hvd: Any, chief_ip: str | None = None, **_: Any) -> DistributedContext:
        """The context of a process started by Horovod. Raises `NotCovered` when it is one of several."""
        return cls(size=int(hvd.size()), chief_ip=chief_ip)

    def get_rank(self) -> int:
        """0: this is the chief."""
        return self.rank

    def get_local_rank(self) -> int:
        """0."""
        return self.local_rank

    def get_size(self) -> int:
        """1."""
        return self.size

    def get_local_size(self) -> int:
        """1."""
        return self.local_size

    def get_num_agents(self) -> int:
        """1."""
        return self.cross_size

    def gather(self, stuff: T) -> list[T]:
        """What each process said: this one."""
        return [stuff]

    def gather_local(self, stuff: T) -> list[T]:
        """As `gather`."""
        return [stuff]

    def allgather(self, stuff: T) -> list[T]:
        """As `gather`."""
        return [stuff]

    def allgather_local(self, stuff: T) -> list[T]:
        """As `gather`."""
        return [stuff]

    def broadcast(self, stuff: T) -> T:
        """What the chief said."""
        return stuff

    def broadcast_local(self, stuff: T) -> T:
        """As `broadcast`."""
        return stuff

    def close(self) -> None:
        """Nothing to close."""

    def __enter__(self) -> DistributedContext:  # noqa: PYI034 - Self is not in every Python
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class DummyDistributedContext(DistributedContext):
    """One process."""

    def __init__(self) -> None:
        super().__init__()
