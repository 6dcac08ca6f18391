from __future__ import annotations

import time
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy import stats

from rung.analysis.estimates import Standing, configurations, folded, nearer, standing, winners
from rung.model import Objective, Outcome
from rung.study.seeds import generator
from rung.study.state import State
from rung.testing.studies import Folding, study_spec

Rows = list[tuple[int, Any]]


def study(rows: Rows, *, goal: Any = "minimize", outcomes: tuple[Outcome, ...] = (), deep: bool = True) -> State:
    """Each row is a complete trial of the configuration with that number; a mapping is all that it reported."""
    log = Folding(study_spec(objectives=(Objective(metric="loss", goal=goal),), outcomes=outcomes))
    for configuration, values in rows:
        params = {**log.state.space.middle(), "lr": 1e-5 * (1 + configuration)}
        if isinstance(values, dict):
            number = log.started(log.proposed(params))
            log.reported(number, values)
            log.exited(number)
            log.completed(number, values["loss"])
        else:
            log.done(values, params=params)
    return log.state


NOISY: Rows = [(0, 0.30), (1, 0.10), (2, 0.20), (2, 0.24), (1, 0.38), (2, 0.22), (1, 0.40), (3, 0.9)]


def test_the_winner_is_the_best_on_the_average_not_the_luckiest_draw() -> None:
    state = study(NOISY)
    ((number, estimate),) = winners(state)
    assert estimate is not None
    assert (number, estimate.trials, estimate.evaluations) == (5, (2, 3, 5), 3)
    noise = np.sqrt((np.sum((np.array([0.1, 0.38, 0.4]) - 0.88 / 3) ** 2) + 0.0008) / 4)
    assert estimate.noise_sd == pytest.approx(noise)
    assert estimate.low < 0.22 < estimate.high
    assert estimate.runner_up is not None
    assert estimate.runner_up.trial in {0, 4}
    assert 0.5 < (estimate.beats_runner_up or 0) < 1
    json = msgspec.to_builtins(estimate)
    assert set(json) == {"mean", "low", "high", "evaluations", "trials", "noise_sd", "runner_up", "beats_runner_up"}


def test_the_own_trial_of_a_configuration_has_its_median_value() -> None:
    """Of two in the middle the worse."""
    rows: Rows = [(0, 5.0), (0, 1.0), (0, 3.0), (1, 7.0), (1, 6.0), (2, 9.0)]
    found = standing(study(rows))
    assert found is not None
    assert [found.trial(i) for i in range(3)] == [2, 3, 5]
    maximised = standing(study(rows, goal="maximize"))
    assert maximised is not None
    assert [maximised.trial(i) for i in range(3)] == [2, 4, 5]


def test_several_of_the_best_are_one_a_configuration() -> None:
    found = winners(study(NOISY), top=10)
    assert found[0][0] == 5
    assert sorted(number for number, _ in found) == [0, 4, 5, 7]
    means = [estimate.mean for _, estimate in found if estimate is not None]
    assert means == sorted(means)
    assert all(estimate is not None and estimate.runner_up is None for _, estimate in found[1:])


@pytest.mark.parametrize(
    "rows",
    [[], [(0, 1.0)], [(0, 1.0), (1, 2.0)], [(0, "NaN"), (0, 1.0), (1, 2.0)], [(0, 1.0), (0, "Infinity")]],
)
def test_where_nothing_was_repeated_there_is_no_estimate(rows: Rows) -> None:
    state = study(rows)
    assert standing(state) is None
    assert all(estimate is None for _, estimate in winners(state))


def test_a_configuration_with_a_worst_value_is_none_of_the_winners() -> None:
    rows: Rows = [(0, 0.0), (0, "NaN"), (1, 1.0), (1, 1.2), (2, 0.9)]
    found = winners(study(rows), top=5)
    assert sorted(number for number, _ in found) == [3, 4]


def test_without_noise_the_estimate_is_the_value() -> None:
    ((number, estimate),) = winners(study([(0, 1.0), (1, 0.5), (1, 0.5), (2, 0.75)]))
    assert estimate is not None
    assert (number, estimate.mean, estimate.low, estimate.high, estimate.noise_sd) == (2, 0.5, 0.5, 0.5, 0.0)
    assert estimate.beats_runner_up == 1.0
    ((_, tied),) = winners(study([(0, 1.0), (0, 1.0), (1, 1.0)]))
    assert tied is not None
    assert tied.beats_runner_up == 0.5


def test_goals_are_mirrored() -> None:
    lower = winners(study(NOISY), top=4)
    higher = winners(study([(c, -v) for c, v in NOISY], goal="maximize"), top=4)
    for (_, low), (_, high) in zip(lower, higher, strict=True):
        assert low is not None
        assert high is not None
        assert (-high.mean, -high.high, -high.low) == pytest.approx((low.mean, low.low, low.high))
    assert lower[0][1] is not None
    assert higher[0][1] is not None
    assert lower[0][1].beats_runner_up == pytest.approx(higher[0][1].beats_runner_up)


def test_a_target_is_approached_by_the_mean() -> None:
    """Draws on both sides of 0.95 average out; one that sits beside it does not."""
    rows: Rows = [(0, 0.96), (0, 0.94), (0, 0.95), (1, 0.97), (1, 0.98), (1, 0.99), (2, 0.90), (2, 0.88), (2, 0.92)]
    found = winners(study(rows, goal=0.95), top=3)
    first = found[0][1]
    assert first is not None
    assert [number for number, _ in found] == [0, 4, 6]
    assert first.mean == pytest.approx(0.95, abs=0.005)
    assert first.low < 0.95 < first.high
    assert first.runner_up is not None
    assert first.runner_up.mean > 0.97
    assert 0.8 < (first.beats_runner_up or 0) < 1


def test_a_configuration_counts_as_feasible_when_half_of_its_evaluations_are() -> None:
    def row(configuration: int, loss: float, ms: float) -> tuple[int, Any]:
        return configuration, {"loss": loss, "ms": ms}

    rows = [row(0, 0.1, 30), row(0, 0.12, 30), row(0, 0.1, 5), row(1, 0.5, 5), row(1, 0.52, 30), row(2, 0.9, 5)]
    bound = (Outcome(metric="ms", at_most=20.0),)
    assert sorted(number for number, _ in winners(study(rows, outcomes=bound), top=9)) == [4, 5]
    assert winners(study(rows[:3], outcomes=bound))[0][0] == 2


def told_apart(state: State, numbers: Any) -> Any:
    return configurations(state, numbers)


def test_configurations_of_an_edited_space_are_told_apart_by_their_values() -> None:
    state = study([(0, 1.0), (1, 2.0), (0, 1.5)])
    assert np.array_equal(told_apart(state, np.arange(3)), [0, 1, 0])
    state.spaces.add(state.spec.parameters, (), seq=99)
    assert np.array_equal(told_apart(state, np.arange(3)), [0, 1, 0])
    assert configurations(state, np.arange(2)) is None


def test_an_overridden_constant_makes_another_configuration() -> None:
    log = Folding(study_spec())
    middle = log.state.space.middle()
    for params in (middle, {**middle, "epochs": 9}, {**middle, "epochs": 9}, middle):
        log.done(1.0, params=params)
    assert np.array_equal(told_apart(log.state, np.arange(4)), [0, 1, 1, 0])


def test_folded_is_the_mean_of_the_distance() -> None:
    means, sds = np.array([0.0, 0.3, -2.0, 5.0, 1.0]), np.array([1.0, 0.5, 1.5, 0.1, 0.0])
    draws = generator(0, "folded", 0).normal(size=(200_000, 1)) * sds + means
    assert folded(means, sds**2) == pytest.approx(np.abs(draws).mean(axis=0), abs=0.01)


@pytest.mark.parametrize(
    "case", [(0.0, 1.0, 0.5, 1.0), (0.2, 0.1, -0.3, 0.2), (1.0, 0.0, -1.5, 0.4), (0.1, 0.5, 0.0, 0.0)]
)
def test_nearer_is_the_probability_that_it_is(case: tuple[float, float, float, float]) -> None:
    mean, sd, other, other_sd = case
    rng = generator(1, "nearer", 0)
    one, two = mean + sd * rng.normal(size=200_000), other + other_sd * rng.normal(size=200_000)
    assert nearer(*case) == pytest.approx(float((np.abs(one) < np.abs(two)).mean()), abs=0.006)


def test_nearer_of_two_exact_numbers() -> None:
    assert (nearer(1.0, 0.0, 2.0, 0.0), nearer(2.0, 0.0, -1.0, 0.0), nearer(1.0, 0.0, -1.0, 0.0)) == (1.0, 0.0, 0.5)


POPULATIONS = {
    "normal": lambda rng: rng.normal(0, 1, 60),
    "sharp end": lambda rng: rng.exponential(1, 60),
    "quadratic": lambda rng: ((rng.random((60, 3)) - 0.5) ** 2).sum(axis=1) * 4,
    "heavy": lambda rng: np.exp(rng.normal(0, 1.5, 60)),
}


def simulated(population: str, seed: int, sd: float) -> tuple[Standing, Any, Any]:
    """A study in which the luckiest eight of 60 were evaluated three more times."""
    rng = generator(seed, population, 0)
    truth = POPULATIONS[population](rng)
    first = truth + rng.normal(0, sd, 60)
    leaders = np.repeat(np.argsort(first)[:8], 3)
    member = np.concatenate([np.arange(60), leaders])
    values = np.concatenate([first, truth[leaders] + rng.normal(0, sd, len(leaders))])
    return Standing(np.arange(len(member)), member, values, sign=1.0, target=0.0), truth, first


@pytest.mark.parametrize("sd", [0.2, 0.6])
def test_the_honest_winner_is_better_and_its_interval_covers(sd: float) -> None:
    """Over four kinds of populations and 80 studies each: the winner's true mean against that of the luckiest draw, how
    often the interval holds it (95 % is said), and how often the winner really is better than the runner-up."""
    gains, covered, bias, naive, said, held = [], [], [], [], [], []
    for population in POPULATIONS:
        for seed in range(80):
            found, truth, first = simulated(population, seed, sd)
            estimate = found.estimate()
            best, second = int(found.order[0]), int(found.order[1])
            gains.append(truth[first.argmin()] - truth[best])
            covered.append(estimate.low <= truth[best] <= estimate.high)
            bias.append(estimate.mean - truth[best])
            lowest = int(found.found.means.argmin())
            naive.append(found.found.means[lowest] - truth[lowest])
            said.append(estimate.beats_runner_up or 0.0)
            held.append(truth[best] < truth[second])
    assert np.mean(gains) > 0.02
    assert stats.ttest_1samp(gains, 0).statistic > 3
    assert 0.92 <= np.mean(covered) <= 0.99
    assert np.mean(naive) < -0.3 * sd
    assert abs(np.mean(bias)) < abs(np.mean(naive)) / 2
    assert abs(np.mean(said) - np.mean(held)) < 0.06


def test_a_hundred_thousand_trials_are_instant() -> None:
    state = study([(0, 1.0)])
    rows = 100_000
    state.table = type(state.table).load(state.table.dump())
    while len(state.table) < rows:
        state.table.add_row()
    rng = generator(0, "many", 0)
    state.table["params"][:] = state.table["params"][0]
    state.table["params"][:, 0] = 1e-5 * (1 + rng.integers(0, 60_000, rows))
    state.table["phase"][:] = state.table["phase"][0]
    state.table["space"][:] = state.table["space"][0]
    state.table["values"][:, 0] = rng.normal(size=rows)
    begun = time.perf_counter()
    ((_, estimate),) = winners(state)
    assert time.perf_counter() - begun < 2.0  # 0.2 s where nothing else runs
    assert estimate is not None
    assert estimate.low < 0 < estimate.high  # all configurations are equal
