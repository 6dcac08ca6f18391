from __future__ import annotations

from typing import Any

import pytest

from rung.model import BadInput
from rung.schedule.options import Options
from rung.testing.racing import contest


def given(value: Any) -> Options:
    return Options(contest({"x": value}))


def test_what_is_absent_or_null_has_its_default() -> None:
    for options in (Options(contest({})), given(None)):
        assert "x" not in options
        assert options.number("x", 3) == 3
        assert options.whole("x", None) is None
        assert options.flag("x", True) is True
        assert options.word("x", "a", ("a", "b")) == "a"
        assert options.numbers("x", (1,)) == (1,)


def test_what_is_given_is_taken() -> None:
    assert given(2.5).number("x", 3, above=1) == 2.5
    assert isinstance(given(3.0).number("x", 1), int)
    assert given(4.0).whole("x", 1) == 4
    assert given(False).flag("x", True) is False
    assert given("b").word("x", "a", ("a", "b")) == "b"
    assert given([1, 2.5]).numbers("x", ()) == (1, 2.5)


@pytest.mark.parametrize(
    ("value", "check", "said"),
    [
        ("3", lambda o: o.number("x", 1), "expected a number, got '3'"),
        (True, lambda o: o.number("x", 1), "expected a number, got True"),
        (float("nan"), lambda o: o.number("x", 1), "expected a number, got nan"),
        (1, lambda o: o.number("x", 3, above=1), "expected a number above 1, got 1"),
        (1, lambda o: o.number("x", 3, below=1), "expected a number below 1, got 1"),
        (3, lambda o: o.number("x", 1, above=0, most=1), "expected a number above 0 and of at most 1, got 3"),
        (float("inf"), lambda o: o.number("x", 1), "expected a number, got inf"),
        (10**310, lambda o: o.number("x", 1), f"expected a number, got {10**310}"),
        (1.5, lambda o: o.whole("x", 1), "expected a whole number of at least 1, got 1.5"),
        (9, lambda o: o.whole("x", 1, most=4), "expected a whole number from 1 to 4, got 9"),
        (1, lambda o: o.flag("x", True), "expected true or false, got 1"),
        ("c", lambda o: o.word("x", "a", ("a", "b")), "expected a or b, got 'c'"),
        ([], lambda o: o.word("x", "a", ("a", "b")), "expected a or b, got []"),
        ([], lambda o: o.numbers("x", ()), "expected a list of numbers, got []"),
        (3, lambda o: o.numbers("x", ()), "expected a list of numbers, got 3"),
        ([1, "2"], lambda o: o.numbers("x", ()), "expected numbers, got '2'"),
        ([0, 1], lambda o: o.numbers("x", (), above=0), "expected numbers above 0, got 0"),
        ([2, 1], lambda o: o.numbers("x", ()), "expected ascending numbers, got 1 after 2"),
    ],
)
def test_what_is_wrong_is_named(value: Any, check: Any, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        check(given(value))
    assert (caught.value.key, caught.value.message) == ("schedule.x", said)
