from __future__ import annotations

import msgspec
import numpy as np
import pytest
from scipy import stats

from rung.model import BadInput, Parameter, SearchSpec
from rung.search.novelty import FirstFree, draw
from rung.search.random import Random
from rung.space import Space
from rung.study.policy import Taken
from rung.study.seeds import generator
from rung.testing.searchers import Drive, problem


@pytest.mark.parametrize(
    ("parameter", "law"),
    [
        (Parameter(name="p", type="float", min=2, max=4), stats.uniform(2, 2).cdf),
        (Parameter(name="p", type="float", min=1e-4, max=1, scale="log"), stats.loguniform(1e-4, 1).cdf),
        (Parameter(name="p", type="normal", mean=3.0, sd=2.0), stats.norm(3, 2).cdf),
    ],
)
def test_draws_follow_the_declared_distribution(parameter: Parameter, law: object) -> None:
    asked = problem(((parameter,), ()))
    drive = Drive(Random(asked), asked)
    found = [(drive.propose() or {})["p"] for _ in range(300)]
    assert stats.kstest(found, law).pvalue > 0.01  # a fixed seed


def test_every_choice_is_as_likely() -> None:
    space = Space((Parameter(name="p", type="choice", values=("a", "b", "c")),))
    drawn = [(draw(space, Taken(space, 10**9), generator(0, "test", n)) or {})["p"] for n in range(300)]
    assert stats.chisquare(np.unique(drawn, return_counts=True)[1]).pvalue > 0.01


def test_the_last_free_configuration_of_a_large_finite_space_is_found() -> None:
    """Draws alone would miss it: one in 10,000."""
    space = Space(tuple(Parameter(name=name, type="int", min=0, max=9) for name in "abcd"))
    taken = Taken(space, 1)
    last = {"a": 3, "b": 1, "c": 4, "d": 1}
    for params in space.grid():
        if params != last:
            taken.add(params)
    assert draw(space, taken, generator(0, "test", 0)) == last
    taken.add(last)
    assert draw(space, taken, generator(0, "test", 0)) is None


def test_first_free_goes_on_from_where_it_was() -> None:
    given = iter([{"a": n} for n in range(5)])
    first_free, taken = FirstFree(given), [{"a": 0}, {"a": 2}]
    assert first_free.find(taken) == {"a": 1}
    assert first_free.find(taken) == {"a": 1}
    taken.append({"a": 1})
    assert first_free.find(taken) == {"a": 3}
    assert FirstFree([]).find([]) is None


def test_independent_draws_may_come_again() -> None:
    once = (Parameter(name="p", type="choice", values=("a", "b")),)
    search = SearchSpec(method="random", repeats=20, options={"independent": True})
    asked = msgspec.structs.replace(problem((once, ())), search=search)
    drive = Drive(Random(asked), asked)
    found = [(drive.propose() or {}).get("p") for _ in range(20)]
    assert 4 < found.count("a") < 16
    assert Random(asked).describe().endswith("one may come again")


def test_independent_is_true_or_false() -> None:
    asked = msgspec.structs.replace(problem(((), ())), search=SearchSpec(method="random", options={"independent": 1}))
    with pytest.raises(BadInput, match=r"search\.independent: expected true or false"):
        Random(asked)
