from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rung.model import Parameter
from rung.search.beliefs import ROUNDS, SUREST, Beliefs
from rung.search.gp import GP
from rung.search.tpe import TPE
from rung.space import Space
from rung.study.seeds import generator
from rung.testing.searchers import Drive, Make, problem

OPT = ("sgd", "adam", None, {"name": "custom"})
KINDS: dict[str, dict[str, Any]] = {
    "linear": {"type": "float", "min": -2, "max": 6, "prior": 0.5},
    "log": {"type": "float", "min": 1e-5, "max": 0.1, "scale": "log", "prior": {"value": 1e-5, "confidence": "high"}},
    "reverse": {"type": "float", "min": 0.5, "max": 0.999, "scale": "reverselog", "prior": {"value": 0.99}},
    "normal": {"type": "normal", "mean": 1.0, "sd": 2.0, "prior": {"value": 4.0, "confidence": 0.3}},
    "lognormal": {"type": "lognormal", "mean": 0.0, "sd": 1.0, "prior": {"value": 2.0, "confidence": 1}},
    "int": {"type": "int", "min": 1, "max": 5, "prior": {"value": 2, "confidence": "high"}},
    "logint": {"type": "int", "min": 1, "max": 200, "scale": "log", "prior": {"value": 200, "confidence": "low"}},
    "many": {"type": "int", "min": 0, "max": 2**40, "prior": {"value": 2**39, "confidence": "high"}},
    "step": {"type": "float", "min": 0, "max": 1, "step": 0.25, "prior": 0.75},
    "count": {"type": "float", "min": 1, "max": 1000, "count": 7, "scale": "log", "prior": {"value": 10}},
    "bool": {"type": "bool", "prior": True},
    "ordinal": {"type": "ordinal", "values": ("s", "m", "l"), "prior": {"value": "l", "confidence": "low"}},
    "weighted": {"type": "ordinal", "values": (1, 2, 4), "prior": {"values": {"2": 3, 4: 1}}},
    "choice": {"type": "choice", "values": OPT, "prior": "adam"},
    "mapping": {"type": "choice", "values": OPT, "prior": {"value": {"name": "custom"}, "confidence": 0}},
    "shares": {"type": "choice", "values": OPT, "prior": {"values": {"adam": 0.8, "sgd": 0.2}}},
    "one": {"type": "choice", "values": ("only",), "prior": "only"},
    "fixed": {"type": "float", "min": 3, "max": 3, "prior": 3},
    "nothing": {"type": "float", "min": 0, "max": 1},
}
GRID = (np.arange(200_000) + 0.5) / 200_000


def beliefs_of(**fields: Any) -> Beliefs:
    return Beliefs(Space((Parameter(name="p", **fields),)))


def density(beliefs: Beliefs, units: Any) -> Any:
    return np.exp(beliefs.log_density(np.asarray(units, dtype=np.float64)[:, None]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_density_integrates_to_one_and_excludes_nothing(kind: str) -> None:
    found = density(beliefs_of(**KINDS[kind]), GRID)
    assert found.mean() == pytest.approx(1.0, abs=1e-4)
    assert found.min() >= 1 - SUREST - 1e-9


@given(
    value=st.floats(0, 1), confidence=st.floats(0, 1), count=st.none() | st.integers(1, 300), log=st.booleans()
)  # fmt: skip
@settings(max_examples=25, deadline=None, derandomize=True)
def test_so_does_that_of_any_number(value: float, confidence: float, count: int | None, log: bool) -> None:
    low, high = (1, 1 + 10**4) if log else (-5, 5)
    fields: dict[str, Any] = {"type": "float", "min": low, "max": high, "scale": "log" if log else "linear"}
    near = low + value * (high - low)
    if count is not None:
        fields |= {"type": "int", "max": low + count}
        near = low + round(value * count)
    found = density(beliefs_of(**fields, prior={"value": near, "confidence": confidence}), GRID)
    assert found.mean() == pytest.approx(1.0, abs=2e-3)  # a bin narrower than the grid is met once or not at all


@pytest.mark.parametrize("kind", KINDS)
def test_draws_have_the_density(kind: str) -> None:
    """Twenty equal intervals of the unit, or the values there are: as often as the density says."""
    beliefs = beliefs_of(**KINDS[kind])
    drawn = beliefs.sample(generator(3, kind, 0), 4000)[:, 0]
    if (values := beliefs.space.axes[0].size) and values < 300:
        cells = np.unique(beliefs.space.snap(GRID[:, None])[0][:, 0], return_inverse=True)
        share = np.bincount(cells[1], weights=density(beliefs, GRID)) / len(GRID)
        counts = np.array([np.isclose(drawn, centre).sum() for centre in cells[0]])
    else:
        share = density(beliefs, GRID).reshape(20, -1).mean(axis=1) / 20
        counts = np.histogram(drawn, 20, (0, 1))[0]
    assert counts.sum() == 4000
    assert len(counts) == 1 or stats.chisquare(counts, share / share.sum() * 4000).pvalue > 0.001  # a fixed seed


def test_the_peak_is_where_the_user_says_and_higher_when_surer() -> None:
    fields: dict[str, Any] = {"type": "float", "min": 1e-5, "max": 0.1, "scale": "log"}
    peaks = []
    for confidence in ("low", "medium", "high", 1.0):
        found = density(beliefs_of(**fields, prior={"value": 1e-3, "confidence": confidence}), GRID)
        assert GRID[found.argmax()] == pytest.approx(0.5, abs=1e-3)
        peaks.append(found.max())
    assert peaks == sorted(peaks)
    assert peaks[0] > 1.2
    assert density(beliefs_of(**fields, prior={"value": 1e-3, "confidence": 0}), GRID).max() == pytest.approx(1.0)


def test_a_bin_has_the_mean_of_the_density() -> None:
    """Against the integral of the normal density over the bin."""
    beliefs = beliefs_of(type="int", min=0, max=3, prior={"value": 2, "confidence": 0.5})
    bump = stats.truncnorm(-0.625 / 0.24, 0.375 / 0.24, 0.625, 0.24)
    expected = [0.5 + 0.5 * (bump.cdf((i + 1) / 4) - bump.cdf(i / 4)) * 4 for i in range(4)]
    assert density(beliefs, [0.125, 0.375, 0.625, 0.875]) == pytest.approx(expected)
    assert density(beliefs, [0.51, 0.74]) == pytest.approx([expected[2]] * 2)  # anywhere in the bin


def test_parameters_are_independent_and_inactive_ones_count_for_nothing() -> None:
    space = Space(
        (
            Parameter(name="opt", type="choice", values=("sgd", "adam"), prior={"values": {"sgd": 1}}),
            Parameter(name="momentum", type="float", min=0, max=1, prior=0.9, when="opt == 'sgd'"),
            Parameter(name="free", type="float", min=0, max=1),
        )
    )
    beliefs = Beliefs(space)
    found = np.exp(beliefs.log_density(np.array([[0.25, 0.9, 0.1], [0.75, np.nan, 0.1], [0.25, np.nan, 0.5]])))
    momentum = density(beliefs_of(type="float", min=0, max=1, prior=0.9), [0.9])[0]
    assert found == pytest.approx([2 * 0.975 * momentum, 2 * 0.025, 2 * 0.975])
    drawn = beliefs.sample(generator(0, "test", 0), 500)
    assert (np.isnan(drawn[:, 1]) == (drawn[:, 0] > 0.5)).all()
    assert (drawn[:, 0] < 0.5).mean() > 0.95


def test_draws_keep_the_constraints() -> None:
    parameters = tuple(
        Parameter(name=n, type="float", min=0, max=1, prior={"value": v}) for n, v in zip("xy", (0.3, 0.3), strict=True)
    )
    beliefs = Beliefs(Space(parameters, ("x + y <= 0.5",)))
    drawn = beliefs.sample(generator(0, "test", 0), 300)
    assert len(drawn) == 300
    assert (drawn.sum(axis=1) <= 0.5).all()
    assert beliefs.sample(generator(0, "test", 0), 0).shape == (0, 2)


def test_where_the_constraints_refuse_all_that_is_believed_draws_are_uniform() -> None:
    parameters = [
        Parameter(name=f"x{i}", type="float", min=0, max=1, prior={"value": 1, "confidence": 1}) for i in range(12)
    ]
    beliefs = Beliefs(Space(parameters, (" + ".join(p.name for p in parameters) + " <= 4.5",)))
    drawn = beliefs.sample(generator(0, "test", 0), 5)
    assert drawn.shape == (5, 12)
    assert (drawn.sum(axis=1) <= 4.5).all()
    assert ROUNDS * 18 < 100_000


def test_without_beliefs_everything_is_equal() -> None:
    beliefs = beliefs_of(type="float", min=0, max=1)
    assert not beliefs.any
    assert beliefs.describe() == ""
    assert density(beliefs, [0.1, 0.9, math.nan]).tolist() == [1, 1, 1]
    assert beliefs.sample(generator(0, "test", 0), 3).shape == (3, 1)


def test_data_overrules() -> None:
    beliefs = beliefs_of(type="float", min=0, max=1, prior=0.5)
    weights = [beliefs.weight(n, 100) for n in (0, 1, 10, 50, 100)]
    assert weights == [10, 10, 1, 0.2, 0.1]
    assert beliefs.weight(20, None) == 0.5
    assert beliefs.weight(20, 4) == 0.05


def test_what_is_believed_is_said() -> None:
    space = Space(
        (
            Parameter(name="lr", type="float", min=1e-5, max=0.1, scale="log", prior=1e-3),
            Parameter(name="opt", type="choice", values=OPT, prior={"values": {"adam": 4, "sgd": 1}}),
            Parameter(name="x", type="int", min=0, max=3),
            Parameter(name="on", type="bool", prior={"value": "true", "confidence": "low"}),
        )
    )
    said = "lr near 0.001 (confidence 0.75); opt sgd 0.2, adam 0.8; on near True (confidence 0.5)"
    assert Beliefs(space).describe() == said


def searched(kind: Make, prior: Any, seed: int, trials: int) -> Any:
    """The best loss after each trial, on a bowl of four parameters whose optimum is at 0.25."""
    space = tuple(Parameter(name=name, type="float", min=0, max=1, prior=prior) for name in "abcd")
    asked = msgspec.structs.replace(problem((space, ()), trials=60), seed=seed)
    drive, losses = Drive(kind(asked), asked), []
    for number in range(trials):
        params = drive.propose() or {}
        losses.append(sum((x - 0.25) ** 2 for x in params.values()))
        drive.finish(number, losses[-1])
    return np.minimum.accumulate(losses)


@pytest.mark.slow
def test_a_right_belief_helps_and_a_wrong_one_is_recovered_from() -> None:
    """TPE, mean of two seeds: without, with a right, and with a wrong belief that the user is sure of."""
    none, right, wrong = (
        np.mean([searched(TPE, prior, seed, 60) for seed in range(2)], axis=0)
        for prior in (None, {"value": 0.3, "confidence": "high"}, {"value": 0.95, "confidence": "high"})
    )
    assert right[9] < none[9] / 2
    assert right[29] < none[29]
    assert wrong[9] > none[9]
    assert wrong[59] < none[9] / 2
    assert wrong[59] < wrong[9] / 5


@pytest.mark.slow
def test_a_gaussian_process_uses_what_is_believed() -> None:
    believed, none = (searched(GP, prior, 0, 8)[-1] for prior in ({"value": 0.3, "confidence": "high"}, None))
    assert believed < none / 2
