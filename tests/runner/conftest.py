from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """Makes a study; at the end its log is checked, and nobody holds a lease or is still attached."""
    made: list[Stage] = []

    def make(*args: Any, **fields: Any) -> Stage:
        made.append(Stage(tmp_path, *args, **fields))
        return made[-1]

    yield make
    for one in made:
        state = one.state()
        assert state.runners == {}
        assert one.other.store.leases("study") == []
