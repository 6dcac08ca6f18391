from __future__ import annotations

from typing import Any

import pytest

from rung.model import BadInput, Parameter
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
