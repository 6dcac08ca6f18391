from __future__ import annotations

import pytest

from rung.model import Parameter
from rung.search.auto import Auto
from rung.search.grid import Grid
from rung.search.random import Random
from rung.testing.searchers import Drive, problem

FOUR = (Parameter(name="a", type="int", min=1, max=4),)
ENDLESS = (Parameter(name="x", type="float", min=0, max=1),)


@pytest.mark.parametrize(
    ("parameters", "trials", "repeats", "chosen", "words"),
    [
        (FOUR, 4, 1, Grid, "the whole space has 4 configurations and the budget covers them"),
        (FOUR, 100, 1, Grid, "the whole space has 4 configurations and the budget covers them"),
        (FOUR, 3, 1, Random, "the budget does not cover all 4 configurations"),
        (FOUR, 7, 2, Random, "the budget does not cover all 4 configurations"),
        (FOUR, 8, 2, Grid, "the whole space has 4 configurations and the budget covers them"),
        (ENDLESS, 100, 1, Random, "the space is infinite"),
    ],
)
def test_its_choice_and_its_words(
    parameters: tuple[Parameter, ...], trials: int, repeats: int, chosen: type, words: str
) -> None:
    auto = Auto(problem((parameters, ()), trials=trials, repeats=repeats))
    assert type(auto.inner) is chosen
    assert auto.describe() == f"auto chose {auto.inner.describe()}, since {words}"


def test_it_suggests_what_its_choice_suggests() -> None:
    asked = problem((ENDLESS, ()))
    auto, plain = Drive(Auto(asked), asked), Drive(Random(asked), asked)
    assert [auto.propose() for _ in range(5)] == [plain.propose() for _ in range(5)]
