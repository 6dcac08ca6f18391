from __future__ import annotations

import pytest

from rung.search.nsga2 import Nsga2
from rung.testing.searchers import Make, SearcherConformance


class TestNsga2(SearcherConformance):
    @pytest.fixture
    def make(self) -> Make:
        return Nsga2
