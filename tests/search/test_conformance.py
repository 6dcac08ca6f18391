from __future__ import annotations

import pytest

from rung.search.auto import Auto
from rung.search.grid import Grid
from rung.search.random import Random
from rung.search.sobol import Sobol
from rung.testing.searchers import Make, SearcherConformance


class TestRandom(SearcherConformance):
    @pytest.fixture
    def make(self) -> Make:
        return Random


class TestGrid(SearcherConformance):
    finite_only = True

    @pytest.fixture
    def make(self) -> Make:
        return Grid


class TestSobol(SearcherConformance):
    @pytest.fixture
    def make(self) -> Make:
        return Sobol


@pytest.mark.usefixtures("little_effort")
class TestAuto(SearcherConformance):
    proposals = 14
    spaces_each = 2

    @pytest.fixture
    def make(self) -> Make:
        return Auto
