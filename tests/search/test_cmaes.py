from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import pytest

from rung.model import BadInput, Parameter
from rung.search.base import Earlier, Proposed, Result, Suggestion
from rung.search.cmaes import CmaEs
from rung.search.random import Random
from rung.space import Space
from rung.testing.driving import Declared, Drive, Make, finish_all
from rung.testing.searchers import SearcherConformance
from search.races import Function, asked, best, cube, ellipsoid, race, sphere

SPACES = SearcherConformance.SPACES
NUMBERS = (
    *(parameter for parameter in SPACES["mixed"][0] if parameter.name != "opt"),
    Parameter(name="layers", type="int", min=1, max=6),
    Parameter(name="dropout", type="float", min=0, max=0.9, when="layers > 2"),
)


class TestCmaEs(SearcherConformance):
    SPACES: ClassVar[Mapping[str, Declared]] = {
        **{name: SPACES[name] for name in SPACES if name != "mixed"},
        "numbers": (NUMBERS, ()),
    }

    @pytest.fixture
    def make(self) -> Make:
        return CmaEs

    def test_a_choice_of_ten_thousand_values(self, make: Make) -> None:
        with pytest.raises(BadInput, match=r"search\.method: cmaes cannot search choices without an order \(word\)"):
            super().test_a_choice_of_ten_thousand_values(make)


def drive_of(space: Space | None = None, **options: Any) -> Drive:
    problem = asked(space or cube(3), 100, 5, **options)
    return Drive(CmaEs(problem), problem)


def memo(drive: Drive) -> dict[str, Any]:
    """What the next proposal says of itself."""
    found = drive.suggest()
    assert isinstance(found, Suggestion)
    assert found.memo is not None
    return dict(found.memo["cmaes"])


# ------------------------------------------------------------------------------------------------------------ quality


@pytest.mark.slow
@pytest.mark.parametrize(("function", "factor"), [(sphere, 100), (ellipsoid, 4)])
def test_far_better_than_random(function: Callable[[int, int], Function], factor: float) -> None:
    """Every run of CMA-ES beats every run of random search, and by far in the middle."""
    ours, theirs = (
        [best(make, asked(cube(5), 250, seed), function(5, seed)) for seed in range(3)] for make in (CmaEs, Random)
    )
    assert max(ours) < min(theirs)
    assert np.median(ours) < np.median(theirs) / factor


@pytest.mark.slow
def test_eight_workers_learn_as_well() -> None:
    ours = [best(CmaEs, asked(cube(5), 250, seed, workers=8), sphere(5, seed)) for seed in range(2)]
    assert max(ours) < 1e-3


@pytest.mark.slow
def test_integers_do_not_get_stuck() -> None:
    """Without the margin a step below one value's width would end the search beside the optimum."""
    space = Space([Parameter(name=name, type="int", min=0, max=40) for name in "abcd"])
    for seed in range(2):
        aim = np.random.default_rng(seed).integers(5, 36, 4)
        found = race(CmaEs, asked(space, 250, seed), lambda p, aim=aim: [_apart(p, aim)])  # type: ignore[misc]
        assert min(found) == [0.0]


def _apart(params: Mapping[str, int], aim: Any) -> float:
    return float(((np.array(list(params.values())) - aim) ** 2 * [1, 3, 10, 30]).sum())


# -------------------------------------------------------------------------------------------------------- generations


def test_results_of_a_generation_may_come_in_any_order() -> None:
    drives = [drive_of(), drive_of()]
    for drive in drives:
        for _ in range(7):
            drive.propose()
    for number in (0, 1, 2, 3, 4, 5, 6):
        drives[0].finish(number, abs(number - 3.2))
    for number in (5, 0, 6, 3, 1, 2, 4):
        drives[1].finish(number, abs(number - 3.2))
    assert memo(drives[0]) == {"space": 1, "run": 0, "start": None, "g": 1, "i": 0}
    assert drives[0].suggest() == drives[1].suggest()


def test_missing_results_do_not_block() -> None:
    """Beyond the population more candidates are drawn; the first results that are enough end the generation."""
    drive = drive_of()
    for _ in range(12):
        drive.propose()
    assert memo(drive)["g"] == 0
    assert memo(drive)["i"] == 12
    for number in range(5, 12):
        drive.finish(number, float(number))
    assert memo(drive)["g"] == 1


def test_a_result_that_is_one_generation_late_still_teaches() -> None:
    late, lost = drive_of(), drive_of()
    for drive, generations in ((late, 1), (lost, 2)):
        first = [drive.propose() for _ in range(14)]
        assert None not in first
        for generation in range(generations):
            while memo(drive)["g"] == generation:
                if generation:
                    drive.propose()
                drive.finish(max(drive.pending), float(len(drive.pending)))
        drive.finish(0, -1e9)
        for _ in range(6):
            drive.propose()
            drive.finish(drive.number - 1, float(drive.number))
    assert memo(late)["g"] == 2  # 1 late one and 6 of its own
    assert memo(lost)["g"] == 2  # 6 of its own are not enough
    assert memo(lost)["i"] == 6


# ------------------------------------------------------------------------------------------------- starts and restarts


def test_it_begins_in_the_middle_or_at_the_best_that_others_found() -> None:
    drive = drive_of()
    assert memo(drive)["start"] is None
    for number, x in enumerate((0.9, 0.1, 0.5)):
        drive.observe(Proposed(number, dict.fromkeys(("x0", "x1", "x2"), x)))
        drive.finish(number, x)
    found = drive.suggest()
    assert isinstance(found, Suggestion)
    assert memo(drive)["start"] == 1
    assert ", around trial 1)" in found.text
    points = [list((drive.propose() or {}).values()) for _ in range(30)]
    assert np.mean(points) < 0.25
    drive.finish(3, -1.0)
    assert memo(drive)["start"] == 1  # the run has begun: what comes later does not move its start


def test_it_begins_at_the_best_of_an_earlier_study() -> None:
    drive = drive_of()
    drive.observe(*(Earlier(0, dict.fromkeys(("x0", "x1", "x2"), x), ((x - 0.9) ** 2,)) for x in (0.1, 0.9, 0.5)))
    assert memo(drive)["start"] == -2
    assert np.mean([list((drive.propose() or {}).values()) for _ in range(30)]) > 0.75


@pytest.mark.slow
def test_a_run_that_learns_nothing_more_is_followed_by_larger_and_smaller_ones() -> None:
    drive, sizes = drive_of(cube(2)), dict[int, int]()
    for _ in range(700):
        found = drive.suggest()
        assert isinstance(found, Suggestion)
        said = re.search(r"\((?:run (\d+), )?population (\d+)", found.text)
        assert said is not None
        sizes[int(said[1] or 1)] = int(said[2])
        drive.propose()
        drive.finish(drive.number - 1, 1.0)
    assert list(sizes) == list(range(1, len(sizes) + 1))
    assert sizes[1] == 6
    assert 12 in sizes.values()  # IPOP: twice as many
    assert min(sizes.values()) == 6  # and such of the small regime


def test_what_was_drawn_in_the_space_before_an_edit_teaches_nothing() -> None:
    drive = drive_of()
    old = {"cmaes": {"space": 0, "run": 3, "start": None, "g": 1, "i": 4}}
    drive.observe(Proposed(0, {"x0": 0.1, "x1": 0.2, "x2": 0.3}, old), Result(0, (0.5,)))
    assert memo(drive) == {"space": 1, "run": 0, "start": 0, "g": 0, "i": 0}


# --------------------------------------------------------------------------------------------------------------- words


def test_choices_are_refused_by_name() -> None:
    parameters = [Parameter(name=f"c{i}", type="choice", values=("a", "b", "c")) for i in range(7)]
    with pytest.raises(BadInput, match=r"without an order \(c0, c1, c2, c3, c4, \.\.\.\); declare them as ordinal, or"):
        drive_of(Space(parameters))
    drive_of(Space([Parameter(name="two", type="choice", values=("a", "b"))])).propose()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"population": 3}, "search.population: expected a whole number of at least 4, got 3"),
        ({"population": True}, "search.population: expected a whole number of at least 4, got True"),
        ({"step": 0}, "search.step: expected a number above 0 and at most 1, got 0"),
        ({"step": "wide"}, "search.step: expected a number above 0 and at most 1, got 'wide'"),
    ],
)
def test_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as found:
        drive_of(**options)
    assert str(found.value) == message


def test_its_words() -> None:
    drive = drive_of(population=4)
    assert drive.searcher.describe().startswith(
        "cmaes: samples from a normal distribution that learns from generations"
    )
    texts = []
    for _ in range(5):
        found = drive.suggest()
        assert isinstance(found, Suggestion)
        texts.append(found.text)
        drive.propose()
        finish_all(drive)
    begin = "of CMA-ES (population 4, standard deviation 0."
    assert texts[0].startswith(f"candidate 1 of generation 1 {begin}2 of the range)")
    assert texts[4].startswith(f"candidate 1 of generation 2 {begin}")
