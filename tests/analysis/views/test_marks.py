from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.analysis.views.marks import improvements, spread, thinned

HEIGHTS = st.lists(st.floats(width=16, allow_nan=True, allow_infinity=True), max_size=80)


@settings(max_examples=40)
@given(HEIGHTS, st.integers(1, 30), st.lists(st.integers(0, 79), max_size=10))
def test_marks_are_as_many_as_asked_for_and_keep_what_matters(heights: list[float], most: int, keep: list[int]) -> None:
    y = np.array(heights, dtype=np.float64)
    wanted = sorted({place for place in keep if place < len(y)})
    found = thinned(y, most, keep=wanted)
    assert len(found) == min(most, len(y)) or len(wanted) >= most
    assert len(found) <= most
    assert (np.diff(found) > 0).all()
    if len(wanted) < most:
        assert set(wanted) <= set(found.tolist())
    assert found.tolist() == thinned(y, most, keep=wanted).tolist()
    finite = [place for place, height in enumerate(heights) if math.isfinite(height)]
    if finite and most - len(wanted) >= 4:
        shown = y[found]
        assert min(y[finite]) in shown
        assert max(y[finite]) in shown


@settings(max_examples=25)
@given(HEIGHTS)
def test_improvements_are_those_below_all_before(heights: list[float]) -> None:
    losses = [height if math.isfinite(height) else math.inf for height in heights]
    expected = [i for i, loss in enumerate(losses) if loss < min(losses[:i], default=math.inf)]
    assert improvements(np.array(losses)).tolist() == expected


@pytest.mark.parametrize(("count", "most"), [(0, 5), (5, 5), (5, 9), (10, 1), (100, 7), (7, 0)])
def test_spread_is_even_and_has_both_ends(count: int, most: int) -> None:
    found = spread(count, most).tolist()
    assert len(found) == min(count, most)
    if most >= 2 and count:
        assert (found[0], found[-1]) == (0, count - 1)
        gaps = np.diff(found)
        assert gaps.max() - gaps.min() <= 1
