from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from rung.dialects import RungDialect, spec_from_tree, spec_to_tree, to_yaml
from rung.model import BadInput, Parameter
from rung.space import Space, SpaceError, declare
from rung.space import constructors as make
from rung.space.priors import Near, Shares, read_prior
from rung.space.validation import compile_axis

FLOAT = {"type": "float", "min": 0, "max": 10}
OPT = {"type": "choice", "values": ["sgd", "adam", 3, {"a": 1}]}


def read(entry: dict[str, Any]) -> Any:
    (parameter,) = declare({"p": entry})
    return read_prior(parameter, compile_axis(parameter))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({**FLOAT}, None),
        ({**FLOAT, "prior": None}, None),
        ({**FLOAT, "prior": 0}, Near(0.0, 0.75)),
        ({**FLOAT, "prior": np.int64(2)}, Near(2.0, 0.75)),
        ({**FLOAT, "prior": {"value": 1}}, Near(1.0, 0.75)),
        ({**FLOAT, "prior": {"value": 1, "confidence": "low"}}, Near(1.0, 0.5)),
        ({**FLOAT, "prior": {"value": 1, "confidence": "high"}}, Near(1.0, 0.9)),
        ({**FLOAT, "prior": {"value": 1, "confidence": 0}}, Near(1.0, 0.0)),
        ({**FLOAT, "prior": {"value": 1, "confidence": 1}}, Near(1.0, 1.0)),
        ({"type": "int", "min": 0, "max": 4, "prior": 3.0}, Near(3, 0.75)),
        ({"type": "normal", "mean": 0, "sd": 1, "prior": -40}, Near(-40.0, 0.75)),
        ({"type": "bool", "prior": "true"}, Near(True, 0.75)),
        ({"type": "bool", "prior": {"values": {True: 3, "false": 1}}}, Shares((0.25, 0.75))),
        ({**OPT, "prior": "adam"}, Near("adam", 0.75)),
        ({**OPT, "prior": {"value": {"a": 1.0}}}, Near({"a": 1}, 0.75)),
        ({**OPT, "prior": {"values": {"adam": 8, 3: 2}}}, Shares((0.0, 0.8, 0.2, 0.0))),
        ({**OPT, "prior": {"values": {"sgd": 1e308, "adam": 1e308}}}, Shares((0.5, 0.5, 0.0, 0.0))),
        ({"type": "ordinal", "values": ["s", "m"], "prior": {"value": "m", "confidence": 0.2}}, Near("m", 0.2)),
    ],
)
def test_what_is_believed(entry: dict[str, Any], expected: Any) -> None:
    assert read(entry) == expected


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({**FLOAT, "prior": 11}, "expected a number between 0.0 and 10.0, got 11"),
        ({**FLOAT, "prior": "1"}, "expected a number between 0.0 and 10.0, got '1'"),
        ({**FLOAT, "prior": [1, 2]}, "expected a number between 0.0 and 10.0, got [1, 2]"),
        ({**FLOAT, "prior": True}, "got True"),
        ({**FLOAT, "prior": float("nan")}, "got nan"),
        ({**FLOAT, "prior": {"value": -1}}, "got -1"),
        ({**FLOAT, "prior": {"confidence": "low"}}, "missing: value; write e.g. {value: 5.0, confidence: medium}"),
        ({**FLOAT, "prior": {}}, "missing: value"),
        (
            {**FLOAT, "prior": {"value": 1, "confidance": "low"}},
            "unknown key 'confidance' (did you mean 'confidence'?)",
        ),
        ({**FLOAT, "prior": {"sd": 1}}, "unknown key 'sd'; it takes value, confidence"),
        ({**FLOAT, "prior": {"values": {"1": 1}}}, "unknown key 'values'"),
        ({**FLOAT, "prior": {"value": 1, "confidence": "sure"}}, "expected a confidence of low, medium, high, or"),
        ({**FLOAT, "prior": {"value": 1, "confidence": 1.5}}, "a number between 0 and 1, got 1.5"),
        ({**FLOAT, "prior": {"value": 1, "confidence": True}}, "got True"),
        ({**FLOAT, "prior": {"value": 1, "confidence": float("nan")}}, "got nan"),
        ({"type": "int", "min": 0, "max": 8, "step": 2, "prior": 3}, "in steps of 2, got 3"),
        ({**OPT, "prior": "adma"}, "expected one of ['sgd', 'adam', 3, {'a': 1}], got 'adma'"),
        ({**OPT, "prior": {"a": 1}}, "unknown key 'a'"),
        ({**OPT, "prior": {"values": {"adma": 1}}}, "got 'adma'"),
        ({**OPT, "prior": {"values": ["adam"]}}, "expected values as a mapping from values to weights, got ['adam']"),
        ({**OPT, "prior": {"values": {}}}, "expected values as a mapping"),
        ({**OPT, "prior": {"values": {"adam": -1}}}, "expected a weight of at least 0 for 'adam', got -1"),
        ({**OPT, "prior": {"values": {"adam": "much"}}}, "got 'much'"),
        ({**OPT, "prior": {"values": {"adam": float("inf")}}}, "got inf"),
        ({**OPT, "prior": {"values": {"adam": 0}}}, "expected at least one weight above 0, got none"),
        ({**OPT, "prior": {"values": {"adam": 1}, "confidence": "low"}}, "give value or values, not both"),
    ],
)
def test_what_cannot_be_believed(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(SpaceError) as caught:
        declare({"g": {"p": entry}})
    assert (caught.value.parameter, caught.value.field) == ("g.p", "prior")
    assert message in str(caught.value)


def test_a_space_checks_them_too() -> None:
    with pytest.raises(SpaceError, match=r"parameters\.p\.prior"):
        Space((Parameter(name="p", type="int", min=0, max=1, prior=2),))


def test_a_study_file_names_the_line() -> None:
    text = "command: x\nparameters:\n  lr:\n    type: float\n    min: 0\n    max: 1\n    prior: {value: 2}\nobjective: loss\n"
    with pytest.raises(BadInput) as caught:
        RungDialect().read(text, file="study.yaml")
    assert str(caught.value).startswith(
        "study.yaml:7: parameters.lr.prior: expected a number between 0.0 and 1.0, got 2"
    )


def test_constructors_and_files_say_the_same() -> None:
    python = declare(
        {"opt": make.choice(True, 3, "a", prior={"values": {True: 1, 3: 2}}), "x": make.uniform(0, 1, prior=0.5)}
    )
    text = 'command: run\nparameters:\n  opt: {type: choice, values: [true, 3, a], prior: {values: {"true": 1, "3": 2}}}\n  x: {type: float, min: 0, max: 1, prior: 0.5}\nobjective: loss\n'
    assert RungDialect().read(text, file="study.yaml").parameters == python


def test_they_survive_the_wire_and_the_study_file() -> None:
    tree = {
        "command": "run",
        "objective": "loss",
        "parameters": {
            "opt": {**OPT, "prior": {"values": {"adam": 0.8, 3: 0.2}}},
            "x": {**FLOAT, "prior": {"value": 1.5, "confidence": "high"}},
            "y": {**FLOAT, "prior": 0},
        },
    }
    spec = spec_from_tree(tree, place="test")
    assert msgspec.json.decode(msgspec.json.encode(spec), type=type(spec)) == spec
    assert spec_from_tree(spec_to_tree(spec), place="test") == spec
    assert RungDialect().read(to_yaml(spec), file="study.yaml").parameters == spec.parameters
