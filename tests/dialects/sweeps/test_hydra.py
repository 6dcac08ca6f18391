"""Hydra sweeps: the override grammar, the sweeper's settings, and the overrides that start a trial."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.sweeps.conftest import Resolved, launched, shape, shapes, typed
from rung.dialects.base import Asked
from rung.dialects.sweeps.hydra import HydraDialect
from rung.dialects.sweeps.overrides import Override, literal, quoted, read_override, split
from rung.model import BadInput, Objective

CONFIG = """
defaults:
  - db: mysql
  - override hydra/sweeper: optuna
hydra:
  mode: MULTIRUN
  sweeper:
    direction: minimize
    n_trials: 20
    n_jobs: 2
    sampler: {_target_: optuna.samplers.TPESampler, seed: 123}
    params:
      model.lr: tag(log, interval(1e-4, 0.1))
      db: choice(mysql, postgresql)
      x: range(-5.5, 5.5, step=0.5)
      n: range(1, 4)
      seed: 3
lr: 0.1
"""


def test_an_optuna_sweep(resolved: Resolved) -> None:
    words = ("python", "train.py", "--multirun", "x=interval(0,1)", "db=mysql", "epochs=1")
    spec = resolved("config.yaml", CONFIG, "hydra", command=words).spec
    assert typed(shapes(spec)).splitlines() == [
        "model.lr: ('float', 0.0001, 0.1, None, 'log')",
        "n: ('int', 1, 4, None, 'linear')",
        "seed: ('constant', 3)",
        "x: ('float', 0.0, 1.0, None, 'linear')",
    ]
    assert (spec.search.method, spec.search.seed, spec.budget.trials, spec.run.workers) == ("tpe", 123, 20, 2)
    how = launched(spec, **{"model.lr": 0.01, "x": 0.5, "n": 2})
    assert how.argv == ("python", "train.py", "db=mysql", "epochs=1", "model.lr=0.01", "n=2", "seed=3", "x=0.5")


TEMPLATE = """
defaults: [override /hydra/sweeper: optuna, {override /hydra/sweeper/sampler: random}]
optimized_metric: val/acc_best
seed: 7
hydra: {sweeper: {direction: maximize, sampler: {seed: "${seed}"}, params: {x: "range(1, 3)"}}}
"""


def test_a_template_names_its_metric_and_its_seed(resolved: Resolved) -> None:
    found = resolved("c.yaml", TEMPLATE, "hydra", metrics=())
    spec = found.spec
    assert spec.objectives == (Objective(metric="val/acc_best", goal="maximize"),)
    assert (spec.search.method, spec.search.seed, found.remarks) == ("random", 7, ())
    assert shapes(spec)["x"] == ("int", 1, 3, None, "linear")
    (remark,) = resolved("c.yaml", TEMPLATE, "hydra", metrics=("acc",)).remarks
    assert remark == "warning: the file says direction maximize, -m says minimize (-m NAME:max)"
    elsewhere = TEMPLATE.replace("${seed}", "${other.seed}")
    assert resolved("c.yaml", elsewhere, "hydra").spec.search.seed is None


def test_the_defaults_list_alone_says_which_sweeper_it_is() -> None:
    text = "defaults: [{override hydra/sweeper: optuna}]\nhydra: {sweeper: {params: {x: 'range(1, 3)'}}}"
    assert shapes(HydraDialect().read(text, file="c.yaml"))["x"] == ("int", 1, 3, None, "linear")


def test_the_basic_sweeper_is_a_grid(resolved: Resolved) -> None:
    text = "hydra: {sweeper: {params: {+db: 'a,b', n: 'range(1,4)'}}}"
    with pytest.raises(BadInput, match=r"config.yaml:1: hydra.sweeper.params.\+db: `\+` and"):
        resolved("config.yaml", text, "hydra")
    spec = resolved("config.yaml", text.replace("+", ""), "hydra").spec
    assert (spec.search.method, typed(shapes(spec))) == (
        "grid",
        "db: ('choice', 'a', 'b')\nn: ('int', 1, 3, None, 'linear')",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b", ("choice", "a", "b")),
        (
            "choice(a, 'b, c', 1, 2.5, true, null, [1,2], {x:1})",
            ("choice", "a", "b, c", 1, 2.5, True, None, [1, 2], {"x": 1}),
        ),
        ("range(3)", ("int", 0, 2, None, "linear")),
        ("range(start=1,stop=10,step=3)", ("int", 1, 7, 3, "linear")),
        ("range(0,1,0.25)", ("float", 0.0, 0.75, 0.25, "linear")),
        ("interval(0,1)", ("float", 0.0, 1.0, None, "linear")),
        ("int(interval(1,5))", ("int", 1, 5, None, "linear")),
        ("tag(log, interval(start=0.1,end=1))", ("float", 0.1, 1.0, None, "log")),
        ("tag(choice(a,b))", ("choice", "a", "b")),
        ("sort(3,1,2)", ("choice", 1, 2, 3)),
        ("sort(choice(3,1,2), reverse=true)", ("choice", 3, 2, 1)),
        ("shuffle(range(1,3))", ("int", 1, 2, None, "linear")),
        ("float(choice(1,2))", ("choice", 1.0, 2.0)),
        ("str(choice(1,x))", ("choice", "1", "x")),
        ("one", ("constant", "one")),
        (r"'it\'s', \'", None),
        (r"'it\'s','b\n'", ("choice", "it's", r"b\n")),
    ],
)
def test_the_override_grammar(text: str, expected: Any) -> None:
    if expected is None:
        with pytest.raises(BadInput):
            read_override(Override("x", text), whole_ends=False)
        return
    assert repr(shape(read_override(Override("x", text), whole_ends=False))) == repr(expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("glob(*)", "glob names files"),
        ("tag(fast, interval(0,1))", "the tag 'fast' cannot be mapped"),
        ("tag(log, choice(1,2))", "the tag log is for interval"),
        ("tag(log, interval(0,1))", "must be above 0 on a log scale"),
        ("interval(1,0)", "the smaller bound first"),
        ("interval(a,b)", "interval takes numbers, got 'a'"),
        ("interval(1)", "end is missing"),
        ("range(5,1)", "the smaller end first"),
        ("range(1,1)", "has 0 values"),
        ("range(0,1,1e-9)", "values; expected 1 to 10000"),
        ("choice()", "is empty"),
        ("chioce(1,2)", "unknown function 'chioce'"),
        ("a,,b", "between the commas"),
        ("'a,b", "without its partner"),
        ("int(choice(a,b))", "has no value"),
        ("bool(interval(0,1))", "cannot be mapped"),
        ("sort(1,a)", "no common order"),
    ],
)
def test_what_cannot_be_mapped(text: str, said: str) -> None:
    with pytest.raises(BadInput) as raised:
        HydraDialect().read(f"hydra:\n  sweeper:\n    params:\n      x: {text!r}" if "'" not in text else
                            f"hydra:\n  sweeper:\n    params:\n      x: \"{text}\"", file="c.yaml")  # fmt: skip
    assert said in str(raised.value)
    assert str(raised.value).startswith("c.yaml:4: hydra.sweeper.params.x: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hydra: {sweeper: {params: {}}}", "sweeps nothing"),
        ("hydra: {sweeper: {param: {}}}", "did you mean `params`"),
        ("hydra: {sweeper: {search_space: {x: {type: int}}}}", "write the space as `params`"),
        ("hydra: {sweeper: {params: {x: {a: 1}}}}", "is a mapping"),
        ("hydra: {sweeper: {direction: up, params: {x: 1}}}", "unknown direction"),
        ("hydra: {sweeper: {sampler: {_target_: a.OtherSampler}, params: {x: 1}}}", "the sampler OtherSampler cannot"),
        ("hydra: {sweeper: {sampler: {seed: x}, params: {x: 1}}}", "sampler.seed: expected a whole number"),
        ("hydra: {sweeper: {sampler: 3, params: {x: 1}}}", "expected a mapping, got 3"),
        ("hydra: {sweeper: {n_trials: 0, params: {x: 1}}}", "at least 1"),
    ],
)
def test_bad_sweepers(text: str, said: str) -> None:
    with pytest.raises(BadInput) as raised:
        HydraDialect().read(text, file="c.yaml")
    assert said in str(raised.value)


def test_a_bad_sweep_of_the_command_line() -> None:
    asked = Asked(command=("python", "app.py", "x=interval(1,0)"))
    with pytest.raises(BadInput, match=r"^-- x=: interval\(1, 0\)"):
        HydraDialect().read("hydra: {sweeper: {params: {}}}", file="c.yaml", asked=asked)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(value=_VALUES)
def test_a_quoted_value_reads_back(value: Any) -> None:
    assert literal(quoted(value)) == value
    assert len(split(quoted(value))) == 1
