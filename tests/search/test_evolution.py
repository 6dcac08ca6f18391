from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rung.model import Parameter
from rung.search.base import Suggestion
from rung.search.evolution import Evolution
from rung.search.random import Random
from rung.space import Space
from rung.testing.driving import Drive, Make
from rung.testing.searchers import SearcherConformance
from search.races import asked, cube, race


class TestEvolution(SearcherConformance):
    @pytest.fixture
    def make(self) -> Make:
        return Evolution


LETTERS = Space(
    [
        *(Parameter(name=f"c{i}", type="choice", values=tuple("abcdef")) for i in range(8)),
        Parameter(name="deep", type="bool"),
        Parameter(name="rate", type="float", min=0, max=1, when="deep"),
    ]
)


def mistakes(params: dict[str, Any]) -> list[float]:
    """How many letters differ from the word `abcdefab`, and how far the rate is from 0.7 if there is one."""
    wrong = sum(params[f"c{i}"] != letter for i, letter in enumerate("abcdefab"))
    return [wrong + (abs(params["rate"] - 0.7) if params["deep"] else 1.0)]


@pytest.mark.slow
def test_it_spells_a_word_that_random_search_never_finds() -> None:
    """One of 6^8 words is right, with half a chance of a rate on top."""
    ours = [min(race(Evolution, asked(LETTERS, 250, seed), mistakes)) for seed in range(2)]
    theirs = [min(race(Random, asked(LETTERS, 250, seed), mistakes)) for seed in range(2)]
    assert max(ours)[0] < 1.5
    assert min(theirs)[0] > 2.0


def test_a_child_differs_from_a_recent_winner_in_one_parameter() -> None:
    problem = asked(LETTERS, 100, 3, population=6, tournament=3)
    drive = Drive(Evolution(problem), problem)
    tried: list[dict[str, Any]] = []
    for number in range(40):
        found = drive.suggest()
        assert isinstance(found, Suggestion)
        if number >= 6:
            (parent,) = found.data["parents"]
            (changed,) = found.data["changed"]
            assert number - 6 <= parent < number
            assert f"trial {parent} with {changed} changed: the best of 3 drawn from the last 6" in found.text
            kept = {"c" + str(i) for i in range(8)} - {changed}
            assert all(found.params[name] == tried[parent][name] for name in kept)
            assert found.params != tried[parent]
        tried.append(drive.propose() or {})
        drive.finish(number, mistakes(tried[-1])[0])


def test_the_oldest_die_not_the_worst() -> None:
    """A trial far better than all others is a parent no more once P others have a result."""
    problem = asked(cube(2), 100, 0, population=5, tournament=5)
    drive = Drive(Evolution(problem), problem)
    parents = []
    for number in range(25):
        found = drive.suggest()
        assert isinstance(found, Suggestion)
        parents.append(found.data.get("parents"))
        drive.propose()
        drive.finish(number, -100.0 if number == 4 else 1.0)
    assert parents[5:10] == [[4]] * 5
    assert [4] not in parents[10:]


def test_without_results_it_draws() -> None:
    problem = asked(cube(2), 100, 0, population=4)
    drive = Drive(Evolution(problem), problem)
    points = np.array([list((drive.propose() or {}).values()) for _ in range(12)])
    assert len(np.unique(points, axis=0)) == 12
    assert "evolution: 4 spread points, then children of the best of 2" in drive.searcher.describe()
