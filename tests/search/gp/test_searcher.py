from __future__ import annotations

import msgspec
import pytest

from rung.search.base import Problem
from rung.search.gp import GP
from rung.testing.searchers import Make, SearcherConformance

pytestmark = pytest.mark.usefixtures("little_effort")


def quick(problem: Problem) -> GP:
    """Few candidates: the same code in less time."""
    options = {"candidates": 64, **problem.search.options}
    return GP(msgspec.structs.replace(problem, search=msgspec.structs.replace(problem.search, options=options)))


class TestGP(SearcherConformance):
    proposals = 20
    spaces_each = 3

    @pytest.fixture
    def make(self) -> Make:
        return quick
