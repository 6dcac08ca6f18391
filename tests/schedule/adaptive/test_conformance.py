"""The three rules under the conformance suite of schedulers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytest

from rung.schedule.adaptive import Adaptive
from rung.testing.racing import MakeScheduler
from rung.testing.schedulers import SchedulerConformance

BAD: dict[str, Sequence[Any]] = {
    "mode": ["fast", 1],
    "max": [0.5, 2.5, -1, float("nan"), "many"],
    "trials": [0, -3, 1.5, "all"],
    "divisor": [1, 0.5, float("inf"), True],
    "eta": [1, -2],
    "max_rungs": [0, 2.5, 10**6],
    "bracket_rungs": [3, [0], [2.5], ["2"], [1001]],
    "num_rungs": [0, 1001, [3]],
    "max_concurrent_trials": [-1, 2.5],
    "type": ["async", 3],
}


class TestStopping(SchedulerConformance):
    BAD: ClassVar[Mapping[str, Sequence[Any]]] = {**BAD, "budget": [100]}

    @pytest.fixture
    def make(self) -> MakeScheduler:
        return Adaptive

    @pytest.mark.parametrize("trials", [1, 7, 100, 12_345])  # it must know how many there are
    def test_brackets_fit_the_levels(self, make: MakeScheduler, trials: int | None) -> None:
        super().test_brackets_fit_the_levels(make, trials)


class TestConservative(TestStopping):
    given: ClassVar[Mapping[str, Any]] = {"mode": "conservative", "divisor": 3, "max_concurrent_trials": 3}
    BAD: ClassVar[Mapping[str, Sequence[Any]]] = {}


class TestPromotion(TestStopping):
    given: ClassVar[Mapping[str, Any]] = {"type": "promotion", "divisor": 3}
    BAD: ClassVar[Mapping[str, Sequence[Any]]] = {"budget": [100]}


class TestSynchronous(TestStopping):
    given: ClassVar[Mapping[str, Any]] = {"type": "synchronous", "divisor": 3, "max_rungs": 3}
    BAD: ClassVar[Mapping[str, Sequence[Any]]] = {"budget": [0, 1.5, "much"]}

    @pytest.mark.parametrize("trials", [2, 7, 100, 12_345])  # each bracket begins one at least
    def test_brackets_fit_the_levels(self, make: MakeScheduler, trials: int | None) -> None:
        super().test_brackets_fit_the_levels(make, trials)
