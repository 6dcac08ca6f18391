from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rung.dialects import RungDialect, edit_spec, spec_from_tree, spec_to_tree, to_yaml
from rung.model import (
    Budget,
    CheckpointSpec,
    Objective,
    Outcome,
    Parameter,
    RunSettings,
    ScheduleSpec,
    SearchSpec,
    StudySpec,
)
from rung.space import Space, SpaceError
from rung.space.axes import json_key

TEXT = """\
name: digits
command: [python, train.py, --lr, '{lr}', '{rest}']
parameters:
  lr: {type: float, min: 1e-05, max: 0.1, scale: log}
  opt: {type: choice, values: [sgd, adam, on, '1e5', null]}
  net:
    heads: {type: int, min: 1, max: 4, when: opt == 'sgd'}
    inner:
      depth: 3
  epochs: 30
  shape: {value: [3, 2]}
constraints: [net.heads < 4]
objective: {metric: val_loss, goal: {approach: 0.5}, value: best}
outcomes:
- {metric: latency_ms, at_most: 20.0}
start:
- {lr: 0.01, opt: adam}
search: {seed: 0, startup: 10}
schedule: {method: asha, resource: epoch, eta: 3}
checkpoint: {study_best: 3, trial_best: 0, disk: 20000000000}
budget: {trials: 100, time: 2h30m, cost: 50.0, patience: 20, stop: accuracy >= 0.99, improvement: 0.001}
run: {workers: 4, timeout: 0.5s, price: 2.5}
"""


def read(text: str) -> StudySpec:
    return RungDialect().read(text, file="s.yaml")


def test_the_text_is_as_people_write_it() -> None:
    assert to_yaml(read(TEXT)) == TEXT


def test_defaults_are_left_out() -> None:
    assert to_yaml(StudySpec()) == "{}\n"
    assert read(to_yaml(StudySpec())) == StudySpec()
    assert to_yaml(StudySpec(objectives=(Objective(metric="a"), Objective(metric="b", goal="maximize")))) == (
        "objective:\n- {metric: a, goal: minimize}\n- {metric: b, goal: maximize}\n"
    )


@pytest.mark.parametrize(
    "names",
    [
        ("a.x", "b", "a.y"),
        ("a", "a.b"),
        ("a.b", "a"),
        ("a.type", "a.x"),
        ("a.x", "a.type"),
        ("a.value",),
        ("a.value.b", "a.value.c"),
        ("type", "value"),
        ("a.b.c", "a.b.d", "a.e", "a.b.f"),
        ("a..b", ".c", "d.", "."),
        ("lambda", "batch-size", "a b", "é", "1", "true", "null", "<<", "a: b", "#", "'", '"', "[x]", "1e5"),
    ],
)
def test_names_keep_their_order_and_shape(names: tuple[str, ...]) -> None:
    for value, values in [("word", None), ([1], None), ([1], ([1],)), (5, None), (None, None)]:
        spec = StudySpec(
            parameters=tuple(Parameter(name=name, type="constant", value=value, values=values) for name in names)
        )
        assert read(to_yaml(spec)) == spec
    spec = StudySpec(parameters=tuple(Parameter(name=name, type="bool", default=True) for name in names))
    assert read(to_yaml(spec)) == spec


_TEXTS = st.text(max_size=12).filter(lambda text: "\0" not in text) | st.sampled_from(
    ["on", "1e5", "0o17", "010", "~", "null", ".nan", "1_000", "2024-01-01", "<<", "a\nb", "\x85", "\u2028", " x ", "- a", "{a}", "😀", "a: b", "x #y", "'", "\t", "=", "!x", "&a", "*a", "%", "@"]
)  # fmt: skip
_NUMBERS = st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
_SCALARS = st.none() | st.booleans() | _NUMBERS | _TEXTS
_JSON = st.recursive(
    _SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(_TEXTS, below, max_size=3), max_leaves=6
)
_WORDS = st.text("abcXY_-.1", min_size=1, max_size=6)
_FILLED = _TEXTS.filter(lambda text: bool(text.strip()))
_AMOUNTS = st.floats(0, 1e6) | st.integers(0, 1000).map(float)
_OPTIONS = st.dictionaries(_WORDS, _JSON, max_size=2)


@st.composite
def parameters(draw: st.DrawFn) -> Parameter:
    name = draw(st.lists(st.sampled_from(["a", "b", "type", "value", "c-d", "on", "5"]), min_size=1, max_size=3))
    kind = draw(st.sampled_from(["float", "int", "choice", "ordinal", "bool", "normal", "constant"]))
    fields: dict[str, Any] = {"name": ".".join(name), "type": kind}
    if kind in ("float", "int"):
        low, high = sorted(draw(st.lists(st.integers(1, 1000), min_size=2, max_size=2, unique=True)))
        fields |= {"min": low, "max": high, "scale": draw(st.sampled_from(["linear", "log"]))}
        if draw(st.booleans()):
            fields["default"] = draw(st.integers(low, high))
    elif kind in ("choice", "ordinal"):
        values = draw(st.lists(_SCALARS, min_size=1, max_size=4, unique_by=json_key))
        fields["values"] = tuple(values)
    elif kind == "normal":
        fields |= {"mean": draw(st.floats(-10, 10)), "sd": draw(st.floats(0.1, 10))}
    elif kind == "constant":
        fields["value"] = draw(_JSON)
        if draw(st.booleans()) or isinstance(fields["value"], dict):
            fields["values"] = (fields["value"],)  # written as {value: ...}
    return Parameter(**fields)


_BUDGETS = st.builds(
    Budget,
    trials=st.none() | st.integers(1, 10**6),
    time_s=st.none() | _AMOUNTS.filter(bool),
    target=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    max_failures=st.none() | st.integers(0, 100),
    cost=st.none() | _AMOUNTS,
    patience=st.none() | st.integers(1, 100),
    stop=st.none() | st.sampled_from(["accuracy >= 0.99", "loss < 1e-3 and not size > 5", "a.b / c != 2"]),
    improvement=st.none() | _AMOUNTS,
    on_failure=st.sampled_from([None, "continue", "fail", "stop"]),
)
_CHECKPOINTS = st.builds(
    CheckpointSpec,
    enabled=st.sampled_from([None, True, False]),
    study_best=st.integers(0, 9),
    trial_best=st.integers(0, 9),
    trial_latest=st.integers(0, 9),
    disk_bytes=st.none() | st.integers(1, 2**50),
)
_RUNS = st.builds(
    RunSettings,
    workers=st.integers(1, 64),
    gpus=_AMOUNTS,
    cpus=_AMOUNTS,
    timeout_s=st.none() | _AMOUNTS.filter(bool),
    grace_s=_AMOUNTS,
    retries=st.integers(0, 9),
    executor=st.sampled_from(["local", "inline", "on"]),
    inject=st.sampled_from(["args", "env", "file", "source"]),
    cwd=st.just("") | _FILLED,
    price=st.none() | _AMOUNTS,
)
_SEARCHES = st.builds(
    SearchSpec,
    method=_FILLED,
    seed=st.none() | st.integers(0, 2**62),
    repeats=st.integers(1, 5),
    lag=st.none() | st.integers(0, 5),
    options=_OPTIONS,
) | st.builds(SearchSpec, batch=st.integers(1, 9))
_OBJECTIVES = st.builds(
    Objective,
    metric=_FILLED,
    goal=st.sampled_from(["minimize", "maximize"]) | st.floats(-10, 10),
    value=st.sampled_from(["last", "best", "min", "max"]),
)
_OUTCOMES = st.builds(Outcome, metric=_FILLED, at_most=st.floats(0, 10), at_least=st.none() | st.floats(-10, -1))


@st.composite
def specs(draw: st.DrawFn) -> StudySpec:
    declared = draw(st.lists(parameters(), max_size=5, unique_by=lambda parameter: parameter.name))
    arguments = _TEXTS.map(lambda text: text.replace("{", "{{").replace("}", "}}"))
    places = [f"{{{parameter.name}}}" for parameter in declared]
    template = st.lists(arguments | st.sampled_from(["{rest}", "{params}", *places]), max_size=3)
    start: Any = draw(st.sampled_from(["default", "middle", "random", "points"]))
    if start == "points":
        space = Space(declared)
        start = tuple(space.decode(np.full((draw(st.integers(0, 2)), len(space.names)), 0.25)))
    return StudySpec(
        name=draw(st.none() | st.sampled_from(["x", "1e5", "on", "null"])),
        command=draw(st.none() | st.builds(lambda first, rest: (first, *rest), arguments.filter(bool), template)),
        parameters=tuple(declared),
        objectives=tuple(draw(st.lists(_OBJECTIVES, max_size=3, unique_by=lambda objective: objective.metric))),
        outcomes=tuple(draw(st.lists(_OUTCOMES, max_size=2))),
        start=start,
        search=draw(_SEARCHES),
        schedule=draw(st.builds(ScheduleSpec, method=_FILLED, resource=st.none() | _FILLED, options=_OPTIONS)),
        checkpoint=draw(_CHECKPOINTS),
        budget=draw(_BUDGETS),
        run=draw(_RUNS),
    )


@settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(specs())
def test_what_is_written_reads_back(spec: StudySpec) -> None:
    assert repr(read(to_yaml(spec))) == repr(spec)
    assert repr(spec_from_tree(spec_to_tree(spec))) == repr(spec)
    assert repr(RungDialect().read(json.dumps(spec_to_tree(spec)), file="s.json")) == repr(spec)
    assert repr(
        edit_spec(spec, [("budget.trials", "7"), ("budget.trials", str(spec.budget.trials or "null"))])
    ) == repr(spec)


def test_a_space_refuses_what_the_writer_cannot_say() -> None:
    with pytest.raises(SpaceError):
        Space((Parameter(name="a", type="constant", value=float("nan")),))
