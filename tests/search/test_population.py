from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.model import Parameter
from rung.search.base import Earlier, Exhausted, Proposed, Suggestion
from rung.search.history import Column, History
from rung.search.population import (
    TRIES,
    Beginning,
    Candidate,
    another,
    best_earlier,
    default_population,
    moved,
    ordered,
    propose,
    reflected,
)
from rung.space import Space
from search.races import asked, cube

NONE = np.zeros((4, 0))


def test_the_best_are_in_the_first_front_and_least_crowded() -> None:
    losses = np.array([[0.0, 8.0], [0.25, 4.0], [1.0, 2.0], [4.0, 0.0], [5.0, 5.0]])
    assert ordered(losses, np.zeros((5, 0))).tolist() == [0, 3, 2, 1, 4]


def test_what_keeps_the_bounds_comes_first() -> None:
    losses, violations = np.array([[1.0], [0.0], [2.0], [0.0]]), np.array([[0.0], [3.0], [0.0], [np.inf]])
    assert ordered(losses, violations).tolist() == [0, 2, 1, 3]
    assert ordered(np.array([[1.0], [0.0], [1.0], [0.0]]), NONE).tolist() == [1, 3, 0, 2]


def test_the_beginning_meets_every_part_of_every_axis_once() -> None:
    problem = asked(cube(3), 50, 1)
    history, beginning = History(problem), Beginning(problem, 10)
    rows = []
    for number in range(10):
        (candidate,) = beginning.rows(history)
        rows.append(candidate.row)
        history.observe((Proposed(number, {"x0": 0.5, "x1": 0.5, "x2": 0.5}),))
    assert list(beginning.rows(history)) == []
    for column in np.array(rows).T:
        assert sorted((column * 10).astype(int)) == list(range(10))


def test_the_best_of_earlier_studies_in_turn() -> None:
    """Losses of two studies need not be comparable: the best of each comes before the second of any."""
    problem = asked(cube(1), 50, 1)
    history = History(problem)
    given = [(0, 0.1, 500.0), (1, 0.2, 1.0), (0, 0.3, 400.0), (1, 0.4, 2.0), (1, 0.5, 0.5)]
    history.observe([Earlier(source, {"x0": x}, (loss,)) for source, x, loss in given])
    assert best_earlier(history, 4) == [2, 4, 0, 1]
    assert best_earlier(history, 1) == [2]
    (first,) = Beginning(problem, 8).rows(history)
    assert first.row.tolist() == pytest.approx([0.3])
    assert first.text == "among the best of earlier study 1"


def test_candidates_that_are_no_use_are_left_out_and_their_number_is_bounded() -> None:
    space = Space([Parameter(name="n", type="int", min=1, max=1000), Parameter(name="m", type="int", min=0, max=9)], ("n > 5",))  # fmt: skip
    rows = itertools.count()
    asked_for: list[int] = []

    def candidates(useful: int) -> itertools.chain[Candidate]:
        def one(i: int) -> Candidate:
            asked_for.append(i)
            return Candidate(np.array([0.9 if i == useful else 0.0, 0.5]), f"candidate {i}", {})

        return itertools.chain(map(one, rows))

    rng = np.random.default_rng(0)
    found = propose(space, candidates(7), [], rng)
    assert isinstance(found, Suggestion)
    assert (found.params, found.text) == ({"n": 901, "m": 5}, "candidate 7")
    asked_for.clear()
    fallen = propose(space, candidates(-1), [], rng)
    assert isinstance(fallen, Suggestion)
    assert fallen.text == "a random draw: the method had no new configuration"
    assert len(asked_for) == TRIES


def test_nothing_is_left() -> None:
    space = Space([Parameter(name="on", type="bool")])
    found = propose(space, iter(()), [{"on": True}, {"on": False}], np.random.default_rng(0))
    assert found == Exhausted(text="every configuration of the space has been proposed")


@given(st.integers(2, 50), st.data())
def test_a_move_takes_another_value_of_an_ordered_column(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    change = data.draw(st.floats(-0.9, 0.9))
    target = moved((index + 0.5) / size, change, Column("ordered", size))
    found = min(max(int(target * size), 0), size - 1)
    if abs(change) * size <= size - 1:  # a longer one may come back to where it was, off a bound
        assert found != index
    if abs(change) < 1 / size:
        assert abs(found - index) == 1


@given(st.floats(-50, 50))
def test_reflection_stays_within_and_leaves_what_is_within(unit: float) -> None:
    found = float(reflected(np.array([unit]))[0])
    assert 0.0 <= found <= 1.0
    if 0 <= unit <= 1:
        assert found == pytest.approx(unit)
    assert found == pytest.approx(float(reflected(np.array([-unit]))[0]), abs=1e-12)


def test_another_value_is_any_of_the_others() -> None:
    rng = np.random.default_rng(0)
    found = [int(another(0.5, 5, rng) * 5) for _ in range(400)]
    counts = np.bincount(found, minlength=5)
    assert counts[2] == 0
    assert counts[[0, 1, 3, 4]].min() > 60


def test_the_population_fits_the_budget() -> None:
    sizes = [default_population(asked(cube(2), trials, 0), least=8, turns=6) for trials in (20, 120, 10_000)]
    assert sizes == [8, 20, 50]
