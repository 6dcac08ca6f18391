from __future__ import annotations

from typing import Any, ClassVar

import pytest

from rung.schedule.asha import Asha
from rung.schedule.hyperband import Hyperband
from rung.schedule.none import RunToTheEnd
from rung.testing.racing import MakeScheduler
from rung.testing.schedulers import SchedulerConformance

LADDER: dict[str, Any] = {
    "min": [0, -1, "1", True, 27, 28, float("nan")],
    "max": [0, float("inf"), "many", 0.5],
    "eta": [1, 0.5, "3", True, float("inf"), 1.0001],
    "levels": [[], 3, [3, 1], [1, 1], [0, 1], [1, "3"], [1, 28], [27]],
    "increment": [0, -1, "2", 1e-6],
    "brackets": [0, 9, 1.5, "2"],
}


class TestNone(SchedulerConformance):
    @pytest.fixture
    def make(self) -> MakeScheduler:
        return RunToTheEnd


class TestAshaStopping(SchedulerConformance):
    BAD: ClassVar[Any] = {**LADDER, "type": ["cost", 3], "cut": ["half"]}

    @pytest.fixture
    def make(self) -> MakeScheduler:
        return Asha


class TestAshaStoppingByCount(TestAshaStopping):
    given: ClassVar[Any] = {"cut": "count", "brackets": 2, "eta": 2.5}


class TestAshaPromotion(TestAshaStopping):
    given: ClassVar[Any] = {"type": "promotion"}


class TestAshaPromotionByQuantile(TestAshaStopping):
    given: ClassVar[Any] = {"type": "promotion", "cut": "quantile", "brackets": 3}


class TestHyperband(SchedulerConformance):
    BAD: ClassVar[Any] = {**LADDER, "type": ["cost", 3], "cut": ["half"], "synchronous": ["yes", 1]}

    @pytest.fixture
    def make(self) -> MakeScheduler:
        return Hyperband


class TestHyperbandPromotion(TestHyperband):
    given: ClassVar[Any] = {"type": "promotion"}


class TestHyperbandSynchronous(TestHyperband):
    given: ClassVar[Any] = {"synchronous": True}
