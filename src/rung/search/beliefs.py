"""What the user believes of the optimum (`prior:` of the parameters), as a density over unit rows.

Of a parameter in order (numbers, ordinals) the density over its unit is

    p(u) = (1 - c) + c N(u; m, s) / (Phi((1 - m) / s) - Phi(-m / s)),     s = 0.4 (1 - c) + 0.04

with m the unit of the value, and c the confidence, at most 0.95: a mixture with the uniform density, so that nothing
is excluded. A discrete one has the mean of p over a value's bin. Of a choice, each of k values has the share c w_i +
(1 - c) / k. Parameters are independent. Data overrules: see `weight`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rung.space.axes import Categories, Progression
from rung.space.priors import Near, Shares, read_prior

if TYPE_CHECKING:
    import numpy.typing as npt

    from rung.model import Parameter
    from rung.space import Space
    from rung.space.axes import Axis

    Floats = npt.NDArray[np.float64]

SUREST = 0.95  # of the density at most; the rest is uniform
RESULTS_TO_OVERRULE = 10.0  # beta of `weight` where there is no budget
BUDGET_SHARE = 0.1  # beta as a share of the budget
FINE = 0.02  # a bin narrower than so many standard deviations has the density of its centre
ROUNDS = 50  # of draws, of which none keeps the constraints, before uniform ones are taken


class Beliefs:
    """The beliefs of a space. `any`: whether there are some; without them the density is uniform."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._marginals: dict[int, _Bump | _Shares] = {}
        searched = {parameter.name: parameter for parameter in space.parameters}
        for column, (name, axis) in enumerate(zip(space.names, space.axes, strict=True)):
            marginal = _marginal(searched[name], axis)
            if marginal is not None:
                self._marginals[column] = marginal
        self.any = bool(self._marginals)

    def log_density(self, units: Floats) -> Floats:
        """(n,) log of the density of (n, d) unit rows against uniform ones; inactive parameters (NaN) count for 0.
        Constraints are not accounted for: the density is not normalised over what they leave."""
        total = np.zeros(len(units))
        for column, marginal in self._marginals.items():
            there = ~np.isnan(units[:, column])
            total[there] += np.log(marginal.density(units[there, column]))
        return total

    def sample(self, rng: np.random.Generator, n: int) -> Floats:
        """(n, d) unit rows drawn from the beliefs, uniform where there are none, that keep the constraints; NaN where
        inactive. Where constraints refuse all that is believed, uniform ones."""
        found: list[Floats] = []
        missing = n
        for _ in range(ROUNDS):
            if not missing:
                break
            rows, kept = self.space.snap(self._draw(rng, 2 * missing + 8))
            found.append(rows[kept][:missing])
            missing -= len(found[-1])
        if missing:
            found.append(self.space.snap(self.space.sample(rng, missing))[0])
        return np.concatenate(found) if found else np.empty((0, len(self.space.names)))

    def _draw(self, rng: np.random.Generator, n: int) -> Floats:
        rows = rng.random((n, len(self.space.names)))
        for column, marginal in self._marginals.items():
            rows[:, column] = marginal.draw(rows[:, column], rng.random(n))
        return rows

    def weight(self, results: int, budget: int | None) -> float:
        """The exponent of the density after `results` results: beta / n, so that data overrules; beta is a tenth of
        the budget in trials (Hvarfner et al. 2022, "pi-BO: augmenting acquisition functions with user beliefs")."""
        beta = RESULTS_TO_OVERRULE if budget is None else max(1.0, BUDGET_SHARE * budget)
        return beta / max(results, 1)

    def describe(self) -> str:
        """What is believed, in one line: `lr near 0.001 (confidence 0.75); opt adam 0.8, sgd 0.2`."""
        return "; ".join(f"{self.space.names[column]} {m.text}" for column, m in self._marginals.items())


def _marginal(parameter: Parameter, axis: Axis) -> _Bump | _Shares | None:
    prior = read_prior(parameter, axis)
    if isinstance(prior, Near) and (axis.ordered or not isinstance(axis, Categories)):
        return _bump(axis, prior)
    if prior is None:
        return None
    assert isinstance(axis, Categories)
    size = len(axis.table)
    if isinstance(prior, Near):
        sure = min(prior.confidence, SUREST)
        weights = np.zeros(size)
        weights[int(axis.number(prior.value))] = 1.0
        return _Shares(sure * weights + (1 - sure) / size, _near(prior))
    return _Shares(SUREST * np.array(prior.shares) + (1 - SUREST) / size, _listed(axis, prior))


def _near(prior: Near) -> str:
    return f"near {prior.value!r} (confidence {prior.confidence:g})"


def _listed(axis: Categories, prior: Shares) -> str:
    named = [f"{value} {share:.2g}" for value, share in zip(axis.table, prior.shares, strict=True) if share]
    return ", ".join(named[:5]) + (", ..." if len(named) > 5 else "")


def _bump(axis: Axis, prior: Near) -> _Bump:
    at = float(axis.units(np.array([axis.number(prior.value)]))[0])
    sure = min(prior.confidence, SUREST)
    return _Bump(axis, at, 0.4 * (1 - sure) + 0.04, sure, _near(prior))


class _Shares(NamedTuple):
    """(k,) the probability of each value of a choice."""

    shares: Floats
    text: str

    def density(self, units: Floats) -> Floats:
        """(n,) against uniform: the share of the value times how many there are."""
        k = len(self.shares)
        density: Floats = self.shares[np.clip(np.floor(units * k), 0, k - 1).astype(np.int64)] * k
        return density

    def draw(self, uniform: Floats, pick: Floats) -> Floats:
        """(n,) units of values drawn with these shares."""
        k = len(self.shares)
        index = np.searchsorted(np.cumsum(self.shares), pick * self.shares.sum(), side="right")
        drawn: Floats = (np.minimum(index, k - 1) + uniform) / k
        return drawn


class _Bump(NamedTuple):
    """A normal density around the unit `at`, cut off at 0 and 1, mixed with the uniform one."""

    axis: Axis
    at: float
    sd: float
    sure: float
    text: str

    def density(self, units: Floats) -> Floats:
        """(n,) the density at the units; for a discrete parameter its mean over the bin that each is in."""
        low, high = _bins(self.axis, units)
        width = high - low
        fine = width < FINE * self.sd
        z = ((low + high) / 2 - self.at) / self.sd
        normal = np.exp(-z * z / 2) / (math.sqrt(2 * math.pi) * self.sd)
        mean = (self._below(high) - self._below(low)) / np.where(fine, 1.0, width)
        inside = float(self._below(np.array(1.0)) - self._below(np.array(0.0)))
        density: Floats = (1 - self.sure) + self.sure * np.where(fine, normal, mean) / inside
        return density

    def _below(self, units: Floats) -> Floats:
        from scipy.special import ndtr  # only studies with beliefs pay for it

        below: Floats = np.asarray(ndtr((units - self.at) / self.sd))
        return below

    def draw(self, uniform: Floats, pick: Floats) -> Floats:
        """(n,) units from the mixture: `pick` says from which part, and for the normal part its quantile."""
        from scipy.special import ndtri

        low, high = float(self._below(np.array(0.0))), float(self._below(np.array(1.0)))
        quantile = low + np.minimum(pick / self.sure, 1.0) * (high - low) if self.sure else pick
        normal = np.clip(self.at + self.sd * ndtri(np.clip(quantile, 1e-300, 1 - 1e-16)), 0.0, 1.0)
        drawn: Floats = np.where(pick < self.sure, normal, uniform)
        return drawn


def _bins(axis: Axis, units: Floats) -> tuple[Floats, Floats]:
    """(n,) the ends of the bin that each unit is in; an infinite domain has bins without width."""
    if axis.size is None:
        return units, units
    if isinstance(axis, Progression) and axis.edges is not None:
        points, half = axis.numbers(units), axis.step / 2
        low = np.asarray(axis.edges.place(np.maximum(points - half, axis.edges.low)))
        high = np.asarray(axis.edges.place(np.minimum(points + half, axis.edges.high)))
        return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)
    index = np.clip(np.floor(units * axis.size), 0, axis.size - 1)
    return index / axis.size, (index + 1) / axis.size
