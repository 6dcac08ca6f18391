from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rung.model import Parameter
from rung.search.base import Delta, Earlier, Proposed, Result
from rung.search.history import History
from rung.search.tpe.split import EARLIER, HALF, MOST_BAD, MOST_GOOD, Group, Ranking, best_first, good_count, split
from rung.testing.searchers import problem

if TYPE_CHECKING:
    from collections.abc import Sequence

LINE = ((Parameter(name="x", type="float", min=0, max=1),), ())


def ranking(deltas: Sequence[Delta], **asked: Any) -> Ranking:
    found = Ranking(History(problem(LINE, **asked)))
    found.history.observe(deltas)
    found.observe(deltas)
    return found


def told(losses: Sequence[tuple[float, ...] | None], violations: Sequence[tuple[float, ...]] = ()) -> list[Delta]:
    """Trial i stands at i / 100 and has these losses."""
    found: list[Delta] = [Proposed(i, {"x": i / 100}) for i in range(len(losses))]
    for i, loss in enumerate(losses):
        found.append(Result(i, loss, violations[i] if violations else ()))
    return found


def places(group: Group) -> list[int]:
    return [round(100 * x) for x in group.units[:, 0].tolist()]


def test_good_are_the_best_share() -> None:
    good, bad = split(ranking(told([(float((7 * i) % 20),) for i in range(20)])))
    best = sorted(range(20), key=lambda i: (7 * i) % 20)
    assert places(good) == best[: good_count(20)]
    assert places(bad) == best[good_count(20) :]
    assert 1 <= good_count(1) <= good_count(100) <= good_count(10**6) == MOST_GOOD


@pytest.mark.parametrize("loss", [None, (math.inf,), (math.nan,)])
def test_what_is_no_number_is_never_good(loss: tuple[float] | None) -> None:
    good, bad = split(ranking(told([loss] * 9)))
    assert places(good) == []
    assert sorted(places(bad)) == list(range(9))


def test_feasible_ones_first_then_those_that_break_least() -> None:
    broken = [(3.0,), (0.0,), (1.0,), (math.inf,), (2.0,), (0.0,), (5.0,)]
    good, _ = split(ranking(told([(float(i),) for i in range(7)], broken), outcomes=1))
    assert places(good) == [1, 5][: good_count(7)]
    good, _ = split(ranking(told([(0.0,), (1.0,)], [(3.0,), (2.0,)]), outcomes=1))
    assert places(good) == [1]


def test_several_objectives_by_front_then_by_crowding() -> None:
    losses = np.array([[0.0, 9.0], [4.0, 4.0], [4.5, 3.9], [9.0, 0.0], [5.0, 5.0], [9.0, 9.0]])
    assert best_first(losses, np.zeros((6, 0))).tolist()[:2] == [0, 3]  # the ends of the first front
    good, _ = split(ranking(told([tuple(row) for row in losses.tolist()]), objectives=2))
    assert places(good) == [0, 3][: good_count(6)]


def test_another_result_of_several_objectives_changes_the_order() -> None:
    known = ranking(told([(1.0, 1.0), (2.0, 2.0)]), objectives=2)
    assert places(split(known)[0]) == [0]
    deltas = [Result(1, (0.0, 0.0))]
    known.history.observe(deltas)
    known.observe(deltas)
    assert places(split(known)[0]) == [1]


def test_a_long_history_is_thinned_evenly() -> None:
    known = ranking([d for i in range(3000) for d in (Proposed(i, {"x": i / 3000}), Result(i, (float(i),)))])
    good, bad = split(known)
    assert len(good.units) == MOST_GOOD
    assert len(bad.units) == MOST_BAD
    steps = np.diff(bad.units[:, 0]) * 3000
    assert bad.units[0, 0] == pytest.approx(MOST_GOOD / 3000)
    assert bad.units[-1, 0] == pytest.approx(2999 / 3000)
    assert steps.max() - steps.min() < 1.5


def test_earlier_studies_are_split_each_by_itself_and_fade() -> None:
    earlier: list[Delta] = [Earlier(0, {"x": 0.1 + i / 100}, (1000.0 + i,)) for i in range(6)]
    earlier += [Earlier(1, {"x": 0.6 + i / 100}, (float(-i),)) for i in range(6)]
    good, bad = split(ranking(earlier))
    assert places(good) == [10, 65][: 2 * good_count(6)]
    assert sorted(places(bad)) == [11, 12, 13, 14, 15, 60, 61, 62, 63, 64]
    assert set(good.weights.tolist()) == {EARLIER}
    good, _ = split(ranking([*earlier, *told([(0.5,)] * (4 * HALF))]))
    assert good.weights.tolist() == [1.0] * good_count(4 * HALF) + [EARLIER / 4] * 2
