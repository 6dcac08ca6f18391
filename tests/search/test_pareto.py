from __future__ import annotations

import itertools
import math
import time

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rung.search.pareto import contributions, crowding, front, hypervolume, ranks

Floats = npt.NDArray[np.float64]

# few distinct values, so that equal losses and equal rows are common
loss_values = st.sampled_from([-math.inf, -1e300, -2.0, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 1e300, math.inf])
shapes = st.tuples(st.integers(0, 12), st.integers(1, 4))
loss_tables = hnp.arrays(np.float64, shapes, elements=loss_values)
boxes = hnp.arrays(np.float64, st.tuples(st.integers(0, 7), st.integers(1, 4)), elements=st.integers(0, 5))


def dominates(one: Floats, other: Floats) -> bool:
    return bool((one <= other).all() and (one < other).any())


def slow_ranks(losses: Floats, violations: Floats | None = None) -> list[int]:
    """Peel front after front, comparing every pair by the definition."""

    def better(i: int, j: int) -> bool:
        if violations is not None:
            one, other = violations[i].sum(), violations[j].sum()
            if one > 0 or other > 0:
                return bool(one < other)
        return dominates(losses[i], losses[j])

    left, found = set(range(len(losses))), [0] * len(losses)
    for rank in itertools.count():
        if not left:
            return found
        peeled = {i for i in left if not any(better(j, i) for j in left)}
        for i in peeled:
            found[i] = rank
        left -= peeled
    raise AssertionError


def slow_volume(points: Floats, reference: Floats) -> float:
    """How many unit cells of the grid are dominated."""
    sides = [range(int(points[:, j].min(initial=0)), int(reference[j])) for j in range(points.shape[1])]
    return sum(any((p <= cell).all() for p in points) for cell in itertools.product(*sides))


@given(loss_tables)
def test_ranks_are_those_of_peeling(losses: Floats) -> None:
    assert ranks(losses).tolist() == slow_ranks(losses)


@given(loss_tables, st.data())
def test_constrained_domination(losses: Floats, data: st.DataObject) -> None:
    kept = st.sampled_from([0.0, 0.0, 0.5, 1.0, math.inf])
    violations = data.draw(hnp.arrays(np.float64, (len(losses), 2), elements=kept))
    assert ranks(losses, violations).tolist() == slow_ranks(losses, violations)


@given(loss_tables)
def test_the_front_is_rank_zero(losses: Floats) -> None:
    assert front(losses).tolist() == np.flatnonzero(np.array(slow_ranks(losses)) == 0).tolist()


@given(loss_tables)
def test_crowding_is_never_nan_and_infinite_at_the_ends(losses: Floats) -> None:
    found = crowding(losses)
    assert not np.isnan(found).any()
    assert (found >= 0).all()
    for column in losses.T if len(losses) else ():
        assert np.isinf(found[column == column.min()]).any()
        assert np.isinf(found[column == column.max()]).any()


@given(loss_tables)
def test_crowding_of_all_fronts_is_that_of_each(losses: Floats) -> None:
    finite = np.clip(losses, -2.0, 3.0)  # infinite ones are clipped to the range of all rows, not of a front
    rank = ranks(finite)
    found = crowding(finite, rank)
    for level in range(int(rank.max(initial=-1)) + 1):
        assert found[rank == level].tolist() == crowding(finite[rank == level]).tolist()


def test_crowding_by_hand() -> None:
    """Sides of the boxes between the neighbours, each in units of the range: (0.5 - 0) / 4 + (8 - 2) / 8, ..."""
    losses = np.array([[0.0, 8.0], [0.25, 4.0], [1.0, 2.0], [4.0, 0.0]])
    assert crowding(losses).tolist() == [math.inf, 1.0 / 4 + 6.0 / 8, 3.75 / 4 + 4.0 / 8, math.inf]


@given(boxes)
@settings(max_examples=60)
def test_the_hypervolume_is_the_number_of_dominated_cells(points: Floats) -> None:
    reference = np.full(points.shape[1], 4.0)
    assert hypervolume(points, reference) == pytest.approx(slow_volume(points, reference))


@given(boxes)
@settings(max_examples=60)
def test_a_contribution_is_what_the_hypervolume_loses(points: Floats) -> None:
    reference = np.full(points.shape[1], 4.0)
    whole = hypervolume(points, reference)
    lost = [whole - hypervolume(np.delete(points, i, axis=0), reference) for i in range(len(points))]
    assert contributions(points, reference) == pytest.approx(lost)


def test_volumes_without_bounds() -> None:
    reference = np.ones(2)
    assert hypervolume(np.array([[-math.inf, 0.5]]), reference) == math.inf
    assert hypervolume(np.array([[-math.inf, 2.0], [math.inf, 0.0]]), reference) == 0.0
    assert hypervolume(np.array([[-1e308, 0.0]]), np.array([1e308, 1.0])) == math.inf
    assert hypervolume(np.array([[0.0, 0.0]]), np.array([math.inf, 1.0])) == math.inf


def test_no_rows_and_no_objectives() -> None:
    for shape in ((0, 2), (3, 0), (0, 0)):
        assert ranks(np.zeros(shape)).tolist() == [0] * shape[0]
        assert front(np.zeros(shape)).tolist() == list(range(shape[0]))
    assert crowding(np.zeros((0, 2))).tolist() == []
    assert ranks(np.zeros((2, 1)), np.zeros((2, 0))).tolist() == [0, 0]
    assert ranks(np.zeros((2, 1)), np.array([[math.inf], [2.0]])).tolist() == [1, 0]


@pytest.mark.slow
def test_ten_thousand_rows() -> None:
    losses = np.random.default_rng(0).random((10_000, 2))
    begin = time.process_time()
    found = ranks(losses)
    assert time.process_time() - begin < 0.3
    assert found.max() > 100
    assert front(losses).tolist() == np.flatnonzero(found == 0).tolist()
    many = np.random.default_rng(0).random((2_000, 4))
    assert front(many).tolist() == np.flatnonzero(ranks(many) == 0).tolist()


def test_fronts_as_small_as_numbers_get_beside_large_ones() -> None:
    losses = np.array([[0.0, 3e-310], [1e-310, 2e-310], [2e-310, 0.0], [0.5, 1.0], [1.0, 0.5]])
    found = crowding(losses, np.array([0, 0, 0, 1, 1]))
    assert np.isfinite(found).tolist() == [False, True, False, False, False]
    assert found[1] > 0.0
