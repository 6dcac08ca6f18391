from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.model import BadInput, Parameter, ScheduleSpec
from rung.schedule.base import Contest, Progress
from rung.schedule.rungs import MOST_LEVELS, Cut, Ladder, Rung, ladder, limit, result
from rung.space import Space
from rung.testing.racing import contest


def levels(**options: Any) -> tuple[float, ...]:
    return ladder(contest(options, epochs=None)).levels


def with_constants(resource: str | None, **constants: Any) -> Contest:
    space = Space([Parameter(name=name, type="constant", value=value) for name, value in constants.items()])
    return Contest(schedule=ScheduleSpec(method="asha", resource=resource), objectives=(), seed=0, space=space)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"max": 81}, (1, 3, 9, 27)),
        ({"max": 82}, (1, 3, 9, 27, 81)),
        ({"max": 243}, (1, 3, 9, 27, 81)),  # log(243) / log(3) is 4.999999999999999
        ({"max": 1000, "eta": 10}, (1, 10, 100)),  # log(1000) / log(10) is 2.9999999999999996
        ({"max": 1001, "eta": 10}, (1, 10, 100, 1000)),
        ({"max": 50, "eta": 2.5}, (1, 2, 6, 16, 39)),
        ({"max": 4, "eta": 1.2}, (1, 2, 3)),  # resources that round to the same one are one rung
        ({"max": 8, "min": 0.5, "eta": 2}, (0.5, 1, 2, 4)),
        ({"max": 2, "min": 0.5, "eta": 1.5}, (0.5, 0.75, 1.125, 1.6875)),
        ({"max": 9, "increment": 2}, (1, 3, 5, 7)),
        ({"max": 9, "increment": 2.5, "min": 2}, (2, 4.5, 7)),
        ({"max": 10, "levels": [2, 5]}, (2, 5)),
        ({"max": 10, "levels": [2, 5, 10]}, (2, 5)),
        ({"levels": [2, 5, 10]}, (2, 5, 10)),
        ({"max": 27.0, "min": 1.0, "eta": 3.0}, (1, 3, 9)),
    ],
)
def test_levels(options: dict[str, Any], expected: tuple[float, ...]) -> None:
    assert levels(**options) == expected
    assert all(isinstance(level, int) for level in levels(**options) if level == int(level))


def test_without_a_top_levels_go_as_far_as_floats_can_tell() -> None:
    found = ladder(contest({}, epochs=None))
    assert found.top is None
    assert found.levels[:4] == (1, 3, 9, 27)
    assert found.levels[-1] < 2**53 <= 3 * found.levels[-1]
    assert len(levels(eta=1.01)) <= MOST_LEVELS


@given(st.integers(1, 50), st.integers(2, 7), st.integers(2, 100_000))
def test_whole_ladders_are_products(least: int, eta: int, top: int) -> None:
    if least >= top:
        with pytest.raises(BadInput):
            levels(min=least, eta=eta, max=top)
        return
    found = levels(min=least, eta=eta, max=top)
    assert all(high == eta * low for low, high in pairwise(found))
    assert found[0] == least
    assert found[-1] < top <= eta * found[-1]


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"eta": 1, "max": 9}, "eta"),
        ({"eta": 1 + 1e-12, "max": 9}, "eta"),
        ({"min": 10, "max": 9}, "min"),
        ({"min": 9, "max": 9}, "min"),
        ({"max": 1}, "max"),
        ({"increment": 1e-3, "max": 9}, "increment"),
        ({"increment": 2}, "max"),
        ({"increment": 2, "levels": [1, 2], "max": 9}, "increment"),
        ({"min": 2, "levels": [1, 2]}, "min"),
        ({"levels": [1, 20], "max": 9}, "levels"),
        ({"levels": [9], "max": 9}, "levels"),
        ({"levels": list(range(1, 2000))}, "levels"),
    ],
)
def test_ladders_that_cannot_be(options: dict[str, Any], key: str) -> None:
    with pytest.raises(BadInput) as caught:
        levels(**options)
    assert caught.value.key == f"schedule.{key}"


@pytest.mark.parametrize(
    ("resource", "constants", "expected"),
    [
        ("epoch", {"epochs": 30}, 30),
        ("epoch", {"max_epochs": 30.0}, 30),
        ("epochs", {"epochs": 12}, 12),
        (None, {"epochs": 12}, 12),
        ("batch", {"epochs": 12}, None),
        ("batch", {"epochs": 12, "max_batches": 1000}, 1000),
        ("step", {"max_steps": 10}, 10),
        ("step", {"num_steps": 10}, 10),
        ("step", {"max_t": 81}, 81),
        ("epoch", {"epochs": "many"}, None),
        ("epoch", {"epochs": True}, None),
        ("epoch", {"epochs": 0}, None),
        ("epoch", {}, None),
    ],
)
def test_the_limit_is_a_constant_that_is_named_like_the_resource(
    resource: str | None, constants: dict[str, Any], expected: float | None
) -> None:
    assert limit(with_constants(resource, **constants)) == expected


def test_the_option_comes_before_the_constant() -> None:
    assert limit(contest({"max": 9}, epochs=27)) == 9
    assert limit(contest({}, epochs=27)) == 27
    assert limit(Contest(schedule=ScheduleSpec(method="asha"), objectives=(), seed=0)) is None


@pytest.mark.parametrize(
    ("losses", "so_far", "expected"),
    [
        ((0.5,), (), (0.5,)),
        ((0.5,), (0.25,), (0.25,)),
        ((None,), (0.25,), None),
        ((0.5, None), (), None),
        ((0.5, 0.5), (None, 0.5), None),
        ((math.nan,), (), (math.inf,)),
        ((), (), None),
    ],
)
def test_what_a_report_says(losses: tuple[Any, ...], so_far: tuple[Any, ...], expected: Any) -> None:
    assert result(Progress(0, 1.0, losses, so_far)) == expected


# ------------------------------------------------------------------------------------------------------------- the cut


def rung_of(losses: list[float], cut: Cut, *, eta: float = 3, violations: list[float] | None = None) -> Rung:
    made = Rung.of(Ladder(levels=(1, 3), top=9, eta=eta), 0, 1, cut)
    for number, loss in enumerate(losses):
        made.ranking.add(number, (loss,), violations[number] if violations else 0.0)
    return made


@given(st.lists(st.sampled_from([0.0, 0.5, 0.75, 1.0, 2.0, 3.5]), min_size=2, max_size=30))
def test_the_quantile_cut_is_syne_tunes(losses: list[float]) -> None:
    made = rung_of(losses, "quantile")
    threshold = float(np.quantile(losses, 1 / 3))
    assert made.threshold() == threshold
    assert [made.earns(n, least=1) for n in range(len(losses))] == [loss <= threshold for loss in losses]


@pytest.mark.parametrize("eta", [2, 2.5, 3, 4])
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30))
def test_the_count_cut_is_the_papers(eta: float, losses: list[float]) -> None:
    made = rung_of(losses, "count", eta=eta)
    best = sorted(range(len(losses)), key=lambda n: (losses[n], n))
    for least in (0, 1):
        count = max(least, math.floor(len(losses) / eta))
        assert {n for n in best if made.earns(n, least=least)} == set(best[:count])


@pytest.mark.parametrize("cut", ["quantile", "count"])
def test_one_result_alone_decides_nothing(cut: Cut) -> None:
    assert rung_of([0.5], cut).earns(0, least=1)
    assert not rung_of([0.5], cut).earns(0, least=0)
    assert rung_of([math.inf], cut).earns(0, least=1)


@pytest.mark.parametrize("cut", ["quantile", "count"])
def test_who_has_no_number_earns_nothing_beside_others(cut: Cut) -> None:
    made = rung_of([math.inf, math.inf, math.inf, 0.5], cut)
    assert [made.earns(n, least=1) for n in range(4)] == [False, False, False, True]
    made = rung_of([math.inf] * 9, cut)
    assert not any(made.earns(n, least=1) for n in range(9))


@pytest.mark.parametrize("cut", ["quantile", "count"])
def test_who_breaks_bounds_stands_behind_and_may_still_be_among_the_best(cut: Cut) -> None:
    made = rung_of([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], cut, violations=[2.0, 1.0, 3.0, 4.0, 0.0, 5.0])
    assert [n for n in range(6) if made.earns(n, least=1)] == [1, 4]


def test_several_objectives_are_cut_by_place() -> None:
    made = Rung.of(Ladder(levels=(1, 3), top=9, eta=3), 0, 2, "quantile")
    for number in range(9):
        made.ranking.add(number, (float(number), float(number)))
    assert made.threshold() is None
    assert [n for n in range(9) if made.earns(n, least=1)] == [0, 1, 2]  # places up to 8 / 3


def test_the_last_share_is_to_the_top() -> None:
    made = Ladder(levels=(1, 4, 16, 64), top=100, eta=4)
    assert [made.share(i) for i in range(4)] == [0.25, 0.25, 0.25, 0.64]
    assert made.above(4) == 2
    assert made.above(3.9) == 1
    assert (made.after(3), Ladder(levels=(2, 5), top=None, eta=3).share(1)) == (100, 1 / 3)
