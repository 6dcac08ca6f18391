from __future__ import annotations

import contextlib
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.dialects.studioml.ranges import MOST, grid_values, odd_start, plugin_range
from rung.model import BadInput


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("relu,tanh", ["relu", "tanh"]),
        ("relu", ["relu"]),
        ("none,0.5,1", ["none", 0.5, 1]),
        (" 1 , 2 ", [1, 2]),
        ("1,1,1.0", [1]),
        ("7", [7]),
        ("-1:1", [-1, 0, 1]),
        ("0.5:3", [0.5, 1.5, 2.5]),
        ("0:0.3333334:1", [0.0, 0.3333334, 0.6666668]),
        ("0:0.33333333333:1", [0.0, 0.33333333333, 0.66666666666, 0.99999999999]),
        ("0.1:0.1:0.7", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]),
        ("0:u3:1", [0.0, 0.5, 1.0]),
        ("0:3u:2", [0, 1, 2]),
        ("1:l3:100", [1, 10, 100]),
        ("100:l3:1", [100, 10, 1]),
        ("1:l1:10", [1]),
        (":l2:", None),
        ("5:0", []),
        ("0:-1:3", []),
        ("3:3", [3]),
        ("1:1:1", [1]),
        ("1:u1:5", [1]),
    ],
)
def test_ranges_of_the_grid(text: str, values: list[Any] | None) -> None:
    if values is None:
        with pytest.raises(BadInput):
            grid_values(text)
        return
    found = grid_values(text)
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a value"),
        ("1,,2", "expected a value between commas"),
        ("1:2:3:4", "expected a, a:b or a:m:b"),
        ("1:", "the range has no end"),
        ("0:l3:1", "a log scale needs bounds above 0, got 0 and 1; write a small number such as 1e-04"),
        ("1:l3:0", "a log scale needs bounds above 0"),
        ("1:l0:2", "asks for no value"),
        ("1:x3:2", "unknown limit specification x3"),
        ("1:ul3:2", "unknown limit specification ul3"),
        ("1:u3l:2", "unknown limit specification u3l"),
        ("1:0:2", "a step of 0 leads nowhere; write 1:u10:2"),
        ("1:-0.0:2", "a step of 0"),
        ("nan", "expected a finite number"),
        ("1,inf", "expected a finite number"),
        ("0:1e-9:1", "values are too many"),
        (f"0:u{MOST + 1}:1", "values are too many"),
        ("0:999999999:1", "values are too many"),
        ("0:1e400", "the range has no end"),
    ],
)
def test_ranges_that_are_none(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=r".*") as error:
        grid_values(text)
    assert message in error.value.message


def test_a_start_that_is_no_number_is_told_of() -> None:
    assert odd_start("l3:1:2") == "l3"
    assert [odd_start(text) for text in (":3", "1:2", "a,b:c", "a")] == [None] * 4


_WORD = st.text(st.sampled_from("0123456789.-+eul,:xa "), max_size=12)


@given(st.one_of(_WORD, st.text(max_size=12)))
def test_no_text_raises_anything_else(text: str) -> None:
    for read in (grid_values, odd_start, lambda each: plugin_range("p", each, "o").parameters()):
        with contextlib.suppress(BadInput):
            read(text)


@given(st.integers(-50, 50), st.integers(-50, 50), st.sampled_from(["0.1", "0.25", "0.3", "1", "2", "-1", "-0.7"]))
def test_no_value_lies_beyond_an_end(low: int, high: int, step: str) -> None:
    values = grid_values(f"{low}:{step}:{high}")
    assert all(min(low, high) <= value <= max(low, high) for value in values)


@pytest.mark.parametrize(
    ("text", "kind", "fields"),
    [
        ("0:5", "float", {"min": 0.0, "max": 5.0, "scale": "linear"}),
        ("1e-4:1:l", "float", {"min": pytest.approx(1e-4), "max": 1.0, "scale": "log"}),
        ("0:10:u", "normal", {"mean": 5.0, "sd": 5.0}),
        ("1:100:lu", "lognormal", {"mean": pytest.approx(math.log(10)), "sd": pytest.approx(math.log(10))}),
        ("5:5:u", "normal", {"mean": 5.0, "sd": 0.5}),
        ("5:5", "constant", {"value": 5.0}),
    ],
)
def test_parameters_of_plugin_ranges(text: str, kind: str, fields: dict[str, Any]) -> None:
    [parameter] = plugin_range("lr", text, "cmaes").parameters()
    assert parameter.type == kind
    assert {key: getattr(parameter, key) for key in fields} == fields


def test_an_array_is_a_parameter_for_each_number() -> None:
    found = plugin_range("lr", "0:1:3:ar", "cmaes")
    assert [parameter.name for parameter in found.parameters()] == ["lr.0", "lr.1", "lr.2"]
    assert found.middle == 0.5
    assert plugin_range("lr", "1e-2:1:l", "cmaes").middle == pytest.approx(0.1)


@pytest.mark.parametrize(
    "text", ["0.1", "0:1:2:3:a", "0:1:aa", "0:1:0:a", "0:1:1.5:a", "0:1:-2:a", "x:1", "0:1:99999:a", "-1:1:l"]
)
def test_plugin_ranges_that_are_none(text: str) -> None:
    with pytest.raises(BadInput):
        plugin_range("lr", text, "cmaes")
