"""A study in a directory of its own, runners of it as processes, and the evidence that nothing was lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.laboratory import Laboratory


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
