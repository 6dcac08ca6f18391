"""The order of the results of one rung, and what becomes of ties."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from rung.schedule.adaptive.order import WORST, Arrivals, ByFronts, Mark

LOSSES = st.lists(st.integers(0, 4).map(float) | st.just(math.inf), max_size=30)


@given(losses=LOSSES, newest_first=st.booleans(), gone=st.sets(st.integers(0, 29)))
def test_it_is_a_stable_sort_of_what_arrived(losses: list[float], newest_first: bool, gone: set[int]) -> None:
    order, marks = Arrivals(newest_first=newest_first), [Mark.of((loss,)) for loss in losses]
    for trial, mark in enumerate(marks):
        place = order.insert(trial, mark)
        assert order.at(place) == trial
    gone = {trial for trial in gone if trial < len(losses)}
    for trial in gone:
        order.remove(trial, marks[trial])
    arrived = [trial for trial in range(len(losses)) if trial not in gone]
    expected = sorted(arrived[::-1] if newest_first else arrived, key=lambda trial: losses[trial])
    assert order.best(99) == expected
    assert len(order) == len(expected)
    for trial in arrived:
        assert order.place(trial, marks[trial]) == expected.index(trial)


def test_marks_come_in_tiers() -> None:
    ranked = [Mark.of((1.0,)), Mark.of((2.0,)), Mark.of((0.0,), 0.1), Mark.of((0.0,), 0.2), Mark.of((math.inf,))]
    assert ranked == sorted(ranked, key=lambda mark: mark[:2])
    assert Mark.of((0.0,), math.inf)[:2] == Mark.of((math.inf,))[:2] == WORST[:2]


@given(losses=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20), data=st.data())
@settings(max_examples=30)
def test_fronts_forget_whom_they_are_told_to(losses: list[tuple[int, int]], data: st.DataObject) -> None:
    marks = [Mark.of((float(a), float(b))) for a, b in losses]
    gone = data.draw(st.integers(0, len(marks) - 1))
    one, other = ByFronts(2), ByFronts(2)
    for trial, mark in enumerate(marks):
        place = one.insert(trial, mark)
        assert one.place(trial, mark) == place
        assert one.at(place) == trial
        if trial != gone:
            other.insert(trial, mark)
    one.insert(99, WORST)
    other.insert(99, WORST)
    one.remove(gone, marks[gone])
    assert one.best(99) == other.best(99)
    assert len(one) == len(other) == len(marks)
    assert one.best(99)[-1] == 99
