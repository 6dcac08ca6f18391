from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.model import Parameter
from rung.search.gp import transform, trust
from rung.search.gp.ascent import ascend
from rung.search.gp.design import design
from rung.search.gp.inputs import INACTIVE, inputs_of, shape_of
from rung.search.gp.kernel import distances, matern52, mismatches, task_correlations
from rung.search.gp.surrogate import chosen
from rung.search.gp.warp import kumaraswamy
from rung.space import Space
from rung.space.scales import Floats
from search.gp.problems import CONDITIONAL, rows_of

# ---------------------------------------------------------------------------------------------------------- kernel


def test_distances_are_those_of_loops() -> None:
    rng = np.random.default_rng(0)
    one, two = rng.random((5, 3)), rng.random((7, 3))
    slow = [[sum((a - b) ** 2 for a, b in zip(x, z, strict=True)) for z in two] for x in one]
    np.testing.assert_allclose(distances(one, two), slow, atol=1e-14)


def test_the_slope_of_the_kernel() -> None:
    squared = np.array([1e-4, 0.1, 1.0, 9.0])
    _, slope = matern52(squared)
    numeric = (matern52(squared + 1e-6)[0] - matern52(squared - 1e-6)[0]) / 2e-6
    np.testing.assert_allclose(slope, numeric, rtol=1e-4)
    assert matern52(np.zeros(1))[1][0] == pytest.approx(-5 / 6)


def test_mismatches_count_with_their_weights() -> None:
    one, two = np.array([[0.0, INACTIVE]]), np.array([[0.0, INACTIVE], [1.0, INACTIVE], [1.0, 2.0]])
    np.testing.assert_array_equal(mismatches(one, two, np.array([2.0, 3.0])), [[0.0, 2.0, 5.0]])


def test_correlations_of_studies_are_positive_definite() -> None:
    task = np.arange(5)
    found = task_correlations(np.array([0.9, 0.1, 0.99, 0.5]), task, task)
    assert np.linalg.eigvalsh(found).min() > 0
    assert found[0, 1] == 0.9
    assert found[1, 2] == pytest.approx(0.09)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000))
def test_correlations_of_conditional_rows_are_positive_definite(seed: int) -> None:
    """Also where parameters are inactive, whatever the lengthscales."""
    space, rng = Space(CONDITIONAL), np.random.default_rng(seed)
    shape = shape_of(space)
    inputs = inputs_of(shape, rows_of(space, 30, seed))
    weights = np.exp(rng.normal(0, 2, shape.lengths))
    scaled = inputs.features * np.sqrt(weights[: shape.features])
    squared = distances(scaled, scaled) + mismatches(inputs.codes, inputs.codes, weights[shape.features :])
    assert np.linalg.eigvalsh(matern52(squared)[0]).min() > -1e-8


def test_inactive_parameters() -> None:
    """Two inactive ones are alike; an inactive one is unlike every active one, by its indicator."""
    space = Space(CONDITIONAL)
    shape = shape_of(space, tasks=3)
    assert shape.smooth.tolist() == [0, 1, 3, 5]
    assert (shape.choices.tolist(), shape.sizes.tolist()) == ([2, 4], [3, 4])
    assert shape.groups.tolist() == [3]
    rows = space.encode(
        [{"a": 0.1, "b": 0.2, "c": "x", "e": 0.9, "i": 3}, {"a": 0.1, "b": 0.2, "c": "y", "g": 2, "i": 3}]
    )
    inputs = inputs_of(shape, rows)
    np.testing.assert_allclose(inputs.features, [[0.1, 0.2, 0.9, 0.35, 1.0], [0.1, 0.2, 0.5, 0.35, 0.0]])
    np.testing.assert_array_equal(inputs.codes, [[0.0, INACTIVE], [1.0, 1.0]])


def test_a_factor_that_is_always_there_makes_no_group() -> None:
    two = Parameter(name="two", type="constant", value=2)
    size = Parameter(name="size", type="int", min=1, max=9, times="two")
    assert not len(shape_of(Space((two, size))).groups)


# ------------------------------------------------------------------------------------------------------------ warp


@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (0.4, 2.5), (3.0, 0.3)])
def test_warping_and_its_derivatives(a: float, b: float) -> None:
    x = np.array([[0.02, 0.3, 0.5, 0.97]]).T
    found = kumaraswamy(x, np.array([a]), np.array([b]))
    np.testing.assert_allclose(found.value, 1 - (1 - x**a) ** b, rtol=1e-6)

    def numeric(function: object) -> Floats:
        assert callable(function)
        return np.asarray((function(1e-6) - function(-1e-6)) / 2e-6)

    by_a = numeric(lambda e: kumaraswamy(x, np.array([a * np.exp(e)]), np.array([b])).value)
    by_b = numeric(lambda e: kumaraswamy(x, np.array([a]), np.array([b * np.exp(e)])).value)
    by_x = numeric(lambda e: kumaraswamy(x + e, np.array([a]), np.array([b])).value)
    for analytic, other in [(found.by_a, by_a), (found.by_b, by_b), (found.by_x, by_x)]:
        np.testing.assert_allclose(analytic, other, rtol=1e-4, atol=1e-8)


@given(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5))
def test_warping_stays_in_the_unit_interval_and_rises(log_a: float, log_b: float) -> None:
    found = kumaraswamy(np.linspace(0, 1, 101)[:, None], np.exp([log_a]), np.exp([log_b]))
    assert (np.diff(found.value[:, 0]) >= 0).all()
    assert found.value.min() >= 0
    assert found.value.max() <= 1
    assert all(np.isfinite(part).all() for part in found)


# ------------------------------------------------------------------------------------------------------- transform

LOSSES = st.lists(st.one_of(st.floats(allow_nan=False), st.sampled_from([0.0, 1e300, -1e300])), min_size=1, max_size=20)


@given(LOSSES)
def test_every_loss_has_a_finite_place_on_every_scale(losses: list[float]) -> None:
    y = transform.clipped(np.array(losses))
    assert np.isfinite(y).all()
    for output in transform.outputs(y):
        placed = transform.forward(output, y)
        assert np.isfinite(placed).all()
        assert np.isfinite(transform.log_slopes(output, y)).all()
        order = np.argsort(y, kind="stable")
        assert (np.diff(placed[order]) >= 0).all()


def test_what_failed_counts_as_a_little_worse_than_the_worst() -> None:
    y = transform.clipped(np.array([1.0, 2.0, 3.0, np.inf, -np.inf]))
    assert y[3] > 3.0
    assert y[4] <= 1.0


def test_one_huge_loss_does_not_drown_the_others() -> None:
    y = transform.clipped(np.array([1.0, 2.0, 3.0, 4.0, 1e300]))
    assert y[4] == pytest.approx(3.0 + transform.REACH * 2.0)


def test_scales_are_undone() -> None:
    y = np.array([0.1, 0.5, 3.0, 40.0, 41.0])
    for output in transform.outputs(y):
        placed = transform.forward(output, y)
        np.testing.assert_allclose(transform.backward(output, placed), y)
        assert placed.mean() == pytest.approx(0, abs=1e-12)
        assert placed.std() == pytest.approx(1)
        numeric = (transform.forward(output, y + 1e-7) - transform.forward(output, y - 1e-7)) / 2e-7
        np.testing.assert_allclose(np.exp(transform.log_slopes(output, y)), numeric, rtol=1e-4)


# ---------------------------------------------------------------------------------------------------------- ascent


def test_ascents_find_the_maxima_in_a_box() -> None:
    """Rotated quadratics, some with the maximum outside: there the corner or the edge."""
    rng = np.random.default_rng(4)
    basis = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    hessian = basis @ np.diag([1.0, 3.0, 10.0, 100.0, 1000.0]) @ basis.T
    centre = np.array([0.3, 0.8, 0.5, 0.2, 0.6])

    def function(x: Floats) -> tuple[Floats, Floats]:
        away = x - centre
        return -0.5 * np.einsum("si,ij,sj->s", away, hessian, away), -away @ hessian

    x, value = ascend(function, rng.random((6, 5)), np.zeros((6, 5)), np.ones((6, 5)), 60)
    np.testing.assert_allclose(x, np.tile(centre, (6, 1)), atol=1e-3)
    assert (value <= 0).all()
    low = np.full((6, 5), 0.4)
    bounded, _ = ascend(
        lambda x: (-((x - 0.1) ** 2).sum(axis=1), -2 * (x - 0.1)), rng.random((6, 5)), low, low + 0.5, 40
    )
    np.testing.assert_allclose(bounded, 0.4)


def test_an_ascent_never_ends_below_its_start() -> None:
    starts = np.random.default_rng(1).random((9, 2))

    def rough(x: Floats) -> tuple[Floats, Floats]:
        return np.sin(40 * x).sum(axis=1), 40 * np.cos(40 * x)

    _, value = ascend(rough, starts, np.zeros((9, 2)), np.ones((9, 2)), 20)
    assert (value >= rough(starts)[0]).all()


# ----------------------------------------------------------------------------------------------- design, trust, rows


def test_a_design_meets_each_value_equally_often_and_keeps_constraints() -> None:
    parameters = (
        Parameter(name="c", type="choice", values=("x", "y", "z")),
        Parameter(name="u", type="float", min=0, max=1),
    )
    rows = design(Space(parameters), seed=1, n=9)
    assert np.bincount(np.floor(rows[:, 0] * 3).astype(int)).tolist() == [3, 3, 3]
    assert sorted(np.floor(rows[:, 1] * 9).tolist()) == list(range(9))
    np.testing.assert_array_equal(rows, design(Space(parameters), seed=1, n=9))
    bound = Space((Parameter(name="u", type="float", min=0, max=1),), ("u < 0.3",))
    assert (design(bound, seed=1, n=8)[:, 0] < 0.3).all()


def test_a_trust_region_grows_with_success_and_shrinks_without() -> None:
    assert trust.side(np.array([]), 4) == trust.FIRST
    assert trust.side(np.array([5.0, 4.0, 3.0, 2.0]), 4) == 1.6
    assert trust.side(np.array([1.0, *[2.0] * 4]), 4) == 0.4
    assert trust.side(np.array([1.0, *[2.0] * 8]), 4) == 0.2
    assert trust.side(np.array([1.0, *[2.0] * 4 * 7]), 4) == trust.FIRST


def test_a_trust_region_is_wide_where_the_function_is_smooth() -> None:
    low, high = trust.box(np.array([0.5, 0.5, 0.9]), 0.2, np.array([0.5, 2.0, np.inf]))
    np.testing.assert_allclose(high - low, [0.1, 0.4, 1.0])
    assert (low[2], high[2]) == (0.0, 1.0)


def test_of_a_long_history_the_best_the_latest_and_some_of_the_rest_are_kept() -> None:
    ranking = np.random.default_rng(0).permutation(1000)
    rows = chosen(ranking, 40)
    assert len(set(rows.tolist())) == 40
    assert set(ranking[:20].tolist()) <= set(rows.tolist())
    assert len(set(rows.tolist()) & set(np.sort(ranking[20:])[-10:].tolist())) == 10
    assert chosen(ranking, 1000).tolist() == list(range(1000))
