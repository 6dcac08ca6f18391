"""What is kept of a curve, and what is learned of checkpoints and of costs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rung.schedule.auto.curves import Curve, Pace, Point, Resumption
from rung.schedule.base import Progress


def curve() -> Curve:
    return Curve(3, np.zeros(2), 0.0, 4.0)


def report(of: Curve, step: float, loss: float, *, seconds: float = 0.0, violation: float = 0.0) -> float | None:
    return of.report(Progress(of.number, step, (loss,), (loss,), violation, seconds))


def test_the_newest_point_and_one_well_before_it_are_told() -> None:
    one = curve()
    for step in range(1, 40):
        report(one, float(step), 1 / step)
        told = one.told(slope=True)
        assert told[-1] == Point(step, 1 / step)
        assert len(one.points) <= 3
        if step > 1:
            assert len(told) == 2
            assert 1.5 * told[0].step <= step <= 6 * told[0].step
        assert one.told(slope=False) == told[-1:]


def test_a_broken_bound_is_worst_and_an_absent_loss_is_none() -> None:
    one = curve()
    assert report(one, 1.0, 0.5, violation=2.0) == math.inf
    assert one.report(Progress(3, 2.0, (None,), (None,))) is None
    assert len(one.points) == 1


@pytest.mark.parametrize(("anew", "expected"), [(False, 0.25), (True, 0.75)])
def test_it_is_learned_whether_trials_begin_again(*, anew: bool, expected: float) -> None:
    """Ten steps of a second each, a pause, one more step: after it, eleven seconds or twenty-one."""
    learned, one = Resumption(None), curve()
    assert learned.repeated == 0.5
    report(one, 10.0, 0.5, seconds=10.0)
    one.before = (one.step, one.seconds)
    report(one, 11.0, 0.4, seconds=21.0 if anew else 11.0)
    learned.observe(one)
    assert learned.repeated == expected
    learned.observe(one)
    assert learned.repeated == expected, "a continuation counts once"


@pytest.mark.parametrize(("known", "expected"), [(True, 0.0), (False, 1.0)])
def test_what_the_user_says_of_checkpoints_holds(*, known: bool, expected: float) -> None:
    assert Resumption(known).repeated == expected


def test_the_pace_of_a_configuration_follows_its_parameters() -> None:
    features = np.random.default_rng(0).random((60, 2))
    pace = np.exp(2 * features[:, 0])
    learned = Pace(features[:50], pace[:50])
    guess = learned.predict(features[50:], np.full(10, np.nan))
    assert np.abs(np.log(guess / pace[50:])).max() < 0.15
    assert learned.predict(features[:1], np.array([7.0]))[0] == 7.0


def test_without_any_time_every_step_costs_the_same() -> None:
    blank = Pace(np.zeros((3, 2)), np.full(3, np.nan))
    assert (blank.predict(np.zeros((4, 2)), np.full(4, np.nan)) == 1.0).all()
