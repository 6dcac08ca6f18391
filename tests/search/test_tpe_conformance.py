from __future__ import annotations

import pytest

from rung.search.tpe import TPE
from rung.testing.searchers import Make, SearcherConformance


class TestTPE(SearcherConformance):
    @pytest.fixture
    def make(self) -> Make:
        return TPE
