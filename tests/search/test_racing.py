from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest

from rung.model import Parameter
from rung.search.base import Proposed, Result, Suggestion
from rung.search.grid import Grid
from rung.search.noise import evaluations, posterior
from rung.search.racing import SHARE, Raced, allowance, knowledge_gradient
from rung.search.random import Random
from rung.search.sobol import Sobol
from rung.study.seeds import generator
from rung.testing.searchers import SMALL, Drive, Make, SearcherConformance, problem

LINE = ((Parameter(name="x", type="float", min=0, max=1),), ())


class TestRacedRandom(SearcherConformance):
    @pytest.fixture
    def make(self) -> Make:
        return lambda asked: Raced(asked, Random)


class TestRacedGrid(SearcherConformance):
    finite_only = True

    @pytest.fixture
    def make(self) -> Make:
        return lambda asked: Raced(asked, Grid)


def race(*, trials: int = 60, repeats: int = 4, noise: float = 0.3, seed: int = 0, inner: Any = Random) -> Drive:
    """A race on x with noise; each trial has its result before the next one is asked for."""
    asked = problem(LINE, trials=trials, repeats=repeats)
    drive = Drive(Raced(asked, inner), asked)
    for number in range(trials):
        x = (drive.propose() or {})["x"]
        drive.finish(number, x + noise * float(generator(seed, "result", number).normal()))
    return drive


def configurations(drive: Drive) -> Counter[float]:
    return Counter(delta.params["x"] for delta in drive.deltas if isinstance(delta, Proposed))


@pytest.mark.parametrize("inner", [Random, Sobol])
@pytest.mark.parametrize("repeats", [2, 5])
def test_leaders_are_repeated_within_the_share_and_late_rather_than_early(inner: Any, repeats: int) -> None:
    drive = race(repeats=repeats, inner=inner)
    seen: set[float] = set()
    again = []
    for delta in drive.deltas:
        if isinstance(delta, Proposed):
            again += [delta.number] if delta.params["x"] in seen else []
            seen.add(delta.params["x"])
    counts = configurations(drive)
    assert 2 <= max(counts.values()) <= repeats
    assert 6 <= len(again) <= SHARE * 60
    assert all(i + 1 <= allowance(number + 1, 60) for i, number in enumerate(again))
    assert min(again) >= 9
    assert repeats == 2 or sum(number >= 30 for number in again) > len(again) / 2
    assert np.mean([x for x, count in counts.items() if count > 1]) < np.mean(list(counts)) - 0.1


def test_repeats_of_one_and_several_objectives_leave_the_inner_searcher_alone() -> None:
    for asked in (problem(LINE, repeats=1), problem(LINE, repeats=3, objectives=2)):
        raced, plain = Drive(Raced(asked, Random), asked), Drive(Random(asked), asked)
        for number in range(20):
            assert raced.suggest() == plain.suggest()
            for drive in (raced, plain):
                drive.propose()
                drive.finish(number, *[0.5] * len(asked.objectives))
        assert raced.searcher.describe() == plain.searcher.describe()


def test_without_noise_the_budget_goes_to_new_configurations() -> None:
    counts = configurations(race(noise=0.0))
    assert sum(counts.values()) - len(counts) == 3  # as many as it takes to learn that there is none


def test_a_reason_names_the_leader_and_why() -> None:
    asked = problem(LINE, trials=None, repeats=4)
    drive = Drive(Raced(asked, Random), asked)
    for number, loss in enumerate([3.0, 2.0, 1.0, 2.5]):
        drive.propose()
        drive.finish(number, loss)
    found = drive.suggest()
    assert isinstance(found, Suggestion)
    assert (
        found.text
        == "trial 2's configuration again (1 of at most 4 evaluations are in): to learn how noisy evaluations are"
    )
    assert (found.phase, found.data) == ("noise", {"repeats": 2, "evaluations": 1})
    texts = set()
    for number in range(4, 40):
        found = drive.suggest()
        assert isinstance(found, Suggestion)
        texts.add(found.text.partition(": ")[2].rstrip("0123456789"))
        x = (drive.propose() or {})["x"]
        drive.finish(number, x + 0.3 * float(generator(0, "result", number).normal()))
    assert {"it leads, and may have been lucky", "it may be better than that of trial "} <= texts
    assert "up to 25% of the trials evaluate leaders again" in drive.searcher.describe()


def test_pending_repetitions_count() -> None:
    """A crowd of workers does not repeat one configuration beyond its number, nor go beyond the share."""
    drive = race(trials=40, repeats=3)
    counts = configurations(drive)
    before = sum(counts.values()) - len(counts)
    for _ in range(30):
        drive.propose()
    counts = configurations(drive)
    assert max(counts.values()) <= 3
    assert before < sum(counts.values()) - len(counts) <= SHARE * 70


def test_a_pending_repetition_is_worth_less_the_second_time() -> None:
    means, noise = np.array([0.0, 0.1, 5.0]), 1.0
    fresh = knowledge_gradient(means, np.array([0.5, 0.5, 0.5]), noise)
    pending = knowledge_gradient(means, np.array([1 / (1 / 0.5 + 1), 0.5, 0.5]), noise)
    assert pending[0] < fresh[0]
    assert fresh[2] < 1e-6


def test_the_knowledge_gradient_is_the_expected_gain() -> None:
    """Against a simulation of the next evaluation."""
    means, variances, noise = np.array([0.0, 0.2, 0.3]), np.array([0.3, 0.6, 0.1]), 0.5
    rng = generator(0, "kg", 0)
    for i, gain in enumerate(knowledge_gradient(means, variances, noise)):
        observed = means[i] + rng.normal(0, math.sqrt(variances[i] + noise), 200_000)
        updated = means[i] + variances[i] / (variances[i] + noise) * (observed - means[i])
        others = min(m for j, m in enumerate(means) if j != i)
        assert gain == pytest.approx(float((means.min() - np.minimum(updated, others)).mean()), abs=0.003)
    assert knowledge_gradient(np.array([1.0]), np.array([1.0]), 1.0).tolist() == [0.0]


def test_infeasible_and_failed_configurations_are_not_raced() -> None:
    asked = problem(LINE, trials=50, repeats=3, outcomes=1)
    drive = Drive(Raced(asked, Random), asked)
    for number in range(50):
        x = (drive.propose() or {})["x"]
        if x < 0.3:
            drive.finish(number, failed="it crashed")
        else:
            loss = x + 0.2 * float(generator(0, "result", number).normal())
            drive.observe(Result(number, (loss,), (0.0 if x > 0.6 else 1.0,)))
    again = [x for x, count in configurations(drive).items() if count > 1]
    assert again
    assert min(again) > 0.6


def test_an_overridden_constant_is_no_configuration_of_the_space() -> None:
    """What a user enqueued with a constant of its own is not proposed again, however good it is."""
    asked = problem(((*LINE[0], Parameter(name="epochs", type="constant", value=3)), ()), trials=30, repeats=3)
    drive = Drive(Raced(asked, Random), asked)
    drive.observe(Proposed(0, {"x": 0.5, "epochs": 9}), Result(0, (-100.0,)))
    for number in range(1, 30):
        assert "epochs" not in (drive.propose() or {})
        drive.finish(number, float(number % 7))


def test_when_nothing_new_is_left_the_rest_is_repeated_the_best_first() -> None:
    asked = problem((SMALL, ()), trials=200, repeats=2)
    drive = Drive(Raced(asked, Grid), asked)
    losses: dict[bytes, float] = {}
    order = []
    while (params := drive.propose()) is not None:
        key = asked.space.fingerprint(params)
        if key in losses:
            order.append(losses[key])
        losses.setdefault(key, float(len(losses) * 7 % 24))
        drive.finish(drive.number - 1, losses[key])
    assert len(order) == len(losses) == asked.space.size
    assert order[:3] == sorted(order)[:3]
    assert order[-3:] == sorted(order)[-3:]


def test_racing_finds_a_better_configuration_than_luck() -> None:
    """Over seeds: the honest winner of a race against the luckiest draw of as many trials."""
    honest, lucky = [], []
    for seed in range(8):
        drive = race(trials=80, repeats=5, noise=0.4, seed=seed)
        numbers = {x: i for i, x in enumerate(configurations(drive))}
        xs = [delta.params["x"] for delta in drive.deltas if isinstance(delta, Proposed)]
        values = np.array([delta.losses[0] for delta in drive.deltas if isinstance(delta, Result) and delta.losses])
        found = evaluations(np.array([numbers[x] for x in xs]), values, len(numbers))
        honest.append(list(numbers)[int(posterior(found)[0].argmin())])
        xs = [float(generator(seed, "plain", n).random()) for n in range(80)]
        noisy = [x + 0.4 * float(generator(seed, "result", n).normal()) for n, x in enumerate(xs)]
        lucky.append(xs[int(np.argmin(noisy))])
    assert np.mean(honest) < np.mean(lucky) - 0.05


def test_the_allowance() -> None:
    assert allowance(10, None) == 2.5
    assert [round(allowance(n, 100), 1) for n in (10, 50, 100, 120)] == [0.8, 8.8, 25.0, 30.0]
