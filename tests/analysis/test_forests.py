from __future__ import annotations

import itertools

import numpy as np
import pytest

from rung.analysis.forests import Binned, Forest, grow


def grown(
    n: int = 60, *, trees: int = 4, depth: int = 3, ordered: bool = True, least: float = 2
) -> tuple[Forest, Binned]:
    rng = np.random.default_rng(n)
    binned = Binned(rng.integers(0, 6, (3, n)), np.full(3, ordered), 6)
    weights = rng.integers(0, 3, (trees, n)).astype(float)
    return grow(binned, rng.normal(size=n), weights, depth=depth, least=least), binned


def test_the_leaves_of_a_tree_are_boxes_that_part_the_whole_space() -> None:
    forest, _ = grown()
    for tree in range(4):
        boxes = forest.leaves.of(tree).boxes
        for point in itertools.product(range(6), repeat=3):
            assert sum(box[0, point[0]] and box[1, point[1]] and box[2, point[2]] for box in boxes) == 1


def test_a_row_is_predicted_by_the_leaf_whose_box_holds_it() -> None:
    forest, binned = grown()
    for tree in range(4):
        leaves = forest.leaves.of(tree)
        for row in range(60):
            codes = binned.codes[:, row]
            (leaf,) = np.flatnonzero(leaves.boxes[:, np.arange(3), codes].all(1))
            assert forest.predicted[tree, row] == leaves.values[leaf]


@pytest.mark.parametrize("ordered", [True, False])
def test_the_first_split_is_the_best_that_trying_all_finds(ordered: bool) -> None:
    rng = np.random.default_rng(3)
    n, bins = 40, 5
    codes, y = rng.integers(0, bins, (2, n)), rng.normal(size=n)
    weights = rng.integers(0, 3, (1, n)).astype(float)
    forest = grow(Binned(codes, np.full(2, ordered), bins), y, weights, depth=1, least=3)

    def squares(rows: np.ndarray) -> float:
        w = weights[0, rows]
        return float((w * (y[rows] - np.average(y[rows], weights=w)) ** 2).sum())

    subsets = [set(range(k)) for k in range(1, bins)]
    if not ordered:
        subsets = [set(s) for k in range(1, bins) for s in itertools.combinations(range(bins), k)]
    best = np.inf
    for f, subset in itertools.product(range(2), subsets):
        left = np.isin(codes[f], list(subset))
        if weights[0, left].sum() >= 3 and weights[0, ~left].sum() >= 3:
            best = min(best, squares(left) + squares(~left))
    error = (weights[0] * (y - forest.predicted[0]) ** 2).sum()
    assert error == pytest.approx(best)


def test_no_leaf_is_lighter_than_it_may_be_and_a_pure_node_is_left_alone() -> None:
    forest, binned = grown(least=9, depth=9)
    rng = np.random.default_rng(60)
    rng.integers(0, 6, (3, 60))
    weights = rng.integers(0, 3, (4, 60)).astype(float)
    for tree in range(4):
        for leaf in np.unique(forest.predicted[tree]):
            assert weights[tree, forest.predicted[tree] == leaf].sum() >= 9
    flat = grow(binned, np.ones(60), weights, depth=5, least=1)
    assert len(flat.leaves.tree) == 4
    assert (flat.predicted == 1).all()
