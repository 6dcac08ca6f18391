from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.schedule.curve import calibration
from rung.schedule.curve.calibration import is_measured, level, measured_share
from rung.schedule.curve.model import FAR, Forecast, Unit
from rung.schedule.curve.track import Track, looks


def curves(n: int, seed: int, epochs: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """What n trials showed, and how they ended."""
    rng = np.random.default_rng(seed)
    t = np.arange(1, epochs + 1)
    losses = rng.gamma(2, 0.1, n)[:, None] + t ** -rng.uniform(0.3, 1.2, n)[:, None] + rng.normal(0, 0.01, (n, epochs))
    seen = []
    for row in losses:
        track = Track(epochs, looks(epochs))
        for epoch, loss in enumerate(row, 1):
            track.add(epoch, loss)
        seen.append(track.to_the_end())
    return np.array(seen), losses[:, -1]


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=12), st.floats(-1e3, 1e3))
def test_the_unit_keeps_order_and_bounds(losses: list[float], finite: float) -> None:
    final = np.array([*losses, finite])
    unit = Unit(final)
    found = unit.of(np.sort(final))
    assert (np.diff(found) >= 0).all()
    assert (found <= FAR).all()


def test_the_unit_and_its_inverse() -> None:
    unit = Unit(np.array([1.0, 2.0, 3.0, 4.0, 50.0]))
    assert unit.of(np.array([3.0]))[0] == 0.0
    for loss in (1.0, 3.0, 3.5, 20.0):
        assert unit.loss(float(unit.of(np.array([loss]))[0])) == pytest.approx(loss)


def test_leaving_one_out_in_closed_form_is_leaving_it_out() -> None:
    seen, final = curves(12, 0)
    whole = Forecast(seen, final)
    for i in (0, 5, 11):
        rest = np.delete(np.arange(12), i)
        other = Forecast(seen[rest], final[rest], whole.unit)
        expected = [other.chances(look, seen[i, look], final[i : i + 1])[0] for look in range(seen.shape[1])]
        np.testing.assert_allclose(whole.surprise()[i], expected, rtol=1e-6)


def test_predictions_hold_on_trials_that_were_not_seen() -> None:
    """P(final <= what it became) is spread evenly over [0, 1] for new trials, at every look."""
    seen, final = curves(160, 1)
    forecast = Forecast(seen[:60], final[:60])
    for look in (4, 9, 14):
        u = np.array([forecast.chances(look, seen[i, look], final[i : i + 1])[0] for i in range(60, 160)])
        assert abs(np.mean(u < 0.5) - 0.5) < 0.2
        assert np.mean(u < 0.05) < 0.12
        assert np.mean(u > 0.95) < 0.12


def test_chances_grow_with_the_loss_that_is_asked_for_and_with_what_was_shown() -> None:
    seen, final = curves(40, 2)
    forecast = Forecast(seen, final)
    chances = forecast.chances(9, seen[0, 9], np.sort(final))
    assert (np.diff(chances) >= 0).all()
    worse = seen[0, 9] + np.array([1.0, 0, 0, 0])
    assert forecast.chances(9, worse, final[:1])[0] < forecast.chances(9, seen[0, 9], final[:1])[0]
    assert forecast.expected(9, worse) > forecast.expected(9, seen[0, 9])


def test_who_has_diverged_has_no_chance_unless_a_good_one_came_back() -> None:
    seen, final = curves(20, 3)
    gone = np.array([math.inf, 0.0, 0.0, 0.0])
    assert Forecast(seen, final).chances(9, gone, final[:2]).tolist() == [0.0, 0.0]
    seen[np.argmin(final), 9] = gone
    returned = Forecast(seen, final)
    assert returned.chances(9, gone, final[:2]).tolist() == [1.0, 1.0]
    assert returned.surprise()[np.argmin(final), 9] == 0.0, "nobody else had come back"


# ----------------------------------------------------------------------------------------------------- calibration


def stopped_share(u: np.ndarray, record: int, alpha: float) -> float:
    """How many of many new trials fall under the level that records of so many give, on average."""
    rng = np.random.default_rng(9)
    found = []
    for _ in range(300):
        drawn = rng.choice(len(u), size=record)
        found.append(np.mean(u < level(u[drawn], np.ones(record), np.zeros(record), alpha)))
    return float(np.mean(found))


@pytest.mark.parametrize("record", [0, 3, 10, 50, 200])
@pytest.mark.parametrize("alpha", [0.02, 0.05, 0.2])
def test_no_more_than_alpha_falls_under_the_level(record: int, alpha: float) -> None:
    rng = np.random.default_rng(4)
    exact = rng.random(5000)
    sure_of_itself = np.exp(-4 * rng.exponential(size=5000))
    heavy = np.exp(-rng.pareto(1.5, 5000))
    assert stopped_share(exact, record, alpha) <= alpha * 1.1
    if record >= 10:  # before, a prior belief is all there is
        assert stopped_share(sure_of_itself, record, alpha) <= alpha * 1.3
    if record * alpha > 2:  # no parametric tail covers it: the conformal quantile does
        assert stopped_share(heavy, record, alpha) <= alpha * 1.1


def test_a_long_record_is_used() -> None:
    u = np.random.default_rng(5).random(5000)
    assert stopped_share(u, 200, 0.2) > 0.1


def test_measured_trials_that_would_have_been_stopped_stand_for_many() -> None:
    u = np.array([1e-9, *np.linspace(0.05, 1, 30)])
    plain = level(u, np.ones(31), np.zeros(31), 0.1)
    heavy = level(u, np.array([10.0, *np.ones(30)]), np.zeros(31), 0.1)
    assert heavy < plain
    assert level(u, np.array([1.0, *np.full(30, 10.0)]), np.zeros(31), 0.1) == plain, (
        "those that would go on stand for themselves"
    )


def test_a_record_of_those_that_were_not_stopped_does_not_grow_too_sure() -> None:
    """Trials come one after the other, those under the level of the moment are never seen: the level stays honest."""
    rng, alpha, under = np.random.default_rng(6), 0.2, 0
    for _ in range(60):
        seen, floors, now = np.empty(0), np.empty(0), 0.0
        for u in rng.random(60):
            if u < now:
                continue
            seen, floors = np.append(seen, u), np.append(floors, now)
            now = level(seen, np.ones(len(seen)), floors, alpha)
        under += now < 1.1 * alpha
    assert under > 55


def test_fewer_and_fewer_are_measured_whatever_else_happens() -> None:
    chosen = [is_measured(0.1, number, 3) for number in range(4000)]
    expected = sum(measured_share(0.1, number) for number in range(4000))
    assert sum(chosen) == pytest.approx(expected, abs=4 * expected**0.5)
    assert sum(chosen[:500]) > sum(chosen[3500:])
    assert chosen == [is_measured(0.1, number, 3) for number in range(4000)]
    assert not any(is_measured(0.0, number, 3) for number in range(100))


def test_the_conformal_quantile_waits_for_its_record() -> None:
    x = np.array([9.0, 8.0, 1.0])
    assert calibration._conformal(x, np.ones(3), 0.05) == 0.0
    assert calibration._conformal(x, np.ones(3), 0.5) == 9.0
    assert calibration._conformal(x, np.ones(3), 0.75) == 8.0
