"""Trials that were stopped at different rungs are shown to the searcher as if at the same one."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from rung.search.base import Result
from rung.study.fidelity import Concluded, Fidelity, Reached


def at(number: int, loss: float) -> Result:
    return Result(number, (loss,))


def told(found: list[Result]) -> dict[int, float]:
    return {result.number: result.losses[0] for result in found if result.losses is not None}


def test_the_lowest_rung_counts_while_nothing_is_known_above() -> None:
    fidelity = Fidelity(rungs=2, dimensions=1)
    assert told(fidelity.reached(Reached(0, at(0, 3.0)))) == {0: 3.0}
    assert told(fidelity.reached(Reached(1, at(0, 2.0)))) == {}  # it is known at the rung that counts
    assert told(fidelity.reached(Reached(1, at(1, 2.5)))) == {1: 2.5}  # its step passed both at once


def test_everything_is_told_again_when_a_higher_rung_has_enough() -> None:
    fidelity = Fidelity(rungs=2, dimensions=1)
    for number in range(8):
        fidelity.reached(Reached(0, at(number, 10.0 + number)))
    for number in range(4):
        assert fidelity.reached(Reached(1, at(number, 5.0 + number))) == []
    risen = told(fidelity.reached(Reached(1, at(4, 9.0))))
    assert risen == {**{n: 5.0 + n for n in range(5)}, 5: 10.0, 6: 11.0, 7: 12.0}  # the others by the median gain of -5
    assert told(fidelity.reached(Reached(0, at(8, 20.0)))) == {8: 15.0}
    assert told(fidelity.concluded(Concluded(at(8, 20.0), complete=False))) == {8: 15.0}


def test_a_trial_that_ends_by_itself_counts_at_every_rung() -> None:
    fidelity = Fidelity(rungs=2, dimensions=1)
    assert told(fidelity.concluded(Concluded(at(0, 1.0), complete=True))) == {0: 1.0}
    assert 0 in fidelity.at[0]
    assert 0 in fidelity.at[-1]


def test_a_complete_trial_that_is_given_another_result_is_shown_with_it() -> None:
    """A person has told it, or had the trial run again."""
    fidelity = Fidelity(rungs=2, dimensions=1)
    fidelity.reached(Reached(0, at(0, 3.0)))
    fidelity.concluded(Concluded(at(0, 2.0), complete=True))
    fidelity.concluded(Concluded(at(1, 1.0), complete=True))
    assert told(fidelity.concluded(Concluded(at(1, 9.0), complete=True))) == {1: 9.0}
    assert told(fidelity.concluded(Concluded(at(0, 8.0), complete=True))) == {0: 3.0}  # what it had at the rung counts
    for number in range(2, 5):
        fidelity.concluded(Concluded(at(number, 5.0), complete=True))
    assert told(fidelity.everything()) == {0: 8.0, 1: 9.0, 2: 5.0, 3: 5.0, 4: 5.0}


def test_a_failed_trial_is_shown_as_it_is() -> None:
    fidelity = Fidelity(rungs=1, dimensions=1)
    fidelity.reached(Reached(0, at(0, 1.0)))
    failed = Result(0, None)
    assert fidelity.concluded(Concluded(failed, complete=False)) == [failed]
    assert fidelity.everything() == []


def test_losses_that_are_not_finite_say_nothing_of_the_gain() -> None:
    fidelity = Fidelity(rungs=2, dimensions=1)
    for number in range(6):
        fidelity.reached(Reached(0, at(number, math.inf if number == 0 else 4.0)))
    found: list[Result] = []
    for number in range(5):
        found = fidelity.reached(Reached(1, at(number, 3.0)))
    assert told(found)[5] == 3.0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.floats(-10, 10)), max_size=60))
def test_what_is_known_at_the_rung_that_counts_is_what_was_told_last(moves: list[tuple[int, int, float]]) -> None:
    fidelity, last = Fidelity(rungs=4, dimensions=1), dict[int, float]()
    for number, rung, loss in moves:
        if rung > fidelity.highest.get(number, -1):
            last.update(told(fidelity.reached(Reached(rung, at(number, loss)))))
    assert last == told(fidelity.everything())
    for number, result in fidelity.at[fidelity.current].items():
        assert result.losses == (last[number],)
