"""The columns against a slow twin: a plain list of what happened to each trial, sorted and encoded when asked."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.model import Objective, Outcome, Parameter
from rung.search.base import Delta, Earlier, Problem, Proposed, Result
from rung.search.history import Column, History, columns_of
from rung.space import Space
from rung.study.seeds import generator
from rung.testing.searchers import MIXED, NESTED, problem

ASKED = problem((NESTED, ()), objectives=2, outcomes=2)
CONFIGURATIONS = ASKED.space.decode(ASKED.space.sample(generator(0, "history", 0), 40))
LOSS = st.sampled_from([0.0, 1.0, 1.0, -2.5, 1e300, -1e300, math.inf, -math.inf, math.nan])
VIOLATION = st.sampled_from([0.0, 0.0, 0.5, 3.0, math.inf])


class Event(NamedTuple):
    """Proposes the next trial where `target` is None, else settles the one that many places before the youngest."""

    target: int | None
    losses: tuple[float, float] | None = None
    violations: tuple[float, ...] = ()
    seconds: float | None = None


EVENT = st.one_of(
    st.builds(Event, st.none(), seconds=st.sampled_from([None, 0.25])),
    st.builds(
        Event,
        st.integers(0, 5),
        st.none() | st.tuples(LOSS, LOSS),
        st.just(()) | st.tuples(VIOLATION, VIOLATION),
        st.sampled_from([None, 2.0]),
    ),
)


def deltas_of(events: list[Event]) -> list[Delta]:
    """Numbers have gaps, as after an edit of the space; results of trials that were never shown are among them."""
    found: list[Delta] = []
    proposed = 0
    for event in events:
        if event.target is None:
            found.append(Proposed(3 * proposed, CONFIGURATIONS[proposed], {"at": proposed}, event.seconds))
            proposed += 1
        else:
            number = 3 * (proposed - 1 - event.target)
            found.append(Result(number, event.losses, event.violations, 1, event.seconds))
    return found


class Known(NamedTuple):
    """The slow twin: what is known of one trial."""

    proposed: Proposed
    result: Result | None

    @property
    def losses(self) -> tuple[float, ...]:
        if self.result is None:
            return (math.nan, math.nan)
        given = self.result.losses
        return (math.inf, math.inf) if given is None else tuple(math.inf if x != x else x for x in given)

    @property
    def violations(self) -> tuple[float, ...]:
        if self.result is None:
            return (math.nan, math.nan)
        missing = math.inf if self.result.losses is None else 0.0
        return self.result.violations or (missing, missing)


def slow(deltas: list[Delta]) -> list[Known]:
    trials: dict[int, Known] = {}
    for delta in deltas:
        if isinstance(delta, Proposed):
            trials[delta.number] = Known(delta, None)
        elif isinstance(delta, Result) and delta.number in trials:
            trials[delta.number] = Known(trials[delta.number].proposed, delta)
    return list(trials.values())


def same(one: Any, two: Any) -> bool:
    return bool(np.array_equal(one, two, equal_nan=True))


@given(st.lists(EVENT, max_size=40))
def test_columns_are_those_of_the_slow_twin(events: list[Event]) -> None:
    deltas = deltas_of(events)
    history, twin = History(ASKED), slow(deltas)
    history.observe(deltas)
    assert history.n == len(twin)
    assert same(history.units, ASKED.space.encode([k.proposed.params for k in twin]))
    assert same(history.numbers, [k.proposed.number for k in twin])
    assert same(history.losses, np.array([k.losses for k in twin]).reshape(-1, 2))
    assert same(history.violations, np.array([k.violations for k in twin]).reshape(-1, 2))  # the bounds are 1
    assert same(history.done, [k.result is not None for k in twin])
    assert same(history.failed, [k.result is not None and k.result.losses is None for k in twin])
    assert same(history.seconds, _times([k.result for k in twin]))
    assert same(history.proposal_seconds, _times([k.proposed for k in twin]))
    assert history.memos == {k.proposed.number: k.proposed.memo for k in twin}


def _times(some: list[Result | None] | list[Proposed]) -> list[float]:
    return [math.nan if item is None or item.seconds is None else item.seconds for item in some]


@given(st.lists(EVENT, max_size=40))
def test_the_ranking_is_a_sort(events: list[Event]) -> None:
    deltas = deltas_of(events)
    history, twin = History(ASKED), slow(deltas)
    history.observe(deltas)
    settled = [row for row, k in enumerate(twin) if k.result is not None]
    expected = sorted(settled, key=lambda row: (sum(twin[row].violations), twin[row].losses[0], row))
    assert history.results == len(expected)
    assert history.ranking().tolist() == expected
    places = list(range(0, len(expected), 3))
    assert history.ranked(places).tolist() == [expected[place] for place in places]
    best = expected[0] if expected and math.isfinite(twin[expected[0]].losses[0]) else None
    assert history.best() == best


@given(st.lists(EVENT, max_size=30), st.sets(st.integers(0, 40)))
def test_nothing_depends_on_when_it_was_read(events: list[Event], stops: set[int]) -> None:
    deltas = deltas_of(events)
    one, two = History(ASKED), History(ASKED)
    one.observe(deltas)
    for place, delta in enumerate(deltas):
        two.observe([delta])
        if place in stops:
            assert len(two.units) == two.n
            assert len(two.ranking()) == two.results
    assert same(one.units, two.units)
    assert same(one.losses, two.losses)
    assert one.ranking().tolist() == two.ranking().tolist()


def test_columns_grow_beyond_their_room() -> None:
    asked = problem((MIXED, ()))
    params = asked.space.decode(asked.space.sample(generator(0, "history", 1), 300))
    history = History(asked)
    for number, configuration in enumerate(params):
        history.observe([Proposed(number, configuration), Result(number, (float(-number),))])
    assert same(history.units, asked.space.encode(params))
    assert history.ranking().tolist() == list(range(299, -1, -1))


def test_violations_are_relative_to_their_bounds() -> None:
    """So that a bound of 1e6 bytes does not drown one of 0.01 seconds; a bound of 0 has no size of its own."""
    bounds = [Outcome(metric="a", at_most=200.0), Outcome(metric="b", at_least=-4.0), Outcome(metric="c", at_most=0.0)]
    history = History(_with(outcomes=tuple(bounds)))
    history.observe([Proposed(0, CONFIGURATIONS[0]), Result(0, (1.0,), (100.0, 1.0, 3.0))])
    history.observe([Earlier(0, CONFIGURATIONS[1], (1.0,), (50.0, 2.0, 0.0))])
    assert history.violations.tolist() == [[0.5, 0.25, 3.0]]
    assert history.earlier()[2].tolist() == [[0.25, 0.5, 0.0]]


def _with(*, outcomes: tuple[Outcome, ...]) -> Problem:
    return Problem(
        space=ASKED.space, seed=0, search=ASKED.search, objectives=(Objective(metric="loss"),), outcomes=outcomes,
        budget=ASKED.budget,
    )  # fmt: skip


def test_earlier_evaluations_stand_apart() -> None:
    history = History(ASKED)
    assert [part.shape for part in history.earlier()] == [(0, 5), (0, 2), (0, 2), (0,)]
    history.observe([Earlier(1, CONFIGURATIONS[0], (1.0, math.nan)), Earlier(0, CONFIGURATIONS[1], (2.0, 3.0))])
    units, losses, violations, source = history.earlier()
    assert same(units, ASKED.space.encode(CONFIGURATIONS[:2]))
    assert losses.tolist() == [[1.0, math.inf], [2.0, 3.0]]
    assert violations.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert source.tolist() == [1, 0]
    assert (history.n, history.results, history.best()) == (0, 0, None)


def test_rows_of_trials_that_are_not_known_are_left_out() -> None:
    history = History(ASKED)
    history.observe([Proposed(4, CONFIGURATIONS[0]), Proposed(9, CONFIGURATIONS[1])])
    assert history.rows_of([9, 5, 4]).tolist() == [1, 0]
    assert history.rows_of([]).tolist() == []


@pytest.mark.parametrize(
    ("declared", "column"),
    [
        (Parameter(name="p", type="float", min=1e-5, max=1, scale="log"), Column("continuous", None)),
        (Parameter(name="p", type="normal", mean=0, sd=1), Column("continuous", None)),
        (Parameter(name="p", type="float", min=0, max=1, count=11), Column("ordered", 11)),
        (Parameter(name="p", type="int", min=1, max=512, scale="log"), Column("ordered", 512)),
        (Parameter(name="p", type="ordinal", values=("s", "m", "l")), Column("ordered", 3)),
        (Parameter(name="p", type="choice", values=("a", "b", "c")), Column("categorical", 3)),
        (Parameter(name="p", type="choice", values=("a", "b")), Column("ordered", 2)),  # two values are in any order
        (Parameter(name="p", type="bool"), Column("ordered", 2)),
    ],
)
def test_what_stands_in_a_column(declared: Parameter, column: Column) -> None:
    assert columns_of(Space([declared])) == (column,)


def test_near_is_near_in_every_column() -> None:
    parameters = (
        Parameter(name="x", type="float", min=0, max=1),
        Parameter(name="on", type="bool"),
        Parameter(name="y", type="float", min=0, max=1, when="on == true"),
    )
    history = History(problem((parameters, ())))
    history.observe([Proposed(0, {"x": 0.5, "on": False}), Proposed(1, {"x": 0.5, "on": True, "y": 0.25})])
    places = {
        "nearly": ({"x": 0.5004, "on": True, "y": 0.2496}, True),
        "elsewhere": ({"x": 0.5004, "on": True, "y": 0.26}, False),
        "inactive": ({"x": 0.4999, "on": False}, True),
    }
    for name, (params, expected) in places.items():
        row = history.space.encode([params])[0]
        assert history.near(row, [0, 1]) is expected, name
        assert not history.near(row, [])
    assert not history.near(history.space.encode([{"x": 0.5, "on": False}])[0], [1])
