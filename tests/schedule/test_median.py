from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.model import Stop
from rung.schedule.base import Ended, Progress
from rung.schedule.median import Median
from rung.schedule.percentile import Percentile
from rung.testing.racing import contest

CURVES = st.lists(st.lists(st.integers(0, 6).map(float), min_size=1, max_size=6), min_size=2, max_size=9)


def median(goal: str = "minimize", objectives: int = 1, **options: Any) -> Median:
    return Median(contest({"population": 1, **options}, method="median", goal=goal, objectives=objectives))


def percentile(**options: Any) -> Percentile:
    return Percentile(contest({"population": 1, **options}, method="percentile"))


def first_stops(scheduler: Percentile, curves: list[list[float]]) -> list[int | None]:
    """At which epoch each trial is told to end, one trial after the other; all run to their end."""
    found: list[int | None] = []
    for number, curve in enumerate(curves):
        told = [
            int(command.reason.data["resource"])
            for epoch, loss in enumerate(curve, 1)
            for command in scheduler.observe([Progress(number, float(epoch), (loss,))])
        ]
        assert len(told) <= 1
        found.append(told[0] if told else None)
    return found


def slow_stops(curves: list[list[float]], share: float, population: int, *, average: bool) -> list[int | None]:
    """The rule word by word: best so far against the quantile of the others' running averages, or of their values."""
    found: list[int | None] = []
    for number, curve in enumerate(curves):
        told = None
        for s in range(1, len(curve) + 1):
            others = [c for c in curves[:number] if len(c) >= s]
            there = [float(np.mean(c[:s])) if average else c[s - 1] for c in others]
            if told is None and len(there) >= population and min(curve[:s]) > np.quantile(there, share) + 1e-9:
                told = s
        found.append(told)
    return found


@given(CURVES, st.integers(1, 4))
def test_median_is_the_rule_of_vizier_word_by_word(curves: list[list[float]], population: int) -> None:
    assert first_stops(median(population=population), curves) == slow_stops(curves, 0.5, population, average=True)


@given(CURVES, st.integers(1, 4), st.sampled_from([10, 25, 50, 80]))
def test_percentile_compares_values_at_the_same_step(curves: list[list[float]], population: int, q: int) -> None:
    found = first_stops(percentile(population=population, percentile=q), curves)
    assert found == slow_stops(curves, q / 100, population, average=False)


@given(CURVES)
def test_median_without_averages_is_the_half_percentile(curves: list[list[float]]) -> None:
    assert first_stops(median(average=False), curves) == first_stops(percentile(percentile=50), curves)


@given(CURVES, st.randoms(use_true_random=False))
def test_the_order_of_earlier_reports_does_not_matter(curves: list[list[float]], shuffled: Any) -> None:
    straight, mixed = median(), median()
    reports = [(n, e, loss) for n, curve in enumerate(curves) for e, loss in enumerate(curve, 1)]
    queues = [[r for r in reports if r[0] == n] for n in range(len(curves))]
    for number, epoch, loss in reports:
        straight.observe([Progress(number, float(epoch), (loss,))])
    while any(queues):
        number, epoch, loss = shuffled.choice([q for q in queues if q]).pop(0)
        mixed.observe([Progress(number, float(epoch), (loss,))])
    for step in (1.0, 2.0, 5.0):
        assert straight.observe([Progress(99, step, (3.5,))]) == mixed.observe([Progress(99, step, (3.5,))])


def test_equal_curves_never_lose_to_each_other() -> None:
    assert first_stops(median(), [[0.1 + 0.2] * 27 for _ in range(10)]) == [None] * 10


def test_the_reason_names_all_in_the_direction_of_the_metric() -> None:
    rule = median(goal="maximize")
    for number, accuracy in enumerate((0.9, 0.8, 0.7)):
        rule.observe([Progress(number, 4.0, (-accuracy,))])
    (stop,) = rule.observe([Progress(3, 4.0, (-0.75,))])
    assert isinstance(stop, Stop)
    assert not stop.complete
    assert stop.reason.text == (
        "at epoch 4: best loss0 0.75 is below 0.8, the median of the running averages of 3 others; lost to trials 0, 1"
    )
    assert stop.reason.data == {
        "rule": "median", "rung": None, "resource": 4.0, "value": 0.75, "threshold": 0.8, "lost_to": [0, 1], "others": 3
    }  # fmt: skip


def test_grace_population_and_interval_hold_it_back() -> None:
    good, bad = [0.0] * 6, [1.0] * 6
    assert first_stops(median(), [good, bad]) == [None, 1]
    assert first_stops(median(grace=4), [good, bad]) == [None, 4]
    assert first_stops(median(interval=5), [good, bad]) == [None, 5]
    assert first_stops(median(population=2), [good, good, bad]) == [None, None, 1]
    assert first_stops(median(population=3), [good, good, bad]) == [None, None, None]


def test_seconds_that_never_coincide_are_compared_on_the_line() -> None:
    rule = percentile(percentile=50)
    for step, loss in ((300.3, 1.0), (400.7, 0.0), (511.9, 0.0)):
        rule.observe([Progress(0, step, (loss,))])
    assert rule.observe([Progress(1, 350.1, (0.2,))]) != [], "the other had about 0.5 there, but only from 352 on"


def test_who_breaks_a_bound_is_behind_all_that_keep_it() -> None:
    rule = percentile(percentile=50)
    for number in range(4):
        rule.observe([Progress(number, 1.0, (0.5,))])
    (stop,) = rule.observe([Progress(4, 1.0, (0.0,), violation=0.25)])
    assert stop.reason.text.startswith("at epoch 1: breaks its bounds by 0.25: 4 of 4 others are ahead; lost to trials")
    rule = percentile(percentile=50)
    for number in range(4):
        rule.observe([Progress(number, 1.0, (0.5,), violation=1.0)])
    assert rule.observe([Progress(4, 1.0, (9.0,))]) == [], "it is the only one that keeps them"


def test_with_two_objectives_a_trial_ends_that_most_others_dominate() -> None:
    rule = median(objectives=2, average=False)
    for number in range(4):
        rule.observe([Progress(number, 1.0, (number / 4, 1 - number / 4))])
    assert rule.observe([Progress(4, 1.0, (0.55, 0.55))]) == [], "the one in the middle dominates it, the others do not"
    (stop,) = rule.observe([Progress(5, 1.0, (2.0, 2.0))])
    assert "dominated by 5 of 5 others" in stop.reason.text
    assert stop.reason.data["threshold"] is None


def test_a_worst_value_is_worse_than_any_number_and_loses_to_nothing_like_it() -> None:
    rule = median()
    for number in range(3):
        assert rule.observe([Progress(number, 1.0, (math.inf,))]) == []
    for number in range(3, 8):
        rule.observe([Progress(number, 1.0, (0.5,))])
    (stop,) = rule.observe([Progress(8, 1.0, (math.inf,))])
    assert stop.reason.data["value"] == "NaN"


def test_the_end_and_what_is_beyond_it() -> None:
    rule = percentile(percentile=50, max=3)
    rule.observe([Progress(0, 3.0, (0.0,))])
    assert rule.observe([Progress(1, 3.0, (1.0,))]) == [], "it has had all there is: nothing is saved by ending it"
    (stop,) = rule.observe([Progress(1, 4.0, (1.0,))])
    assert isinstance(stop, Stop)
    assert stop.complete
    assert "has had all of the 3" in stop.reason.text


def test_a_trial_is_told_once_and_again_when_it_is_tried_again() -> None:
    rule = median()
    rule.observe([Progress(0, float(e), (0.0,)) for e in range(1, 7)])
    assert len(rule.observe([Progress(1, 1.0, (1.0,)), Progress(1, 2.0, (1.0,))])) == 1
    assert rule.observe([Progress(1, 3.0, (1.0,))]) == []
    assert rule.observe([Ended(1, (1.0,))]) == []
    assert len(rule.observe([Progress(1, 4.0, (1.0,))])) == 1


@pytest.mark.parametrize("kind", [Median, Percentile])
def test_descriptions_and_plan(kind: type[Percentile]) -> None:
    rule = kind(contest({}, method=kind.rule, trials=12))
    assert rule.describe().startswith(f"{kind.rule}: ends a trial whose best so far is")
    assert [bracket.trials for bracket in rule.brackets(12)] == [12]
    assert rule.brackets(None) == []
