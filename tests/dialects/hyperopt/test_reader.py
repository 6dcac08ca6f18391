"""`hyper_opt` configurations to studies: every suggest function, dependencies, and what is said of bad ones."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rung.api.studyfiles import dialect_of
from rung.dialects import RungDialect, to_yaml
from rung.dialects.base import NOTHING_ASKED, Asked
from rung.dialects.hyperopt.reader import HyperOptDialect
from rung.dialects.hyperopt.settings import handed_over, settings_of
from rung.execute.base import Place
from rung.model import BadInput, Objective, StudySpec
from rung.space import Space

ASKED = Asked(command=("python", "{config}"))


def block(suggest: str, dependency: Any = None, **params: Any) -> dict[str, Any]:
    inner: dict[str, Any] = {"suggest": suggest, "params": params}
    return {"hyper_opt": inner if dependency is None else {**inner, "dependency": dependency}}


def iff(on: str, *conditions: tuple[str, Any]) -> dict[str, Any]:
    return {
        "type": "optimize_iff", "on": on, "conditions": [{"type": kind, "compare_value": v} for kind, v in conditions],
    }  # fmt: skip


def times(on: str) -> dict[str, Any]:
    return {"type": "multiply", "on": on}


def read(tree: Any, asked: Asked = ASKED) -> StudySpec:
    return HyperOptDialect().read(json.dumps(tree, indent=1), file="c.json", asked=asked)


def refusal(tree: Any, asked: Asked = ASKED) -> str:
    with pytest.raises(BadInput) as raised:
        read(tree, asked)
    return str(raised.value)


def every(tree: Any) -> list[Any]:
    """All resolved configurations of a finite one."""
    spec = read(tree)
    space = Space(spec.parameters)
    return [handed_over(settings_of(spec.program), space.full(params)) for params in space.grid()]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (block("categorical", choices=[None, 1, "x", 2.5, True]), [None, 1, "x", 2.5, True]),
        (block("categorical", choices=["a", "b", "a"]), ["a", "b"]),
        (block("discrete_uniform", low=0.1, high=0.55, q=0.2), [0.1, 0.3, 0.5]),
        (block("float", low=0, high=1, step=0.5), [0.0, 0.5, 1.0]),
        (block("float", low=0.5, high=1, step=3), [0.5]),
        (block("int", low=2, high=8, step=3), [2, 5, 8]),
        (block("int", low=2.0, high=3), [2, 3]),
        (block("int", low=2, high=3, step=2), [2]),
        (block("int", low=4, high=6, log=True), [4, 5, 6]),
        (block("int", low=4, high=5, step=None, log=None, name="ignored"), [4, 5]),
    ],
)
def test_finite_domains(written: Any, expected: list[Any]) -> None:
    found = [tree["a"] for tree in every({"a": written})]
    assert json.dumps(found) == json.dumps(expected)


@pytest.mark.parametrize("suggest", ["float", "uniform", "loguniform"])
def test_intervals_have_both_bounds(suggest: str) -> None:
    (parameter,) = read({"a": {"b": block(suggest, low=0.01, high=1)}}).parameters
    assert (parameter.name, parameter.min, parameter.max) == ("a.b", 0.01, 1.0)
    assert parameter.scale == ("log" if suggest == "loguniform" else "linear")


def test_products_chain_and_stand_in_any_order() -> None:
    tree = {
        "c": block("int", times("b"), low=1, high=2),
        "b": block("int", times("a"), low=2, high=3),
        "a": block("int", low=2, high=2),
    }
    assert sorted((t["a"], t["b"], t["c"]) for t in every(tree)) == [(2, 4, 4), (2, 4, 8), (2, 6, 6), (2, 6, 12)]


@pytest.mark.parametrize("on", [2, 4])
def test_a_choice_of_numbers_is_multiplied_when_the_trial_starts(on: int) -> None:
    tree = {
        "heads": block("categorical", choices=[2, 4]),
        "hidden": block("int", times("heads"), low=2, high=3),
        "top": block("categorical", times("hidden"), choices=[1, 10]),
        "extra": block("categorical", iff("hidden", ("equal", 3 * on)), choices=["yes"]),
    }
    found = [t for t in every(tree) if t["heads"] == on]
    assert {t["hidden"] for t in found} == {2 * on, 3 * on}
    assert {t["top"] for t in found} == {k * on * n for k in (2, 3) for n in (1, 10)}
    assert all((t["extra"] == "yes") == (t["hidden"] == 3 * on) for t in found)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (("equal", 2), {2}),
        (("equal", 2.0), {2}),
        (("not_equal", 2), {None, "x", 1}),
        (("in", [1, "x"]), {1, "x"}),
        (("not_in", [1, None]), {"x", 2}),
        (("equal", None), {None}),
        (("in", [None, 2]), {None, 2}),
    ],
)
def test_conditions_on_a_choice(condition: tuple[str, Any], expected: set[Any]) -> None:
    tree = {
        "a": block("categorical", choices=[None, "x", 1, 2]),
        "b": block("categorical", iff("a", condition), choices=["on"]),
    }
    assert {t["a"] for t in every(tree) if t["b"] == "on"} == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [(("less", 3), {1, 2}), (("less_equal", 3), {1, 2, 3}), (("greater", 3), {4}), (("greater_equal", 3), {3, 4})],
)
def test_comparisons_of_order(condition: tuple[str, Any], expected: set[int]) -> None:
    tree = {"a b": block("int", low=1, high=4), "b": block("categorical", iff("a b", condition), choices=["on"])}
    assert {t["a b"] for t in every(tree) if t["b"] == "on"} == expected


def test_what_is_left_out_is_null_for_those_that_depend_on_it() -> None:
    tree = {
        "a": block("int", low=1, high=2),
        "b": block("int", iff("a", ("equal", 2)), low=5, high=6),
        "same": block("categorical", iff("b", ("equal", None)), choices=["b is null"]),
        "other": block("categorical", iff("b", ("not_equal", 5)), choices=["b is not 5"]),
        "no_order": block("categorical", iff("b", ("less", 100)), choices=["b is below 100"]),
        "third": block("categorical", iff("same", ("equal", None), ("not_equal", "x")), choices=["same is null"]),
    }
    for t in every(tree):
        assert (t["b"] is not None) == (t["a"] == 2)
        assert (t["same"] is not None) == (t["b"] is None)
        assert (t["other"] is not None) == (t["b"] != 5)
        assert (t["no_order"] is not None) == (t["b"] is not None)
        assert (t["third"] is not None) == (t["same"] is None)


def test_every_condition_must_hold_and_none_is_always() -> None:
    tree = {
        "a": block("int", low=1, high=4),
        "b": block("categorical", iff("a", ("greater", 1), ("less", 4)), choices=["on"]),
        "c": block("categorical", iff("a"), choices=["on"]),
    }
    assert {t["a"] for t in every(tree) if t["b"]} == {2, 3}
    assert all(t["c"] == "on" for t in every(tree))


def test_a_product_with_what_is_never_null_is_right() -> None:
    tree = {
        "a": block("int", low=2, high=3),
        "b": block("int", iff("a", ("less", 4)), low=5, high=6),
        "c": block("int", times("b"), low=2, high=2),
    }
    assert {t["c"] for t in every(tree)} == {10, 12}


def test_the_whole_configuration_may_be_one_block() -> None:
    spec = read(block("int", low=3, high=3))
    assert handed_over(settings_of(spec.program), {"value": 3}) == 3


def test_fixed_values_are_handed_through() -> None:
    text = '{"a": {"hyper_opt": {"suggest": "int", "params": {"low": 1, "high": 1}}}, "n": NaN, "i": [1e999], "e": {}, '
    text += '"big": 123456789012345678901234567890, "x.y": {"z": "ü\\u0001"}, "l": [{"hyper_opt": {"suggest": "int"}}]}'
    spec = HyperOptDialect().read(text, file="c.json", asked=ASKED)
    how = HyperOptDialect().launch(spec, {"a": 1}, Place(study="s", trial=0, attempt=1, seed=0, directory="/d"))
    expected = json.loads(text) | {"a": 1}
    assert repr(json.loads(how.files["config.json"])) == repr(expected)
    assert how.argv == ("python", "/d/config.json")
    json.dumps(spec.program.settings if spec.program else None, allow_nan=False)


def test_yaml_stays_yaml() -> None:
    text = (
        "flag: yes\nword: 'yes'\nlr: 1e-5\nnothing: ~\n"
        "m: &m\n  a: {hyper_opt: {suggest: float, params: {low: 1e-3, high: 1e-3}}}\nn:\n  <<: *m\n"
    )
    spec = HyperOptDialect().read(text, file="c.yaml", asked=ASKED)
    assert [p.name for p in spec.parameters] == ["m.a", "n.a"]
    how = HyperOptDialect().launch(
        spec, {"m.a": 0.001, "n.a": 0.5}, Place(study="s", trial=0, attempt=1, seed=0, directory="/d")
    )
    import yaml

    assert yaml.safe_load(how.files["config.yaml"]) == {
        "flag": True, "word": "yes", "lr": 1e-5, "nothing": None, "m": {"a": 0.001}, "n": {"a": 0.5},
    }  # fmt: skip


def test_the_program_beside_the_configuration() -> None:
    tree = {
        "command": ["python", "t.py", "--c={config}", "{a}", 3],
        "objective": {"metric": "acc", "goal": "min"},
        "a": block("int", low=1, high=1),
        "metric": "kept",
    }
    spec = read(tree, NOTHING_ASKED)
    assert spec.objectives == (Objective(metric="acc", goal="minimize", value="best"),)
    how = HyperOptDialect().launch(spec, {"a": 1}, Place(study="s", trial=0, attempt=1, seed=0, directory="/d"))
    assert how.argv == ("python", "t.py", "--c=/d/config.json", "1", "3")
    assert json.loads(how.files["config.json"]) == {"a": 1, "metric": "kept"}


def test_a_command_without_the_placeholder_gets_the_path_last_and_more_is_better() -> None:
    spec = read({"command": "python t.py", "metric": "acc", "a": block("int", low=1, high=1)}, NOTHING_ASKED)
    assert settings_of(spec.program).command == ("python", "t.py", "{config}")
    assert spec.objectives == (Objective(metric="acc", goal="maximize", value="best"),)


def test_a_key_called_command_is_the_configurations_where_another_program_is_named() -> None:
    tree = {"command": "fit", "metric": "acc", "a": block("int", low=1, high=1)}
    spec = read(tree)
    assert handed_over(settings_of(spec.program), {"a": 1}) == {"command": "fit", "metric": "acc", "a": 1}
    assert spec.objectives == ()


def test_without_a_program_it_reads_and_says_what_is_missing_before_it_runs() -> None:
    spec = read({"a": block("int", low=1, high=1)}, NOTHING_ASKED)
    with pytest.raises(BadInput, match="which program"):
        HyperOptDialect().remarks(spec)


INT = block("int", low=1, high=4)


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"a": {"hyper_opt": 3}}, "c.json:3: a.hyper_opt: expected a mapping with `suggest` and `params`, got 3"),
        ({"a": {"hyper_opt": {"params": {}}}}, "a.hyper_opt.suggest: missing"),
        ({"a": {"hyper_opt": {"suggest": "int"}}}, "a.hyper_opt.params: missing"),
        ({"a": block("lognormal", low=1, high=2)}, "suggest_lognormal is not a valid function name. Please refer"),
        ({"a": block("int", low=1)}, "c.json:5: a.hyper_opt.params.high: missing; suggest_int needs low and high"),
        ({"a": block("int", low=1, high=2, q=1)}, "unknown key `q`"),
        ({"a": block("int", low=1.5, high=2)}, "c.json:6: a.hyper_opt.params.low: expected a whole number, got 1.5"),
        ({"a": block("int", low="1", high=2)}, 'low: expected a number, got "1"'),
        ({"a": block("float", low=2, high=1)}, "low: must be at most `high` (1), got 2"),
        ({"a": block("loguniform", low=0, high=1)}, "low: must be above 0 on a log scale, got 0"),
        ({"a": block("float", low=1, high=2, log=True, step=0.5)}, "step: has no meaning with `log: true`"),
        ({"a": block("float", low=1, high=2, step=0)}, "step: must be above 0"),
        ({"a": block("float", low=1, high=2, log=1)}, "log: expected true or false, got 1"),
        ({"a": block("categorical", choices=[])}, "expected at least one choice"),
        ({"a": block("categorical", choices="abc")}, "expected a list of choices"),
        ({"a": {**INT, "x": 1}}, "a.x: stands beside `hyper_opt`"),
        ({"a": {"hyper_opt": {**INT["hyper_opt"], "deps": 1}}}, "unknown key `deps`"),
        ({"a": INT, "b": block("int", times("c"), low=1, high=2)}, "could not resolve the parameters for: b; there is"),
        ({"a": 4, "b": block("int", times("a"), low=1, high=2)}, "for: b; a is not a parameter"),
        (
            {"m": {"a": INT}, "b": block("int", times("a"), low=1, high=2)},
            "for: b; `on` is the full path from the root of the file, here m.a",
        ),
        (
            {"a": block("int", times("b"), low=1, high=2), "b": block("int", times("a"), low=1, high=2), "c": INT},
            "could not resolve the parameters for: a,b",
        ),
        ({"a": INT, "b": block("int", {"type": "add", "on": "a"}, low=1, high=2)}, 'unknown dependency "add"'),
        ({"a": INT, "b": block("int", {"type": "multiply"}, low=1, high=2)}, "dependency.on: missing"),
        ({"a": INT, "b": block("int", {"type": "optimize_iff", "on": "a"}, low=1, high=2)}, "conditions: missing"),
        ({"a": INT, "b": block("int", iff("a", ("like", 1)), low=1, high=2)}, "like currently not supported"),
        ({"a": INT, "b": block("int", iff("a", ("in", 1)), low=1, high=2)}, "expected a list of values"),
        ({"a": INT, "b": block("int", iff("a", ("less", None)), low=1, high=2)}, "expected a number or a text"),
        (
            {"a": block("categorical", choices=["x", "y"]), "b": block("int", times("a"), low=1, high=2)},
            'multiply needs numbers, and a may be "x"',
        ),
        (
            {
                "a": INT,
                "b": block("int", iff("a", ("equal", 5)), low=1, high=2),
                "c": block("int", times("b"), low=1, high=2),
            },
            "c.hyper_opt.dependency.on: b may be null",
        ),
        ({"a.b": INT, "a": {"b": INT}}, "two parameters are called a.b"),
        ({"a`": INT}, "the name must not hold '`'"),
        ({"params": INT}, "reserved"),
        ({"command": "python x {b}", "a": INT}, "unknown placeholder `{b}`"),
        ({"command": "python 'x", "a": INT}, "cannot be split"),
        ({"command": "x {config}", "objective": {"metric": "a", "goal": "up"}, "a": INT}, "unknown goal"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tree: Any, said: str) -> None:
    asked = NOTHING_ASKED if "command" in tree else ASKED
    message = refusal(tree, asked)
    assert said in message
    assert message.startswith("c.json:")
    assert "\n" not in message


def test_what_is_converted_reads_back_as_the_same_study() -> None:
    tree = {"a": INT, "b": block("int", times("a"), low=1, high=2), "l": [block("int", low=1, high=2)], "n": 1}
    spec = read(tree)
    text = to_yaml(spec)
    assert dialect_of(Path("c.yaml"), text, "c.yaml").name == "rung"
    assert RungDialect().read(text, file="c.yaml") == spec
    assert dialect_of(Path("c.json"), json.dumps(tree), "c.json").name == "hyperopt"


def test_blocks_in_lists_are_remarked_on() -> None:
    text = json.dumps({"a": INT, "l": [[block("int", low=1, high=2)]]}, indent=1)
    (finding,) = HyperOptDialect().lint(text, file="c.json")
    assert (finding.level, finding.key) == ("warning", "l[0][0]")
    assert finding.place.startswith("c.json:")
    assert finding.place != "c.json:1"
    spec = HyperOptDialect().read(text, file="c.json", asked=ASKED)
    assert HyperOptDialect().remarks(spec) == [f"l[0][0]: {finding.message}"]


# ------------------------------------------------------------------------------------------------------------ jsonnet


def test_jsonnet_with_imports_from_beside_it(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "space.libsonnet").write_text(
        "{ int(a, b):: {hyper_opt: {suggest: 'int', params: {low: a, high: b}}} }"
    )
    text = "local s = import 'sub/space.libsonnet';\n{\n  // comment\n  m: { a: s.int(1, 2), 'b c': s.int(3, 0) } }"
    asked = Asked(command=("x",), folder=tmp_path)
    with pytest.raises(BadInput, match=r"^c.jsonnet:4: m.b c.hyper_opt.params.low: must be at most"):
        HyperOptDialect().read(text, file="c.jsonnet", asked=asked)
    spec = HyperOptDialect().read(text.replace("3, 0", "3, 4"), file="below/c.jsonnet", asked=asked)
    assert [p.name for p in spec.parameters] == ["m.a", "m.b c"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{\n a: }", r"^c.jsonnet:2: jsonnet: unexpected"),
        ("{\n a: error 'my own'}", r"^c.jsonnet:2: jsonnet: my own"),
        ("import '../x.json'", r"outside the folder"),
        ("import '/etc/hostname'", r"outside the folder"),
        ("import 'none.json'", r"none.json cannot be read: No such file"),
        ("local f(x)=f(x+1); f(1)", r"max stack frames"),
        ("\0", "plain UTF-8"),
    ],
)
def test_bad_jsonnet(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=said):
        HyperOptDialect().read(text, file="c.jsonnet", asked=Asked(folder=tmp_path))


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "_jsonnet", None)
    with pytest.raises(BadInput, match=r"pip install 'rung\[asme\]'"):
        HyperOptDialect().read("{}", file="c.jsonnet")


# --------------------------------------------------------------------------------------------------------------- fuzz

_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_WORDS = st.sampled_from(
    ["hyper_opt", "suggest", "params", "dependency", "int", "float", "low", "high", "step", "log", "choices", "on",
     "type", "conditions", "compare_value", "multiply", "optimize_iff", "equal", "categorical", "a", "b", "command"]
)  # fmt: skip
_TREES: st.SearchStrategy[Any] = st.recursive(
    _LEAVES | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=5),
    max_leaves=20,
)
_BLOCKS = st.fixed_dictionaries(
    {
        "suggest": _WORDS | _TREES,
        "params": st.dictionaries(_WORDS, _LEAVES | st.lists(_LEAVES, max_size=3), max_size=4),
    },
    optional={"dependency": st.dictionaries(_WORDS, _TREES, max_size=4)},
)


def anything(read: Any) -> None:
    said = ""
    try:
        spec = read()
        settings = settings_of(spec.program)
        space = Space(spec.parameters)
        (params,) = space.decode(np.full((1, len(space.names)), 0.5))
        handed_over(settings, space.full(params))
    except BadInput as error:
        said = str(error)
    assert "\n" not in said


@given(tree=st.dictionaries(st.sampled_from("abc"), st.fixed_dictionaries({"hyper_opt": _BLOCKS}) | _TREES, max_size=3))
@example(tree={"a": block("float", low=-1e308, high=1e308), "b": block("int", times("a"), low=1, high=2**60)})
def test_no_tree_is_more_than_refused(tree: Any) -> None:
    anything(lambda: read(tree))


@given(text=st.text(max_size=60), ending=st.sampled_from(["json", "yaml", "jsonnet", "conf"]))
@example(text="{a: 1" + "0" * 400 + "}", ending="jsonnet")
@example(text="a: 2020-13-45\nb: {hyper_opt: }", ending="yaml")
@example(text="b: " + "[" * 60, ending="yaml")
def test_no_text_is_more_than_refused(text: str, ending: str) -> None:
    anything(lambda: HyperOptDialect().read(text, file=f"c.{ending}", asked=ASKED))
