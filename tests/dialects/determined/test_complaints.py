"""What configurations are refused for: the place, the key, and Determined's own words where it has some."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialects.determined.material import complaint, read, searcher
from rung.model import BadInput

REQUIRES = "the `{}` searcher requires `max_time` and `time_metric` to be set"
ASHA = {"name": "adaptive_asha", "max_trials": 32, "time_metric": "batches", "max_time": 1024}
UNKNOWN_TYPE = (
    'if a hyperparameter object\'s ["type"] is set, it must be one of "int", "double", "log", const", or "categorical"'
)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "adaptive_asha", "max_trials": 3}, REQUIRES.format("adaptive_asha")),
        ({"name": "adaptive_asha", "max_trials": 3, "max_time": 5}, REQUIRES.format("adaptive_asha")),
        ({"name": "async_halving", "max_trials": 3, "num_rungs": 2, "time_metric": "b"}, REQUIRES.format("async_halving")),
        ({"name": "tpe"}, 'searcher.name: unknown searcher "tpe"'),
        ({"name": "custom", "unit": "batches"}, "a custom searcher is a program of your own"),
        ({"name": None}, "searcher.name: missing"),
        ({"name": "random"}, "searcher.max_trials: missing"),
        ({"name": "random", "max_trials": 0}, "searcher.max_trials: expected a whole number of at least 1, got 0"),
        ({"name": "random", "max_trials": 2, "max_concurrent_trials": -1}, "searcher.max_concurrent_trials: expected"),
        ({"name": "random", "max_trials": 2, "divisor": 3}, "searcher.divisor: unknown key `divisor`"),
        ({"name": "single", "source_trial_id": 15}, "searcher.source_trial_id: trials cannot begin from"),
        ({"name": "single", "source_checkpoint_uuid": "a"}, "searcher.source_checkpoint_uuid: trials cannot begin"),
        ({"name": "single", "metric": None}, "searcher.metric: missing"),
        ({"name": "single", "smaller_is_better": "no"}, "searcher.smaller_is_better: expected true or false"),
        ({"name": "single", "max_length": {"steps": 3}}, "a length object must have one attribute named"),
        ({"name": "single", "max_length": {"batches": 1, "epochs": 1}}, "a length object must have one attribute"),
        ({"name": "single", "max_length": {"batches": 0}}, "searcher.max_length.batches: expected a whole number"),
        ({**ASHA, "mode": "wild"}, 'searcher.mode: unknown mode "wild"'),
        ({**ASHA, "divisor": 1}, "searcher.divisor: expected a number above 1"),
        ({**ASHA, "max_rungs": 0}, "searcher.max_rungs: expected a whole number"),
        ({**ASHA, "bracket_rungs": [2, 0]}, "searcher.bracket_rungs[1]: expected a whole number"),
        ({"name": "adaptive_simple", "max_steps": 9, "max_trials": 2001}, "must be at most 2000, got 2001"),
        ({"name": "adaptive", "target_trial_steps": 10, "step_budget": 50001}, "must be at most 50000"),
        ({"name": "adaptive", "target_trial_steps": 10, "step_budget": 10}, "must be above the length of one trial"),
        (
            {"name": "adaptive", "max_length": {"batches": 10}, "budget": {"epochs": 100}},
            "searcher.budget: must be in batches",
        ),
        (
            {"name": "sync_halving", "max_length": {"batches": 9}, "budget": {"batches": 40}, "num_rungs": 2, "train_stragglers": False},
            "searcher.train_stragglers: trials that come late are always trained on",
        ),
        ({"name": "pbt", "population_size": 2, "num_rounds": 2, "steps_per_round": 2}, "replace_function: missing"),
    ],
)  # fmt: skip
def test_a_searcher(fields: dict[str, Any], said: str) -> None:
    assert said in complaint(searcher(**fields))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"type": "float", "minval": 0, "maxval": 1}, f"hyperparameters.x: {UNKNOWN_TYPE}"),
        ({"type": ["int"]}, UNKNOWN_TYPE),
        ({"type": "int", "minval": 2, "maxval": 2}, "hyperparameters.x: minval must be less than maxval"),
        ({"type": "int", "minval": 2}, "hyperparameters.x: `maxval` is missing"),
        ({"type": "int", "minval": 2, "maxval": 3, "log": 1}, "hyperparameters.x.log: unknown key `log`"),
        ({"type": "int", "minval": 1.5, "maxval": 3}, "hyperparameters.x.minval: expected a whole number"),
        ({"type": "log", "minval": 2, "maxval": 3}, "hyperparameters.x: `base` is missing"),
        ({"type": "log", "minval": 2, "maxval": 3, "base": 0}, "hyperparameters.x.base: expected a number above 0"),
        ({"type": "log", "minval": 2, "maxval": 400, "base": 10}, "minval and maxval are exponents"),
        ({"type": "log", "minval": -400, "maxval": 4, "base": 10}, "minval and maxval are exponents"),
        ({"type": "categorical"}, "hyperparameters.x: `vals` is missing"),
        ({"type": "categorical", "vals": []}, "hyperparameters.x.vals: give at least one value"),
        ({"type": "const"}, "hyperparameters.x: `val` is missing"),
        ({"one": {"a": {"type": "categorical"}}}, "hyperparameters.x.one.a: `vals` is missing"),
        ({"one": {"type": "double", "minval": 3, "maxval": 1}}, "hyperparameters.x.one: minval must be less"),
    ],
)
def test_a_hyperparameter(spec: Any, said: str) -> None:
    assert said in complaint(searcher(name="single") | {"hyperparameters": {"x": spec}})


def test_two_of_the_same_dotted_name() -> None:
    space = {"a": {"b": 1}, "a.b": 2}
    assert 'there are two hyperparameters "a.b"' in complaint(searcher(name="single") | {"hyperparameters": space})


def test_a_grid_needs_counts_in_the_words_of_its_version() -> None:
    number = {"type": "double", "minval": 0, "maxval": 1}
    space = {"b": number, "a": {"c": number | {"count": 2}, "d": number}}
    newest = complaint({"searcher": {"name": "grid", "metric": "loss"}, "hyperparameters": space})
    assert "hyperparameters.b: grid search is in use but count was not provided" in newest
    first = complaint({"searcher": {"name": "grid", "metric": "loss", "max_steps": 3}, "hyperparameters": space})
    assert "these hyperparameters must specify counts for grid search: a.d, b" in first


def test_the_first_era_limits_its_grids() -> None:
    axis = {"type": "int", "minval": 1, "maxval": 100, "count": 50}
    grid: dict[str, Any] = {"searcher": {"name": "grid", "metric": "loss"}, "hyperparameters": {"a": axis, "b": axis}}
    assert complaint(grid) == ""
    grid["searcher"]["max_steps"] = 3
    assert "number of trials for grid search must be <= 2000" in complaint(grid)


def test_a_grid_over_nothing() -> None:
    assert "has no trials" in complaint({"searcher": {"name": "grid", "metric": "loss"}, "hyperparameters": {}})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"sercher": 1}, "sercher: unknown key `sercher`; did you mean `searcher`?"),
        ({"entrypoint": "python 'x"}, "entrypoint: cannot be split into words"),
        ({"entrypoint": []}, "entrypoint: expected a command"),
        ({"max_restarts": -1}, "max_restarts: expected a whole number of at least 0"),
        ({"min_validation_period": {"steps": 3}}, "min_validation_period: a length object must have one attribute"),
        ({"min_validation_period": 3, "searcher": {"name": "single", "metric": "x", "max_length": 3}}, "expected a length"),
        ({"batches_per_step": 3, "searcher": {"name": "single", "metric": "x", "max_length": 3}}, "write scheduling_unit"),
        ({"checkpoint_policy": "some"}, 'checkpoint_policy: unknown checkpoint policy "some"'),
        ({"checkpoint_storage": {"save_trial_best": -1}}, "checkpoint_storage.save_trial_best: expected a whole number"),
        ({"checkpoint_storage": {"type": "ftp"}}, "checkpoint_storage.type: unknown type of storage"),
        ({"checkpoint_storage": {"type": "shared_fs"}}, "checkpoint_storage.host_path: missing"),
        ({"environment": {"environment_variables": ["A"]}}, "environment_variables[0]: expected NAME=VALUE"),
        ({"resources": {"slots_per_trial": -1}}, "resources.slots_per_trial: expected a whole number"),
        ({"reproducibility": {"experiment_seed": "x"}}, "reproducibility.experiment_seed: expected a whole number"),
        ({"data": {"x": math.inf}}, "data.x: expected a finite number"),
        ({"data": {"x": [10**30]}}, "data.x[0]: expected a number of at most 63 bits"),
        ({"hyperparameters": 3}, "hyperparameters: expected a mapping"),
        ({"searcher": "single"}, "searcher: expected a mapping"),
        ({"labels": "a"}, "labels: expected a list of words"),
    ],
)  # fmt: skip
def test_a_section(more: dict[str, Any], said: str) -> None:
    text = json.dumps(searcher(name="single") | more).replace("Infinity", ".inf")
    found = complaint(text)
    assert said in found
    assert found.startswith("config.yaml:1: ")


def test_the_line_is_named() -> None:
    text = "searcher:\n  name: random\n  metric: x\n  max_trials: none\nentrypoint: x\n"
    assert complaint(text).startswith("config.yaml:4: searcher.max_trials: expected a whole number")


# ---------------------------------------------------------------------------------------------------------- --config


@pytest.mark.parametrize(
    ("text", "place", "value"),
    [
        ("searcher.max_trials=8", ("searcher", "max_trials"), 8),
        ("data.rate=1e-3", ("data", "rate"), 0.001),
        ("data.on=true", ("data", "on"), True),
        ("data.a.b.c=x=y", ("data", "a", "b", "c"), "x=y"),
        ("data.list=1,b, 2.5", ("data", "list"), [1, "b", 2.5]),
        ("data.list=[1, 2]", ("data", "list"), [1, 2]),
        ("data.map={a: 1, b: c}", ("data", "map"), {"a": 1, "b": "c"}),
        ("data.quoted='8, 9'", ("data", "quoted"), "8, 9"),
        ("description=", ("description",), None),
    ],
)
def test_an_override(text: str, place: tuple[str, ...], value: Any) -> None:
    spec = read(searcher(**ASHA), text)
    assert spec.program is not None
    found = spec.program.settings["config"]
    for key in place:
        found = found[key]
    assert found == value


def hyperparameters_after(*overrides: str) -> Any:
    group = {"lr": {"type": "log", "base": 10, "minval": -4, "maxval": 0}, "momentum": 0.9}
    spec = read(searcher(name="single") | {"hyperparameters": {"opt": group, "n": 3}}, *overrides)
    assert spec.program is not None
    return spec.program.settings["config"]["hyperparameters"]


def test_groups_merge_and_specifications_are_replaced_whole() -> None:
    found = hyperparameters_after("hyperparameters.opt={momentum: 0.5, nesterov: true}")
    assert (found["opt"]["momentum"], found["opt"]["nesterov"], found["opt"]["lr"]["base"]) == (0.5, True, 10)
    assert hyperparameters_after("hyperparameters.opt.lr={type: const, val: 1}")["opt"]["lr"] == {
        "type": "const",
        "val": 1,
    }
    whole = {"type": "log", "base": 2, "minval": 0, "maxval": 1}
    assert hyperparameters_after(f"hyperparameters.opt.lr={json.dumps(whole)}")["opt"]["lr"] == whole
    assert hyperparameters_after("hyperparameters.opt.lr=0.1")["opt"] == {"lr": 0.1, "momentum": 0.9}
    assert hyperparameters_after("hyperparameters.opt.lr.maxval=1")["opt"]["lr"]["maxval"] == 1
    assert hyperparameters_after("hyperparameters.opt={}")["opt"] == {}


def test_another_searcher_takes_over_only_what_all_have() -> None:
    spec = read(searcher(**ASHA, smaller_is_better=False), "searcher={name: random, max_trials: 3}")
    assert (spec.schedule.method, spec.budget.trials, spec.objectives[0].goal) == ("none", 3, "maximize")
    more = read(searcher(**ASHA), "searcher={max_trials: 7}")
    assert (more.schedule.method, more.budget.trials) == ("adaptive", 7)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("searcher.max_trials", "--config: expected key.path=value"),
        ("=3", "--config: expected key.path=value"),
        ("a..b=3", "--config: expected key.path=value"),
        ("entrypoint.x=3", '--config entrypoint.x: `entrypoint` is "python3 train.py", which has no keys'),
        ("searcher.max_trials=many", '--config searcher.max_trials: expected a whole number of at least 1, got "many"'),
        ("data.x={", "--config data.x: "),
        ("serch.x=3", "--config serch.x: unknown key `serch`"),
        ("hyperparameters.q.type=int", "--config hyperparameters.q.type: q"),
    ],
)
def test_an_override_that_cannot_be(override: str, said: str) -> None:
    found = complaint(searcher(**ASHA), override)
    assert found.startswith(said.rsplit(": q", 1)[0]), found


# -------------------------------------------------------------------------------------------------------------- fuzz

TEXT = """\
name: trial
entrypoint: python3 train.py
hyperparameters:
  lr: {type: log, base: 10, minval: -4, maxval: -1, count: 3}
  net:
    width: {type: int, min: 8, minval: 8, maxval: 128}
    act: {type: categorical, vals: [relu, null, [1, 2], {a: 1}]}
    empty: {}
searcher:
  name: adaptive_asha
  metric: loss
  max_length: {batches: 100}
  max_trials: 16
  bracket_rungs: [2, 1]
  divisor: 4
checkpoint_storage: {type: shared_fs, host_path: /tmp, storage_path: a/../b, save_trial_best: 2}
environment: {environment_variables: [A=b]}
min_validation_period: {epochs: 1}
resources: {slots_per_trial: 0}
""".replace("min: 8, ", "")
_INSERTS = ["\n", " ", ":", "{", "}", "[", "]", "'", '"', "*a", "&a ", "!!x ", "-", "~", "1e999", ".nan", "-1", "0", "true", "\0", "é", "<<: ", ", ", "..", "9" * 30, "9" * 400, "1e300", "grid", "pbt", "single", "steps"]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(TEXT)), st.integers(0, 12), st.sampled_from(_INSERTS) | st.text(max_size=5)),
        min_size=1,
        max_size=3,
    )
)
def test_whatever_is_in_a_file_it_reads_or_is_complained_of_in_one_line(cuts: list[tuple[int, int, str]]) -> None:
    text = TEXT
    for at, length, insert in cuts:
        text = text[:at] + insert + text[at + length :]
    assert "\n" not in complaint(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=5,
)
KEYS = ["searcher", "hyperparameters", "entrypoint", "environment", "checkpoint_storage", "resources", "data", "labels", "reproducibility", "min_validation_period", "profiling", "max_restarts"]  # fmt: skip
FIELDS = ["name", "metric", "max_trials", "max_length", "max_steps", "max_time", "time_metric", "num_rungs", "divisor", "bracket_rungs", "budget", "step_budget", "target_trial_steps", "replace_function", "population_size", "num_rounds", "length_per_round", "explore_function"]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3),
    st.dictionaries(st.sampled_from(FIELDS), VALUES | st.integers(1, 100), max_size=6),
    st.sampled_from(["single", "random", "grid", "async_halving", "adaptive_asha", "adaptive_simple", "adaptive", "sync_halving", "pbt"]),
)  # fmt: skip
def test_whatever_the_sections_hold(more: dict[str, Any], fields: dict[str, Any], name: str) -> None:
    tree = {"searcher": {"metric": "loss", "name": name, "max_trials": 4, **fields}, **more}
    try:
        text = json.dumps(tree)
    except ValueError:
        return
    assert "\n" not in complaint(text)


def test_nothing_but_bad_input_is_raised() -> None:
    with pytest.raises(BadInput):
        read("")
    with pytest.raises(BadInput):
        read("[1, 2]", "a.b=3")
