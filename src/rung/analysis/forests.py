"""Many small regression trees at once, on binned inputs, grown level by level from histograms.

Each input is a code, one of some bins; the bins of an ordered input are split at a threshold, those of an unordered one
into any two sets: sorted by their mean the best two sets are neighbours (Fisher 1958; Breiman et al. 1984, section
4.2). A leaf is a box: of each input the set of bins that it holds. So the function of a tree is known everywhere, and
can be integrated exactly (`rung.analysis.anova`).

Notation: n rows, d inputs, B bins at most, T trees, m nodes of a level over all trees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Binned(NamedTuple):
    """The inputs. `codes` (d, n): bins of the rows; `ordered` (d,); `bins`: B, how many bins there are at most."""

    codes: Integers
    ordered: Bools
    bins: int


class Leaves(NamedTuple):
    """The leaves of all trees. `tree` (l,): whose it is; `boxes` (l, d, B): which bins it holds; `values` (l,)."""

    tree: Integers
    boxes: Bools
    values: Floats

    def of(self, tree: int) -> Leaves:
        """Those of one tree."""
        mine = self.tree == tree
        return Leaves(self.tree[mine], self.boxes[mine], self.values[mine])


class Forest(NamedTuple):
    """`leaves` of all trees, and `predicted` (T, n): what each tree says of every row, those it has not seen too."""

    leaves: Leaves
    predicted: Floats


class _Level(NamedTuple):
    """The nodes that may still be split: whose they are, what they hold; and where each (tree, row) stands, -1: at
    rest in a leaf."""

    tree: Integers
    boxes: Bools
    place: Integers  # (T, n)


class _Split(NamedTuple):
    """Of each node the best split: its gain, its input, and (m, B) which bins go left."""

    gain: Floats
    input: Integers
    left: Bools


def grow(binned: Binned, y: Floats, weights: Floats, *, depth: int, least: float) -> Forest:
    """T trees for the targets `y` (n,), each of the rows with the `weights` (T, n) that are its own; at most `depth`
    splits deep, and no leaf of less weight than `least`."""
    trees, n = weights.shape
    d = len(binned.codes)
    level = _Level(
        np.arange(trees), np.ones((trees, d, binned.bins), bool), np.repeat(np.arange(trees), n).reshape(trees, n)
    )
    done: list[Leaves] = []
    predicted = np.zeros((trees, n))
    for remaining in range(depth, -1, -1):
        means, split = _look(binned, y, weights, level, least=least, may_split=remaining > 0)
        goes = split.gain > 0
        predicted[level.place >= 0] = means[level.place[level.place >= 0]]
        done.append(Leaves(level.tree[~goes], level.boxes[~goes], means[~goes]))
        if not goes.any():
            break
        level = _descend(binned, level, split, goes)
    return Forest(Leaves(*(np.concatenate(parts) for parts in zip(*done, strict=True))), predicted)


def _look(
    binned: Binned, y: Floats, weights: Floats, level: _Level, *, least: float, may_split: bool
) -> tuple[Floats, _Split]:
    """(m,) the mean of each node, and how it is split best; a gain of 0 where it is not to be."""
    m, bins = len(level.tree), binned.bins
    where = np.flatnonzero((level.place.ravel() >= 0) & (weights.ravel() > 0))
    node, row, weight = level.place.ravel()[where], where % weights.shape[1], weights.ravel()[where]
    weighed = weight * y[row]
    count, total = _summed(node, weight, m), _summed(node, weighed, m)
    means = np.divide(total, count, out=np.zeros(m), where=count > 0)
    best = _Split(np.zeros(m), np.zeros(m, np.int64), np.zeros((m, bins), bool))
    if not may_split:
        return means, best
    for f, ordered in enumerate(binned.ordered.tolist()):
        key = node * bins + binned.codes[f][row]
        counts = _summed(key, weight, m * bins).reshape(m, bins)
        sums = _summed(key, weighed, m * bins).reshape(m, bins)
        for better, left, gain in _try(counts, sums, means, ordered=ordered, least=least, best=best.gain):
            best.gain[better], best.input[better], best.left[better] = gain, f, left
    return means, best


def _summed(key: Integers, weights: Floats, size: int) -> Floats:
    return np.asarray(np.bincount(key, weights, size), dtype=np.float64)


def _try(
    counts: Floats, sums: Floats, means: Floats, *, ordered: bool, least: float, best: Floats
) -> Iterator[tuple[Integers, Bools, Floats]]:
    """The nodes that one input splits better than any before, which bins go left, and the gain: by how much the sum of
    squares falls, n_l n_r / (n_l + n_r) (mean_l - mean_r)^2."""
    rank = None
    if not ordered:
        bin_means = np.divide(sums, counts, out=np.repeat(means[:, None], counts.shape[1], 1), where=counts > 0)
        rank = np.argsort(bin_means, axis=1, kind="stable")
        counts, sums = np.take_along_axis(counts, rank, 1), np.take_along_axis(sums, rank, 1)
    n_left, s_left = np.cumsum(counts, 1), np.cumsum(sums, 1)
    n, s = n_left[:, -1:], s_left[:, -1:]
    n_right = n - n_left
    fits = (n_left >= least) & (n_right >= least)
    apart = n_left * s - n * s_left  # n_l n_r (mean_r - mean_l)
    gain = np.divide(apart * apart, n_left * n_right * n, out=np.zeros_like(apart), where=fits)
    cut = gain.argmax(1)
    highest = gain[np.arange(len(gain)), cut]
    better = np.flatnonzero(highest > np.maximum(best, 1e-12))
    if not len(better):
        return
    left = np.arange(counts.shape[1]) <= cut[better, None]
    if rank is not None:
        unsorted = np.empty_like(left)
        np.put_along_axis(unsorted, rank[better], left, 1)
        left = unsorted
    yield better, left, highest[better]


def _descend(binned: Binned, level: _Level, split: _Split, goes: Bools) -> _Level:
    """The two halves of each node that is split."""
    parents = np.flatnonzero(goes)
    new = np.full(len(goes), -1)
    new[parents] = 2 * np.arange(len(parents))  # the left child; the right one stands behind it
    boxes = np.repeat(level.boxes[parents], 2, axis=0)
    at = np.arange(len(parents))
    boxes[2 * at, split.input[parents]] &= split.left[parents]
    boxes[2 * at + 1, split.input[parents]] &= ~split.left[parents]
    flat = level.place.ravel()
    where = np.flatnonzero(flat >= 0)
    node = flat[where]
    where, node = where[goes[node]], node[goes[node]]
    codes = binned.codes[split.input[node], where % level.place.shape[1]]
    place = np.full(flat.shape, -1)
    place[where] = new[node] + ~split.left[node, codes]
    return _Level(np.repeat(level.tree[parents], 2), boxes, place.reshape(level.place.shape))
