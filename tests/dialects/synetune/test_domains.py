"""Domains beyond the vectors: draws, casts, JSON, refusals; and the parameters that they become."""

from __future__ import annotations

import argparse
import json
import math
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.dialects.synetune.domains import first_points, to_parameters
from rung.dialects.synetune.shim.syne_tune import config_space as cs
from rung.model import BadInput, Parameter
from rung.space import Space

ALL = {
    "uniform": cs.uniform(0, 0.9),
    "loguniform": cs.loguniform(1e-6, 1),
    "reverse": cs.reverseloguniform(0.5, 0.99),
    "randint": cs.randint(1, 5),
    "lograndint": cs.lograndint(3, 15),
    "quniform": cs.quniform(0, 1, 0.25),
    "qloguniform": cs.qloguniform(1, 8, 1),
    "qrandint": cs.qrandint(0, 10, 5),
    "qlograndint": cs.qlograndint(2, 8, 2),
    "choice": cs.choice(["a", "b"]),
    "flags": cs.choice([True, False]),
    "ordinal": cs.ordinal([3, 2, 4]),
    "nearest": cs.ordinal([1, 2, 5]),
    "logordinal": cs.logordinal([1, 2, 30]),
    "finrange": cs.finrange(0.1, 1.0, 10),
    "logfinrange": cs.logfinrange(8, 256, 6, cast_int=True),
}


@pytest.mark.parametrize("name", ALL)
def test_draws_are_of_the_domain_and_reach_its_ends(name: str) -> None:
    domain = ALL[name]
    drawn = domain.sample(size=4000, random_state=random.Random(1))
    assert all(domain.is_valid(value) and type(value) is domain.value_type for value in drawn)
    if 0 < len(domain) < 20 and not name.startswith("q"):
        assert len(set(drawn)) == len(domain)
    assert all(domain.cast(value) == value for value in drawn[:50])
    assert len({domain.match_string(value) for value in drawn}) == len(set(drawn)) or len(domain) == 0


def test_a_reverse_log_range_crowds_towards_one() -> None:
    drawn = cs.reverseloguniform(0.0, 0.999).sample(size=20_000, random_state=random.Random(2))
    shares = [
        sum(low <= value < high for value in drawn) / len(drawn) for low, high in ((0, 0.9), (0.9, 0.99), (0.99, 1))
    ]
    assert shares == pytest.approx([1 / 3, 1 / 3, 1 / 3], abs=0.02)


@pytest.mark.parametrize(("name", "expected"), [
    ("quniform", {0.0: 0.125, 0.25: 0.25, 0.5: 0.25, 0.75: 0.25, 1.0: 0.125}),
    ("qrandint", {0: 3 / 11, 5: 5 / 11, 10: 3 / 11}),
])  # fmt: skip
def test_quantised_draws_are_rounded_to_multiples(name: str, expected: dict[float, float]) -> None:
    drawn = Counter(ALL[name].sample(size=20_000, random_state=random.Random(3)))
    assert {value: drawn[value] / 20_000 for value in expected} == pytest.approx(expected, abs=0.02)
    assert set(drawn) == set(expected)


def test_one_draw_is_a_value_and_more_are_a_list() -> None:
    assert isinstance(cs.uniform(0, 1).sample(), float)
    assert len(cs.randint(0, 1).sample(size=3)) == 3


@pytest.mark.parametrize("name", ALL)
def test_json_gives_the_same_domain_and_the_same_parameter_back(name: str) -> None:
    plain = json.loads(json.dumps(cs.config_space_to_json_dict({name: ALL[name], "constant": [1, None]})))
    back = cs.config_space_from_json_dict(plain)
    assert back == {name: ALL[name], "constant": [1, None]}
    assert repr(back[name]) == repr(ALL[name])
    assert to_parameters(plain) == to_parameters({name: ALL[name], "constant": [1, None]})
    assert {"domain_cls", "domain_kwargs", "sampler_cls", "sampler_kwargs"} <= plain[name].keys()


@pytest.mark.parametrize(("text", "says"), [
    ("cs.loguniform(0, 1)", r"loguniform\(0, 1\): a log scale has no 0; write the smallest .* loguniform\(1e-06, 1\)"),
    ("cs.lograndint(0, 10)", r"write .* as in lograndint\(1, 10\), or randint\(0, 10\)"),
    ("cs.logfinrange(0, 1, 3)", "log scale has no 0"),
    ("cs.logordinal([0, 1])", "log scale has no 0"),
    ("cs.uniform(2, 1)", "above the upper"),
    ("cs.uniform(0, float('inf'))", "finite"),
    ("cs.uniform('a', 1)", "must be a number"),
    ("cs.reverseloguniform(0.5, 1)", "below 1"),
    ("cs.quniform(0, 1, 0.3)", "multiple of 0.3"),
    ("cs.choice([])", "at least one"),
    ("cs.choice([1, 'a'])", "one type, got int, str"),
    ("cs.ordinal([2, 1], kind='nn')", "increasing"),
    ("cs.ordinal([1, 2], kind='other')", "one of equal, nn, nn-log"),
    ("cs.finrange(0, 1, 0)", "at least one"),
    ("cs.finrange(0, 1, 10**12)", "at most 1000000"),
    ("cs.randn(0, 1)", r"write uniform\(-3, 3\)"),
])  # fmt: skip
def test_what_cannot_be_a_domain_says_what_to_write(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        eval(text)


def test_floats_of_a_choice_are_found_within_a_hundredth() -> None:
    domain = cs.choice([0.1, 0.5])
    assert domain.cast(0.1004) == 0.1
    with pytest.raises(AssertionError, match=r"0\.3 is none of"):
        domain.cast(0.3)


def test_a_config_as_a_string_tells_configurations_apart() -> None:
    space = {"lr": cs.loguniform(1e-4, 1), "n": cs.randint(1, 3), "c": cs.choice(["x", "y"]), "fix": 3}
    keys = cs.non_constant_hyperparameter_keys(space)
    assert cs.config_to_match_string({"lr": 0.1, "n": 2, "c": "y"}, space, keys) == "lr:1.000000e-01,n:2,c:1"
    assert cs.postprocess_config({"lr": "0.1", "n": 2.0, "c": "y"}, space) == {"lr": 0.1, "n": 2, "c": "y", "fix": 3}
    assert cs.remove_constant_and_cast({"lr": 0.1, "n": 2.2, "c": "x", "fix": 3}, space) == {
        "lr": 0.1,
        "n": 2,
        "c": "x",
    }


def test_every_name_is_a_required_typed_option() -> None:
    parser = argparse.ArgumentParser()
    cs.add_to_argparse(parser, {"lr": cs.loguniform(1e-4, 1), "batch_size": cs.randint(1, 64), "name": "net"})
    assert vars(parser.parse_args(["--lr", "1e-3", "--batch_size", "32", "--name", "a b"])) == {
        "lr": 0.001, "batch_size": 32, "name": "a b",
    }  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["--lr", "1e-3"])
    assert ended.value.code == 2


def test_wide_ranges_have_a_length_all_the_same() -> None:
    assert len(cs.randint(0, 10**30)) > 2**60
    assert cs.config_space_size({"a": cs.randint(0, 10**30)}) is None


# -------------------------------------------------------------------------------------------------------- parameters


@pytest.mark.parametrize(("name", "fields"), [
    ("uniform", {"type": "float", "min": 0.0, "max": 0.9, "scale": "linear", "default": 0.45}),
    ("loguniform", {"type": "float", "scale": "log"}),
    ("reverse", {"type": "float", "scale": "reverselog"}),
    ("lograndint", {"type": "int", "min": 3, "max": 15, "scale": "log", "default": 7}),
    ("quniform", {"type": "float", "step": 0.25, "default": 0.5}),
    ("qrandint", {"type": "int", "step": 5, "default": 5}),
    ("choice", {"type": "choice", "values": ("a", "b"), "default": "a"}),
    ("flags", {"type": "choice", "values": (True, False), "default": True}),
    ("ordinal", {"type": "ordinal", "values": (3, 2, 4), "default": 2}),
    ("nearest", {"type": "ordinal", "values": (1, 2, 5), "default": 2}),
    ("finrange", {"type": "float", "count": 10, "default": 0.5}),
    ("logfinrange", {"type": "int", "count": 6, "scale": "log", "default": 32}),
])  # fmt: skip
def test_parameters(name: str, fields: dict[str, Any]) -> None:
    (parameter,) = to_parameters({name: ALL[name]})
    assert {field: getattr(parameter, field) for field in fields} == fields


def test_every_domain_makes_a_space_whose_defaults_are_theirs() -> None:
    space = Space(to_parameters({**ALL, "fixed": {"a": [1, None]}}))
    assert space.constants == {"fixed": {"a": [1, None]}}
    assert [space.check(space.defaults())] == [
        space.adopt(first_points(None, ALL)[0] | {"qloguniform": 3, "qlograndint": 4})
    ]


def test_whole_numbers_that_are_not_evenly_apart_are_listed() -> None:
    domain = cs.finrange(0.5, 9.7, 4, cast_int=True)
    (parameter,) = to_parameters({"n": domain})
    assert Space([parameter]).values("n") == domain.values == [0, 4, 7, 10]


@pytest.mark.parametrize(("space", "says"), [
    ({"a": math.sin}, "a: expected a domain, or a value that JSON can say, got builtin_function_or_method"),
    ({"a": {"domain_cls": "Thing"}}, "a: unknown kind of domain 'Thing'"),
    ({"a": {"domain_cls": "Float", "domain_kwargs": {"lower": 0, "upper": 1}, "sampler_cls": "_LogUniform"}}, "a: loguniform"),
    ({"a": {"domain_cls": "Float", "domain_kwargs": {"lower": 0}}}, "a: .*upper"),
    ({"a": {"domain_cls": "Float"}}, "a: expected a field 'domain_kwargs'"),
    ({"a": {"domain_cls": ["x"], "domain_kwargs": {}}}, "a: "),
    ({1: 2}, "a name in a configuration space is a text"),
    ({"a": cs.randint(0, 2**60)}, r"beyond 2\*\*53"),
])  # fmt: skip
def test_what_has_no_counterpart_is_refused_by_name(space: Any, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        to_parameters(space)


@pytest.mark.parametrize(("points", "says"), [
    ([{"x": 1}], "'x' in points_to_evaluate is not in"),
    ([{"choice": "c"}], "'c' is none of"),
    ([{"uniform": 2}], "not within uniform"),
    ([{"randint": "many"}], "no value of randint"),
    ([{"nearest": 3}], "3 is none of"),
    ({"a": 1}, "expected a list of configurations"),
    ([1], "expected a configuration, got 1"),
    ([{"fixed": 8}], "is the constant 7"),
])  # fmt: skip
def test_points_that_are_none_of_the_space_are_refused(points: Any, says: str) -> None:
    with pytest.raises(BadInput, match=f"points_to_evaluate: .*{says}"):
        first_points(points, {**ALL, "fixed": 7})


_SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=3)
_VALUES = _SCALARS | st.lists(_SCALARS, max_size=3) | st.dictionaries(st.text(max_size=2), _SCALARS, max_size=2)
_KWARGS = st.sampled_from(["lower", "upper", "categories", "size", "log_scale", "cast_int"])
_DOMAINS = st.fixed_dictionaries(
    {
        "domain_cls": st.sampled_from(
            ["Float", "Integer", "Categorical", "Ordinal", "OrdinalNearestNeighbor", "FiniteRange"]
        )
    },
    optional={
        "domain_kwargs": st.dictionaries(_KWARGS, _VALUES, max_size=6) | _VALUES,
        "sampler_cls": st.sampled_from(["_Uniform", "_LogUniform", "_ReverseLogUniform", "__init__"]) | _VALUES,
        "q": _VALUES,
    },
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=2), _DOMAINS | _VALUES, max_size=2), st.lists(_VALUES, max_size=2) | _VALUES)
def test_any_json_is_a_space_or_refused_in_one_line(space: Any, points: Any) -> None:
    try:
        Space(to_parameters(space))
        first_points(points, space)
    except BadInput as error:
        said = str(error)
    else:
        said = "read"
    assert said
    assert "\n" not in said


def test_an_empty_list_of_points_is_none_at_all() -> None:
    assert first_points([], ALL) == ()
    assert len(first_points(None, ALL)) == 1


def test_tuples_are_lists_and_keep_their_place() -> None:
    (parameter,) = to_parameters({"shape": cs.choice([(1, 2), (3, 4)])})
    assert parameter == Parameter(name="shape", type="choice", values=([1, 2], [3, 4]), default=[1, 2])
