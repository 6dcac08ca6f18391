from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.schedule.ranking import BROKEN, FEASIBLE, UNKNOWN, Fronts, Line, Ranking, crowding, key, ranking

Entry = tuple[tuple[float, ...], float]

FEW = st.sampled_from([0.0, 0.25, 1.0, 2.0, -1.0, math.inf])
BOUNDS = st.sampled_from([0.0, 0.0, 0.0, 0.5, 1.0, math.inf])


def entries(objectives: int) -> st.SearchStrategy[list[Entry]]:
    return st.lists(st.tuples(st.tuples(*[FEW] * objectives), BOUNDS), max_size=24)


def filled(found: Ranking, given_entries: list[Entry], order: list[int]) -> Ranking:
    for number in order:
        found.add(number, *given_entries[number])
    return found


def slow_line(found: list[Entry]) -> list[int]:
    """By tier, then value, then number."""
    return sorted(range(len(found)), key=lambda n: key(n, *found[n]))


def dominates(one: tuple[float, ...], two: tuple[float, ...]) -> bool:
    return all(a <= b for a, b in zip(one, two, strict=True)) and one != two


def slow_fronts(found: list[Entry]) -> list[int]:
    """Fronts peeled one by one; in each by crowding, then by number; then the others."""
    left = {n: found[n][0] for n in range(len(found)) if key(n, *found[n]).tier == FEASIBLE}
    behind = [n for n in slow_line(found) if n not in left]
    order: list[int] = []
    while left:
        front = [n for n in left if not any(dominates(left[m], left[n]) for m in left)]
        distance = dict(zip(front, crowding(np.array([left[n] for n in front])), strict=True))
        order += sorted(front, key=lambda n: (-distance[n], n))
        left = {n: row for n, row in left.items() if n not in front}
    return order + behind


@given(entries(1), st.randoms(use_true_random=False))
def test_one_objective_is_sorted(found: list[Entry], rng: object) -> None:
    order = list(range(len(found)))
    rng.shuffle(order)  # type: ignore[attr-defined]
    check_order(filled(Line(), found, order), slow_line(found))


@pytest.mark.parametrize("objectives", [2, 3])
@settings(max_examples=60)
@given(st.data())
def test_several_objectives_are_sorted_by_fronts(objectives: int, data: st.DataObject) -> None:
    found = data.draw(entries(objectives))
    order = data.draw(st.permutations(range(len(found))))
    check_order(filled(Fronts(objectives), found, list(order)), slow_fronts(found))


def check_order(made: Ranking, expected: list[int]) -> None:
    assert len(made) == len(expected)
    assert made.best(len(expected) + 1) == expected
    assert made.best(2) == expected[:2]
    assert [made.place(number) for number in expected] == list(range(len(expected)))
    assert made.first_marked() is None
    for number in expected[::2]:
        made.mark(number)
        made.mark(number)
    assert made.first_marked() == (expected[0] if expected else None)
    for i, number in enumerate(expected[::2]):
        made.unmark(number)
        made.unmark(number)
        assert made.first_marked() == (expected[2 * i + 2] if 2 * i + 2 < len(expected) else None)


@pytest.mark.parametrize("objectives", [1, 2])
def test_a_trial_that_is_added_again_has_its_new_losses(objectives: int) -> None:
    made = ranking(objectives)
    for number in range(6):
        made.add(number, (float(number),) * objectives)
    made.mark(5)
    made.add(5, (-1.0,) * objectives)
    made.add(0, (0.0,) * objectives, 2.0)
    assert len(made) == 6
    assert made.best(6) == [5, 1, 2, 3, 4, 0]
    assert made.first_marked() is None
    assert 0 in made
    assert 6 not in made


def test_tiers() -> None:
    assert key(3, (0.5,)) == (FEASIBLE, 0.5, 3)
    assert key(3, (0.5, 0.5)) == (FEASIBLE, 0.0, 3)
    assert key(3, (0.5,), 2.0) == (BROKEN, 2.0, 3)
    assert key(3, (math.inf,), 2.0) == (UNKNOWN, 0.0, 3)
    assert key(3, (0.5,), math.inf) == (UNKNOWN, 0.0, 3)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.floats(0, 1))
def test_the_quantile_is_numpys_to_the_last_bit(losses: list[float], share: float) -> None:
    line = Line()
    for number, loss in enumerate(losses):
        line.add(number, (loss,))
    assert line.quantile(share) == np.quantile(losses, share)


def test_what_has_no_loss_counts_as_worst_in_a_quantile() -> None:
    line = Line()
    assert line.quantile(0.5) is None
    line.add(0, (1.0,))
    assert line.quantile(0.5) == 1.0
    line.add(1, (math.inf,))
    assert line.quantile(0.0) == 1.0
    assert line.quantile(0.5) == math.inf
    line.add(2, (3.0,), 1.0)
    assert line.quantile(1.0) == math.inf
    assert line.loss_at(0) == 1.0
    assert line.loss_at(3) is None


def test_crowding_is_the_papers() -> None:
    losses = np.array([[0.0, 4.0], [1.0, 2.0], [2.0, 1.0], [4.0, 0.0]])
    assert crowding(losses) == pytest.approx([np.inf, 2 / 4 + 3 / 4, 3 / 4 + 2 / 4, np.inf])


def test_crowding_of_huge_losses_is_finite() -> None:
    found = crowding(np.array([[1e308, -1e308], [-1e308, 1e308], [0.0, 0.0]]))
    assert np.isinf(found[:2]).all()
    assert found[2] == pytest.approx(2.0)
