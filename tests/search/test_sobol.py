from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import qmc

from rung.model import BadInput, Parameter
from rung.search.base import Problem, Searcher
from rung.search.random import Random
from rung.search.sobol import DIMENSIONS, Sobol
from rung.testing.searchers import Drive, problem

CUBE = tuple(Parameter(name=name, type="float", min=0, max=1) for name in "xyz")


def points(make: Callable[[Problem], Searcher], number: int) -> npt.NDArray[np.float64]:
    """(number, 3) in the unit cube."""
    asked = problem((CUBE, ()), trials=number)
    drive = Drive(make(asked), asked)
    return np.array([list((drive.propose() or {}).values()) for _ in range(number)])


@pytest.mark.parametrize("number", [32, 100])
def test_it_is_more_even_than_random(number: int) -> None:
    assert qmc.discrepancy(points(Sobol, number)) < 0.5 * qmc.discrepancy(points(Random, number))


def test_each_half_of_each_axis_gets_its_share() -> None:
    """Of 2^k points of a Sobol sequence exactly half lie in each half of each axis, and a quarter in each quarter."""
    found = points(Sobol, 32)
    for axis in found.T:
        assert np.histogram(axis, bins=4, range=(0, 1))[0].tolist() == [8, 8, 8, 8]


def test_the_seed_scrambles_it() -> None:
    first = [Sobol(_with_seed(seed)).suggest(0, (), [], np.random.default_rng(0)) for seed in (1, 2)]
    assert first[0] != first[1]


def _with_seed(seed: int) -> Problem:
    asked = problem((CUBE, ()))
    return Problem(space=asked.space, seed=seed, search=asked.search, objectives=asked.objectives, budget=asked.budget)


def test_points_that_the_space_refuses_are_skipped_in_order() -> None:
    asked, free = problem((CUBE, ("x + y <= 1",))), problem((CUBE, ()))
    some = [Drive(Sobol(p), p) for p in (asked, free)]
    kept = [some[0].propose() for _ in range(20)]
    every = [some[1].propose() or {} for _ in range(100)]
    assert kept == [p for p in every if p["x"] + p["y"] <= 1][:20]


def test_too_many_parameters() -> None:
    many = tuple(Parameter(name=f"p{i}", type="bool") for i in range(DIMENSIONS + 1))
    with pytest.raises(BadInput, match="sobol knows at most 21201 parameters; use search: random"):
        Sobol(problem((many, ())))


def test_its_words() -> None:
    asked = problem((CUBE, ()))
    assert Sobol(asked).describe().startswith("sobol: the points of a scrambled Sobol sequence")
