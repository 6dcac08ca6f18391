"""Which step, which task, which values: `valohai.yaml` to specs, and what is said of bad ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dialects.valohai.conftest import Read
from rung.dialects.base import Asked, Switch
from rung.dialects.valohai.reader import ValohaiDialect
from rung.model import BadInput, Objective, StudySpec
from rung.search.grid import Grid
from rung.space import Space

FILE = """
- step:
    name: train
    image: python:3.11
    command: python train.py {parameters}
    time-limit: 1h 30m
    environment-variables:
      - {name: MODE, default: fast}
    parameters:
      - {name: learning_rate, type: float, default: 0.001, min: 0, max: 1}
      - {name: layers, type: integer, default: 2}
      - {name: word, optional: true}
      - {name: some flag, type: flag, default: true}
      - {name: tags, multiple: repeat, optional: true}
    inputs:
      - {name: data, default: http://x/y.csv}
- step: {name: other, image: i, command: [a, b], stop-condition: "loss < 1"}
- task:
    name: sweep
    step: train
    parameters:
      - {name: layers, style: multiple, rules: {items: [3, 1]}}
      - {name: learning_rate, style: logspace, rules: {min: -3, max: -1, count: 3}}
- task:
    name: towards
    step: train
    type: Bayesian-TPE
    execution-count: 40
    execution-batch-size: 5
    maximum-queued-executions: 3
    on-child-error: STOP_all_and_error
    optimization-target-metric: goodness
    optimization-target-value: 7.2
    stop-condition: goodness >= 7.19
    engine: Optuna
    parameters:
      - {name: learning_rate, style: random, rules: {min: 0.1, max: 0.5}}
      - {name: layers, style: random, rules: {min: 1, max: 4}}
- task: {name: drawn, step: train, type: random_search, execution-count: 12, parameters: [
    {name: layers, style: multiple, rules: {items: [1, 2]}}]}
- task: {name: sets, step: train, type: manual_search, parameter-sets: [
    {layers: 3, word: a}, {layers: 5}, {}, {layers: 3, word: a}], on-child-error: continue-and-complete}
"""


def constants(spec: StudySpec) -> dict[str, Any]:
    return {p.name: p.value for p in spec.parameters if p.type == "constant"}


def grid(spec: StudySpec) -> list[dict[str, Any]]:
    return [dict(point) for point in Space(spec.parameters, spec.constraints).grid()]


def test_no_task_is_one_execution_with_the_defaults(read: Read) -> None:
    spec = read(
        FILE, step="train", values={"learning-rate": "0.01", "layers": "3", "tags": ("a", "b"), "some flag": "no"}
    )
    assert constants(spec) == {"learning_rate": 0.01, "layers": 3, "some flag": False, "tags": ["a", "b"]}
    assert (spec.budget.trials, spec.search.method, spec.objectives, spec.run.timeout_s) == (1, "grid", (), 5400)
    assert constants(read(FILE, step="train")) == {"learning_rate": 0.001, "layers": 2, "some flag": True, "tags": []}
    assert read(FILE, step="other").budget.stop == "loss < 1"


def test_a_grid_is_the_product_with_the_last_fastest(read: Read) -> None:
    spec = read(FILE, task="sweep", values={"word": "x"})
    assert [(p["layers"], p["learning_rate"]) for p in grid(spec)] == [
        (3, 0.001), (3, 0.01), (3, 0.1), (1, 0.001), (1, 0.01), (1, 0.1),
    ]  # fmt: skip
    assert constants(spec) == {"word": "x", "some flag": True, "tags": []}
    assert (spec.budget.trials, spec.budget.on_failure, spec.run.workers) == (6, "fail", 1)
    fewer = read(FILE, task="sweep", values={"layers": "7"})
    assert fewer.budget.trials == 3
    assert constants(fewer)["layers"] == 7


def test_bayesian_tpe(read: Read) -> None:
    spec = read(FILE, task="towards")
    assert spec.objectives == (Objective(metric="goodness", goal=7.2),)
    assert (spec.search.method, spec.search.batch) == ("tpe", 5)
    assert spec.search.options == {"start": 20, "design": "random"}
    assert (spec.budget.trials, spec.budget.stop, spec.budget.on_failure) == (40, "goodness >= 7.19", "stop")
    assert (spec.run.workers, spec.schedule.options) == (3, {"max_concurrent_trials": 3})
    by_name = {p.name: p for p in spec.parameters}
    assert (by_name["learning_rate"].type, by_name["layers"].type) == ("float", "int")
    assert read(FILE.replace("    optimization-target-value: 7.2\n", ""), task="towards").objectives == ()


def test_random_search_makes_exactly_so_many(read: Read) -> None:
    spec = read(FILE, task="drawn")
    assert (spec.budget.trials, spec.search.method, spec.search.repeats) == (12, "random", 12)
    assert spec.search.options == {"independent": True}


def test_parameter_sets_run_once_each_and_the_defaults_fill_them(read: Read) -> None:
    spec = read(FILE, task="sets")
    assert spec.search.options["points"] == [{"layers": 3, "word": "a"}, {"layers": 5, "word": None}]
    assert (spec.budget.trials, spec.budget.on_failure) == (2, "continue")
    assert ValohaiDialect().remarks(spec) == [
        "Will create a total of 2 executions.", "1 of the 3 parameter sets are there twice: each runs once",
    ]  # fmt: skip
    assert Grid.options.keys() >= spec.search.options.keys()


def test_sets_and_lists_together(read: Read) -> None:
    text = (
        FILE
        + "- task: {name: both, step: train, type: manual_search, parameters: [{name: layers, style: multiple, rules: {items: [1, 2]}}], parameter-sets: [{word: a}, {word: b, layers: 9}]}\n"
    )
    spec = read(text, task="both")
    assert spec.search.options["points"] == [
        {"layers": 1, "word": "a"}, {"layers": 2, "word": "a"}, {"layers": 9, "word": "b"},
    ]  # fmt: skip


def test_styles_make_a_task_on_the_spot(read: Read) -> None:
    spec = read(FILE, step="train", style=("learning_rate=logspace:-5:-1:5", "layers=multiple:1,2"))
    assert (len(grid(spec)), spec.budget.trials, spec.search.method) == (10, 10, "grid")
    assert spec.program is not None and spec.program.settings["task"] == "on the spot"
    changed = read(FILE, task="sweep", style="layers=single:4")
    assert changed.budget.trials == 3
    drawn = read(FILE, step="train", task="random-search", style="learning_rate=uniform:0:1")
    assert (drawn.search.method, drawn.budget.trials) == ("random", None)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "valohai.yaml: which step? give --step with one of `train`, `other`, or --task with one of `sweep`, "),
        ({"step": "trian"}, "--step: no step `trian`; did you mean `train`?"),
        ({"task": "swep"}, "--task: no task `swep`; did you mean `sweep`?"),
        ({"task": "random_search", "step": "train"}, "--task: no task `random_search` (a task of that type is made with --style"),
        ({"task": "sweep", "step": "other"}, "--step: task `sweep` is of step `train`; leave --step out"),
        ({"step": "train", "values": {"layers": "x"}}, "--layers: x is not an integer"),
        ({"step": "train", "values": {"layers": ""}}, "--layers: No value supplied"),
        ({"step": "train", "values": {"layers": ("1", "2")}}, "--layers: is given twice; give it once"),
        ({"step": "train", "values": {"learning_rate": "2"}}, "--learning_rate: 2.0 is greater than the maximum allowed (1)"),
        ({"step": "train", "values": {"some flag": "maybe"}}, "--some flag: 'maybe' is neither yes nor no"),
        ({"step": "train", "values": {"zz": "1"}}, "--zz: step train has no such parameter"),
        ({"step": "train", "style": "zz=single:1"}, "--style: step train has no parameter `zz`"),
        ({"step": "train", "style": "layers"}, "--style: expected NAME=STYLE:..."),
        ({"step": "train", "style": ("layers=single:1", "layers=single:2")}, "--style: layers is given twice"),
        ({"step": "train", "style": "layers=linear:0:1"}, "--style layers: step: missing; linear takes"),
        ({"step": "train", "task": "distributed", "style": "layers=single:1"}, "--task: distributed tasks, whose"),
    ],
)  # fmt: skip
def test_what_is_asked_for_wrongly(asked: dict[str, Any], words: str, read: Read) -> None:
    with pytest.raises(BadInput) as error:
        read(FILE, **asked)
    assert str(error.value).startswith(words)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("step: nope, parameters: []", r":\d+: \[6\]\.task\.step: no step `nope`"),
        ("step: train, parameters: [{name: zz, style: single, rules: {value: 1}}]", r"parameters\[0\]\.name: step train has no"),
        ("step: train, parameters: [{name: layers, style: linear, rules: {}}]", r"rules\.start: missing; linear takes start, end"),
        ("step: train, type: manual_search, parameter-sets: [{layers: x}]", r"parameter-sets\[0\]\.layers: x is not an integer"),
        ("step: train, parameters: [], stop-condition: '1 > 2'", r"stop-condition: names no metric"),
        ("step: train, parameters: [], execution-count: 0", r"execution-count: expected a whole number of at least 1, got 0"),
        ("step: train, parameters: [], type: hyperband", r"type: could not parse YAML: 'hyperband' is not a valid TaskType"),
        ("step: train, parameters: [], on-child-error: x", r"on-child-error: could not parse YAML: 'x' is not a valid TaskOn"),
    ],
)  # fmt: skip
def test_a_task_that_cannot_be_run(task: str, words: str, read: Read) -> None:
    with pytest.raises(BadInput, match=words) as error:
        read(f"{FILE}- task: {{name: t, {task}}}\n", task="t")
    assert re.match(r"valohai\.yaml:\d+$", error.value.place)


def test_remarks(read: Read) -> None:
    def said(text: str, **asked: Any) -> list[str]:
        return list(ValohaiDialect().remarks(read(text, **asked)))

    assert said(FILE, step="train") == []
    assert said(FILE, task="sweep") == ["Will create a total of 6 executions."]
    few = FILE.replace("execution-count: 40", "execution-count: 18")
    assert said(few, task="towards") == [
        "Will create a total of 18 executions.",
        "warning: Bayesian optimization is for more than 30 executions: the first 20 are random, so all of these are",
    ]
    text = FILE.replace("    step: train\n    parameters", "    step: train\n    execution-count: 3\n    parameters", 1)
    assert said(text.replace("layers, type: integer, default: 2", "layers, type: integer"), task="drawn")[1:] == []
    assert said(text, task="sweep")[1:] == [
        "execution-count has no effect on a grid_search: it runs every configuration"
    ]
    unset = FILE.replace("name: word, optional: true", "name: word")
    assert said(unset, task="sweep")[1:] == ["`word` has no value and is not passed: give it as --word VALUE"]


def test_names_are_the_steps_own_and_as_the_original_spells_them() -> None:
    found = ValohaiDialect().names(FILE, file="f", asked=Asked(options={"task": ("sweep",)}))
    assert {"learning_rate", "learning-rate", "layers", "data", "some flag", "some-flag"} <= set(found)
    assert [str(name) for name in found if isinstance(name, Switch)] == ["some flag", "some-flag"]


@pytest.mark.parametrize(
    ("name", "text", "ours"),
    [
        ("valohai.yaml", "- step:\n  name: x\n    image: y", True),
        ("pipe.yaml", "# a word\n---\n- step:\n  name: x\n    image: y", True),
        ("x.yaml", "- task: {name: t}", True),
        ("x.json", '[{"step": {}}]', True),
        ("x.yaml", "- 1\n- 2", False),
        ("x.yaml", "step: {name: x}", False),
        ("x.yaml", "- name: step", False),
        ("x.yaml", "parameters: [", False),
        ("x.yaml", "[]", False),
    ],
)
def test_detection(name: str, text: str, ours: bool) -> None:
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError:
        tree = None
    assert ValohaiDialect().detect(Path(name), text, tree) is ours


def test_yaml_is_read_as_the_original_reads_it(read: Read) -> None:
    text = "- step: {name: s, image: i, command: c, parameters: [{name: a, default: 1e-5, type: float}, {name: f, type: flag, default: on}, {name: d, default: 2020-09-02}]}"
    assert constants(read(text)) == {"a": 1e-5, "f": True, "d": "2020-09-02"}


NASTY = [
    "", "null", "[]", "- 1", "{", "- step: null", "- step: {name: s, image: i, command: c}\n---\n- x", "\0", "- step: &a [*a]",
    "- !!python/object:os.system x", "- step: {name: s, image: i, command: [], parameters: [{name: params, default: 1}]}",
    "- step: {name: s, image: i, command: c, parameters: [{name: 'a=b', default: 1}]}", "- 2020-13-45", "- 1: 2\n  ? [a]\n  : 3",
    "[" * 100, "a: &a [x]\nb: *a", "- step: {name: s, image: i, command: '{parameters}', time-limit: 5}", "\ud800", "- {}",
    "- step: {name: s, image: i, command: c, time-limit: soon}", "- step: {name: s, image: i, command: c, time-limit: 1.2.3s}",
]  # fmt: skip


@pytest.mark.parametrize("text", NASTY)
def test_bad_texts_are_one_clear_line(text: str, read: Read) -> None:
    assert "\n" not in refusal(lambda: read(text))
    for found in _linted(text):
        assert found.level in {"error", "warning", "hint"}


def test_what_no_program_can_be_given(read: Read) -> None:
    text = '- step: {name: s, image: i, command: c, parameters: [\n{name: a, default: "\\0"}]}'
    assert refusal(lambda: read(text)) == "valohai.yaml:2: [0].step.parameters[0].default: holds a NUL character"
    key = refusal(lambda: ValohaiDialect().lint('- step:\n    "\\0": 1', file="valohai.yaml"))
    assert key == "valohai.yaml:1: [0].step: holds a NUL character"
    assert "Unicode" in refusal(lambda: read('- "\\ud800"')) or "surrogate" in refusal(lambda: read('- "\\ud800"'))


def refusal(act: Callable[[], Any]) -> str:
    """What `BadInput` says, "" where there is none; nothing else is ever raised."""
    try:
        act()
    except BadInput as error:
        return str(error)
    return ""


def _linted(text: str) -> Any:
    try:
        return ValohaiDialect().lint(text, file="valohai.yaml")
    except BadInput:  # beyond all limits
        return []


_SCALARS = st.none() | st.booleans() | st.integers(-3, 50) | st.floats() | st.sampled_from(
    ["train", "x", "", "a;$(b)", "linear", "grid_search", "loss > 1", "{parameters}", "1h", "float", "repeat", "1e400"]
)  # fmt: skip
_KEYS = st.sampled_from(
    ["name", "image", "command", "parameters", "type", "default", "style", "rules", "step", "task", "items", "min", "max",
     "start", "end", "count", "base", "multiple", "parameter-sets", "stop-condition", "time-limit", "execution-count"]
)  # fmt: skip
_TREES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=8
)
_PLACES: list[tuple[Any, ...]] = [
    (0, "step"), (0, "step", "parameters"), (0, "step", "parameters", 0), (2, "task"), (2, "task", "parameters", 0),
    (2, "task", "parameters", 0, "rules"), (5, "task", "parameter-sets"), (3, "task"), (0,), (0, "step", "command"),
]  # fmt: skip


@given(st.sampled_from(_PLACES), _KEYS, _TREES, st.sampled_from(["sweep", "towards", "drawn", "sets", None]))
@settings(max_examples=30)
def test_nothing_but_a_clear_word_comes_of_any_file(
    place: tuple[Any, ...], key: str, junk: Any, task: str | None
) -> None:
    tree = yaml.safe_load(FILE)
    spot = tree
    for part in place:
        spot = spot[part]
    if isinstance(spot, dict):
        spot[key] = junk
    elif isinstance(spot, list):
        spot.append(junk)
    text = yaml.safe_dump(tree)
    dialect = ValohaiDialect()
    asked = Asked(options={"task": (task,)} if task else {"step": ("train",)})
    dialect.lint(text, file="valohai.yaml")
    said = refusal(lambda: dialect.remarks(dialect.read(text, file="valohai.yaml", asked=asked)))
    assert "\n" not in said
