"""The conformance suite on the rules that watch running trials."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from rung.schedule.curve import Curve
from rung.schedule.median import Median
from rung.schedule.patience import Patience
from rung.schedule.percentile import Percentile
from rung.schedule.threshold import Threshold
from rung.schedule.wilcoxon import Wilcoxon
from rung.testing.racing import MakeScheduler
from rung.testing.schedulers import SchedulerConformance

AMONG: dict[str, Any] = {
    "max": [0, float("inf"), "many"],
    "population": [0, 1.5, "5", True],
    "grace": [-1, "1", float("nan")],
    "interval": [0, -1, "x"],
}


class TestMedian(SchedulerConformance):
    MANY: ClassVar[int] = 2000
    SWAPS: ClassVar[int] = 20
    BAD: ClassVar[Any] = {**AMONG, "average": [1, "yes"]}

    @pytest.fixture
    def make(self) -> MakeScheduler:
        return Median


class TestMedianOfValues(TestMedian):
    given: ClassVar[Any] = {"average": False, "interval": 3, "grace": 2}


class TestPercentile(SchedulerConformance):
    MANY: ClassVar[int] = 3000
    given: ClassVar[Any] = {"percentile": 30, "population": 3}
    BAD: ClassVar[Any] = {**AMONG, "percentile": [0, 100, -5, "half"]}

    @pytest.fixture
    def make(self) -> MakeScheduler:
        return Percentile


class TestThreshold(SchedulerConformance):
    given: ClassVar[Any] = {"factor": 1.2, "above": 1.3}
    BAD: ClassVar[Any] = {
        "metric": ["speed", 3],
        "above": ["1", float("nan")],
        "below": ["1", float("inf")],
        "factor": [1, 0.5, "2"],
        "against": ["last", 1],
        "nan": ["no", 1],
        "grace": [-1],
    }

    @pytest.fixture
    def make(self) -> MakeScheduler:
        return Threshold


class TestPatience(SchedulerConformance):
    given: ClassVar[Any] = {"reports": 3, "min_delta": 0.05}
    BAD: ClassVar[Any] = {
        "reports": [0, 1.5, "3"],
        "resource": [0, -1, "x", 4],
        "min_delta": [-0.1, "x"],
        "metric": ["speed"],
        "grace": [-1],
    }

    @pytest.fixture
    def make(self) -> MakeScheduler:
        return Patience


class TestPatienceByResource(SchedulerConformance):
    given: ClassVar[Any] = {"resource": 4}

    @pytest.fixture
    def make(self) -> MakeScheduler:
        return Patience


class TestWilcoxon(SchedulerConformance):
    MANY: ClassVar[int] = 2000
    SWAPS: ClassVar[int] = 20
    BAD: ClassVar[Any] = {"p": [0, 0.6, "0.1"], "min": [0, 1.5, "2"]}

    @pytest.fixture
    def make(self) -> MakeScheduler:
        return Wilcoxon


class TestCurve(SchedulerConformance):
    MANY: ClassVar[int] = 2500
    SWAPS: ClassVar[int] = 16
    given: ClassVar[Any] = {"population": 5, "alpha": 0.3}
    BAD: ClassVar[Any] = {
        "max": [0, "many", float("inf")],
        "alpha": [0, 1, 2, "x"],
        "top": [0, 1.5, "one"],
        "population": [0, 3, "ten"],
        "measure": [-0.1, 1.5, "x"],
    }

    @pytest.fixture
    def make(self) -> MakeScheduler:
        return Curve
