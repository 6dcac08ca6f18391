"""The options of searchers, checked."""

from __future__ import annotations

from typing import Any

import pytest

from rung.model import BadInput
from rung.plugins import find
from rung.search.options import whole_option
from search.races import asked, cube


def test_a_whole_number_is_given_or_its_default() -> None:
    assert whole_option(asked(cube(2), 50, 0, population=17), "population", 5, least=2) == 17
    assert whole_option(asked(cube(2), 50, 0, population=None), "population", 5, least=2) == 5
    assert whole_option(asked(cube(2), 50, 0), "population", 5, least=2) == 5


@pytest.mark.parametrize(
    ("method", "option", "value", "says"),
    [
        ("de", "population", 1, "a whole number of at least 4, got 1"),
        ("de", "population", 10**9, "a whole number of at most 100000, got 1000000000"),
        ("evolution", "tournament", 2.5, "a whole number of at least 1, got 2.5"),
        ("tpe", "start", "x", "a whole number of at least 0, got 'x'"),
        ("tpe", "start", 10**9, "a whole number of at most 100000"),
        ("tpe", "candidates", 0, "a whole number of at least 1, got 0"),
        ("tpe", "candidates", True, "a whole number of at least 1, got True"),
        ("gp", "initial", 10**6, "a whole number of at most 1000"),
        ("gp", "global", 0, "a whole number of at least 1, got 0"),
        ("gp", "warp", 1, "true or false, got 1"),
    ],
)
def test_what_cannot_be_is_named(method: str, option: str, value: Any, says: str) -> None:
    with pytest.raises(BadInput, match=rf"search\.{option}: expected {says}"):
        find("search", method)(asked(cube(2), 50, 0, **{option: value}))
