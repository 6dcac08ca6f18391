from __future__ import annotations

import pytest

from rung.search.evolution import Evolution
from rung.testing.searchers import Make, SearcherConformance


class TestEvolution(SearcherConformance):
    @pytest.fixture
    def make(self) -> Make:
        return Evolution
