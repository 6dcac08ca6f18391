"""Values written as RANGE read back as themselves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.model import BadInput
from rung.space.ranges import literal_text, parse_range

NUMBERS = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = (
    st.none()
    | st.booleans()
    | NUMBERS
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
)


@given(VALUES)
def test_a_value_reads_back_as_itself_alone_and_in_a_list(value: Any) -> None:
    try:
        text = literal_text(value)
    except BadInput:
        assert str(value).endswith("\\")  # the one text that the grammar cannot hold
        return
    found = parse_range("x", text)
    assert (type(found.value), found.value) == (type(value), value)
    assert parse_range("x", f"{text},last_of_all").values == (value, "last_of_all")


@pytest.mark.parametrize(
    ("value", "text"),
    [("adam", "adam"), ("5", "'5'"), ("true", "'true'"), ("a,b", "'a,b'"), ("it's", r"'it\'s'"), (1e-05, "1e-05"), ([1, 2], "[1, 2]")],
)  # fmt: skip
def test_how_it_looks(value: Any, text: str) -> None:
    assert literal_text(value) == text
