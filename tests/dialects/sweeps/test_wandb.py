"""W&B sweeps: every distribution, early termination, the command's macros."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from dialects.sweeps.conftest import Resolved, launched, shapes, typed
from rung.dialects.sweeps.wandb import WandbDialect
from rung.model import BadInput, Objective, StudySpec

SWEEP = """
program: train.py
name: my sweep of 2024
project: digits
method: bayes
run_cap: 12
metric: {name: val_loss, goal: minimize, target: 0.1}
parameters:
  lr: {distribution: log_uniform_values, min: 1e-4, max: 0.1}
  depth: {min: 1, max: 4}
  drop: {min: 0.0, max: 0.5}
  opt: {values: [adam, sgd]}
  epochs: {value: 3}
  flag: {value: true}
  off: {value: false}
  net:
    parameters:
      width: {distribution: q_uniform, min: 8, max: 64, q: 8}
      act:
        parameters:
          name: {value: relu}
early_terminate: {type: hyperband, min_iter: 3}
"""


def read(text: str) -> StudySpec:
    return WandbDialect().read(text, file="sweep.yaml")


def parameter(**domain: Any) -> str:
    return typed(shapes(read(json.dumps({"program": "t.py", "method": "random", "parameters": {"x": domain}}))))


def test_a_sweep(resolved: Resolved) -> None:
    spec = resolved("sweep.yaml", SWEEP, "wandb", metrics=(), command=()).spec
    assert typed(shapes(spec)).splitlines() == [
        "lr: ('float', 0.0001, 0.1, None, 'log')",
        "depth: ('int', 1, 4, None, 'linear')",
        "drop: ('float', 0.0, 0.5, None, 'linear')",
        "opt: ('choice', 'adam', 'sgd')",
        "epochs: ('constant', 3)",
        "flag: ('constant', True)",
        "off: ('constant', False)",
        "net.width: ('int', 8, 64, 8, 'linear')",
        "net.act.name: ('constant', 'relu')",
    ]
    assert spec.objectives == (Objective(metric="val_loss", goal="minimize"),)
    assert (spec.search.method, spec.budget.trials, spec.budget.target, spec.name) == ("gp", 12, 0.1, None)
    assert (spec.schedule.method, spec.schedule.options) == ("asha", {"min": 3, "eta": 3})
    how = launched(spec, lr=0.01, depth=2, drop=0.5, opt="a b", **{"net.width": 16})
    nested = {"width": 16, "act": {"name": "relu"}}
    assert how.argv == (
        "/usr/bin/env", "python", "train.py", "--lr=0.01", "--depth=2", "--drop=0.5", "--opt=a b", "--epochs=3",
        "--flag=True", "--off=False", f"--net={nested}",
    )  # fmt: skip
    assert json.loads(how.files["args.json"])["net"] == nested


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["./fit", "${args_no_hyphens}"], ["./fit", "a=1", "b=True", "c=False"]),
        (["./fit", "${args_no_boolean_flags}", "x"], ["./fit", "--a=1", "--b", "x"]),
        (["./fit", "${args_json}"], ["./fit", '{"a": 1, "b": true, "c": false}']),
        (["./fit", "--f=${args_json_file}", "{a}"], ["./fit", "--f=/d/args.json", "{a}"]),
        (["${env}", "${interpreter}", "-u", "${program}", 3], ["/usr/bin/env", "python", "-u", "train.py", "3"]),
        (["${envvar:SOME_HOME}/fit"], ["/home/me/fit"]),
    ],
)
def test_the_macros_of_a_command(
    words: list[Any], expected: list[str], resolved: Resolved, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_HOME", "/home/me")
    values = {"a": {"value": 1}, "b": {"value": True}, "c": {"value": False}}
    tree = {"program": "train.py", "method": "grid", "parameters": values, "command": words}
    spec = resolved("s.json", json.dumps(tree), "wandb", command=()).spec
    assert list(launched(spec).argv) == expected


def test_a_name_with_a_dot_is_not_nested() -> None:
    spec = read("{method: grid, program: t.py, parameters: {a.b: {value: 1}, c: {parameters: {d: {value: 2}}}}}")
    assert launched(spec).argv[3:] == ("--a.b=1", "--c={'d': 2}")


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ({"min": 1, "max": 2.5}, "('float', 1.0, 2.5, None, 'linear')"),
        ({"distribution": "int_uniform", "min": 0, "max": 3}, "('int', 0, 3, None, 'linear')"),
        ({"distribution": "q_uniform", "min": 0.11, "max": 0.99, "q": 0.25}, "('float', 0.0, 1.0, 0.25, 'linear')"),
        ({"distribution": "q_uniform", "min": 1.2, "max": 3.4}, "('int', 1, 3, None, 'linear')"),
        ({"distribution": "log_uniform", "min": 0, "max": 1}, f"('float', 1.0, {math.e!r}, None, 'log')"),
        ({"distribution": "inv_log_uniform", "min": -1, "max": 0}, f"('float', 1.0, {math.e!r}, None, 'log')"),
        ({"distribution": "inv_log_uniform_values", "min": 0.1, "max": 1}, "('float', 0.1, 1.0, None, 'log')"),
        ({"distribution": "q_log_uniform_values", "min": 8, "max": 65, "q": 8}, "('int', 8, 64, 8, 'log')"),
        ({"distribution": "q_log_uniform", "min": 0, "max": 3, "q": 1}, "('int', 1, 20, None, 'log')"),
        ({"distribution": "normal"}, "('normal', 0.0, 1.0)"),
        ({"distribution": "log_normal", "mu": 2, "sigma": 0.5}, "('lognormal', 2.0, 0.5)"),
        ({"distribution": "constant", "value": [1, 2]}, "('constant', [1, 2])"),
        ({"distribution": "categorical", "values": [1, "1", None, [2]]}, "('choice', 1, '1', None, [2])"),
    ],
)
def test_distributions(domain: dict[str, Any], expected: str) -> None:
    assert parameter(**domain) == f"x: {expected}"


def test_brackets_below_the_most_iterations() -> None:
    text = "{method: random, parameters: {a: {value: 1}}, early_terminate: {type: hyperband, max_iter: 27, s: 2}}"
    assert read(text).schedule.options == {"levels": [3, 9], "eta": 3}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("method: random\nparameters: {x: {min: 1}}", "sweep.yaml:2: parameters.x: expected value, values"),
        ("method: random\nparameters: {x: {distribution: beta}}", "beta cannot be mapped"),
        ("method: random\nparameters: {x: {distribution: unifrom}}", "did you mean `uniform`"),
        ("method: random\nparameters: {x: {values: [1], probabilities: [1]}}", "weights of values cannot be mapped"),
        ("method: random\nparameters: {x: {min: 2, max: 1}}", "there is no whole number between"),
        ("method: random\nparameters: {x: {min: 2.0, max: 1}}", "must be at most 1, got 2.0"),
        (
            "method: random\nparameters:\n x: {distribution: log_uniform_values, min: 0, max: 1}",
            "sweep.yaml:3: parameters.x.min: must be above 0",
        ),
        ("method: random\nparameters: {x: {distribution: log_uniform, min: 0, max: 1000}}", "is an exponent here"),
        ("method: random\nparameters: {x: {min: 1, max: 2, mu: 3}}", "unknown key `mu`"),
        ("method: random\nparameters: {x: {distribution: uniform, max: 2}}", "parameters.x.min: missing"),
        ("method: random\nparameters: {x: 3}", "expected a mapping with value"),
        ("method: random\nparameters: {x: {distribution: normal, sigma: 0}}", "sd: must be above 0"),
        ("method: custom\nparameters: {x: {value: 1}}", 'unknown method "custom"'),
        ("method: grid\nparameters: {x: {value: 1}}\nearly_terminate: {type: envelope}", 'unknown type "envelope"'),
        ("method: grid\nparameters: {x: {value: 1}}\nearly_terminate: {type: hyperband, max_iter: 9}", "s: missing"),
        ("method: grid\nparameters: {x: {value: 1}}\ncommand: ['${arg}']", "unknown macro ${arg}"),
        ("method: grid\nparameters: {x: {value: 1}}\ncommand: ['a${args}']", "must be a word of its own"),
        ("method: grid\nparameters: {x: {value: 1}}\ncommand: ['${program}']", "needs the key `program`"),
        ("method: grid\nparameters: {x: {value: 1}}\nmetric: {goal: minimize}", "metric.name: missing"),
        ("method: grid\nparameters: {x: {value: 1}}\nparallel: 3", "unknown key `parallel`"),
    ],
)
def test_what_cannot_be_mapped(text: str, said: str) -> None:
    with pytest.raises(BadInput) as raised:
        read(text)
    assert said in str(raised.value)
    assert str(raised.value).startswith("sweep.yaml:")
