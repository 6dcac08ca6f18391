from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rung.schedule.marks import MOST_PASSED, Column, Marks, Point, between, passed

STEPS = st.floats(1e-9, 1e12)
VALUES = st.sampled_from([0.0, 0.25, 0.5, 1.0, -3.0, 7.5, math.inf])


@given(STEPS, st.sampled_from([None, 0.5, 3, 7]))
def test_a_step_is_between_its_mark_and_the_next(step: float, interval: float | None) -> None:
    marks = Marks(interval)
    mark = marks.below(step)
    assert marks.at(mark) <= step * (1 + 1e-12)
    assert step < marks.at(mark + 1) * (1 + 1e-12)


@given(st.integers(-500, 3000))
def test_numbers_and_resources_of_marks_belong_together(mark: int) -> None:
    marks = Marks()
    assert marks.below(marks.at(mark)) == mark
    assert marks.at(mark) < marks.at(mark + 1)


def test_whole_numbers_are_marks_up_to_128_and_64_a_doubling_above() -> None:
    marks = Marks()
    assert [marks.at(marks.below(float(step))) for step in range(1, 129)] == list(range(1, 129))
    assert marks.below(2.0**20) - marks.below(2.0**19) == 64
    assert marks.below(2.0**-3) - marks.below(2.0**-4) == 16


def test_values_at_marks_lie_on_the_line_between_two_reports() -> None:
    found = dict(passed(Marks(), Point(2.5, (1.0,)), Point(5.0, (0.0,))))
    assert found == {3: (0.8,), 4: (0.4,), 5: (0.0,)}
    assert dict(passed(Marks(), None, Point(5.5, (0.3,)))) == {5: (0.3,)}
    assert dict(passed(Marks(), Point(5.1, (1.0,)), Point(5.9, (0.0,)))) == {}


def test_a_leap_fills_a_bounded_number_of_marks() -> None:
    assert len(list(passed(Marks(), Point(1e-9, (1.0,)), Point(1e12, (0.0,))))) == MOST_PASSED


@given(VALUES, VALUES, st.floats(1.0, 2.0))
def test_the_line_is_worst_next_to_a_worst_value_and_exact_at_its_end(a: float, b: float, step: float) -> None:
    (found,) = between(Point(1.0, (a,)), Point(2.0, (b,)), step)
    if step == 2.0:
        assert found == b
    elif math.inf in (a, b):
        assert found == math.inf
    else:
        assert min(a, b) <= found <= max(a, b)


RESULTS = st.lists(st.tuples(VALUES, st.sampled_from([0.0, 0.0, 0.0, 0.5, 2.0, math.inf])), min_size=1, max_size=20)


@given(RESULTS, st.floats(0.01, 0.99), VALUES, st.sampled_from([0.0, 1.0]))
def test_a_column_counts_and_interpolates_as_a_plain_list_does(
    results: list[tuple[float, float]], share: float, value: float, violation: float
) -> None:
    column = Column(1)
    for number, (loss, broken) in enumerate(results):
        column.add(number, (loss,), broken)
    losses = [loss if broken == 0 else math.inf for loss, broken in results]
    assert len(column) == len(results)
    expected = sorted(losses)[math.ceil(share * (len(losses) - 1))]
    if expected < math.inf:
        expected = float(np.quantile(np.minimum(losses, 1e9), share))
    assert math.isclose(column.quantile(share), expected, abs_tol=1e-12)

    def place(loss: float, broken: float) -> tuple[int, float]:
        if broken == math.inf or loss == math.inf:
            return 2, 0.0
        return (1, broken) if broken else (0, loss)

    mine = place(value, violation)
    ahead = [number for number, (loss, broken) in enumerate(results) if place(loss, broken) < mine]
    assert column.ahead((value,), violation) == len(ahead)
    assert column.named((value,), violation) == sorted(ahead, key=lambda n: (place(*results[n]), n))[:5]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12), st.integers(0, 3), st.integers(0, 3))
def test_with_two_objectives_those_are_ahead_that_dominate(rows: list[tuple[int, int]], x: int, y: int) -> None:
    column = Column(2)
    for number, row in enumerate(rows):
        column.add(number, tuple(map(float, row)), 0.0)
    dominating = [(a, b) for a, b in rows if a <= x and b <= y and (a, b) != (x, y)]
    assert column.ahead((float(x), float(y)), 0.0) == len(dominating)
