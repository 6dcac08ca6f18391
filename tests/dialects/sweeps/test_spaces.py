"""Search spaces of Ray Tune, Optuna and NNI: files that name no program."""

from __future__ import annotations

import json
from typing import Any

import optuna
import pytest

from dialects.sweeps.conftest import Resolved, launched, shapes, typed
from rung.dialects.base import Asked
from rung.dialects.sweeps.nni import NniDialect
from rung.dialects.sweeps.optuna_space import OptunaSpaceDialect
from rung.dialects.sweeps.raytune import RayTuneDialect
from rung.model import BadInput, Objective
from rung.space import Space

DIALECTS: dict[str, Any] = {"raytune": RayTuneDialect, "optuna-space": OptunaSpaceDialect, "nni": NniDialect}


def read(dialect: str, tree: Any) -> Any:
    return DIALECTS[dialect]().read(json.dumps(tree, indent=1), file="space.json")


def one(dialect: str, domain: Any) -> str:
    return typed(shapes(read(dialect, {"x": domain}))).removeprefix("x: ")


# ----------------------------------------------------------------------------------------------------------- Ray Tune


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ({"uniform": [-5, -1]}, "('float', -5.0, -1.0, None, 'linear')"),
        ({"quniform": [3.2, 5.5, 0.2]}, "('float', 3.2, 5.4, 0.2, 'linear')"),
        ({"quniform": [1, 5, 2]}, "('float', 2.0, 4.0, 2.0, 'linear')"),
        ({"loguniform": {"lower": 1e-4, "upper": 0.01, "base": 2}}, "('float', 0.0001, 0.01, None, 'log')"),
        ({"qloguniform": [1e-4, 0.1, 5e-5]}, "('float', 0.0001, 0.1, 5e-05, 'log')"),
        ({"randn": [10, 2]}, "('normal', 10.0, 2.0)"),
        ({"randn": []}, "('normal', 0.0, 1.0)"),
        ({"randint": [-9, 15]}, "('int', -9, 14, None, 'linear')"),
        ({"qrandint": [-21, 12, 3]}, "('int', -21, 12, 3, 'linear')"),
        ({"lograndint": [1, 10]}, "('int', 1, 9, None, 'log')"),
        ({"qlograndint": [1, 10, 2]}, "('int', 2, 10, 2, 'log')"),
        ({"choice": ["a", 1, [2]]}, "('choice', 'a', 1, [2])"),
        ({"choice": {"categories": ["a", "b"]}}, "('choice', 'a', 'b')"),
        ({"grid_search": [1, 2]}, "('choice', 1, 2)"),
    ],
)
def test_functions_of_ray_tune(domain: Any, expected: str) -> None:
    assert one("raytune", domain) == expected


def test_a_ray_tune_file(resolved: Resolved) -> None:
    tree = {
        "param_space": {"model": {"lr": {"loguniform": [1e-4, 0.1]}, "act": "relu"}, "epochs": 3},
        "tune_config": {"metric": "acc", "mode": "max", "num_samples": 7, "max_concurrent_trials": 2},
    }
    spec = resolved("space.json", json.dumps(tree), "raytune", metrics=()).spec
    assert spec.objectives == (Objective(metric="acc", goal="maximize"),)
    assert (spec.budget.trials, [p.name for p in spec.parameters]) == (7, ["model.lr", "model.act", "epochs"])
    assert launched(spec, **{"model.lr": 0.1}).argv == (
        "python", "train.py", "--model.lr=0.1", "--model.act=relu", "--epochs=3",
    )  # fmt: skip


def test_a_grid_of_ray_tune_is_run_as_often_as_there_are_samples() -> None:
    spec = RayTuneDialect().read('{"config": {"a": {"grid_search": [1, 2]}}, "num_samples": 3}', file="s.json")
    assert (spec.search.method, spec.search.repeats, spec.budget.trials) == ("grid", 3, None)


# ------------------------------------------------------------------------------------------------------------- Optuna


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        (optuna.distributions.FloatDistribution(0, 1), "('float', 0.0, 1.0, None, 'linear')"),
        (optuna.distributions.FloatDistribution(1e-3, 1, log=True), "('float', 0.001, 1.0, None, 'log')"),
        (optuna.distributions.FloatDistribution(0, 1, step=0.25), "('float', 0.0, 1.0, 0.25, 'linear')"),
        (optuna.distributions.IntDistribution(2, 8, step=2), "('int', 2, 8, 2, 'linear')"),
        (optuna.distributions.IntDistribution(1, 8, log=True), "('int', 1, 8, None, 'log')"),
        (optuna.distributions.CategoricalDistribution((None, True, 1.5, "a")), "('choice', None, True, 1.5, 'a')"),
    ],
)
@pytest.mark.parametrize("as_text", [True, False])
def test_distributions_as_optuna_writes_them(distribution: Any, expected: str, as_text: bool) -> None:
    text = optuna.distributions.distribution_to_json(distribution)
    assert one("optuna-space", text if as_text else json.loads(text)) == expected


@pytest.mark.parametrize(
    ("name", "attributes", "expected"),
    [
        ("UniformDistribution", {"low": 0, "high": 1}, "('float', 0.0, 1.0, None, 'linear')"),
        ("LogUniformDistribution", {"low": 1, "high": 2}, "('float', 1.0, 2.0, None, 'log')"),
        ("DiscreteUniformDistribution", {"low": 0, "high": 1, "q": 0.5}, "('float', 0.0, 1.0, 0.5, 'linear')"),
        ("IntUniformDistribution", {"low": 0, "high": 4, "step": 2}, "('int', 0, 4, 2, 'linear')"),
        ("IntLogUniformDistribution", {"low": 1, "high": 4, "step": 1}, "('int', 1, 4, None, 'log')"),
    ],
)
def test_distributions_of_old_versions(name: str, attributes: Any, expected: str) -> None:
    assert one("optuna-space", {"name": name, "attributes": attributes}) == expected


def test_an_optuna_file(resolved: Resolved) -> None:
    tree = {"lr": {"name": "FloatDistribution", "attributes": {"low": 0, "high": 1, "log": False, "step": None}}}
    spec = resolved("s.json", json.dumps(tree), "optuna-space", command=("./fit", "{lr}")).spec
    assert launched(spec, lr=0.5).argv == ("./fit", "0.5")


# ---------------------------------------------------------------------------------------------------------------- NNI


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("choice", ["a", 2], "('choice', 'a', 2)"),
        ("randint", [1, 4], "('int', 1, 3, None, 'linear')"),
        ("uniform", [0, 1], "('float', 0.0, 1.0, None, 'linear')"),
        ("quniform", [0, 10, 5], "('int', 0, 10, 5, 'linear')"),
        ("quniform", [0.0, 1, 0.5], "('float', 0.0, 1.0, 0.5, 'linear')"),
        ("quniform", [2, 10, 5], "('ordinal', 2, 5, 10)"),
        ("quniform", [0.1, 0.7, 0.25], "('ordinal', 0.1, 0.25, 0.5, 0.7)"),
        ("loguniform", [1e-4, 0.1], "('float', 0.0001, 0.1, None, 'log')"),
        ("qloguniform", [8, 64, 8], "('int', 8, 64, 8, 'log')"),
        ("normal", [1, 2], "('normal', 1.0, 2.0)"),
        ("lognormal", [0, 0.5], "('lognormal', 0.0, 0.5)"),
    ],
)
def test_types_of_nni(kind: str, given: Any, expected: str) -> None:
    assert one("nni", {"_type": kind, "_value": given}) == expected


def test_a_nested_choice_of_nni(resolved: Resolved) -> None:
    size = {
        "_type": "choice",
        "_value": [{"_name": "fixed"}, {"_name": "it's free", "k": {"_type": "randint", "_value": [3, 5]}}],
    }
    tree = {
        "layer0": {
            "_type": "choice",
            "_value": [
                {"_name": "Empty"},
                {"_name": "Conv", "size": size, "pad": {"_type": "choice", "_value": [0, 1]}},
            ],
        }
    }
    spec = resolved("s.json", json.dumps(tree), "nni").spec
    found = list(Space(spec.parameters).grid())
    assert [set(params) for params in found].count({"layer0._name"}) == 1
    assert {params["layer0.size.k"] for params in found if "layer0.size.k" in params} == {3, 4}
    assert all(params["layer0.size._name"] == "it's free" for params in found if "layer0.size.k" in params)
    assert len(found) == 1 + 2 * (1 + 2)


# ------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("dialect", "tree", "said"),
    [
        ("raytune", {"x": {"sample_from": "lambda: 1"}}, "space.json:3: x.sample_from: runs Python code"),
        ("raytune", {"x": {"qrandn": [0, 1, 2]}}, "cannot be mapped"),
        ("raytune", {"x": {"uniform": [1]}}, "missing upper: uniform takes lower, upper"),
        ("raytune", {"x": {"uniform": [1, 2, 3]}}, "uniform takes lower, upper, got 3"),
        ("raytune", {"x": {"uniform": {"low": 1}}}, "unknown key `low`"),
        ("raytune", {"x": {"uniform": ["1", 2]}}, 'expected a number, got "1"'),
        ("raytune", {"x": {"randint": [1, 1]}}, "there is no whole number between"),
        ("raytune", {"x": {"quniform": [1, 2, 0]}}, "must be above 0"),
        ("raytune", {"x": {"quniform": [1.1, 1.2, 1.0]}}, "no multiple of 1.0 lies between"),
        ("raytune", {"x": {"loguniform": [0, 1]}}, "must be above 0 on a log scale"),
        ("raytune", {"a": {"grid_search": [1]}, "b": {"uniform": [0, 1]}}, "grid_search beside b"),
        ("raytune", {"config": {"a": {"choice": [1]}}, "stop": {}}, "unknown key `stop`"),
        ("optuna-space", {"x": {"name": "NormalDistribution", "attributes": {}}}, "unknown distribution"),
        ("optuna-space", {"x": {"name": "FloatDistribution", "attributes": {"low": 1}}}, "x.attributes.high: missing"),
        ("optuna-space", {"x": {"name": "IntDistribution", "attributes": {"low": 2, "high": 1}}}, "must be at most `high` (1)"),
        ("optuna-space", {"x": '{"name": "FloatDistribution"'}, "expected a distribution"),
        ("nni", {"x": {"_type": "qnormal", "_value": [0, 1, 1]}}, "cannot be mapped"),
        ("nni", {"x": {"_type": "randint", "_value": [5]}}, "write [0, upper]"),
        ("nni", {"x": {"_type": "mutable_layer", "_value": {}}}, "unknown distribution"),
        ("nni", {"x": {"_type": "quniform", "_value": [0, 1e6, 0.3]}}, "makes uneven steps"),
        ("nni", {"x": {"_type": "choice", "_value": [{"_name": "a"}, {"b": 1}]}}, "x._value[1]._name: missing"),
        ("nni", {"x": {"_type": "choice", "_value": [{"_name": "a"}, {"_name": "a"}]}}, "have the same `_name`"),
        (
            "nni",
            {
                "x": {
                    "_type": "choice",
                    "_value": [
                        {"_name": "a", "k": {"_type": "choice", "_value": [1]}},
                        {"_name": "b", "k": {"_type": "choice", "_value": [2]}},
                    ],
                }
            },
            "two parameters are called x.k",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_mapped(dialect: str, tree: Any, said: str) -> None:
    with pytest.raises(BadInput) as raised:
        read(dialect, tree)
    assert said in str(raised.value)
    assert str(raised.value).startswith("space.json:")


def test_without_a_program_it_says_how_to_give_one(resolved: Resolved) -> None:
    with pytest.raises(BadInput, match="the command after `--`"):
        resolved("s.json", '{"x": {"uniform": [0, 1]}}', "raytune", command=())


def test_an_unknown_placeholder_of_the_command() -> None:
    with pytest.raises(BadInput, match=r"unknown placeholder `\{y\}`"):
        RayTuneDialect().read('{"x": {"uniform": [0, 1]}}', file="s.json", asked=Asked(command=("a", "{y}")))
