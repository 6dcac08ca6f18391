"""The kernels and the two densities against slow twins that follow the definitions in `kernels` word by word."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.model import Parameter
from rung.search.tpe import densities
from rung.search.tpe.densities import Joint, Marginals
from rung.search.tpe.kernels import Geometry, Kernels
from rung.space import Space
from rung.study.seeds import generator

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

SPACE = Space(
    [
        Parameter(name="x", type="float", min=0, max=1),
        Parameter(name="width", type="int", min=1, max=8, scale="log"),  # bins of unequal width
        Parameter(name="opt", type="choice", values=("sgd", "adam", "lion")),
        Parameter(name="batch", type="int", min=1, max=1000),
        Parameter(name="momentum", type="float", min=0, max=1, when="opt == 'sgd'"),
    ]
)
GEOMETRY = Geometry(SPACE)
SIGMA = np.array([0.1, 0.2, 1.0, 0.05, 0.3])
LEAVE = np.array([0.0, 0.0, 0.4, 0.0, 0.0])
KERNELS = Kernels(GEOMETRY, SIGMA, LEAVE)
WIDTH_BINS = np.diff(np.log(np.array([0.5, *np.arange(1, 8) + 0.5, 8.5])) / math.log(17))


def rows(number: int, count: int) -> Floats:
    return SPACE.snap(SPACE.sample(generator(0, "rows", number), count))[0]


def kappa(column: int, x: float, centre: float) -> float:
    """One factor of a kernel."""
    if math.isnan(x) or math.isnan(centre):
        return 1.0
    if column == 2:
        return float((1 - LEAVE[2]) * 3 if x == centre else LEAVE[2] * 3 / 2)
    bump = math.exp(-((x - centre) ** 2) / (2 * SIGMA[column] ** 2))
    if column == 1:
        points = SPACE.axes[1].units(np.arange(1.0, 9.0))
        return float(bump / np.sum(WIDTH_BINS * np.exp(-((points - centre) ** 2) / (2 * SIGMA[1] ** 2))))
    root = SIGMA[column] * math.sqrt(2)
    inside = (math.erf((1 - centre) / root) + math.erf(centre / root)) / 2
    return float(bump / (inside * SIGMA[column] * math.sqrt(2 * math.pi)))


def slow_joint(units: Floats, centres: Floats, weights: Floats, prior: float) -> list[float]:
    found = []
    for row in units:
        products = [math.prod(kappa(j, row[j], centre[j]) for j in range(5)) for centre in centres]
        found.append(math.log((prior + np.dot(weights, products)) / (prior + weights.sum())))
    return found


def slow_marginals(units: Floats, centres: Floats, weights: Floats, prior: float) -> list[float]:
    found = []
    for row in units:
        total = 0.0
        for j in range(5):
            there = [k for k in range(len(centres)) if not math.isnan(centres[k, j])]
            if not math.isnan(row[j]):
                mixed = prior + sum(weights[k] * kappa(j, row[j], centres[k, j]) for k in there)
                total += math.log(mixed / (prior + sum(weights[k] for k in there)))
        found.append(total)
    return found


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 6), st.floats(0.01, 5))
def test_both_densities_are_those_of_the_slow_twins(number: int, count: int, prior: float) -> None:
    centres, units = rows(number, count), rows(number + 1, 4)
    weights = generator(0, "weights", number).random(count) + 0.1
    for fast, slow in ((Joint, slow_joint), (Marginals, slow_marginals)):
        found = fast(KERNELS, centres, weights, prior).log_density(units)
        np.testing.assert_allclose(found, slow(units, centres, weights, prior), rtol=1e-5, atol=1e-5)


def every_row(fine: int) -> tuple[Floats, Floats]:
    """Rows that cover the space but for `momentum` where it is inactive, and each one's share of the uniform draw."""
    middles = (np.arange(fine) + 0.5) / fine
    points = SPACE.axes[1].units(np.arange(1.0, 9.0))
    units = np.array(list(itertools.product(middles, points, (np.arange(3) + 0.5) / 3, [0.0005], middles)))
    shares = np.array([WIDTH_BINS[np.searchsorted(points, row[1])] / (3 * fine**2) for row in units])
    units[units[:, 2] > 1 / 3, 4] = np.nan
    return units, shares


@pytest.mark.parametrize("form", [Joint, Marginals])
def test_the_density_is_one(form: type[Joint | Marginals]) -> None:
    """Over all configurations, with `batch` left out, it sums to 1."""
    centres = rows(3, 5)
    centres[:, 3] = np.nan
    units, shares = every_row(24)
    units[:, 3] = np.nan
    density = np.exp(form(KERNELS, centres, np.arange(1.0, 6.0), 0.5).log_density(units))
    assert shares.sum() == pytest.approx(1)
    assert density @ shares == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("form", [Joint, Marginals])
def test_samples_follow_the_density(form: type[Joint | Marginals]) -> None:
    """The uniform draw, weighted with the density, has the same means as what is drawn."""
    centres = rows(5, 4)
    density = form(KERNELS, centres, np.ones(4), 0.5)
    drawn, _ = SPACE.snap(density.sample(generator(0, "draws", 1), 20_000))
    uniform = rows(9, 20_000)
    weights = np.exp(density.log_density(uniform))
    weights /= weights.sum()
    for one, other in zip(features(drawn), features(uniform), strict=True):
        assert one.mean() == pytest.approx(weights @ other, abs=0.02)


def features(units: Floats) -> list[Floats]:
    """What is compared: two columns, the share of a category, and a product."""
    return [units[:, 0], units[:, 1], (units[:, 2] < 0.3).astype(np.float64), units[:, 0] * units[:, 3]]


def test_whole_configurations_keep_what_belongs_together() -> None:
    """Two good ones, (low, low) and (high, high): a mixed pair is unlikely to the joint density, but not to the
    marginals."""
    cube = Space([Parameter(name=name, type="float", min=0, max=1) for name in "xy"])
    kernels = Kernels(Geometry(cube), np.array([0.1, 0.1]), np.zeros(2))
    good, mixed = np.array([[0.2, 0.2], [0.8, 0.8]]), np.array([[0.2, 0.8]])
    joint, marginals = (form(kernels, good, np.ones(2), 0.1) for form in (Joint, Marginals))
    assert joint.log_density(mixed)[0] < joint.log_density(good)[0] - 3
    assert marginals.log_density(mixed)[0] == pytest.approx(marginals.log_density(good)[0])


def test_a_long_sum_is_taken_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    marginals = Marginals(KERNELS, rows(1, 30), np.ones(30), 1.0)
    whole = marginals.log_density(rows(2, 17))
    monkeypatch.setattr(densities, "BLOCK", 400)
    np.testing.assert_allclose(marginals.log_density(rows(2, 17)), whole, rtol=1e-4)
    assert marginals.log_density(np.empty((0, 5))).shape == (0,)


def test_a_choice_of_one_value_and_an_interval_without_width() -> None:
    space = Space(
        [
            Parameter(name="only", type="choice", values=("this",)),
            Parameter(name="fixed", type="float", min=2, max=2),
            Parameter(name="x", type="float", min=0, max=1),
        ]
    )
    units = space.snap(space.sample(generator(0, "one", 0), 3))[0]
    kernels = Kernels(Geometry(space), np.full(3, 0.2), np.full(3, 0.1))
    for form in (Joint, Marginals):
        found = form(kernels, units, np.ones(3), 1.0)
        assert np.isfinite(found.log_density(units)).all()
        assert found.sample(generator(0, "one", 1), 5).shape == (5, 3)
