from __future__ import annotations

import math

import numpy as np
import pytest

from rung.search.gp import fit as gp
from rung.search.gp.inputs import inputs_of, shape_of
from rung.space import Space
from search.gp.problems import CONDITIONAL, rows_of, slow_kernel, studied


def test_the_covariance_is_that_of_its_slow_twin() -> None:
    fixed, _, h = studied()
    rows = rows_of(Space(CONDITIONAL), 24)
    hyper = gp.unpack(fixed.shape, h)
    factor = gp.covariance(fixed, hyper).factor
    assert factor is not None
    slow = slow_kernel(fixed.shape, h, rows, fixed.inputs.task) + hyper.noise * np.eye(24)
    np.testing.assert_allclose(factor @ factor.T, slow, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("tasks", [0, 2])
def test_the_gradient_is_that_of_finite_differences(tasks: int) -> None:
    fixed, y, h = studied(tasks=tasks)
    _, gradient = gp.objective(h, fixed, y)
    for i, step in enumerate(1e-6 * np.eye(len(h))):
        numeric = (gp.objective(h + step, fixed, y)[0] - gp.objective(h - step, fixed, y)[0]) / 2e-6
        assert gradient[i] == pytest.approx(numeric, rel=1e-5, abs=1e-6)


def test_the_profile_is_the_best_mean_and_variance() -> None:
    """The negative log density written out, which no other mean or variance makes smaller."""
    fixed, y, h = studied()
    factor = gp.covariance(fixed, gp.unpack(fixed.shape, h)).factor
    assert factor is not None
    inverse = np.linalg.inv(factor @ factor.T)
    found = gp.profile(factor, y)

    def loss(mean: float, variance: float) -> float:
        quadratic = (y - mean) @ inverse @ (y - mean) + gp.MEAN_WEIGHT * mean**2 + gp.SIGNAL_WEIGHT
        return float(0.5 * (len(y) + gp.SIGNAL_WEIGHT) * math.log(variance) + 0.5 * quadratic / variance)

    best = loss(found.mean, found.variance)
    for mean, variance in [(0.01, 0.0), (-0.01, 0.0), (0.0, 0.01), (0.0, -0.01)]:
        assert loss(found.mean + mean, found.variance + variance) > best
    np.testing.assert_allclose(found.alpha, inverse @ (y - found.mean), rtol=1e-6)


def test_a_fit_finds_which_parameters_matter() -> None:
    rng = np.random.default_rng(3)
    space = Space(CONDITIONAL[:2])
    rows = space.sample(rng, 40)
    y = np.sin(6 * rows[:, 0])
    shape = shape_of(space)
    fixed = gp.fixed_of(shape, inputs_of(shape, rows))
    h, loss = gp.fit(fixed, (y - y.mean()) / y.std(), fixed.prior.mean, steps=50)
    lengths = gp.unpack(shape, h).lengths
    assert lengths[1] > 5 * lengths[0]
    assert loss < gp.objective(fixed.prior.mean, fixed, (y - y.mean()) / y.std())[0]


def test_a_covariance_without_a_factor_is_worst_and_flat() -> None:
    fixed, y, h = studied()
    h[fixed.shape.lengths] = -800.0
    h[: fixed.shape.lengths] = 20.0
    value, gradient = gp.objective(h, fixed, y)
    assert value == gp.FAILED
    assert not gradient.any()
