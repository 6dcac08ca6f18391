"""A study in a directory of its own, runners of it as processes, and the evidence that nothing was lost."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.laboratory import Laboratory
from chaos.small_disk import Disk


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Callable[..., Laboratory]]:
    """Makes laboratories. At the end every process is gone, and nothing may have been lost in any of them."""
    made: list[Laboratory] = []

    def make(**fields: Any) -> Laboratory:
        made.append(Laboratory(tmp_path / f"lab-{len(made)}", **fields))
        return made[-1]

    yield make
    for laboratory in made:
        laboratory.close()
    for laboratory in made:
        laboratory.check()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    path = tmp_path / "disk"
    path.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "rung-test", str(path)], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"a small disk cannot be mounted here (root may): {made.stderr.strip()}")
    yield Disk(path)
    subprocess.run(["umount", "-l", str(path)], check=True)
