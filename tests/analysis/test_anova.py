from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rung.analysis import anova
from rung.analysis.anova import Bins, functional, in_bins, local
from rung.analysis.forests import Binned, grow

Cube = Callable[[Any], Any]


def ishigami(u: Any) -> Any:
    x = np.pi * (2 * u - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def ishigami_indices() -> tuple[list[float], float]:
    """Sobol indices of the first order, and of the pair (1, 3) (Ishigami & Homma 1990)."""
    a, b, pi = 7.0, 0.1, np.pi
    first, second = 0.5 * (1 + b * pi**4 / 5) ** 2, a**2 / 8
    both = b**2 * pi**8 * (1 / 18 - 1 / 50)
    total = first + second + both
    return [first / total, second / total, 0.0], both / total


def cube(d: int, n: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).random((n, d))


def numbers(units: Any, **more: Any) -> Bins:
    d = units.shape[1]
    return in_bins(units, categories=[0] * d, ordered=[True] * d, **more)


def test_a_known_function_has_its_sobol_indices() -> None:
    units = cube(4, 3000)
    found = functional(numbers(units), ishigami(units), np.random.default_rng(0))
    (first, second, third), both = ishigami_indices()
    assert found.value == pytest.approx([first, second, third, 0.0], abs=0.05)
    assert (found.low[:2] <= [first + 0.03, second]).all()
    assert (found.high[:2] >= [first, second]).all()
    assert found.pairs[0][:2] == (0, 2)
    assert found.pairs[0][2] == pytest.approx(both, abs=0.05)
    assert found.pairs[1][2] < 0.04
    assert found.explained > 0.85


def test_a_linear_function_has_the_squares_of_its_slopes() -> None:
    units, slopes = cube(5, 1500), np.array([3.0, 2.0, 1.0, 0.0, 0.0])
    noise = np.random.default_rng(1).normal(0, 0.1, 1500)
    found = functional(numbers(units), units @ slopes + noise, np.random.default_rng(0))
    assert found.value == pytest.approx(slopes**2 / (slopes**2).sum(), abs=0.05)
    assert max(pair[2] for pair in found.pairs) < 0.02


def test_what_does_nothing_is_given_nothing_though_there_is_noise() -> None:
    units = cube(6, 400)
    y = units[:, 0] + np.random.default_rng(1).normal(0, 0.3, 400)
    found = functional(numbers(units), y, np.random.default_rng(0))
    assert found.value[0] > 0.9
    assert found.value[1:].max() < 0.02
    assert found.low[1:].max() == 0.0


def test_noise_alone_explains_nothing_that_can_be_told() -> None:
    units = cube(4, 300)
    found = functional(numbers(units), np.random.default_rng(1).normal(size=300), np.random.default_rng(0))
    assert found.explained < 0.1
    assert found.low.max() < 0.35


def test_the_same_numbers_come_from_the_same_generator() -> None:
    units = cube(3, 200)
    one, other = (functional(numbers(units), units[:, 0], np.random.default_rng(5)) for _ in range(2))
    assert [part.tolist() for part in one[:3]] == [part.tolist() for part in other[:3]]
    assert one[3:] == other[3:]


def test_the_marginals_of_trees_are_the_integrals_by_the_definition() -> None:
    """The slow twin: f on the whole grid of bins, averaged over all parameters but one or two."""
    rng = np.random.default_rng(0)
    shape = (4, 3, 5)
    codes = np.stack([rng.integers(0, size, 80) for size in shape])
    mass = np.zeros((3, 5))
    for f, size in enumerate(shape):
        mass[f, :size] = rng.dirichlet(np.ones(size))
    y = rng.normal(size=80) + codes[0] * codes[1]
    weights = rng.integers(0, 3, (2, 80)).astype(float)
    forest = grow(Binned(codes, np.array([True, False, True]), 5), y, weights, depth=5, least=2)
    trees = [anova._Marginals(forest.leaves.of(t), mass) for t in range(2)]
    tables, volume = [], np.einsum("a,b,c->abc", *mass)
    for t in range(2):
        leaves, table = forest.leaves.of(t), np.zeros((5, 5, 5))
        for box, value in zip(leaves.boxes, leaves.values, strict=True):
            table += value * np.einsum("a,b,c->abc", *box.astype(float))
        table -= (table * volume).sum()
        tables.append(table)
    assert trees[0].product(trees[1]) == pytest.approx((tables[0] * tables[1] * volume).sum())

    def marginal(table: Any, kept: tuple[int, ...]) -> Any:
        for axis in reversed([a for a in range(3) if a not in kept]):
            table = np.tensordot(table, mass[axis], axes=(axis, 0))
        return table

    mains = trees[0].main(trees[1])
    for i in range(3):
        one, other = (marginal(table, (i,)) for table in tables)
        assert mains[i] == pytest.approx((one * other * mass[i]).sum())
    for i, j in itertools.combinations(range(3), 2):
        one, other = (marginal(table, (i, j)) for table in tables)
        expected = (one * other * np.outer(mass[i], mass[j])).sum()
        assert trees[0].pair(trees[1], i, j) == pytest.approx(expected)


def test_bins_hold_equally_many_and_never_cut_a_value() -> None:
    rng = np.random.default_rng(0)
    column = np.concatenate((rng.random(300) ** 3, np.full(200, 0.25)))
    found = in_bins(column[:, None], categories=[0], ordered=[True], most=10)
    assert found.mass.sum() == pytest.approx(1.0)
    assert len(set(found.codes[0, 300:].tolist())) == 1
    counts = np.bincount(found.codes[0])
    assert counts[counts < 200].max() < 90
    for code in range(len(counts)):
        own = np.sort(column[found.codes[0] == code])
        assert own[-1] - own[0] <= found.mass[0, code] + 1e-12


def test_inactive_trials_have_a_bin_of_their_own() -> None:
    units = np.array([[0.1], [np.nan], [0.9], [np.nan]])
    found = in_bins(units, categories=[2], ordered=[False])
    assert found.codes.tolist() == [[1, 0, 2, 0]]
    assert found.mass.tolist() == [[0.5, 0.25, 0.25]]
    assert in_bins(units, categories=[2], ordered=[False], absent=[0.2]).mass.tolist() == [[0.2, 0.4, 0.4]]


def test_a_category_counts_by_its_exact_variance() -> None:
    rng = np.random.default_rng(0)
    units = cube(2, 2000)
    effects = np.array([0.0, 3.0, 1.0])
    opt = rng.integers(0, 3, 2000)
    units[:, 1] = (opt + 0.5) / 3
    y = 2 * units[:, 0] + effects[opt]
    bins = in_bins(units, categories=[0, 3], ordered=[True, False])
    found = functional(bins, y, np.random.default_rng(0))
    parts = np.array([4 / 12, effects.var()])
    assert found.value == pytest.approx(parts / parts.sum(), abs=0.02)


def test_local_importance_asks_what_the_best_have_in_common() -> None:
    """The one that decides who is best at all matters; noise and what matters only among the bad do not."""
    units = cube(4, 5000)
    y = np.where(units[:, 0] < 0.3, units[:, 1], 5 + 50 * units[:, 2])
    best = y <= np.quantile(y, 0.1)
    found = local(numbers(units, most=16), best, np.random.default_rng(0))
    assert found.value.sum() == pytest.approx(1.0)
    # Uniform on 0 to 0.3 of 0 to 1 has the divergence 1 / 0.3 - 1, on the lowest third of that: 3 - 1.
    assert found.value[:2] == pytest.approx([2.33 / 4.33, 2 / 4.33], abs=0.05)
    assert found.value[2:].max() < 0.01
    assert (found.low <= found.value).all()
    assert (found.value <= found.high).all()


def test_nothing_in_common_is_no_importance() -> None:
    units = cube(3, 2000)
    found = local(numbers(units, most=8), np.arange(2000) % 10 == 0, np.random.default_rng(0))
    assert found.value.sum() <= 1.0 + 1e-12
    assert (found.low == 0).all()
