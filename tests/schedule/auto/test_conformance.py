"""The scheduler `auto` keeps the contract."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from rung.schedule.auto import FreezeThaw
from rung.testing.racing import MakeScheduler
from rung.testing.schedulers import SchedulerConformance


class TestFreezeThaw(SchedulerConformance):
    given: ClassVar[dict[str, Any]] = {"initial": 4}
    BAD: ClassVar[dict[str, Any]] = {
        "min": [0, -1, 27, "1", True],
        "max": [0, -1, "27"],
        "eta": [1, 0, "2"],
        "initial": [0, 1, 2.5, "4"],
        "checkpoint": ["yes", 1],
    }
    TRIALS: ClassVar[int] = 16
    MANY: ClassVar[int] = 2_000

    @pytest.fixture
    def make(self) -> MakeScheduler:
        return FreezeThaw
