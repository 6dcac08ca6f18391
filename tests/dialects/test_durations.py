from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.dialects import format_duration, parse_duration
from rung.model import BadInput


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2h30m", 9000.0),
        ("2h 30m", 9000.0),
        ("1.5h", 5400.0),
        ("90", 90.0),
        (90, 90.0),
        ("90s", 90.0),
        ("5min", 300.0),
        ("500ms", 0.5),
        ("1d", 86400.0),
        ("1w", 604800.0),
        (".5s", 0.5),
        ("1e3", 1000.0),
        (0, 0.0),
    ],
)
def test_what_a_duration_says(written: str | int, seconds: float) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize("written", ["", " ", "2x", "h", "2h30", "-1h", "1:30", "nan", "inf", "1e999", "2 hours", "٣s"])
def test_what_is_no_duration(written: str) -> None:
    with pytest.raises(BadInput, match="expected a duration such as 2h30m"):
        parse_duration(written)


@settings(deadline=None)
@given(st.floats(min_value=0, allow_infinity=False) | st.integers(0, 10**7).map(float))
def test_formatted_durations_read_back(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


def test_whole_durations_are_written_as_people_do() -> None:
    assert [format_duration(s) for s in (9000, 86461, 0.25, 59)] == ["2h30m", "1d1m1s", "0.25s", "59s"]
