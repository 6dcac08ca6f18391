from __future__ import annotations

import pytest

from rung.search.gp import GP
from rung.testing.searchers import Make, SearcherConformance


class TestGP(SearcherConformance):
    @pytest.fixture
    def make(self) -> Make:
        return GP
