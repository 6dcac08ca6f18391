from __future__ import annotations

from typing import Any

import pytest

from rung.model import Parameter
from rung.space import Space, SpaceError, parse_range


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2,3", {"type": "choice", "values": (1, 2, 3)}),
        ("relu, tanh", {"type": "choice", "values": ("relu", "tanh")}),
        ("1,2.0,x,true,null", {"type": "choice", "values": (1, 2.0, "x", True, None)}),
        ("'a,b','1',\"it's\"", {"type": "choice", "values": ("a,b", "1", "it's")}),
        ("don't,do", {"type": "choice", "values": ("don't", "do")}),
        ("[64,32],[128]", {"type": "choice", "values": ([64, 32], [128])}),
        ("0.1", {"type": "constant", "value": 0.1}),
        ("1e-3", {"type": "constant", "value": 1e-3}),
        ("5", {"type": "constant", "value": 5}),
        ("-5", {"type": "constant", "value": -5}),
        ("adam", {"type": "constant", "value": "adam"}),
        ("true", {"type": "constant", "value": True}),
        ("null", {"type": "constant", "value": None}),
        ("nan", {"type": "constant", "value": "nan"}),
        ("on", {"type": "constant", "value": "on"}),
        ("''", {"type": "constant", "value": ""}),
        ("'1:3'", {"type": "constant", "value": "1:3"}),
        ('"a\\"b"', {"type": "constant", "value": 'a"b'}),
        ("[1, [2, 3]]", {"type": "constant", "value": [1, [2, 3]], "values": ([1, [2, 3]],)}),
        ('{"a": 1}', {"type": "constant", "value": {"a": 1}, "values": ({"a": 1},)}),
        ("s3://bucket/key", {"type": "constant", "value": "s3://bucket/key"}),
        ("localhost:80", {"type": "constant", "value": "localhost:80"}),
        ("2:5", {"type": "int", "min": 2, "max": 5}),
        ("-2:5", {"type": "int", "min": -2, "max": 5}),
        ("0.5:3", {"type": "float", "min": 0.5, "max": 3, "step": 1}),
        ("0:2:10", {"type": "int", "min": 0, "max": 10, "step": 2}),
        ("0.1:0.05:0.3", {"type": "float", "min": 0.1, "max": 0.3, "step": 0.05}),
        ("1:u3:9", {"type": "int", "min": 1, "max": 9, "count": 3}),
        ("0:u3:5", {"type": "float", "min": 0, "max": 5, "count": 3}),
        ("1e-5:l5:0.1", {"type": "float", "min": 1e-5, "max": 0.1, "count": 5, "scale": "log"}),
        ("1:l4:1000", {"type": "int", "min": 1, "max": 1000, "count": 4, "scale": "log"}),
        ("uniform(0, 1)", {"type": "float", "min": 0, "max": 1}),
        ("loguniform(1e-5,0.1)", {"type": "float", "min": 1e-5, "max": 0.1, "scale": "log"}),
        ("reverseloguniform(0,0.9)", {"type": "float", "min": 0, "max": 0.9, "scale": "reverselog"}),
        ("randint(1,5)", {"type": "int", "min": 1, "max": 5}),
        ("lograndint(1,500)", {"type": "int", "min": 1, "max": 500, "scale": "log"}),
        ("choice(sgd,'a(b')", {"type": "choice", "values": ("sgd", "a(b")}),
        ("choice(one)", {"type": "choice", "values": ("one",)}),
        ("choice([1,2],[3])", {"type": "choice", "values": ([1, 2], [3])}),
        ("ordinal(1,2,4)", {"type": "ordinal", "values": (1, 2, 4)}),
        ("normal(0,1)", {"type": "normal", "mean": 0, "sd": 1}),
        ("lognormal(-3, 0.5)", {"type": "lognormal", "mean": -3, "sd": 0.5}),
        ("finrange(0.1,1,10)", {"type": "float", "min": 0.1, "max": 1, "count": 10}),
        ("logfinrange(4,1024,9)", {"type": "int", "min": 4, "max": 1024, "count": 9, "scale": "log"}),
    ],
)
def test_grammar(text: str, expected: dict[str, Any]) -> None:
    parameter = parse_range("p", text)
    assert parameter == Parameter(name="p", **expected)
    assert str(parameter.value) == str(expected.get("value"))  # 5 is not 5.0, and true is not 1


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("2:5", [2, 3, 4, 5]),
        ("0.5:3", [0.5, 1.5, 2.5]),
        ("0.1:1:3", [0.1, 1.1, 2.1]),
        ("0.1:0.05:0.3", [0.1, 0.15, 0.2, 0.25, 0.3]),
        ("0.01:l4:10", [0.01, 0.1, 1.0, 10.0]),
        ("1:u4:10", [1, 4, 7, 10]),
        ("0.1:u3:0.3", [0.1, 0.2, 0.3]),
        ("1:4:10", [1, 5, 9]),
        ("3:3", [3]),
    ],
)
def test_values_never_overshoot(text: str, values: list[Any]) -> None:
    space = Space([parse_range("p", text)])
    assert space.values("p") == values
    assert str(space.values("p")) == str(values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a value, a list a,b,c, a range a:b, or a constructor"),
        ("1,,2", "expected a value between the commas"),
        ("1,2,", "expected a value between the commas"),
        ("a,a", "values: 'a' is there twice"),
        ("'abc", "expected a closing quote '"),
        ("'a'b", "expected a closing '"),
        ("(1,2", "expected a closing bracket"),
        ("1,2)", "expected no more closing brackets"),
        ("[1,", "expected a closing bracket"),
        ("[1,x]", "expected JSON after '['"),
        ("[NaN]", "expected JSON after '['"),
        (":5", "expected a number before the colon"),
        ("1:", "expected a number for the end, got ''"),
        ("1:x", "expected a number for the end, got 'x'; a text with a colon stands in quotes"),
        ("1:x:3", "expected a number for the step (or uN, lN for N points), got 'x'"),
        ("1:l:3", "expected a number for the step (or uN"),
        ("1:2:3:4", "expected a:b, a:s:b, a:uN:b or a:lN:b"),
        ("5:1", "expected the smaller bound first: 1:5"),
        ("0:9:5", "step: must not be larger than the range (5), got 9"),
        ("0:-1:5", "step: must be above 0"),
        ("0:u0:5", "count: expected an integer between 1"),
        ("0:l3:5", "min: must be above 0 on a log scale"),
        ("1e999", "expected a number that floating point can hold"),
        ("unifrom(0,1)", "unknown constructor 'unifrom' (did you mean 'uniform'?)"),
        ("zzzz(0,1)", "expected one of uniform, loguniform"),
        ("uniform(0)", "expected uniform(min, max), got 1 arguments"),
        ("uniform(0,1,2)", "got 3 arguments"),
        ("uniform()", "got 0 arguments"),
        ("uniform(a,1)", "expected a number for min, got 'a'"),
        ("uniform(1,0)", "min: must be below max (0), got 1"),
        ("randint(0.5,2)", "min: expected an integer"),
        ("finrange(0,1,2.5)", "count: expected an integer"),
        ("choice()", "expected at least one value"),
        ("normal(0,0)", "sd: must be above 0"),
        ("sample(3)", "expected sample(N, RANGE) with N between 1 and 10000"),
        ("sample(0,1:5)", "expected sample(N, RANGE)"),
        ("sample(x,1:5)", "expected sample(N, RANGE)"),
        ("sample(6,1:5)", "expected at most 5 draws"),
        ("sample(2,3)", "expected a RANGE with several values"),
        ("sample(2,sample(2,1:5))", "expected another RANGE inside sample"),
    ],
)
def test_errors_name_the_option(text: str, message: str) -> None:
    with pytest.raises(SpaceError) as caught:
        parse_range("lr", text)
    assert str(caught.value).startswith(f"-p lr={text}: ")
    assert message in str(caught.value)
    assert caught.value.parameter == "lr"


def test_bad_names_and_long_texts() -> None:
    with pytest.raises(SpaceError, match="reserved"):
        parse_range("rest", "1")
    with pytest.raises(SpaceError, match="at most 100000 characters"):
        parse_range("a", "1," * 60_000)


def test_sample_draws_a_list_that_depends_on_name_and_seed_only() -> None:
    first = parse_range("lr", "sample(5, loguniform(1e-5,0.1))")
    assert first.type == "choice"
    values = first.values or ()
    assert len(values) == len(set(values)) == 5
    assert all(1e-5 <= value <= 0.1 for value in values)
    assert parse_range("lr", "sample(5, loguniform(1e-5,0.1))") == first
    assert parse_range("lr", "sample(5, loguniform(1e-5,0.1))", seed=1) != first
    assert parse_range("wd", "sample(5, loguniform(1e-5,0.1))").values != values


def test_sample_of_a_list_and_of_a_finite_range_has_no_repeats() -> None:
    assert sorted(parse_range("p", "sample(3, a,b,c)").values or ()) == ["a", "b", "c"]
    assert sorted(parse_range("p", "sample(10, 1:10)").values or ()) == list(range(1, 11))
    assert len(set(parse_range("p", "sample(50, randint(0,100000000))").values or ())) == 50
