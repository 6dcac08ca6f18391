from __future__ import annotations

import pytest

from rung.search.de import DifferentialEvolution
from rung.testing.searchers import Make, SearcherConformance


class TestDifferentialEvolution(SearcherConformance):
    @pytest.fixture
    def make(self) -> Make:
        return DifferentialEvolution
