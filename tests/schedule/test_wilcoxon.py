from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.model import Stop
from rung.schedule.base import Ended, Progress
from rung.schedule.wilcoxon import EXACT, Wilcoxon, signed_rank
from rung.testing.racing import contest


def rule(goal: str = "minimize", objectives: int = 1, **options: Any) -> Wilcoxon:
    return Wilcoxon(contest(options, method="wilcoxon", goal=goal, objectives=objectives))


def slow_p(differences: list[int]) -> float:
    """All 2^n ways to give signs to the differences that are not zero."""
    sizes = [abs(d) for d in differences]
    ranks = [sum(s < size for s in sizes) + (sum(s == size for s in sizes) + 1) / 2 for size in sizes]
    signed = [(rank, d) for rank, d in zip(ranks, differences, strict=True) if d]
    observed = sum(rank for rank, d in signed if d > 0)
    ways = [
        sum(r for (r, _), up in zip(signed, ups, strict=True) if up)
        for ups in itertools.product((0, 1), repeat=len(signed))
    ]
    return sum(way >= observed for way in ways) / len(ways)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_the_p_value_is_that_of_all_signs(differences: list[int]) -> None:
    assert signed_rank(np.array(differences, dtype=float)) == pytest.approx(slow_p(differences), abs=1e-12)


@pytest.mark.parametrize("n", [1, 4, 12, 30, EXACT])
def test_the_p_value_is_that_of_scipy(n: int) -> None:
    from scipy.stats import wilcoxon

    rng = np.random.default_rng(n)
    for shift in (-0.3, 0.0, 0.4):
        sample = rng.normal(shift, 1, n)
        expected = wilcoxon(sample, alternative="greater", method="exact").pvalue
        assert signed_rank(sample) == pytest.approx(expected, abs=1e-12)


def test_many_pairs_follow_the_normal_law() -> None:
    from scipy.stats import wilcoxon

    sample = np.random.default_rng(0).normal(0.1, 1, 4 * EXACT)
    expected = wilcoxon(sample, alternative="greater", method="asymptotic", correction=True).pvalue
    assert signed_rank(sample) == pytest.approx(expected, rel=1e-6)


def test_infinite_differences_rank_highest_and_nothing_says_nothing() -> None:
    assert signed_rank(np.array([math.inf, 1.0, 2.0])) == 1 / 8
    assert signed_rank(np.zeros(5)) == 1.0
    assert signed_rank(np.array([])) == 1.0


def finish(scheduler: Wilcoxon, number: int, scores: list[float], **changes: Any) -> None:
    for fold, loss in enumerate(scores, 1):
        scheduler.observe([Progress(number, float(fold), (loss,), **changes)])
    scheduler.observe([Ended(number, (float(np.mean(scores)),))])


def test_a_trial_that_is_worse_on_four_folds_ends() -> None:
    scheduler = rule("maximize")
    finish(scheduler, 0, [-0.9, -0.8, -0.85, -0.9, -0.7])
    for fold in (1.0, 2.0, 3.0):
        assert scheduler.observe([Progress(1, fold, (-0.5,))]) == [], "of three folds p is 1/8 at the least"
    (stop,) = scheduler.observe([Progress(1, 4.0, (-0.5,))])
    assert isinstance(stop, Stop)
    assert stop.reason.text == (
        "at epoch 4: over 4 shared steps mean loss0 0.5 is worse than loss0 0.8625 of the best trial, p = 0.062 below "
        "0.1 (Wilcoxon signed-rank); lost to trial 0"
    )
    assert stop.reason.data["lost_to"] == [0]
    assert stop.reason.data["p"] == 1 / 16
    assert stop.reason.data["threshold"] == pytest.approx(0.8625)


def test_the_best_trial_changes_and_only_better_ones_take_its_place() -> None:
    scheduler = rule()
    finish(scheduler, 0, [0.5] * 6)
    finish(scheduler, 1, [0.46, 0.4, 0.4, 0.4, 0.4, 0.4])
    finish(scheduler, 2, [0.7, 0.1, 0.9, 0.4, 0.9, 0.9])
    told = [scheduler.observe([Progress(3, float(fold), (0.45,))]) for fold in range(1, 7)]
    (stop,) = (command for found in told for command in found)
    assert stop.reason.data["lost_to"] == [1]
    assert stop.reason.data["resource"] == 5.0, "a little better on the first fold, worse on four"
    assert stop.reason.data["p"] == 2 / 32


def test_steps_are_paired_by_name_not_by_order() -> None:
    scheduler = rule()
    finish(scheduler, 0, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    for fold, loss in ((1.0, 0.2), (4.0, 0.5), (9.0, 9.0), (10.0, 9.0), (11.0, 9.0)):
        assert scheduler.observe([Progress(1, fold, (loss,))]) == [], "two folds are shared"


def test_who_breaks_a_bound_who_failed_and_who_was_stopped_is_nobodys_measure() -> None:
    scheduler = rule()
    finish(scheduler, 0, [0.0] * 5, violation=1.0)
    scheduler.observe([Progress(1, float(fold), (0.0,)) for fold in range(1, 6)])
    scheduler.observe([Ended(1, None)])
    assert scheduler.observe([Progress(2, float(fold), (9.0,)) for fold in range(1, 6)]) == []
    finish(scheduler, 3, [0.5] * 5)
    stopped = scheduler.observe([Progress(4, float(fold), (0.9,)) for fold in range(1, 5)])
    assert len(stopped) == 1
    scheduler.observe([Ended(4, (0.0,))])
    (stop,) = scheduler.observe([Progress(5, float(fold), (0.9,)) for fold in range(1, 5)])
    assert stop.reason.data["lost_to"] == [3]


def test_with_two_objectives_it_must_be_worse_in_both() -> None:
    scheduler = rule(objectives=2)
    for fold in range(1, 6):
        scheduler.observe([Progress(0, float(fold), (0.1, 0.9))])
    scheduler.observe([Ended(0, (0.1, 0.9))])
    for fold in range(1, 6):
        assert scheduler.observe([Progress(1, float(fold), (0.5, 0.5))]) == []
    told = scheduler.observe([Progress(2, float(fold), (0.5, 0.95)) for fold in range(1, 6)])
    assert [stop.reason.data["lost_to"] for stop in told] == [[0]]


def test_it_is_described() -> None:
    assert "signed-rank test at p = 0.05" in rule(p=0.05).describe()
