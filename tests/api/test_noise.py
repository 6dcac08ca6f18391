"""Repeats and the honest winner through Python's front door."""

from __future__ import annotations

from collections import Counter

import pytest

import rung
from rung.model import RungError
from rung.study.seeds import generator


def searched(search: str = "random", *, repeats: int = 3, trials: int = 30) -> rung.Study:
    study = rung.Study(
        {"x": rung.uniform(0, 1)}, metric="loss", search=search, repeats=repeats, seed=1, budget={"trials": trials}
    )
    seeds = set()
    for number in range(trials):
        trial = study.ask()
        seeds.add(trial.seed)
        study.tell(trial, trial.params["x"] + float(generator(0, "noise", number).normal(0, 0.3)))
    assert len(seeds) == trials  # a repetition has a seed of its own
    return study


@pytest.mark.parametrize("search", ["random", "tpe"])
def test_the_leaders_are_repeated_and_the_best_on_the_average_wins(search: str) -> None:
    study = searched(search)
    counts = Counter(trial.params["x"] for trial in study.trials)
    assert 1 < max(counts.values()) <= 3
    estimate = study.estimate
    assert estimate is not None
    assert study.best.number in estimate.trials
    assert [trial.params["x"] for trial in study.trials if trial.number in estimate.trials] == [
        study.best.params["x"]
    ] * estimate.evaluations
    assert estimate.low < estimate.mean < estimate.high
    luckiest = min(study.trials, key=lambda trial: trial.value or 0.0)
    assert estimate.mean > (luckiest.value or 0.0)


def test_without_repeats_the_best_is_the_best_value() -> None:
    study = searched(repeats=1, trials=12)
    assert study.estimate is None
    assert study.best.value == min(trial.value or 0.0 for trial in study.trials)


def test_what_has_no_winner_has_no_estimate() -> None:
    with pytest.raises(RungError, match="no trial has succeeded"):
        _ = rung.Study({"x": rung.uniform(0, 1)}).estimate
    with pytest.raises(RungError, match="several objectives"):
        _ = rung.Study({"x": rung.uniform(0, 1)}, metric=["a", "b"]).estimate


def test_a_prior_is_checked_and_kept() -> None:
    with pytest.raises(RungError, match=r"parameters\.x\.prior: expected a number between 0\.0 and 1\.0, got 2"):
        rung.Study({"x": rung.uniform(0, 1, prior=2)})
    study = rung.Study({"x": rung.uniform(0, 1, prior={"value": 0.5, "confidence": "high"})}, search="tpe", seed=0)
    near = [abs(study.ask().params["x"] - 0.5) < 0.2 for _ in range(8)]
    assert sum(near) >= 4  # half of the start is drawn from the prior
