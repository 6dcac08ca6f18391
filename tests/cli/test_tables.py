"""Tables, CSV and JSON on stdout."""

from __future__ import annotations

import csv
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.cli.tables import assigned, csv_text, one_line, plain_text, seconds, shown


def test_columns_are_aligned() -> None:
    text = plain_text(["name", "n"], [["a", 1], ["long", 20], [None, None]])
    assert text.endswith("\n")
    assert text.splitlines() == ["name   n", "a      1", "long  20"]


def test_without_rows_the_header_stands_alone() -> None:
    assert plain_text(["name", "n"], []) == "name  n"


@given(st.lists(st.tuples(st.text(), st.floats(allow_nan=False), st.none() | st.integers()), max_size=5))
def test_csv_loses_nothing(rows: list[tuple[str, float, int | None]]) -> None:
    found = list(csv.reader(io.StringIO(csv_text(["a", "b", "c"], rows), newline="")))
    assert [row[0] for row in found[1:]] == [row[0] for row in rows]
    assert [float(row[1]) for row in found[1:]] == [row[1] for row in rows]


def test_assigned() -> None:
    assert assigned({"lr": 0.5, "note": None, "tag": ""}) == "lr=0.5 note=null tag="


@given(st.text())
def test_one_line_has_nothing_that_steers_a_terminal(text: str) -> None:
    assert one_line(text).isprintable()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (0.1 + 0.2, "0.3"),
        (1e-9, "1e-09"),
        (-math.inf, "-Infinity"),
        (math.nan, "NaN"),
        (True, "true"),
        ([1, "a"], '[1, "a"]'),
        ("x" * 99, "x" * 59 + "…"),
    ],
)
def test_shown(value: object, expected: str) -> None:
    assert shown(value) == expected


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (None, ""),
        (math.inf, ""),
        (0.04, "0.0s"),
        (9.94, "9.9s"),
        (59.4, "59s"),
        (59.6, "1m00s"),
        (185, "3m05s"),
        (7800, "2h10m"),
    ],
)
def test_seconds(amount: float | None, expected: str) -> None:
    assert seconds(amount) == expected
