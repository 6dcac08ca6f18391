from __future__ import annotations

import numpy as np
import pytest

from rung.model import BadInput
from rung.search.base import Proposed, Suggestion
from rung.search.de import DifferentialEvolution
from rung.search.random import Random
from rung.testing.driving import Drive, Make
from rung.testing.searchers import SearcherConformance
from search.races import asked, best, cube, sphere


class TestDifferentialEvolution(SearcherConformance):
    @pytest.fixture
    def make(self) -> Make:
        return DifferentialEvolution


@pytest.mark.slow
def test_a_sphere_far_better_than_random() -> None:
    ours = [best(DifferentialEvolution, asked(cube(5), 250, seed), sphere(5, seed)) for seed in range(3)]
    theirs = [best(Random, asked(cube(5), 250, seed), sphere(5, seed)) for seed in range(3)]
    assert max(ours) < min(theirs)
    assert np.median(ours) < np.median(theirs) / 4


def filled() -> Drive:
    """Four members: trials 0 to 3 with the losses 0 to 3."""
    problem = asked(cube(2), 100, 0, population=4)
    drive = Drive(DifferentialEvolution(problem), problem)
    for number in range(4):
        drive.propose()
        drive.finish(number, float(number))
    return drive


def parents(drive: Drive) -> list[int]:
    """The member that is to be replaced, one of the best, and the two of the difference."""
    found = drive.suggest()
    assert isinstance(found, Suggestion)
    assert isinstance(found.data["parents"], list)
    return list(found.data["parents"])


def test_members_take_turns_and_keep_what_is_no_worse() -> None:
    drive = filled()
    targets = []
    for number, loss in zip(range(4, 8), (5.0, 0.5, 2.0, 9.0), strict=True):
        targets.append(parents(drive)[0])
        drive.propose()
        drive.finish(number, loss)
    assert targets == [0, 1, 2, 3]
    turns = []
    for number in range(8, 12):
        turns.append(parents(drive)[0])
        drive.propose()
        drive.finish(number, 100.0)
    assert turns == [0, 5, 6, 3]  # trial 6 was as good as trial 2


def test_a_good_trial_of_others_takes_the_place_of_the_worst() -> None:
    drive = filled()
    for number, x, loss in ((4, 0.123, 50.0), (5, 0.321, -1.0)):
        drive.observe(Proposed(number, {"x0": x, "x1": x}))
        drive.finish(number, loss)
    seen = set()
    for number in range(6, 10):
        found = parents(drive)
        assert found[1] == 5  # the best of four
        seen.update(found)
        drive.propose()
        drive.finish(number, 100.0)
    assert seen == {0, 1, 2, 5}


def test_its_words() -> None:
    drive = filled()
    found = drive.suggest()
    assert isinstance(found, Suggestion)
    assert found.text.startswith("trial 0 moved by the difference of trials ")  # it is itself the best
    assert found.memo == {"de": {"member": 0}}
    assert drive.searcher.describe().startswith("de: 4 spread points, each then moves towards one of the best")
    with pytest.raises(BadInput, match=r"search\.population: expected a whole number of at least 4, got 3"):
        DifferentialEvolution(asked(cube(2), 100, 0, population=3))
