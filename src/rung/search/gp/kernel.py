"""The kernel: Matern-5/2 over a weighted Euclidean distance, and the correlation of earlier studies with this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rung.search.gp.inputs import Integers
    from rung.space.scales import Floats


def matern52(squared: Floats) -> tuple[Floats, Floats]:
    """k(r) and dk/d(r^2) for squared distances r^2 (Rasmussen & Williams 2006, eq. 4.17).

    k = (1 + R + R^2/3) exp(-R) with R = sqrt(5) r, so dk/d(r^2) = -5/6 (1 + R) exp(-R): finite at 0.
    """
    root = np.sqrt(5.0 * squared)
    decay = np.exp(-root)
    slope = (-5 / 6) * (1.0 + root) * decay
    return (1.0 + root + root * root / 3.0) * decay, slope


def distances(one: Floats, two: Floats) -> Floats:
    """(n, m) squared Euclidean distances between the rows of (n, f) and (m, f)."""
    squared: Floats = one @ two.T
    squared *= -2.0
    squared += np.einsum("ij,ij->i", one, one)[:, None]
    squared += np.einsum("ij,ij->i", two, two)[None, :]
    return np.maximum(squared, 0.0, out=squared)


def mismatches(one: Floats, two: Floats, weights: Floats) -> Floats:
    """(n, m) sums of `weights` (c,) over the choices in which the rows of codes (n, c) and (m, c) differ."""
    total = np.zeros((len(one), len(two)))
    for column, weight in enumerate(weights):
        total += weight * (one[:, column, None] != two[None, :, column])
    return total


def task_correlations(correlation: Floats, one: Integers, two: Integers) -> Floats:
    """(n, m) correlations between studies; `correlation` (tasks,) is that of each earlier study with ours (task 0).

    B = b b' off the diagonal and 1 on it, with b = (1, correlation): positive definite, as b b' + diag(1 - b^2).
    """
    b = np.concatenate([[1.0], correlation])
    return np.where(one[:, None] == two[None, :], 1.0, b[one][:, None] * b[two][None, :])
