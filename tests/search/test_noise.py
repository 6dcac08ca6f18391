from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.search.noise import COMPONENTS, LEADERS, STEPS, WIDTH, Evaluations, evaluations, posterior
from rung.study.seeds import generator


def repeated(truth: Any, times: Any, sd: float, seed: int = 0) -> tuple[Evaluations, Any]:
    """Configurations of these true losses, evaluated so often with normal noise."""
    truth, times = np.asarray(truth, dtype=float), np.broadcast_to(times, np.shape(truth))
    configuration = np.repeat(np.arange(len(truth)), times)
    losses = truth[configuration] + generator(seed, "noise", 0).normal(0, sd, len(configuration))
    return evaluations(configuration, losses, len(truth)), losses


def test_the_noise_is_pooled_over_what_was_repeated() -> None:
    found = evaluations(np.array([0, 2, 0, 1, 0, 1]), np.array([1.0, 9.0, 3.0, 5.0, 5.0, 7.0]), 4)
    assert found.counts.tolist() == [3, 2, 1, 0]
    assert found.means[:3].tolist() == [3.0, 6.0, 9.0]
    assert math.isnan(found.means[3])
    assert found.variance == pytest.approx((4 + 0 + 4 + 1 + 1) / 3)
    assert found.freedom == 3


def test_the_pooled_variance_is_that_of_the_noise() -> None:
    found, _ = repeated(np.linspace(-50, 50, 300), 3, 0.7)
    assert math.sqrt(found.variance) == pytest.approx(0.7, rel=0.05)


def slow_posterior(found: Evaluations) -> tuple[list[float], list[float]]:
    """The docstring's formulas, one configuration and component at a time, without cells."""
    h, noise = WIDTH * math.sqrt(found.variance), found.variance
    grid = [float(np.nanmin(found.means)) + h * k for k in range(COMPONENTS)]
    near = [(m, noise / n) for m, n in zip(found.means, found.counts, strict=True) if m <= grid[-1]]

    def responsibilities(mean: float, error: float, shares: list[float]) -> list[float]:
        spread = error + h * h
        joint = [p * math.exp(-((mean - g) ** 2) / (2 * spread)) for p, g in zip(shares, grid, strict=True)]
        return [j / sum(joint) for j in joint]

    shares = [1 / COMPONENTS] * COMPONENTS
    for _ in range(STEPS):
        each = [responsibilities(mean, error, shares) for mean, error in near]
        shares = [(sum(r[k] for r in each) + 1 / COMPONENTS) / (len(near) + 1) for k in range(COMPONENTS)]
    means, variances = [], []
    for mean, error in near:
        r = responsibilities(mean, error, shares)
        within = 1 / (1 / h**2 + 1 / error)
        centres = [within * (g / h**2 + mean / error) for g in grid]
        means.append(sum(p * c for p, c in zip(r, centres, strict=True)))
        variances.append(within + sum(p * c * c for p, c in zip(r, centres, strict=True)) - means[-1] ** 2)
    return means, variances


def test_the_posterior_is_that_of_the_formulas() -> None:
    """Against a slow twin; counting in cells changes it by a hundredth of the noise at most."""
    found, _ = repeated([0.0, 0.1, 0.5, 1.0, 2.0, 3.0], [4, 1, 2, 1, 3, 1], 0.5)
    means, variances = posterior(found)
    slow = slow_posterior(found)
    assert means == pytest.approx(slow[0], abs=0.005)
    assert variances == pytest.approx(slow[1], abs=0.005)


def test_lucky_draws_are_pulled_back_and_repeated_ones_less() -> None:
    truth = np.concatenate([np.zeros(200), [-0.05]])
    found, _ = repeated(truth, [1] * 200 + [6], 1.0)
    means, variances = posterior(found)
    lucky = int(found.means[:200].argmin())
    assert found.means[lucky] < -2
    assert means[lucky] > -1.0
    assert variances[200] < variances[lucky] < found.variance
    assert abs(means[200] - found.means[200]) < 0.3


def test_what_is_far_from_the_good_end_is_left_as_it_is() -> None:
    found, _ = repeated([0.0, 0.1, 1000.0], 2, 0.1)
    means, variances = posterior(found)
    assert means[2] == found.means[2]
    assert variances[2] == pytest.approx(found.variance / 2)


def test_around_a_target_both_sides_are_the_good_end() -> None:
    truth = np.concatenate([np.linspace(-0.3, 0.3, 60), [50.0]])
    found, _ = repeated(truth + 0.95, 2, 0.5)
    means, variances = posterior(found, target=0.95)
    near = truth < 50
    assert np.abs(means - truth - 0.95)[near].mean() < np.abs(found.means - truth - 0.95)[near].mean()
    assert (variances[near] < found.variance / 2).all()
    assert means[60] == found.means[60]
    mirrored = posterior(found._replace(means=2 * 0.95 - found.means), target=0.95)[0]
    assert 2 * 0.95 - mirrored == pytest.approx(means, abs=0.05)


@pytest.mark.parametrize("losses", [[1.0, 1.0, 1.0, 1.0], [2.0, 2.0, 2.0 + 1e-160, 2.0]])
def test_without_noise_the_means_are_the_values(losses: list[float]) -> None:
    found = evaluations(np.array([0, 0, 1, 2]), np.array(losses), 3)
    means, variances = posterior(found)
    assert means.tolist() == found.means.tolist()
    assert variances.tolist() == [0, 0, 0]


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.floats(-1e300, 1e300) | st.floats(-1, 1) | st.just(1e-300)),
        min_size=0,
        max_size=12,
    ),
    st.none() | st.floats(-1e300, 1e300),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_finite_losses_give_finite_numbers(pairs: list[tuple[int, float]], target: float | None) -> None:
    configuration, losses = np.array([c for c, _ in pairs], dtype=np.int64), np.array([x for _, x in pairs])
    found = evaluations(configuration, losses, 5)
    means, variances = posterior(found, target=target)
    known = found.counts > 0
    assert np.isfinite(means[known]).all()
    assert (variances[known] >= 0).all()
    assert np.isnan(means[~known]).all()


def test_a_hundred_thousand_configurations_are_no_more_work_than_their_leaders() -> None:
    truth = generator(1, "truth", 0).random(100_000)
    times = np.ones(100_000, dtype=np.int64)
    times[:20] = 5
    found, _ = repeated(truth, times, 0.3)
    means, _variances = posterior(found)
    changed = np.flatnonzero(means != found.means)
    assert len(changed) == LEADERS + 20
    assert means.argmin() in changed
