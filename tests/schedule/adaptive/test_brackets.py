"""The arithmetic of brackets: worked examples, where floats decide, and what holds for any parameters."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.schedule.adaptive.brackets import (
    MODES,
    Mode,
    Shape,
    asynchronous,
    bracket_rungs,
    even_shares,
    expected_starts,
    first_trials,
    halving_by_budget,
    halving_by_trials,
    most_rungs,
    preview,
    rung_units,
    synchronous,
)

DIVISORS = st.one_of(st.sampled_from([2.0, 3.0, 4.0, 5.0, 10.0]), st.floats(1.01, 64))
RESOURCES = st.one_of(st.integers(1, 50), st.integers(1, 10**9))
TRIALS = st.one_of(st.integers(1, 50), st.integers(1, 10**6))


@pytest.mark.parametrize(
    ("resource", "divisor", "most"), [(1000, 10, 3), (243, 3, 5), (125, 5, 4), (1024, 4, 6), (1, 4, 1), (3, 4, 1)]
)
def test_the_number_of_rungs_is_that_of_floats(resource: int, divisor: float, most: int) -> None:
    """log 1000 / log 10 is 2.9999999999999996, log 243 / log 3 is 4.999999999999999, log 125 / log 5 is above 3."""
    assert most_rungs(resource, 10**9, divisor, 99) == most
    assert most_rungs(10**9, resource, divisor, 99) == most


def test_the_example_that_is_worked_out() -> None:
    assert asynchronous(1024, 32, 4, [2, 3], 16) == [Shape((64, 256, 1024), 24, 8), Shape((256, 1024), 8, 8)]
    five = asynchronous(1000, 500, 4, bracket_rungs("standard", most_rungs(1000, 500, 4, 5)), 16)
    assert [shape.trials for shape in five] == [354, 110, 36]
    assert five[0].units == (3, 15, 62, 250, 1000)


def test_the_table_of_a_preview() -> None:
    shapes = asynchronous(1024, 32, 4, bracket_rungs("aggressive", 3), 16)
    assert preview(shapes, 4) == [(24, 64), (6, 256), (2, 1024)]
    assert preview([Shape((1, 4), 1)], 4) == [(1, 4)]  # one trial goes to the top: nobody ends at the first rung


def test_a_budget_is_shared_out() -> None:
    """The documented example: 16 steps, a budget of 160, three rungs."""
    found = synchronous(16, 4, [1, 2, 3], budget=160)
    assert [shape.starts for shape in found] == [(21, 5, 1), (7, 1), (3,)]
    assert halving_by_budget(800, 480, 4, 4).starts == (11, 2, 1, 1)


def test_a_bracket_alone_begins_as_many_as_can_make_one_winner() -> None:
    assert first_trials(Shape((1, 3, 9), 40), 3) == 9
    assert first_trials(Shape((1, 3, 9), 4), 3) == 4
    assert first_trials(Shape((9,), 4), 3) == 1
    assert first_trials(Shape((1, 3, 9), 40, 16), 3) == 16
    assert first_trials(Shape((1, 3, 9), 4, 16), 3) == 4


@given(total=st.integers(0, 1000), parts=st.integers(1, 50))
def test_even_shares(total: int, parts: int) -> None:
    shares = even_shares(total, parts)
    assert sum(shares) == total
    assert shares == sorted(shares, reverse=True)
    assert shares[0] - shares[-1] <= 1


@given(
    resource=RESOURCES, trials=TRIALS, divisor=DIVISORS, mode=st.sampled_from(MODES),
    max_rungs=st.integers(1, 30), concurrent=st.integers(0, 100),
)  # fmt: skip
def test_a_tournament_of_any_size(
    resource: int, trials: int, divisor: float, mode: Mode, max_rungs: int, concurrent: int
) -> None:
    most = most_rungs(resource, trials, divisor, max_rungs)
    shapes = asynchronous(resource, trials, divisor, bracket_rungs(mode, most), concurrent)
    assert [shape.rungs for shape in shapes] == sorted({shape.rungs for shape in shapes}, reverse=True)
    assert shapes[0].rungs == most <= max_rungs
    assert sum(shape.trials for shape in shapes) >= trials
    for shape in shapes:
        assert shape.units[-1] == resource
        assert all(1 <= low <= high for low, high in pairwise((*shape.units, resource)))
        assert shape.trials >= 1
        assert shape.concurrent >= 1
        starts = expected_starts(shape, divisor)
        assert all(low >= high >= 1 for low, high in pairwise(starts))
    if concurrent:
        assert sum(shape.concurrent for shape in shapes) == max(concurrent, len(shapes))
    table = preview(shapes, divisor)
    assert sum(count for count, _ in table) == sum(shape.trials for shape in shapes)
    assert [unit for _, unit in table] == sorted({unit for _, unit in table})


@given(resource=RESOURCES, trials=TRIALS, divisor=DIVISORS, rungs=st.integers(1, 30))
def test_synchronous_halving_of_any_size(resource: int, trials: int, divisor: float, rungs: int) -> None:
    shape = halving_by_trials(resource, trials, divisor, rungs)
    assert shape.starts[0] == shape.trials == trials
    assert all(low < high for low, high in pairwise(shape.units))
    assert all(low >= high >= 1 for low, high in pairwise(shape.starts))
    assert shape.units[-1] >= resource
    assert rung_units(resource, divisor, rungs)[-1] == resource


@given(resource=RESOURCES, budget=st.integers(1, 10**9), divisor=DIVISORS, rungs=st.integers(1, 12))
def test_a_budget_is_kept_but_for_the_one_trial_that_every_rung_has(
    resource: int, budget: int, divisor: float, rungs: int
) -> None:
    shape = halving_by_budget(resource, budget, divisor, rungs)
    assert all(low < high for low, high in pairwise(shape.units))
    assert all(low >= high for low, high in pairwise(shape.starts[1:]))
    units = rung_units(resource, divisor, rungs)
    steps = [units[0], *(high - low for low, high in pairwise(units))]
    work = sum(step * start for step, start in zip(steps, shape.starts, strict=True) if start > 1)
    assert work <= budget * (1 + 1e-9)
