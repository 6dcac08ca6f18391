from __future__ import annotations

from fractions import Fraction
from math import factorial, pi, sqrt

import numpy as np
import pytest

from rung.search.gp import acquisition as gp
from rung.search.gp.model import Model, condition
from rung.space import Space
from rung.space.scales import Floats
from search.gp.problems import CONDITIONAL, SMOOTH, rows_of, studied


def _exact_h(z: int, digits: int = 60) -> float:
    """Log of phi(z) + z Phi(z) in rational arithmetic: Phi by its Taylor series, exact to many digits."""
    unit = Fraction(10) ** -digits
    half = Fraction(z * z, 2)
    terms = range(40 + 8 * z * z)
    exp = sum((-half) ** k / factorial(k) for k in terms)
    root_tau = Fraction(_decimal_root_tau(digits))
    density = exp / root_tau
    power = sum((-1) ** k * Fraction(z) ** (2 * k + 1) / (2**k * factorial(k) * (2 * k + 1)) for k in terms)
    below = Fraction(1, 2) + power / root_tau
    value = density + z * below
    assert abs(value) > 1000 * unit
    return float(np.log(float(value * 10**40)) - 40 * np.log(10.0))


def _decimal_root_tau(digits: int) -> str:
    assert digits <= 60
    return "2.506628274631000502415765284811045253006986740609938316629923"


@pytest.mark.parametrize("z", [-9, -8, -5, -3, -2, -1, 0, 1, 3])
def test_log_h_is_exact_where_rational_arithmetic_reaches(z: int) -> None:
    assert float(gp.log_h(np.array([float(z)]))[0]) == pytest.approx(_exact_h(z), rel=1e-9, abs=1e-9)


def test_log_h_far_out_follows_its_series() -> None:
    """h(z) ~ phi(z) / z^2 (1 - 3 / z^2 + ...); it rises, and is smooth where the branches meet."""
    z = -np.logspace(2, 9, 50)
    series = -0.5 * z * z - np.log(sqrt(2 * pi)) - 2 * np.log(-z) + np.log1p(-3 / z**2)
    np.testing.assert_allclose(gp.log_h(z), series, rtol=1e-9)
    across = np.concatenate([-1 + np.linspace(-1e-6, 1e-6, 5), -1e5 * (1 + np.linspace(1e-6, -1e-6, 5))])
    values = gp.log_h(np.sort(across))
    assert (np.diff(values) > 0).all()


def _numeric(function: object, at: float, step: float) -> float:
    assert callable(function)
    return float((function(at + step) - function(at - step)) / (2 * step))


@pytest.mark.parametrize("best", [-40.0, -3.0, 0.2, 4.0])
def test_expected_improvement_and_its_derivatives(best: float) -> None:
    mean, sd = np.array([0.3]), np.array([0.7])
    value, by_mean, by_sd = gp.log_expected_improvement(mean, sd, best)
    if best > -10:
        draws = 0.3 + 0.7 * np.random.default_rng(0).standard_normal(400_000)
        assert np.exp(value[0]) == pytest.approx(np.maximum(best - draws, 0).mean(), rel=0.05, abs=1e-5)
    assert by_mean[0] == pytest.approx(
        _numeric(lambda m: gp.log_expected_improvement(np.array([m]), sd, best)[0][0], 0.3, 1e-6), rel=1e-5
    )
    assert by_sd[0] == pytest.approx(
        _numeric(lambda s: gp.log_expected_improvement(mean, np.array([s]), best)[0][0], 0.7, 1e-6), rel=1e-5, abs=1e-9
    )


def test_feasibility_and_its_derivatives() -> None:
    mean, sd = np.array([2.0, -1.0]), np.array([0.5, 0.5])
    value, by_mean, by_sd = gp.log_feasibility(mean, sd)
    np.testing.assert_allclose(np.exp(value), [3.167e-5, 0.97725], rtol=1e-3)
    for step, found in [(np.array([1e-6, 0.0]), by_mean[0]), (np.array([0.0, 1e-6]), by_mean[1])]:
        ahead, behind = gp.log_feasibility(mean + step, sd)[0], gp.log_feasibility(mean - step, sd)[0]
        assert found == pytest.approx((ahead - behind).sum() / 2e-6, rel=1e-5)
        ahead, behind = gp.log_feasibility(mean, sd + step)[0], gp.log_feasibility(mean, sd - step)[0]
        assert by_sd[step.argmax()] == pytest.approx((ahead - behind).sum() / 2e-6, rel=1e-5)


def _area(points: Floats, corner: Floats) -> float:
    """The dominated area by a slow sweep."""
    kept = sorted((x, y) for x, y in points.tolist() if x < corner[0] and y < corner[1])
    area, height = 0.0, float(corner[1])
    for x, y in kept:
        if y < height:
            area += (corner[0] - x) * (height - y)
            height = y
    return area


def test_expected_hypervolume_is_that_of_sampling() -> None:
    front, corner = np.array([[-1.0, 0.5], [0.0, -0.2], [0.6, -0.9]]), np.array([1.2, 1.0])
    means, sds = np.array([[0.1, -0.4], [2.0, 2.0]]), np.array([[0.6, 0.8], [0.5, 0.4]])
    value, _, _ = gp.log_expected_hypervolume(means, sds, front, corner)
    rng, before = np.random.default_rng(1), _area(front, corner)
    for i in range(2):
        draws = means[i] + sds[i] * rng.standard_normal((6000, 2))
        grown = [_area(np.vstack([front, draw]), corner) - before for draw in draws]
        assert np.exp(value[i]) == pytest.approx(np.mean(grown), rel=0.08, abs=2e-3)


def _model(seed: int = 0) -> Model:
    fixed, y, h = studied(seed=seed)
    model = condition(fixed.shape, h, fixed.inputs, y)
    assert model is not None
    return model


def _belief(rows: Floats) -> Floats:
    return np.asarray(-8.0 * (np.nan_to_num(rows[:, 0], nan=0.5) - 0.7) ** 2)


def _aims() -> list[gp.Aim]:
    one, two = _model(), _model(1)
    front, corner = np.array([[-0.5, 0.3], [0.2, -0.1]]), np.array([1.0, 1.0])
    return [
        gp.Aim((one,), np.array([-1.0])),
        gp.Aim((one, two), front, corner),
        gp.Aim((one,), np.array([-3.0]), bounds=(two,)),
        gp.Aim((one,), None, bounds=(two,)),
        gp.Aim((one,), np.array([0.0]), belief=_belief, weight=0.5),
    ]


@pytest.mark.parametrize("which", range(5))
def test_the_gradient_by_rows_is_that_of_finite_differences(which: int) -> None:
    aim, rows = _aims()[which], rows_of(Space(CONDITIONAL), 6, seed=3)
    value, gradient = gp.value_and_gradient(aim, rows)
    np.testing.assert_allclose(value, gp.value(aim, rows))
    for column in SMOOTH:
        ahead, behind = rows.copy(), rows.copy()
        ahead[:, column] += 1e-6
        behind[:, column] -= 1e-6
        numeric = (gp.value(aim, ahead) - gp.value(aim, behind)) / 2e-6
        expected = np.where(np.isnan(rows[:, column]), 0.0, numeric)
        np.testing.assert_allclose(gradient[:, column], expected, rtol=1e-4, atol=1e-4)
