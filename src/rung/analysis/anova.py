"""How much of an objective's variance each parameter explains, each pair of them beyond its two, and all together.

Two ways, both on the space as a cube whose sides are the parameters' scales:

* `functional`: the functional analysis of variance of a forest (Hutter, Hoos & Leyton-Brown 2014, "An efficient
  approach for assessing hyperparameter importance"): f = f_0 + sum f_i + sum f_ij + ..., whose parts are orthogonal, so
  that the variance of f is the sum of theirs. A tree is constant on boxes: its marginals are exact sums over leaves.

  One thing is done otherwise than in the paper. The variance of a tree's marginal is too large, since the tree has also
  fitted noise: parameters that do nothing are given a share. So the trials are halved at random, a tree is grown from
  each half, and <f_i, g_i> of the two stands for <f_i, f_i>: what is noise in one is not in the other, and the
  products of noise are zero on average. Each halving is of a bootstrap sample, and their spread gives the interval.

* `local`: PED-ANOVA (Watanabe, Bansal & Hutter 2023, "PED-ANOVA: efficiently quantifying hyperparameter importance in
  arbitrary subspaces", eq. 16): how much the density of a parameter among the best trials differs from that among
  all. It asks what makes a trial one of the best, in the part of the space that was searched. Here too what chance
  gives is subtracted, estimated by drawing the best at random.

Notation: n trials, d parameters, B bins, R resamples.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rung.analysis.forests import Binned, Bools, Floats, Integers, Leaves, grow

NORMAL_95 = 1.959964
HALVINGS = 24
DEPTH = 12
LEAST_IN_LEAF = 4
MANY = 1_000  # from so many trials on a leaf has at least twice as many: as good, and half the work
MOST_PAIRED = 10  # pairs are of so many of the most important parameters
BINS = 24
LOCAL_BINS = 16
LOCAL_RESAMPLES = 200


class Shares(NamedTuple):
    """Shares of the variance, in 0..1, each with its 95 % interval. `value`, `low`, `high`: (d,); `pairs`: which two
    parameters, share and interval, greatest first; `explained`: which part of the variance of trials that the forest
    had not seen it predicts."""

    value: Floats
    low: Floats
    high: Floats
    pairs: list[tuple[int, int, float, float, float]]
    explained: float


class Bins(NamedTuple):
    """Parameters in bins. `codes` (d, n), in 0..B-1; `mass` (d, B): which part of the space each bin is; sums to 1."""

    codes: Integers
    mass: Floats
    ordered: Bools


# ------------------------------------------------------------------------------------------------------------ binning


def in_bins(
    units: Floats, *, categories: list[int], ordered: list[bool], most: int = BINS, absent: list[float] | None = None
) -> Bins:
    """Places in 0..1 (n, d) in bins, NaN (inactive) in a bin of its own, the first one, whose mass is `absent` (of
    each parameter; None: the share of these trials). `categories`: of a parameter of so many equal bins; 0 of a number:
    its bins hold equally many trials, and a value that repeats is never cut."""
    n, d = units.shape
    columns = [_column(units[:, f], categories[f], most, None if absent is None else absent[f]) for f in range(d)]
    width = max((len(mass) for _, mass in columns), default=1)
    masses = np.zeros((d, width))
    for f, (_, mass) in enumerate(columns):
        masses[f, : len(mass)] = mass
    codes = np.stack([codes for codes, _ in columns]) if d else np.zeros((0, n), np.int64)
    return Bins(codes, masses, np.array(ordered, bool))


def _column(units: Floats, categories: int, most: int, share: float | None) -> tuple[Integers, Floats]:
    absent = np.isnan(units)
    there = units[~absent]
    if categories:
        codes, mass = (
            np.clip((there * categories).astype(np.int64), 0, categories - 1),
            np.full(categories, 1 / categories),
        )
    else:
        edges = _edges(there, most)
        codes, mass = np.searchsorted(edges, there, side="right"), np.diff(np.concatenate(([0.0], edges, [1.0])))
    if not absent.any():
        return codes, mass
    found = np.zeros(len(units), np.int64)
    found[~absent] = codes + 1
    share = float(absent.mean()) if share is None else share
    return found, np.concatenate(([share], mass * (1 - share)))


def _edges(units: Floats, most: int) -> Floats:
    """Inner edges between distinct values, so that bins hold about equally many."""
    values, first = np.unique(units, return_index=False, return_counts=True)
    if len(values) < 2:
        return np.zeros(0)
    between = (values[1:] + values[:-1]) / 2
    if len(values) <= most:
        return between
    below = np.cumsum(first)[:-1]
    wanted = np.linspace(0, len(units), most + 1)[1:-1]
    return np.asarray(between[np.unique(np.clip(np.searchsorted(below, wanted), 0, len(between) - 1))])


# --------------------------------------------------------------------------------------------------------- functional


def functional(bins: Bins, y: Floats, rng: np.random.Generator, *, halvings: int = HALVINGS, pairs: int = 10) -> Shares:
    """The shares of the variance of `y` (n,) over the space; of the `pairs` most important pairs, too."""
    n, d = len(y), len(bins.codes)
    y = (y - y.mean()) / y.std()
    weights = np.empty((2 * halvings, n))
    for r in range(halvings):
        times = np.bincount(rng.integers(n, size=n), minlength=n)
        first = np.zeros(n, bool)
        first[rng.permutation(n)[: n // 2]] = True
        weights[2 * r], weights[2 * r + 1] = times * first, times * ~first
    least = LEAST_IN_LEAF if n < MANY else 2 * LEAST_IN_LEAF
    forest = grow(Binned(bins.codes, bins.ordered, bins.mass.shape[1]), y, weights, depth=DEPTH, least=least)
    trees = [_Marginals(forest.leaves.of(t), bins.mass) for t in range(2 * halvings)]
    couples = list(zip(trees[::2], trees[1::2], strict=True))
    total = np.array([one.product(other) for one, other in couples])
    main = np.array([one.main(other) for one, other in couples])
    explained = _explained(forest.predicted, weights, y)
    if not total.mean() > 0:
        return Shares(np.zeros(d), np.zeros(d), np.zeros(d), [], explained)
    value, low, high = _shares(main, total)
    order = np.argsort(-value, kind="stable")[:MOST_PAIRED]
    couple = [(min(i, j), max(i, j)) for k, i in enumerate(order.tolist()) for j in order[k + 1 :].tolist()]
    if not couple or not pairs:
        return Shares(value, low, high, [], explained)
    joint = np.array([[one.pair(other, i, j) for i, j in couple] for one, other in couples])
    beyond = joint - main[:, [i for i, _ in couple]] - main[:, [j for _, j in couple]]
    found = zip(couple, *(part.tolist() for part in _shares(beyond, total)), strict=True)
    ranked = sorted(((i, j, *shares) for (i, j), *shares in found), key=lambda one: -one[2])[:pairs]
    return Shares(value, low, high, ranked, explained)


def _shares(parts: Floats, total: Floats) -> tuple[Floats, Floats, Floats]:
    """The ratio of two means over resamples, (R, k) over (R,), and its 95 % interval by the residuals of the ratio
    (Cochran 1977, section 6.4); the part of 0..1 that is left of each."""
    ratio = parts.mean(0) / total.mean()
    spread = ((parts - ratio * total[:, None]) / total.mean()).std(0, ddof=1) * NORMAL_95
    low, high = np.clip(ratio - spread, 0.0, 1.0), np.clip(ratio + spread, 0.0, 1.0)
    return np.clip(ratio, 0.0, 1.0), low, high


def _explained(predicted: Floats, weights: Floats, y: Floats) -> float:
    """The part of the variance that the mean of those trees predicts that had not seen the row."""
    unseen = (weights == 0).astype(np.float64)
    times = unseen.sum(0)
    rows = times > 0
    said = (predicted * unseen).sum(0)[rows] / times[rows]
    return float(np.clip(1.0 - np.mean((y[rows] - said) ** 2) / np.var(y[rows]), 0.0, 1.0))


class _Marginals:
    """A tree's function over the space. `volume` (l,): of each leaf; `wide` (l, d): which part of each side it holds;
    `mean`: f_0."""

    def __init__(self, leaves: Leaves, mass: Floats) -> None:
        self.mass = mass
        self.boxes = leaves.boxes.astype(np.float64)
        self.wide = np.einsum("ldb,db->ld", self.boxes, mass)
        self.volume = self.wide.prod(1)
        self.values = leaves.values
        self.mean = float(self.values @ self.volume)
        with np.errstate(divide="ignore", invalid="ignore"):
            self.without = np.where(self.wide > 0, (self.values * self.volume)[:, None] / self.wide, 0.0)

    def product(self, other: _Marginals) -> float:
        """<f - f_0, g - g_0>: the sum over pairs of leaves of what the two say, by the volume of their common box."""
        common = np.ones((len(self.values), len(other.values)))
        for f, mass in enumerate(self.mass):
            common *= (self.boxes[:, f] * mass) @ other.boxes[:, f].T
        return float(self.values @ common @ other.values) - self.mean * other.mean

    def profile(self) -> Floats:
        """(d, B) f_i in each bin."""
        return np.asarray(np.einsum("ldb,ld->db", self.boxes, self.without) - self.mean)

    def main(self, other: _Marginals) -> Floats:
        """(d,) <f_i, g_i>."""
        return np.asarray((self.profile() * other.profile() * self.mass).sum(1))

    def surface(self, i: int, j: int) -> Floats:
        """(B, B) f_i + f_j + f_ij in each pair of bins."""
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled = np.where(self.wide[:, j] > 0, self.without[:, i] / self.wide[:, j], 0.0)
        return np.asarray((self.boxes[:, i] * scaled[:, None]).T @ self.boxes[:, j] - self.mean)

    def pair(self, other: _Marginals, i: int, j: int) -> float:
        """<f_i + f_j + f_ij, g_i + g_j + g_ij>."""
        return float(self.mass[i] @ (self.surface(i, j) * other.surface(i, j)) @ self.mass[j])


# -------------------------------------------------------------------------------------------------------------- local


def local(bins: Bins, best: Bools, rng: np.random.Generator) -> Shares:
    """What tells the trials that are `best` (n,) from all: the parameters' shares, which sum to 1 unless none does."""
    d, width = bins.mass.shape
    everywhere = np.stack([np.bincount(codes, minlength=width) for codes in bins.codes]).astype(np.float64)
    among = np.stack([np.bincount(codes[best], minlength=width) for codes in bins.codes]).astype(np.float64)
    used = (bins.mass > 0).astype(np.float64)
    prior = used / used.sum(1, keepdims=True)
    count, few = everywhere[0].sum(), int(best.sum())
    divergence = _divergence(among[None], everywhere, prior)[0]
    resampled, chance = np.empty((LOCAL_RESAMPLES, d)), np.zeros(d)
    for f in range(d):
        drawn = rng.multinomial(few, among[f] / few, LOCAL_RESAMPLES).astype(np.float64)
        resampled[:, f] = _divergence(drawn[:, None], everywhere[None, f], prior[None, f])[:, 0]
        at_random = rng.multinomial(few, everywhere[f] / count, LOCAL_RESAMPLES).astype(np.float64)
        chance[f] = _divergence(at_random[:, None], everywhere[None, f], prior[None, f])[:, 0].mean()
    # Resampling adds as much as chance does, once more.
    point, each = np.maximum(divergence - chance, 0.0), np.maximum(resampled - 2 * chance, 0.0)
    if not point.sum() > 0:
        return Shares(np.zeros(d), np.zeros(d), np.zeros(d), [], 0.0)
    sums = each.sum(1, keepdims=True)
    each = np.divide(each, sums, out=np.zeros_like(each), where=sums > 0)
    value = point / point.sum()
    low, high = np.minimum(value, np.quantile(each, 0.025, 0)), np.maximum(value, np.quantile(each, 0.975, 0))
    return Shares(value, low, high, [], 0.0)


def _divergence(among: Floats, everywhere: Floats, prior: Floats) -> Floats:
    """(R, d) the Pearson divergence of the best's density from that of all, PED-ANOVA eq. 16, from counts (R, d, B)
    and (d, B), each with one trial more that is spread evenly."""
    p = (everywhere + prior) / (everywhere.sum(-1, keepdims=True) + 1)
    q = (among + prior) / (among.sum(-1, keepdims=True) + 1)
    ratio = np.divide(q, p, out=np.ones_like(q), where=p > 0)
    return np.asarray((p * (ratio - 1) ** 2).sum(-1))
