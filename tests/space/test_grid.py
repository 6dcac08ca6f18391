from __future__ import annotations

import itertools
from typing import Any

import pytest

from rung.space import Space, SpaceError, declare

A = {"type": "int", "min": 0, "max": 2}
B = {"type": "choice", "values": ["x", "y"]}


def grid_of(tree: dict[str, Any], *constraints: str) -> list[dict[str, Any]]:
    space = Space(declare(tree), constraints)
    points = list(space.grid())
    assert space.size == len(points)
    assert space.size_exact
    return points


def test_last_parameter_is_fastest() -> None:
    points = grid_of({"b": B, "k": 7, "a": A})
    assert points == [{"b": b, "a": a} for b, a in itertools.product("xy", range(3))]


def test_values_come_in_the_order_given() -> None:
    assert [point["o"] for point in grid_of({"o": {"type": "choice", "values": [3, 1, 2]}})] == [3, 1, 2]


def test_inactive_takes_one_point() -> None:
    points = grid_of({"b": B, "a": {**A, "when": "b == 'y'"}})
    assert points == [{"b": "x"}, {"b": "y", "a": 0}, {"b": "y", "a": 1}, {"b": "y", "a": 2}]


def test_condition_on_a_later_parameter_keeps_the_order_of_declaration() -> None:
    points = grid_of({"a": {**A, "when": "b == 'y'"}, "b": B})
    assert points == [{"b": "x"}, {"a": 0, "b": "y"}, {"a": 1, "b": "y"}, {"a": 2, "b": "y"}]


def test_constraints_filter() -> None:
    points = grid_of({"a": A, "c": A, "b": B}, "a + c <= 2", "b == 'x' or a > 0")
    assert points == [
        {"a": a, "c": c, "b": b}
        for a, c, b in itertools.product(range(3), range(3), "xy")
        if a + c <= 2 and (b == "x" or a > 0)
    ]


def test_products_and_a_product_with_zero() -> None:
    points = grid_of({"a": A, "p": {"type": "int", "min": 2, "max": 4, "times": "a"}})
    assert [(point["a"], point["p"]) for point in points] == [(0, 0), (1, 2), (1, 3), (1, 4), (2, 4), (2, 6), (2, 8)]


def test_one_value_and_count_domains() -> None:
    one = {"type": "float", "min": 2, "max": 2}
    log = {"type": "float", "min": 1e-3, "max": 0.1, "count": 3, "scale": "log"}
    assert grid_of({"one": one, "log": log}) == [{"one": 2.0, "log": value} for value in (1e-3, 0.01, 0.1)]


def test_constraint_on_constants_only() -> None:
    assert grid_of({"a": A, "k": 3}, "k > 5") == []
    assert len(grid_of({"a": A, "k": 3}, "k > 2")) == 3


def test_infinite_parameters_are_named() -> None:
    space = Space(
        declare({"a": A, "lr": {"type": "float", "min": 0, "max": 1}, "z": {"type": "normal", "mean": 0, "sd": 1}})
    )
    assert space.size is None
    with pytest.raises(SpaceError, match="lr, z: no grid: infinitely many values; give step or count"):
        space.grid()


def test_grid_is_lazy_and_size_counts_large_spaces() -> None:
    tree = {f"p{i}": {"type": "int", "min": 0, "max": 9} for i in range(40)}
    space = Space(declare(tree))
    assert space.size == 10**40
    first = next(space.grid())
    assert set(first.values()) == {0}


def test_untangled_parameters_multiply_and_too_large_tangles_are_a_bound() -> None:
    free = {f"p{i}": {"type": "int", "min": 0, "max": 9} for i in range(10)}
    space = Space(declare({**free, "a": A, "c": A}), ["a < c"])
    assert (space.size, space.size_exact) == (3 * 10**10, True)
    space = Space(declare(free), [" + ".join(free) + " < 40"])
    assert (space.size, space.size_exact) == (10**10, False)


def test_every_point_is_canonical() -> None:
    space = Space(declare({"b": B, "a": {**A, "when": "b == 'y'"}, "m": {"type": "choice", "values": [[1], [2]]}}))
    points = list(space.grid())
    assert [space.check(point) for point in points] == points
    points[0]["m"].append(3)
    assert next(space.grid())["m"] == [1]
