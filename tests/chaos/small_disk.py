"""A disk that can be filled."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path


class Disk:
    """A small file system at `path`."""

    def __init__(self, path: Path) -> None:
        self.path, self.ballast = path, path / "ballast"

    def fill(self) -> None:
        """Not one more block can be written."""
        with self.ballast.open("wb", buffering=0) as file:
            for size in (4096, 1):
                self._write(file.write, size)

    def _write(self, write: Callable[[bytes], int], size: int) -> None:
        try:
            while write(b"x" * size):
                pass
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017 - the only way that writing ends

    def free(self) -> None:
        """There is room again."""
        self.ballast.unlink()
