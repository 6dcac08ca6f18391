from __future__ import annotations

import math
from statistics import fmean, median, pstdev
from typing import Any

import pytest

from rung.execute.simulation.conditions import Conditions, Fate, fate_of, is_held
from rung.model import BadInput

KEYS = [f"study/{number}/1" for number in range(4000)]


def fates(**conditions: float) -> list[Fate]:
    return [fate_of(Conditions(**conditions), 7, key) for key in KEYS]  # type: ignore[arg-type]


def test_without_conditions_nothing_happens() -> None:
    assert set(fates()) == {Fate(1.0, None, math.inf)}
    assert not any(is_held(Conditions(), 7, key, 0) for key in KEYS)


def test_a_fate_belongs_to_its_seed_and_key() -> None:
    conditions = Conditions(failures=0.5, stragglers=0.3, preemption=1.0)
    assert fates(failures=0.5, stragglers=0.3, preemption=1.0) == [fate_of(conditions, 7, key) for key in KEYS]
    assert fate_of(conditions, 7, "a") != fate_of(conditions, 8, "a") != fate_of(conditions, 8, "b")


def test_failures_are_as_frequent_as_said_and_uniform_over_the_way() -> None:
    found = [fate.fails_at for fate in fates(failures=0.2) if fate.fails_at is not None]
    assert len(found) / len(KEYS) == pytest.approx(0.2, abs=0.02)
    assert fmean(found) == pytest.approx(0.5, abs=0.03)
    assert 0 <= min(found) <= max(found) < 1


def test_stragglers_are_lognormal_with_median_one() -> None:
    found = [math.log(fate.slowness) for fate in fates(stragglers=0.4)]
    assert median(found) == pytest.approx(0, abs=0.03)
    assert pstdev(found) == pytest.approx(0.4, abs=0.02)


def test_machines_are_lost_at_the_rate_that_is_said() -> None:
    found = [fate.lost_after_s for fate in fates(preemption=2.0)]
    assert fmean(found) == pytest.approx(1800, rel=0.05)
    assert sum(lost > 1800 for lost in found) / len(found) == pytest.approx(math.exp(-1), abs=0.03)


def test_one_condition_leaves_the_others_as_they_are() -> None:
    alone, together = fates(stragglers=0.4), fates(stragglers=0.4, failures=0.5, preemption=3.0)
    assert [fate.slowness for fate in alone] == [fate.slowness for fate in together]


def test_starts_are_held_as_often_as_said_each_time_anew() -> None:
    conditions = Conditions(holds=0.3)
    assert sum(is_held(conditions, 7, key, 0) for key in KEYS) / len(KEYS) == pytest.approx(0.3, abs=0.03)
    assert [is_held(conditions, 7, key, 0) for key in KEYS] != [is_held(conditions, 7, key, 1) for key in KEYS]


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ({"failures": 1.5}, "failures: expected a number from 0 to 1, got 1.5"),
        ({"holds": 1.0}, "holds: expected a number from 0 to 0.99, got 1"),
        ({"startup_s": -1.0}, "startup: expected a number of 0 or more, got -1"),
        ({"preemption": math.inf}, "preemption: expected a number of 0 or more, got inf"),
        ({"stragglers": math.nan}, "stragglers: expected a number of 0 or more, got nan"),
    ],
)
def test_conditions_that_cannot_be_are_refused(field: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput) as error:
        Conditions(**field)
    assert str(error.value) == says
