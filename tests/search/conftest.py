"""What the searchers' tests share."""

from __future__ import annotations

import pytest

from rung.search.gp import optimise, surrogate


@pytest.fixture
def little_effort(monkeypatch: pytest.MonkeyPatch) -> None:
    """The contract holds however long fits and searches take: here they are short."""
    for module, name, value in [
        (surrogate, "FIRST_STEPS", 4),
        (surrogate, "STEPS", 2),
        (optimise, "STARTS", 3),
        (optimise, "FIRST_ROUNDS", 5),
        (optimise, "ROUNDS", 3),
        (optimise, "SWEEPS", 2),
    ]:
        monkeypatch.setattr(module, name, value)
