from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from rung.model import BadInput, Parameter
from rung.space import Space, SpaceError, declare, parameters_from
from rung.space import constructors as make


def test_the_example_of_the_contract() -> None:
    parameters = declare(
        {
            "lr": {"type": "float", "min": 1e-5, "max": 0.1, "scale": "log"},
            "opt": {"type": "choice", "values": ["sgd", "adam"]},
            "momentum": {"type": "float", "min": 0, "max": 0.99, "when": "opt == 'sgd'"},
            "epochs": 30,
        }
    )
    assert parameters == (
        Parameter(name="lr", type="float", min=1e-5, max=0.1, scale="log"),
        Parameter(name="opt", type="choice", values=("sgd", "adam")),
        Parameter(name="momentum", type="float", min=0, max=0.99, when="opt == 'sgd'"),
        Parameter(name="epochs", type="constant", value=30),
    )


def test_groups_join_with_dots_and_constants_have_any_shape() -> None:
    parameters = declare(
        {
            "model": {"layers": {"type": "int", "min": 1, "max": 3}, "deep": {"k": 1, "none": None}},
            "raw": {"value": {"type": "float", "a": [1, {"b": 2}]}},
            "shape": [64, 32],
            "group": {"value": 3, "other": 4},
            "typed": {"type": {"type": "bool"}},
        }
    )
    assert [(parameter.name, parameter.type, parameter.value) for parameter in parameters] == [
        ("model.layers", "int", None),
        ("model.deep.k", "constant", 1),
        ("model.deep.none", "constant", None),
        ("raw", "constant", {"type": "float", "a": [1, {"b": 2}]}),
        ("shape", "constant", [64, 32]),
        ("group.value", "constant", 3),
        ("group.other", "constant", 4),
        ("typed.type", "bool", None),
    ]
    assert parameters[3].values == (parameters[3].value,)
    assert parameters[4].values is None


def test_python_mixes_constructors_mappings_and_constants() -> None:
    tree = {
        "lr": make.loguniform(1e-5, 1e-1, default=0.01),
        "net": {"width": make.randint(8, 64, step=8), "act": make.choice("relu", "tanh", when="net.width > 8")},
        "k": np.float64(2.5),
        "n": {"type": "int", "min": np.int64(1), "max": np.int64(3)},
        "t": (1, 2),
        "a": np.arange(3),
    }
    space = Space(parameters_from(tree))
    assert space.names == ("lr", "net.width", "net.act", "n")
    assert space.constants == {"k": 2.5, "t": [1, 2], "a": [0, 1, 2]}
    assert type(space.constants["k"]) is float
    assert space.defaults() == {"lr": 0.01, "net.width": 40, "net.act": "relu", "n": 2}


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        (make.uniform(0, 1), {"type": "float", "min": 0, "max": 1}),
        (make.uniform(0, 1, step=0.1), {"type": "float", "min": 0, "max": 1, "step": 0.1}),
        (make.loguniform(1e-5, 1), {"type": "float", "min": 1e-5, "max": 1, "scale": "log"}),
        (make.reverseloguniform(0, 0.9), {"type": "float", "min": 0, "max": 0.9, "scale": "reverselog"}),
        (make.randint(1, 3), {"type": "int", "min": 1, "max": 3}),
        (make.lograndint(1, 30), {"type": "int", "min": 1, "max": 30, "scale": "log"}),
        (make.choice("a", "b"), {"type": "choice", "values": ("a", "b")}),
        (make.choice(["a", "b"]), {"type": "choice", "values": ("a", "b")}),
        (make.choice([[1, 2]]), {"type": "choice", "values": ([1, 2],)}),
        (make.ordinal([1, 2, 4]), {"type": "ordinal", "values": (1, 2, 4)}),
        (make.finrange(0.1, 1.0, 10), {"type": "float", "min": 0.1, "max": 1.0, "count": 10}),
        (make.finrange(2, 10, 5), {"type": "int", "min": 2, "max": 10, "count": 5}),
        (make.finrange(1, 10, 5), {"type": "float", "min": 1, "max": 10, "count": 5}),
        (make.logfinrange(1, 1000, 4), {"type": "int", "min": 1, "max": 1000, "count": 4, "scale": "log"}),
        (make.logfinrange(1, 10, 4), {"type": "float", "min": 1, "max": 10, "count": 4, "scale": "log"}),
        (make.normal(0, 1), {"type": "normal", "mean": 0, "sd": 1}),
        (make.lognormal(0, 1), {"type": "lognormal", "mean": 0, "sd": 1}),
        (
            make.uniform(0, 1, when="b", times="k", default=0.5, prior=[1, 2]),
            {"type": "float", "min": 0, "max": 1, "when": "b", "times": "k", "default": 0.5, "prior": [1, 2]},
        ),
        (make.choice(None, 1, default=None), {"type": "choice", "values": (None, 1), "default": None}),
    ],
)
def test_constructors(domain: make.Domain, expected: dict[str, Any]) -> None:
    assert domain.named("p") == Parameter(name="p", **expected)


def test_constructors_refuse_unknown_keywords() -> None:
    with pytest.raises(TypeError, match="wehn"):
        make.uniform(0, 1, wehn="x")


@pytest.mark.parametrize(
    ("entry", "field", "message"),
    [
        ({"type": "flaot"}, "type", "got 'flaot' (did you mean 'float'?)"),
        ({"type": "zzz"}, "type", "a constant mapping is written {value: {...}}"),
        ({"type": "constant", "value": 3}, "type", "expected one of float"),
        ({"type": "float", "min": 0, "max": 1, "scal": "log"}, "scal", "unknown key (did you mean 'scale'?)"),
        ({"type": "choice", "values": [1], "min": 3}, "min", "has no meaning for type choice"),
        ({"type": "bool", "times": "x"}, "times", "has no meaning for type bool"),
        ({"type": "float", "min": 0}, "max", "missing: type float needs min and max"),
        ({"type": "float", "min": 0, "max": None}, "max", "missing"),
        ({"type": "choice"}, "values", "missing"),
        ({"type": "float", "min": 1, "max": 0.1}, "min", "must be below max (0.1), got 1"),
        (
            {"type": "float", "min": "1e-5", "max": 1},
            "min",
            "expected a number, got the text '1e-5'; leave out the quotes",
        ),
        ({"type": "float", "min": True, "max": 1}, "min", "expected a number, got True"),
        ({"type": "float", "min": [1], "max": 1}, "min", "expected a number, got [1]"),
        ({"type": "float", "min": float("nan"), "max": 1}, "min", "within +-1e300"),
        ({"type": "float", "min": 0, "max": float("inf")}, "max", "within +-1e300"),
        ({"type": "int", "min": 0, "max": 10**400}, "max", "within +-1e300"),
        ({"type": "int", "min": 0.5, "max": 3}, "min", "expected an integer, got 0.5; for fractions write type: float"),
        ({"type": "int", "min": 0, "max": 3, "step": 0.5}, "step", "expected an integer"),
        ({"type": "int", "min": 0, "max": 2**60}, "max", "within +-2**53"),
        ({"type": "float", "min": 0, "max": 1, "scale": "log"}, "min", "must be above 0 on a log scale, got 0"),
        ({"type": "float", "min": -1, "max": 0.5, "scale": "reverselog"}, "min", "at least 0"),
        ({"type": "float", "min": 0, "max": 1, "scale": "reverselog"}, "max", "below 1"),
        ({"type": "int", "min": 0, "max": 0, "scale": "reverselog"}, "scale", "is for type float"),
        ({"type": "float", "min": 1, "max": 2, "scale": "logg"}, "scale", "did you mean 'log'?"),
        ({"type": "float", "min": 0, "max": 1, "step": 2}, "step", "must not be larger than the range (1), got 2"),
        ({"type": "float", "min": 0, "max": 1, "step": 0}, "step", "must be above 0"),
        ({"type": "float", "min": 0, "max": 1e300, "step": 1e-9}, "step", "too small for the range"),
        ({"type": "float", "min": 0, "max": 1, "step": 0.1, "count": 3}, "count", "step or count, not both"),
        ({"type": "float", "min": 0, "max": 1, "count": 0}, "count", "between 1 and 1000000, got 0"),
        ({"type": "float", "min": 0, "max": 1, "count": 2.0}, "count", "got 2.0"),
        ({"type": "choice", "values": []}, "values", "at least one value"),
        ({"type": "choice", "values": "abc"}, "values", "expected a list, got 'abc'"),
        ({"type": "choice", "values": {"a": 1}}, "values", "expected a list"),
        ({"type": "choice", "values": ["a", "b", "a"]}, "values", "'a' is there twice"),
        ({"type": "choice", "values": [1, 1.0]}, "values", "1.0 is there twice"),
        ({"type": "choice", "values": [[1], [1]]}, "values", "[1] is there twice"),
        ({"type": "normal", "mean": 0, "sd": 0}, "sd", "must be above 0"),
        ({"type": "normal", "mean": 0, "sd": 1, "min": 2, "max": 1}, "min", "must be below max"),
        ({"type": "normal", "mean": 0, "sd": 1, "min": 50, "max": 60}, "min", "leave nothing of this distribution"),
        ({"type": "lognormal", "mean": 0, "sd": 1, "max": 0}, "max", "must be above 0"),
        ({"type": "lognormal", "mean": 0, "sd": 1, "min": -1}, "min", "at least 0"),
        ({"type": "lognormal", "mean": 1000, "sd": 1}, "mean", "those of the logarithm"),
        (
            {"type": "float", "min": 0, "max": 1, "default": 2},
            "default",
            "expected a number between 0.0 and 1.0, got 2",
        ),
        ({"type": "float", "min": 0, "max": 1, "default": "0.5"}, "default", "got '0.5'"),
        ({"type": "int", "min": 0, "max": 8, "step": 2, "default": 3}, "default", "in steps of 2, got 3"),
        ({"type": "choice", "values": ["a"], "default": "b"}, "default", "expected one of ['a'], got 'b'"),
        ({"type": "bool", "when": 3}, "when", "expected text, got 3"),
        ({"type": "bool", "when": ["a"]}, "when", "expected text"),
    ],
)
def test_refused_domains(entry: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(SpaceError) as caught:
        declare({"g": {"p": entry}})
    assert (caught.value.parameter, caught.value.field) == ("g.p", field)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"parameters.g.p.{field}: ")


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ([1], "expected a mapping of names to domains"),
        ({1: 2}, "a name must be text, got 1"),
        ({"": 2}, "name must be text"),
        ({" a": 2}, "without blanks around it"),
        ({"a=b": 2}, "must not hold '='"),
        ({"a`b": 2}, "must not hold '`'"),
        ({"a\nb": 2}, "must not hold '\\n'"),
        ({"{x}": 2}, "must not hold '{'"),
        ({"rest": 2}, "'rest' is reserved"),
        ({"a.b": 1, "a": {"b": 2}}, "parameters.a.b: declared twice"),
        ({"a": {}}, "is empty; for an empty mapping write {value: {}}"),
        ({"a": float("inf")}, "is not finite; write it as text"),
        ({"a": "x\0y"}, "holds a NUL character, which no program can be given"),
        ({"a": ["x\ud800"]}, "is not valid Unicode"),
        ({"a": {"type": "choice", "values": ["x\0y"]}}, "holds a NUL character"),
        ({"a": object()}, "expected a JSON value"),
        ({"a": {"value": {1: 2}}}, "keys of a mapping must be text"),
    ],
)
def test_refused_trees(tree: Any, message: str) -> None:
    with pytest.raises(SpaceError) as caught:
        declare(tree)
    assert message in str(caught.value)


def test_too_deep_groups_are_refused() -> None:
    tree: dict[str, Any] = {"x": 1}
    for _ in range(40):
        tree = {"g": tree}
    with pytest.raises(SpaceError, match="nested more than 30 deep"):
        declare(tree)
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(SpaceError):
        declare({"a": endless})


def test_parameters_survive_the_wire() -> None:
    parameters = declare({"a": {"type": "choice", "values": [[1], None], "default": None}, "k": {"value": [1, 2]}})
    again = msgspec.json.decode(msgspec.json.encode(parameters), type=tuple[Parameter, ...])
    assert again == parameters
    assert Space(again).defaults() == {"a": None}


def test_errors_are_bad_input_and_can_be_placed() -> None:
    error = SpaceError("must be below max", parameter="lr", field="min", place="study.yaml:12")
    assert isinstance(error, BadInput)
    assert str(error) == "study.yaml:12: parameters.lr.min: must be below max"
