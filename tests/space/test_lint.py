from __future__ import annotations

from typing import Any

import pytest

from rung.space import Finding, Space, declare, lint


def findings(tree: dict[str, Any], *constraints: str) -> list[tuple[str, str]]:
    return [(finding.parameter, finding.field) for finding in lint(Space(declare(tree), constraints))]


GOOD: dict[str, Any] = {
    "lr": {"type": "float", "min": 1e-5, "max": 0.1, "scale": "log"},
    "narrow": {"type": "float", "min": 0.01, "max": 0.9},
    "from_zero": {"type": "float", "min": 0, "max": 1000},
    "stepped": {"type": "int", "min": 10, "max": 2000, "step": 10},
    "opt": {"type": "choice", "values": ["sgd", "adam"]},
    "two": {"type": "choice", "values": [16, 32]},
    "flags": {"type": "choice", "values": [True, False, None]},
    "momentum": {"type": "float", "min": 0, "max": 1, "when": "opt == 'sgd'", "default": 0.9},
    "exact": {"type": "bool", "when": "big == 54321"},
    "big": {"type": "int", "min": -100000, "max": 100000},
    "shape": {"value": [64, 32]},
    "epochs": 30,
}


def test_a_good_space_has_no_findings() -> None:
    assert findings(GOOD, "narrow < 0.8 or opt == 'sgd'") == []


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ({"a": {"type": "float", "min": 1e-4, "max": 1}}, ("a", "scale")),
        ({"a": {"type": "float", "min": 0.01, "max": 1}}, ("a", "scale")),
        ({"a": {"type": "int", "min": 1, "max": 1024}}, ("a", "scale")),
        ({"a": {"type": "int", "min": 3, "max": 3}}, ("a", "min")),
        ({"a": {"type": "float", "min": 3, "max": 3}}, ("a", "min")),
        ({"a": {"type": "choice", "values": ["x"]}}, ("a", "values")),
        ({"a": {"type": "choice", "values": [16, 32, 64]}}, ("a", "type")),
        ({"a": {"type": "int", "min": 0, "max": 10, "step": 3}}, ("a", "step")),
        ({"a": [1, 2, 3]}, ("a", "")),
        ({"a": {"min": 0, "max": 1}}, ("a", "type")),
        ({"a": {"values": ["x", "y"]}}, ("a", "type")),
        ({"a": {"type": "bool", "when": "k > 3"}, "k": 1}, ("a", "when")),
        ({"a": {"type": "bool", "when": "x > 5"}, "x": {"type": "float", "min": 0, "max": 1}}, ("a", "when")),
        ({"a": {"type": "bool", "when": "x == 'c'"}, "x": {"type": "choice", "values": ["b", "d"]}}, ("a", "when")),
        ({"a": {"type": "bool", "when": "b"}, "b": {"type": "bool", "when": "a2"}, "a2": False}, ("a", "when")),
    ],
)
def test_each_finding(tree: dict[str, Any], expected: tuple[str, str]) -> None:
    assert expected in findings(tree)


def test_constraints_almost_never_met() -> None:
    tree = {name: {"type": "float", "min": 0, "max": 1} for name in "xyz"}
    assert findings(tree, "x < 0.001") == [("", "constraints[0]")]
    assert findings(tree, "x < 0.1", "y < 0.1", "z < 0.1") == [("", "constraints")]
    assert findings(tree, "x < 0.1") == []


def test_default_point_that_breaks_a_constraint() -> None:
    tree = {"x": {"type": "float", "min": 0, "max": 1, "default": 0.9}, "y": {"type": "float", "min": 0, "max": 1}}
    (finding,) = lint(Space(declare(tree), ["x + y < 1"]))
    assert finding.message == "the default point is outside: `x + y < 1` does not hold at x=0.9, y=0.5"


def test_messages_say_what_to_write() -> None:
    (finding,) = lint(Space(declare({"lr": {"type": "float", "min": 1e-5, "max": 0.1}})))
    assert finding == Finding(
        "lr", "scale", "1e-05 .. 0.1 spans 4.0 decades; most draws are near max: write scale: log"
    )


def test_same_space_same_findings() -> None:
    space = Space(declare({"x": {"type": "float", "min": 0, "max": 1}}), ["x < 0.009"])
    assert lint(space) == lint(space)
