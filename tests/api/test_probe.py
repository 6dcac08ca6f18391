"""What some measured trials say of all."""

from __future__ import annotations

import pytest

from rung.analysis.effort import Speed, Work
from rung.api.probe import Probed, estimate
from rung.model import Budget, RunSettings, StudySpec

TWO = Probed((10.0, 20.0), (Speed(1.0, 0.9), Speed(2.0, 1.8)), failed=1)
WORK = Work(planned=81.0, full=270.0)


def spec(**run: float) -> StudySpec:
    return StudySpec(run=RunSettings(**run))  # type: ignore[arg-type]


def test_without_rungs_every_trial_takes_what_those_took() -> None:
    found = estimate(spec(workers=4), TWO, trials=100, work=None)
    assert (found["trials"], found["failed"], found["seconds_each"]) == (2, 1, 15)
    assert (found["seconds_low"], found["seconds_total"], found["seconds_high"]) == (250, 375, 500)
    assert "cost" not in found
    assert "gpu_hours" not in found


def test_with_rungs_the_work_is_what_counts() -> None:
    found = estimate(spec(workers=2, price=7.2, gpus=0.5), TWO, trials=27, work=WORK)
    busy = 27 * 1.5 + 81 * 1.35
    assert found["seconds_total"] == pytest.approx(busy / 2)
    assert found["seconds_low"] == pytest.approx((27 * 1 + 81 * 0.9) / 2)
    assert found["seconds_high"] == pytest.approx((27 * 2 + 81 * 1.8) / 2)
    assert found["cost"] == pytest.approx(busy * 7.2 / 3600)
    assert found["gpu_hours"] == pytest.approx(busy * 0.5 / 3600)
    assert (found["startup"], found["seconds_per_unit"]) == (1.5, pytest.approx(1.35))


def test_no_more_workers_than_trials_and_no_more_time_than_there_is() -> None:
    assert estimate(spec(workers=64), TWO, trials=2, work=None)["seconds_total"] == 15
    short = StudySpec(budget=Budget(time_s=12.0))
    assert estimate(short, TWO, trials=100, work=None)["seconds_total"] == 12


def test_one_trial_says_nothing_of_others() -> None:
    found = estimate(spec(), Probed((10.0,), (Speed(10.0, 0.0),), 0), trials=5, work=WORK)
    assert (found["seconds_total"], found["seconds_low"], found["seconds_high"]) == (50, None, None)
    assert found["seconds_per_unit"] is None  # it reported too little to tell


def test_what_is_not_known_is_null() -> None:
    nothing = estimate(spec(), Probed((), (), 3), trials=5, work=None)
    assert (nothing["trials"], nothing["failed"]) == (0, 3)
    assert {nothing[key] for key in ("seconds_each", "startup", "seconds_per_unit", "seconds_total")} == {None}
    assert estimate(spec(), TWO, trials=None, work=None)["seconds_total"] is None
