"""Ranks, resampling and tests over paired runs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.analysis.comparisons import (
    friedman,
    holm,
    ranked,
    ranks,
    seeds_needed,
    sentence,
    signed_rank,
    verdict_on,
)

ONE_PROBLEM = np.zeros(100, dtype=np.int64)


@given(st.lists(st.lists(st.sampled_from([0.0, 1.0, 2.0, math.inf]), min_size=4, max_size=4), min_size=1, max_size=6))
def test_ranks_are_those_of_scipy(rows: list[list[float]]) -> None:
    from scipy.stats import rankdata

    np.testing.assert_array_equal(ranks(np.array(rows)), rankdata(rows, axis=1))


def test_a_run_that_found_nothing_is_last_and_wins_are_shared() -> None:
    losses = np.array([[1.0, math.inf, 1.0], [1.0, 2.0, 3.0]])
    first, second, third = ranked(losses, ONE_PROBLEM[:2])
    assert (first.mean, second.mean, third.mean) == (1.25, 2.5, 2.25)
    assert (first.wins, second.wins, third.wins) == (0.75, 0, 0.25)


def test_the_interval_of_a_mean_rank_is_that_of_resampled_blocks() -> None:
    rng = np.random.default_rng(0)
    losses, problems = rng.normal(size=(20, 3)), np.repeat([0, 1], 10)
    found = ranked(losses, problems, seed=5)
    by_rank = ranks(losses)
    draws = [
        np.concatenate([by_rank[problems == p][rng.integers(0, 10, 10)] for p in (0, 1)]).mean(axis=0)
        for _ in range(2000)
    ]
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    for m, rank in enumerate(found):
        assert rank.low == pytest.approx(low[m], abs=0.06)
        assert rank.high == pytest.approx(high[m], abs=0.06)
    assert found == ranked(losses, problems, seed=5)
    assert ranked(losses[:1], problems[:1])[0].low is None
    assert ranked(losses[:0], problems[:0]) == []


def test_holm_holds_all_tests_against_one_level() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]


def test_the_signed_rank_test() -> None:
    from scipy.stats import wilcoxon

    draws = np.random.default_rng(1).normal(0.5, size=12)
    assert signed_rank(draws) == pytest.approx(wilcoxon(draws, method="exact").pvalue)
    assert signed_rank(np.arange(1.0, 7.0)) == pytest.approx(2 / 2**6)
    assert signed_rank(np.zeros(5)) == 1
    assert 0.01 < signed_rank(np.array([1.0, 1.0, 2.0, 0.0, 3.0, 3.0, 0.0])) < 0.2  # ties and zeros


def test_friedman() -> None:
    alike = np.tile([1.0, 2.0, 3.0], (10, 1))
    assert friedman(alike) < 0.001
    assert friedman(np.ones((10, 3))) == 1


def test_what_is_too_little_settles_nothing() -> None:
    losses = np.tile([1.0, 2.0], (5, 1))
    verdict = verdict_on(losses, ONE_PROBLEM[:5])
    assert verdict is not None
    assert (verdict.least, verdict.friedman) == (0.0625, None)
    text = sentence(verdict, ["a", "b"])
    assert text.startswith("5 seeds settle nothing: even a method that wins all of them could do so by chance")
    assert text.endswith("take 6 or more")
    assert verdict_on(losses[:1], ONE_PROBLEM[:1]) is None
    assert verdict_on(losses[:, :1], ONE_PROBLEM[:5]) is None
    assert sentence(None, ["a"]).startswith("nothing is settled")


@pytest.mark.parametrize("methods", [2, 3, 5, 12])
def test_so_many_seeds_can_settle_something_and_one_less_cannot(methods: int) -> None:
    needed = seeds_needed(methods)
    wins = np.arange(float(methods)) * (1 + np.linspace(0, 0.5, needed)[:, None])
    enough = verdict_on(wins, ONE_PROBLEM[:needed])
    less = verdict_on(wins[1:], ONE_PROBLEM[1:needed])
    assert enough is not None
    assert less is not None
    assert enough.least <= 0.05 < less.least
    assert max(enough.p.values()) == pytest.approx(enough.least)
    assert "is better than" in sentence(enough, [f"m{i}" for i in range(methods)])


def test_the_sentence_says_who_is_told_apart_and_who_is_not() -> None:
    rng = np.random.default_rng(2)
    best = rng.normal(size=20)
    losses = np.stack([best, best + rng.normal(scale=0.5, size=20), best + 5], axis=1)
    verdict = verdict_on(losses, ONE_PROBLEM[:20])
    assert verdict is not None
    assert verdict.friedman is not None
    assert verdict.friedman < 0.001
    text = sentence(verdict, ["a", "b", "c"])
    winner, other = ("a", "b") if verdict.best == 0 else ("b", "a")
    assert text.startswith(f"{winner} is better than c (p = ")
    assert f"; not told apart from {other} (p = " in text
    assert text.endswith("Wilcoxon's signed-rank test over 20 seeds, Holm's correction")
    alike = verdict_on(rng.normal(size=(20, 2)), ONE_PROBLEM[:20])
    assert "is not told apart from" in sentence(alike, ["a", "b"])


def test_several_problems_count_alike_whatever_their_units() -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(10, 2)) * 0.1
    one = np.array([0.0, 1.0]) + noise
    both = np.concatenate([one, 1e6 * one])
    verdict = verdict_on(both, np.repeat([0, 1], 10))
    alone = verdict_on(np.concatenate([one, one]), np.repeat([0, 1], 10))
    assert verdict is not None
    assert alone is not None
    assert verdict.p == pytest.approx(alone.p, rel=0.02)  # what ties in one may differ in a digit in the other
    nothing = verdict_on(np.full((8, 2), math.inf), ONE_PROBLEM[:8])
    assert nothing is not None
    assert nothing.p == {1: 1.0}
    worse = np.tile([1.0, math.inf], (8, 1)) + np.arange(8.0)[:, None]
    failed = verdict_on(worse, ONE_PROBLEM[:8])
    assert failed is not None
    assert failed.p[1] < 0.05
