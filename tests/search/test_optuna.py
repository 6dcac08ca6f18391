from __future__ import annotations

import pytest

from rung.search.optuna import Optuna
from rung.testing.searchers import Make, SearcherConformance


class TestTPE(SearcherConformance):
    @pytest.fixture
    def make(self) -> Make:
        return Optuna.named("TPESampler")


class TestRandom(SearcherConformance):
    @pytest.fixture
    def make(self) -> Make:
        return Optuna.named("RandomSampler")


class TestNSGA(SearcherConformance):
    @pytest.fixture
    def make(self) -> Make:
        return Optuna.named("NSGAIISampler")


class TestCma(SearcherConformance):
    @pytest.fixture
    def make(self) -> Make:
        return Optuna.named("CmaEsSampler")


class TestQMC(SearcherConformance):
    @pytest.fixture
    def make(self) -> Make:
        return Optuna.named("QMCSampler")
