from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """Makes a study; at the end nobody holds a lease or is still attached, and its log is checked, decision by decision
    unless a test has put decisions of its own there (`recomputed=False`)."""
    made: list[tuple[Stage, bool]] = []

    def make(*args: Any, recomputed: bool = True, **fields: Any) -> Stage:
        made.append((Stage(tmp_path, *args, **fields), recomputed))
        return made[-1][0]

    yield make
    for one, recomputed in made:
        state = one.state() if recomputed else one.other.state
        assert state.runners == {}
        assert one.other.store.leases("study") == []
        one.door.close()
