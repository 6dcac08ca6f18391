"""What Optuna is told of a parameter is a distribution that it takes, and that holds the value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial

from rung.mirrors.optuna_space import Kept, converted
from rung.model import Parameter
from rung.space import Space


def parameter(type_: Any, **fields: Any) -> Parameter:
    return Parameter(name="x", type=type_, **fields)


@pytest.mark.parametrize(
    ("declared", "value", "kept", "distribution"),
    [
        (parameter("float", min=0.0, max=1.0), 0.5, 0.5, FloatDistribution(0.0, 1.0)),
        (parameter("float", min=1, max=10), 3.0, 3.0, FloatDistribution(1, 10)),
        (parameter("float", min=1e-5, max=0.1, scale="log"), 0.01, 0.01, FloatDistribution(1e-5, 0.1, log=True)),
        (parameter("float", min=0.1, max=0.95, scale="reverselog"), 0.9, 0.9, FloatDistribution(0.1, 0.95)),
        (parameter("float", min=0.0, max=1.05, step=0.1), 0.3, 0.3, FloatDistribution(0.0, 1.0, step=0.1)),
        (parameter("float", min=0.0, max=1.0, count=4), 1 / 3, 1 / 3, FloatDistribution(0.0, 1.0)),
        (parameter("int", min=8, max=127, step=8), 120, 120, IntDistribution(8, 120, step=8)),
        (parameter("int", min=1, max=1000, scale="log"), 7, 7, IntDistribution(1, 1000, log=True)),
        (parameter("int", min=1, max=8, times="heads"), 24, 24, IntDistribution(24, 24)),
        (parameter("int", min=1, max=8), 20, 20, IntDistribution(1, 20)),
        (parameter("bool"), True, True, CategoricalDistribution([False, True])),
        (parameter("choice", values=("a", None, 1.5)), None, None, CategoricalDistribution(["a", None, 1.5])),
        (parameter("choice", values=("a", [1, 2])), [1, 2], "[1,2]", CategoricalDistribution(["a", "[1,2]"])),
        (parameter("choice", values=(1, True)), True, "true", CategoricalDistribution(["1", "true"])),
        (parameter("choice", values=(1, 2.5)), 9, 9, IntDistribution(9, 9)),
        (parameter("ordinal", values=(16, 32)), 32, 32, CategoricalDistribution([16, 32])),
        (parameter("normal", mean=0.0, sd=1.0), 0.2, 0.2, FloatDistribution(-6.0, 6.0)),
        (parameter("normal", mean=0.0, sd=1.0), 7.5, 7.5, FloatDistribution(-6.0, 7.5)),
        (parameter("normal", mean=0.0, sd=1.0, min=-1.0, max=2.0), 0.2, 0.2, FloatDistribution(-1.0, 2.0)),
        (parameter("constant", value=3), 3, 3, IntDistribution(3, 3)),
        (parameter("constant", value=0.5), 0.5, 0.5, FloatDistribution(0.5, 0.5)),
        (parameter("constant", value="a"), "a", "a", CategoricalDistribution(["a"])),
        (parameter("constant", value={"a": [1]}), {"a": [1]}, '{"a":[1]}', CategoricalDistribution(['{"a":[1]}'])),
        (parameter("constant", value=float("inf")), float("inf"), '"Infinity"', CategoricalDistribution(['"Infinity"'])),
        (parameter("constant", value=2**70), 2**70, str(2**70), CategoricalDistribution([str(2**70)])),
        (None, 4, 4, IntDistribution(4, 4)),
    ],
)  # fmt: skip
def test_a_parameter_has_its_distribution(declared: Parameter | None, value: Any, kept: Any, distribution: Any) -> None:
    assert converted(declared, value) == (kept, distribution)
    assert create_trial(value=1.0, params={"x": kept}, distributions={"x": distribution}).params == {"x": kept}


DOMAINS = (
    parameter("float", min=-3.3, max=7.7, step=0.7),
    parameter("float", min=1e-7, max=1e7, scale="log", count=9),
    parameter("float", min=0.5, max=0.999, scale="reverselog"),
    parameter("float", min=1.0, max=1.0),
    parameter("int", min=-7, max=23, step=3),
    parameter("int", min=1, max=4096, scale="log", count=5),
    parameter("int", min=3, max=100, scale="log"),
    parameter("normal", mean=5.0, sd=3.0),
    parameter("lognormal", mean=0.0, sd=2.0),
    parameter("choice", values=("a", 1, 2.5, None, True, [1], {"b": 2})),
    parameter("ordinal", values=("small", "large")),
)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("declared", DOMAINS, ids=lambda p: f"{p.type}-{p.scale}-{p.step or p.count}")
def test_optuna_takes_whatever_is_drawn(declared: Parameter) -> None:
    space, kept = Space((declared,)), Kept()
    for row in space.sample(np.random.default_rng(0), 200):
        params, distributions = kept.fitted((declared,), space.decode(row[None])[0])
        frozen = create_trial(value=0.0, params=params, distributions=distributions)
        assert list(frozen.params) == ["x"]  # one kind of distribution does for all of them
        kept.learn(distributions)


def test_what_the_study_keeps_otherwise_has_another_name() -> None:
    kept = Kept()
    kept.learn({"x": FloatDistribution(0, 1), "opt": CategoricalDistribution(["a", "b"])})
    wider = (parameter("float", min=0, max=9), Parameter(name="opt", type="choice", values=("a", "b", "c")))
    params, distributions = kept.fitted(wider, {"x": 7.0, "opt": "c"})
    assert params == {"x": 7.0, "opt@2": "c"}  # bounds may change, choices not
    kept.learn(distributions)
    assert kept.fitted(wider, {"x": 7.0, "opt": "a"})[0] == {"x": 7.0, "opt@2": "a"}
    log = (parameter("float", min=0.1, max=9.0, scale="log"),)
    assert list(kept.fitted(log, {"x": 7.0})[0]) == ["x@2"]
    whole = (parameter("int", min=1, max=9),)
    assert list(kept.fitted(whole, {"x": 7})[0]) == ["x@2"]
