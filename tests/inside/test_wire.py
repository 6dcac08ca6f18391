from __future__ import annotations

import json
import math
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.inside import wire


def line(**metrics: object) -> dict[str, object]:
    text = wire.report_line(metrics)
    assert text.endswith(b"\n") and text.count(b"\n") == 1
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.5, 0.5),
        (3, 3),
        (-0.0, -0.0),
        (1e-300, 1e-300),
        (1e22, 1e22),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (2**63 - 1, 2**63 - 1),
        (2**63, 2.0**63),
        (10**400, "Infinity"),
        pytest.param(-(10**5000), "-Infinity", id="too long to print"),
        (np.float32(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (np.int64(7), 7),
        (np.float16("nan"), "NaN"),
        (np.array(2.5), 2.5),
        (np.array([2.5]), 2.5),
        (Decimal("1.5"), 1.5),
        (Fraction(1, 2), 0.5),
    ],
)
def test_numbers_of_every_kind(value: object, written: object) -> None:
    assert line(loss=value)["loss"] == written


@pytest.mark.parametrize(
    "value",
    [True, False, None, "0.5", b"1", [1.0], {}, 1j, np.bool_(True), np.array([1, 2]), np.array([]), object(), "NaN"],
)
def test_anything_else_is_refused_by_name(value: object) -> None:
    with pytest.raises(TypeError, match="metric 'loss' must be one number"):
        wire.report_line({"ok": 1, "loss": value})


@pytest.mark.parametrize(("name", "says"), [("", "non-empty"), (3, "non-empty"), ("_time", "added by rung")])
def test_names_that_cannot_be(name: str, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        wire.report_line({name: 1})


def test_a_report_says_something_and_when() -> None:
    with pytest.raises(TypeError, match="at least one"):
        wire.report_line({})
    before = time.time()
    assert before - 1e-5 <= float(str(line(loss=1)["_time"])) <= time.time() + 1e-5


class Big:
    def __float__(self) -> float:
        raise OverflowError


def test_what_overflows_is_infinite() -> None:
    assert line(loss=Big())["loss"] == "Infinity"


@given(st.dictionaries(st.text(min_size=1).filter(lambda name: name != "_time"), st.floats(), min_size=1))
def test_a_line_gives_back_what_went_in(metrics: dict[str, float]) -> None:
    found = json.loads(wire.report_line(metrics))
    del found["_time"]
    back = {name: float(value) for name, value in found.items()}
    assert back.keys() == metrics.keys()
    assert all(back[name] == value or (value != value and back[name] != back[name]) for name, value in metrics.items())


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text().filter(lambda text: text not in wire.NON_FINITE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(PLAIN)
def test_parameters_go_over_the_wire_and_back(value: object) -> None:
    text = json.dumps(wire.to_wire(value), allow_nan=False)
    assert wire.from_wire(json.loads(text)) == value
