from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from rung.model import BadInput, Parameter, SearchSpec
from rung.search.base import Exhausted, Suggestion
from rung.search.grid import Grid
from rung.testing.searchers import Drive, problem


def order(*parameters: Parameter, constraints: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    asked = problem((parameters, constraints))
    drive = Drive(Grid(asked), asked)
    found = []
    while (params := drive.propose()) is not None:
        found.append(params)
    return found


def test_values_come_in_the_order_given_and_the_last_parameter_is_the_fastest() -> None:
    found = order(
        Parameter(name="b", type="choice", values=("y", "x")),
        Parameter(name="a", type="int", min=1, max=5, step=2),
        Parameter(name="c", type="bool"),
    )
    assert [tuple(params.values()) for params in found] == [
        (b, a, c) for b in ("y", "x") for a in (1, 3, 5) for c in (False, True)
    ]


def test_inactive_parameters_are_not_multiplied() -> None:
    found = order(
        Parameter(name="opt", type="choice", values=("sgd", "adam")),
        Parameter(name="momentum", type="choice", values=(0.1, 0.9), when="opt == 'sgd'"),
    )
    assert found == [{"opt": "sgd", "momentum": 0.1}, {"opt": "sgd", "momentum": 0.9}, {"opt": "adam"}]


def test_what_breaks_a_constraint_is_left_out() -> None:
    a, b = (Parameter(name=name, type="int", min=1, max=3) for name in "ab")
    assert [tuple(p.values()) for p in order(a, b, constraints=("a < b",))] == [(1, 2), (1, 3), (2, 3)]


def test_an_infinite_space_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="lr: no grid: infinitely many values"):
        order(Parameter(name="a", type="bool"), Parameter(name="lr", type="float", min=0, max=1))


def test_what_was_taken_out_of_order_is_skipped() -> None:
    asked = problem(((Parameter(name="a", type="int", min=1, max=4),), ()))
    drive = Drive(Grid(asked), asked)
    drive.taken.add({"a": 1})
    drive.taken.add({"a": 3})
    assert [drive.propose(), drive.propose(), drive.propose()] == [{"a": 2}, {"a": 4}, None]


def test_its_words() -> None:
    asked = problem(((Parameter(name="a", type="int", min=1, max=4),), ()))
    assert Grid(asked).describe() == "grid: all 4 configurations, in the order given, the last parameter fastest"


def backwards(*parameters: Parameter) -> list[dict[str, Any]]:
    asked = msgspec.structs.replace(
        problem((parameters, ())), search=SearchSpec(method="grid", options={"backwards": True})
    )
    drive = Drive(Grid(asked), asked)
    return list(iter(drive.propose, None))


def test_backwards_it_is_the_same_grid_from_its_end() -> None:
    plain = (Parameter(name="a", type="int", min=1, max=3), Parameter(name="b", type="choice", values=("x", "y", "z")))
    assert backwards(*plain) == order(*plain)[::-1]
    later = (
        Parameter(name="momentum", type="choice", values=(0.1, 0.9), when="opt == 'sgd'"),
        Parameter(name="opt", type="choice", values=("sgd", "adam")),
    )
    assert backwards(*later) == order(*later)[::-1]


def test_backwards_is_true_or_false() -> None:
    asked = msgspec.structs.replace(problem(((), ())), search=SearchSpec(method="grid", options={"backwards": "yes"}))
    with pytest.raises(BadInput, match=r"search\.backwards: expected true or false"):
        Grid(asked)


def listed(points: Any, **options: Any) -> Grid:
    parameters = (Parameter(name="a", type="int", min=1, max=4), Parameter(name="b", type="float", min=0, max=1))
    return Grid(
        msgspec.structs.replace(
            problem((parameters, ())), search=SearchSpec(method="grid", options={"points": points, **options})
        )
    )


def test_listed_points_come_in_their_order_whatever_the_space() -> None:
    points = [{"a": 2, "b": 0.5}, {"a": 1, "b": 0.25}]
    rng = np.random.default_rng(0)
    taken: list[Any] = []
    for point in points:
        found = listed(points).suggest(0, (), taken, rng)
        assert isinstance(found, Suggestion)
        assert found.params == point
        taken.append(point)
    assert isinstance(listed(points).suggest(0, (), taken, rng), Exhausted)
    last = listed(points, backwards=True).suggest(0, (), [], rng)
    assert isinstance(last, Suggestion)
    assert last.params == points[1]
    assert listed(points).describe() == "grid: the 2 configurations that are listed, in their order"


@pytest.mark.parametrize(
    ("points", "words"), [("x", "expected a list"), ([1], "expected a list"), ([{"a": 9, "b": 0}], "a: ")]
)
def test_points_that_are_none(points: Any, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        listed(points)
