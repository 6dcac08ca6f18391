"""The joint process against slow twins: finite differences, and plain linear algebra."""

from __future__ import annotations

import numpy as np
import pytest

from rung.model import Parameter
from rung.schedule.auto.kernel import Rows, covariance, noise, prior_of, variance
from rung.schedule.auto.process import condition, fit, log_density, predict
from rung.search.gp.inputs import Shape, inputs_of, shape_of
from rung.space import Space

SPACE = Space(
    [
        Parameter(name="lr", type="float", min=1e-4, max=1.0, scale="log"),
        Parameter(name="kind", type="choice", values=("a", "b", "c")),
        Parameter(name="momentum", type="float", min=0.0, max=1.0, when="kind == 'a'"),
    ]
)


def rows(n: int, seed: int = 0) -> tuple[Shape, Rows, np.ndarray]:
    """Two observations of each of n configurations, and losses that depend on them."""
    rng = np.random.default_rng(seed)
    units = np.repeat(SPACE.sample(rng, n), 2, axis=0)
    steps = np.tile([2.0, 8.0], n)
    shape = shape_of(SPACE, warp=False)
    y = np.sin(3 * units[:, 0]) + 1 / steps + 0.1 * rng.standard_normal(2 * n)
    return shape, Rows(inputs_of(shape, units), np.log(steps), np.repeat(np.arange(n), 2)), y - y.mean()


def test_the_gradient_is_that_of_the_density() -> None:
    shape, known, y = rows(8)
    h = prior_of(shape).mean + 0.3 * np.random.default_rng(1).standard_normal(shape.lengths + 6)
    _, slope = log_density(shape, h, known, y)
    for i in range(len(h)):
        step = np.zeros(len(h))
        step[i] = 1e-5
        ahead, behind = log_density(shape, h + step, known, y)[0], log_density(shape, h - step, known, y)[0]
        assert (ahead - behind) / 2e-5 == pytest.approx(slope[i], rel=1e-4, abs=1e-5)


def test_a_fit_climbs() -> None:
    shape, known, y = rows(12)
    start = prior_of(shape).mean
    found = fit(shape, known, y, None, 20)
    assert log_density(shape, found, known, y)[0] > log_density(shape, start, known, y)[0] + 1


def test_predictions_are_those_of_the_textbook() -> None:
    shape, known, y = rows(6)
    _, asked, _ = rows(3, seed=5)
    asked = asked._replace(trial=-1 - asked.trial)
    h = prior_of(shape).mean
    mean, sd = predict(condition(shape, h, known, y), asked)
    total = covariance(shape, h, known, known).total + noise(shape, h) * np.eye(len(y))
    cross = covariance(shape, h, asked, known).total
    assert mean == pytest.approx(cross @ np.linalg.solve(total, y), abs=1e-8)
    left = variance(shape, h) - np.diag(cross @ np.linalg.solve(total, cross.T))
    assert sd**2 == pytest.approx(left, rel=1e-5, abs=1e-7)


def test_a_curve_says_more_of_its_own_end_than_a_neighbours_does() -> None:
    shape, known, y = rows(6)
    h = prior_of(shape).mean
    process = condition(shape, h, known, y)
    end = Rows(known.inputs.take(np.array([0])), np.log([50.0]), known.trial[:1])
    stranger = end._replace(trial=np.array([-1]))
    assert predict(process, end)[1] < predict(process, stranger)[1]


def test_what_is_supposed_moves_no_mean_and_narrows_what_is_near() -> None:
    shape, known, y = rows(6)
    h = prior_of(shape).mean
    _, extra, _ = rows(2, seed=9)
    extra = extra._replace(trial=extra.trial + 100)
    both = Rows(
        inputs_of(shape, np.zeros((0, 3)))._replace(
            features=np.concatenate([known.inputs.features, extra.inputs.features]),
            codes=np.concatenate([known.inputs.codes, extra.inputs.codes]),
        ),
        np.concatenate([known.time, extra.time]),
        np.concatenate([known.trial, extra.trial]),
    )
    plain, supposed = condition(shape, h, known, y), condition(shape, h, both, y)
    end = extra._replace(time=np.log([50.0]))
    before, after = predict(plain, end), predict(supposed, end)
    assert after[0] == pytest.approx(before[0], abs=1e-8)
    assert (after[1] < before[1]).all()


def test_one_time_for_all_is_that_time_for_each() -> None:
    shape, known, y = rows(5)
    process = condition(shape, prior_of(shape).mean, known, y)
    each = known._replace(time=np.full(len(y), np.log(50.0)))
    one = known._replace(time=np.log([50.0]))
    assert predict(process, each)[0] == pytest.approx(predict(process, one)[0])


def test_equal_rows_are_no_obstacle() -> None:
    shape, known, y = rows(3)
    same = known.take(np.zeros(20, dtype=np.int64))
    mean, sd = predict(condition(shape, prior_of(shape).mean, same, np.zeros(20)), known)
    assert np.isfinite(mean).all()
    assert (sd > 0).all()
    assert len(y) == 6
