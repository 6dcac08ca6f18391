"""The regression against slow twins, and against what a quadratic is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.search.quadratic.model import RIDGES, Model, fit, regressions

seeds = st.integers(0, 2**32 - 1)


def points(seed: int, n: int, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Steps (nearest first), and a random quadratic: its values there, its gradient and Hessian at 0."""
    rng = np.random.default_rng(seed)
    steps = rng.uniform(-1, 1, (n, k))
    steps = steps[np.argsort(np.abs(steps).max(axis=1))]
    steps[0] = 0.0
    half, gradient = rng.standard_normal((k, k)), rng.standard_normal(k)
    hessian = half + half.T
    return steps, steps @ gradient + 0.5 * np.einsum("ni,ij,nj->n", steps, hessian, steps), gradient, hessian


@given(seeds, st.integers(1, 5))
def test_a_quadratic_is_found_exactly_once_there_are_enough_points(seed: int, k: int) -> None:
    steps, values, gradient, hessian = points(seed, (k + 1) * (k + 2) // 2 + 6, k)
    model = fit(steps, values)
    assert model is not None
    np.testing.assert_allclose(model.gradient / model.scale, gradient, atol=1e-3)
    np.testing.assert_allclose(model.hessian / model.scale**2, hessian, atol=1e-2)
    assert model.error < 1e-3 * np.std(values)


@given(seeds, st.integers(1, 4), st.integers(3, 12), st.sampled_from(RIDGES[2:]))
def test_leave_one_out_errors_are_those_of_leaving_one_out(seed: int, k: int, more: int, ridge: float) -> None:
    steps, values, *_ = points(seed, k + 2 + more, k)
    values = values + np.random.default_rng(seed).standard_normal(len(values))
    ((alpha, _, errors),) = regressions(steps, values, (ridge,))
    kernel = 0.5 * (steps @ steps.T) ** 2
    lam = ridge * _largest(steps, kernel)
    for i in range(len(values)):
        rest = np.delete(np.arange(len(values)), i)
        weights, tail = _dense(steps[rest], values[rest], kernel[np.ix_(rest, rest)], lam)
        predicted = kernel[i, rest] @ weights + tail @ np.r_[1.0, steps[i]]
        assert errors[i] == pytest.approx(values[i] - predicted, rel=1e-4, abs=1e-6 * float(np.abs(errors).max()))
    assert alpha == pytest.approx(
        _dense(steps, values, kernel, lam)[0], rel=1e-5, abs=1e-8 * float(np.abs(alpha).max())
    )


def _largest(steps: np.ndarray, kernel: np.ndarray) -> float:
    tail = np.column_stack((np.ones(len(steps)), steps))
    inside = np.eye(len(steps)) - tail @ np.linalg.pinv(tail)
    return float(np.linalg.eigvalsh(inside @ kernel @ inside)[-1])


def _dense(steps: np.ndarray, values: np.ndarray, kernel: np.ndarray, lam: float) -> tuple[np.ndarray, np.ndarray]:
    """The saddle point system [[A + lam, P], [P^T, 0]] in full."""
    n, k = steps.shape
    tail = np.column_stack((np.ones(n), steps))
    system = np.block([[kernel + lam * np.eye(n), tail], [tail.T, np.zeros((k + 1, k + 1))]])
    found = np.linalg.lstsq(system, np.r_[values, np.zeros(k + 1)], rcond=None)[0]
    return found[:n], found[n:]


@given(seeds)
def test_with_few_points_the_hessian_is_the_smallest_that_fits(seed: int) -> None:
    """Of all quadratics through the points, found by adding ones that vanish at all of them."""
    k, n = 4, 9
    steps, values, *_ = points(seed, n, k)
    alpha, tail, _ = regressions(steps, values, (1e-13,))[0]
    hessian = (steps.T * alpha) @ steps
    upper = np.triu_indices(k)
    columns = np.array([[0.5 * (2 - (i == j)) * z[i] * z[j] for i, j in zip(*upper, strict=True)] for z in steps])
    full = np.column_stack((np.ones(n), steps, columns))
    np.testing.assert_allclose(full @ np.r_[tail, hessian[upper]], values, atol=1e-5 * float(np.abs(values).max()))
    _, _, right = np.linalg.svd(full)
    for vanishing in right[n:]:
        other = np.zeros((k, k))
        other[upper] = vanishing[k + 1 :]
        other = other + other.T - np.diag(np.diag(other))
        assert float((hessian * other).sum()) == pytest.approx(0.0, abs=1e-3 * float(np.linalg.norm(hessian)) + 1e-9)


def test_slope_is_the_gradient_of_at() -> None:
    rng = np.random.default_rng(1)
    half = rng.standard_normal((3, 3))
    model = Model(0.5, rng.standard_normal(3), half + half.T, 0.0, 1.0, 9, 0.25)
    step, h = rng.standard_normal(3), 1e-6
    for i in range(3):
        ahead, behind = (model.at(step + sign * h * np.eye(3)[i]) for sign in (1, -1))
        assert model.slope(step)[i] == pytest.approx((ahead - behind) / (2 * h), rel=1e-5)


def test_noise_is_smoothed_over() -> None:
    """With noise, the chosen model is nearer to the truth than one that goes through every point."""
    truth, worse = [], []
    for seed in range(20):
        steps, values, gradient, _ = points(seed, 19, 4)
        noisy = values + 0.5 * np.std(values) * np.random.default_rng(seed).standard_normal(len(values))
        model = fit(steps, noisy)
        assert model is not None
        exact = regressions(steps, noisy, (1e-13,))[0][1]
        truth.append(np.linalg.norm(model.gradient / model.scale - gradient))
        worse.append(np.linalg.norm(exact[1:] - gradient))
    assert np.mean(truth) < np.mean(worse)


@pytest.mark.parametrize("n", [1, 3, 4])
def test_too_few_points_give_no_model(n: int) -> None:
    assert fit(np.linspace(0, 1, 2 * n).reshape(n, 2), np.arange(n, dtype=float)) is None


def test_one_point_many_times_gives_no_model() -> None:
    assert fit(np.zeros((20, 2)), np.arange(20, dtype=float)) is None


@pytest.mark.parametrize("near", [0.0, 1e-300, 1e-200, 1e-100])
def test_near_values_that_hardly_differ_beside_huge_ones(near: float) -> None:
    steps, values, *_ = points(5, 40, 2)
    values = np.where(np.arange(40) < 8, near * np.arange(40), 1e150 * np.abs(values))
    model = fit(steps, values)
    assert model is not None
    assert np.isfinite([model.constant, model.error, model.at(steps[3]), *model.gradient, *model.hessian.ravel()]).all()
    assert 0.0 <= model.trust <= 1.0


def test_trust_is_none_however_wrong_the_model_is() -> None:
    assert Model(0.0, np.zeros(1), np.zeros((1, 1)), 1e200, 1.0, 9, 1.0).trust == 0.0
    assert Model(0.0, np.zeros(1), np.zeros((1, 1)), 0.6, 1.0, 9, 1.0).trust == pytest.approx(0.64)
