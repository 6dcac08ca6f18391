from __future__ import annotations

from typing import Any

import pytest

from rung.space import Space, SpaceError, declare

TREE: dict[str, Any] = {
    "lr": {"type": "float", "min": 1e-5, "max": 0.1, "scale": "log", "default": 0.01},
    "width": {"type": "int", "min": 8, "max": 64, "step": 8},
    "opt": {"type": "choice", "values": ["sgd", "adam", 3, True, None]},
    "momentum": {"type": "float", "min": 0, "max": 1, "step": 0.1, "when": "opt == 'sgd'"},
    "heads": {"type": "int", "min": 0, "max": 4},
    "hidden": {"type": "int", "min": 2, "max": 8, "step": 2, "times": "heads"},
    "epochs": 30,
    "name": "base",
}
GOOD: dict[str, Any] = {"lr": 0.01, "width": 16, "opt": "adam", "heads": 2, "hidden": 8}


@pytest.fixture
def space() -> Space:
    return Space(declare(TREE), ["width * heads <= 128"])


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ({}, {}),
        ({"lr": "1e-3"}, {"lr": 1e-3}),
        ({"lr": 0.1 + 1e-17}, {"lr": 0.1}),
        ({"width": "32"}, {"width": 32}),
        ({"width": 32.0}, {"width": 32}),
        ({"width": " 8 "}, {"width": 8}),
        ({"opt": "3"}, {"opt": 3}),
        ({"opt": "true"}, {"opt": True}),
        ({"opt": "null"}, {"opt": None}),
        ({"opt": "sgd", "momentum": "0.30000000000000004"}, {"opt": "sgd", "momentum": 0.3}),
        ({"hidden": "12"}, {"hidden": 12}),
        ({"heads": 0, "hidden": 0}, {"heads": 0, "hidden": 0}),
        ({"epochs": 30}, {}),
        ({"epochs": "30"}, {}),
        ({"epochs": 31}, {"epochs": 31}),
        ({"epochs": "31"}, {"epochs": 31}),
        ({"name": "30"}, {"name": "30"}),
    ],
)
def test_canonical(space: Space, given: dict[str, Any], canonical: dict[str, Any]) -> None:
    checked = space.check({**GOOD, **given})
    assert checked == {**GOOD, **canonical}
    assert [type(value) for value in checked.values()] == [type(checked[name]) for name in TREE if name in checked]
    assert list(checked) == [name for name in TREE if name in checked]
    assert type(checked["width"]) is int


@pytest.mark.parametrize(
    ("given", "key", "message"),
    [
        ({"widht": 3}, "parameters.widht", "unknown parameter (did you mean 'width'?)"),
        ({"zzz": 3}, "parameters.zzz", "unknown parameter"),
        ({"lr": 1}, "parameters.lr", "expected a number between 1e-05 and 0.1, got 1"),
        ({"lr": "fast"}, "parameters.lr", "got 'fast'"),
        ({"lr": float("nan")}, "parameters.lr", "got nan"),
        ({"width": 12}, "parameters.width", "expected an integer between 8 and 64 in steps of 8, got 12"),
        ({"width": 16.5}, "parameters.width", "got 16.5"),
        ({"width": True}, "parameters.width", "got True"),
        ({"width": 10**400}, "parameters.width", "got 1000"),
        ({"opt": "rmsprop"}, "parameters.opt", "expected one of ['sgd', 'adam', 3, True, None], got 'rmsprop'"),
        ({"opt": object}, "parameters.opt", "expected one of"),
        ({"momentum": 0.5}, "parameters.momentum", "is inactive here (when: opt == 'sgd'); leave it out"),
        ({"opt": "sgd"}, "parameters.momentum", "missing: it is active here; expected a number between 0.0 and 1.0"),
        ({"opt": "sgd", "momentum": 0.55}, "parameters.momentum", "in steps of 0.1, got 0.55"),
        ({"hidden": 7}, "parameters.hidden", "expected heads (2) x an integer between 2 and 8 in steps of 2, got 7"),
        ({"hidden": 40}, "parameters.hidden", "got 40"),
        ({"heads": 0, "hidden": 3}, "parameters.hidden", "expected heads (0) x"),
        ({"width": 64, "heads": 4}, "constraints", "`width * heads <= 128` does not hold at width=64, heads=4"),
        ({"epochs": float("inf")}, "parameters.epochs", "is not finite"),
        ({"epochs": "\0"}, "parameters.epochs", "holds a NUL character"),
    ],
)
def test_refused(space: Space, given: dict[str, Any], key: str, message: str) -> None:
    with pytest.raises(SpaceError) as caught:
        space.check({**GOOD, **given})
    assert caught.value.key == key
    assert message in str(caught.value)


def test_complete_fills_with_defaults_and_middles(space: Space) -> None:
    assert space.complete({"opt": "sgd"}) == {
        "lr": 0.01, "width": 40, "opt": "sgd", "momentum": 0.5, "heads": 2, "hidden": 12,
    }  # fmt: skip
    assert space.complete(GOOD) == GOOD
    with pytest.raises(SpaceError, match="unknown parameter"):
        space.complete({"w": 1})


def test_conditions_see_overridden_constants() -> None:
    space = Space(declare({"k": 1, "x": {"type": "bool", "when": "k > 1"}}))
    assert space.check({}) == {}
    assert space.check({"k": 2, "x": "true"}) == {"k": 2, "x": True}
