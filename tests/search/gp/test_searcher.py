from __future__ import annotations

import msgspec
import pytest

from rung.search.base import Problem
from rung.search.gp import GP, optimise, surrogate
from rung.testing.searchers import Make, SearcherConformance


def quick(problem: Problem) -> GP:
    """Few candidates: the same code in less time."""
    options = {"candidates": 64, **problem.search.options}
    return GP(msgspec.structs.replace(problem, search=msgspec.structs.replace(problem.search, options=options)))


@pytest.fixture(autouse=True)
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


class TestGP(SearcherConformance):
    @pytest.fixture
    def make(self) -> Make:
        return quick
