"""Several objectives: domination, ranks, crowding, hypervolume. All losses are to be minimised; +inf is worst, -inf may
be reached, NaN may not.

A row dominates another when it is nowhere worse and somewhere better (Deb et al. 2002, "A Fast and Elitist
Multiobjective Genetic Algorithm: NSGA-II"); equal rows do not dominate each other.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def ranks(losses: Floats, violations: Floats | None = None) -> Integers:
    """(n,) which non-dominated front each row of `losses` (n, m) is in, from 0.

    With `violations` (n, k; 0: kept, +inf allowed) by constrained domination (Deb et al. 2002, definition 1): feasible
    rows come first, by their losses; the others follow, by the sum of what they break. O(n log n) for one or two
    objectives; for more, O(n f log n) with fronts of f (Zhang et al. 2015, efficient non-dominated sort).
    """
    if violations is None:
        return _ranks(losses)
    broken = violations.sum(axis=1)
    feasible = broken <= 0
    found = np.empty(len(losses), dtype=np.int64)
    found[feasible] = _ranks(losses[feasible])
    found[~feasible] = _dense(broken[~feasible]) + (found[feasible].max() + 1 if feasible.any() else 0)
    return found


def _ranks(losses: Floats) -> Integers:
    n, m = losses.shape
    if n == 0 or m == 0:
        return np.zeros(n, dtype=np.int64)
    if m == 1:
        return _dense(losses[:, 0])
    order, group = _distinct(losses)
    rows = losses[order]
    return (_ranks_of_pairs(rows) if m == 2 else _ranks_by_bisection(rows))[group]


def _dense(values: Floats) -> Integers:
    """(n,) the place of each value among the distinct ones."""
    return np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _distinct(losses: Floats) -> tuple[Integers, Integers]:
    """The first of each group of equal rows, in lexicographic order, and (n,) the group that each row is in."""
    order = np.lexsort(losses.T[::-1])
    new = np.ones(len(losses), dtype=bool)
    new[1:] = (losses[order[1:]] != losses[order[:-1]]).any(axis=1)
    group = np.empty(len(losses), dtype=np.int64)
    group[order] = np.cumsum(new) - 1
    return order[new], group


def _ranks_of_pairs(rows: Floats) -> Integers:
    """Distinct rows (n, 2) in lexicographic order. A row is dominated by a front whose lowest second loss so far is
    not above its own; those lowest ones grow from front to front, so that the first other front is bisected."""
    lowest: list[float] = []
    found = np.empty(len(rows), dtype=np.int64)
    for i, second in enumerate(rows[:, 1].tolist()):
        front = bisect_right(lowest, second)
        lowest[front : front + 1] = [second]
        found[i] = front
    return found


def _ranks_by_bisection(rows: Floats) -> Integers:
    """Distinct rows (n, m) in lexicographic order: only earlier ones can dominate later ones. Who is dominated by a
    member of a front is dominated by a member of each front before, so that the first other front is bisected."""
    fronts: list[list[int]] = []
    found = np.empty(len(rows), dtype=np.int64)
    for i, row in enumerate(rows):
        low, high = 0, len(fronts)
        while low < high:
            middle = (low + high) // 2
            if bool((rows[fronts[middle]] <= row).all(axis=1).any()):
                low = middle + 1
            else:
                high = middle
        fronts[low : low + 1] = [[*fronts[low], i] if low < len(fronts) else [i]]
        found[i] = low
    return found


def front(losses: Floats) -> Integers:
    """The rows of `losses` (n, m) that no other one dominates, ascending; of equal ones all. O(n log n) for two
    objectives, else O(n f) for a front of f."""
    n, m = losses.shape
    if n == 0 or m == 0:
        return np.arange(n, dtype=np.int64)
    order, group = _distinct(losses)
    rows = losses[order]
    kept = np.zeros(len(rows), dtype=bool)
    kept[_best_pairs(rows) if m == 2 else list(_undominated(rows))] = True
    return np.flatnonzero(kept[group])


def _best_pairs(rows: Floats) -> Integers:
    """In lexicographic order, the rows whose second loss is below all earlier ones."""
    before = np.minimum.accumulate(rows[:, 1])[:-1]
    return np.flatnonzero(np.concatenate(([True], rows[1:, 1] < before)))


def _undominated(rows: Floats) -> Iterator[int]:
    """In lexicographic order, the first of those that are left is undominated; it removes what it dominates."""
    left = np.arange(len(rows))
    while len(left):
        first = int(left[0])
        yield first
        left = left[1:]
        left = left[(rows[left] < rows[first]).any(axis=1)]


def crowding(losses: Floats, rank: Integers | None = None) -> Floats:
    """(n,) how far the neighbours of each row of `losses` (n, m) in its front are apart, summed over the objectives,
    each in units of the front's range; +inf at both ends (Deb et al. 2002, section III-B). `rank` (n,): which front
    each row is in; None: all in one. Infinite losses count as the worst finite ones."""
    distance = np.zeros(len(losses))
    fronts = np.zeros(len(losses), dtype=np.int64) if rank is None else rank
    for column in losses.T if len(losses) else ():
        order = np.lexsort((column, fronts))
        distance[order] += _apart(_finite(column[order]), fronts[order])
    return distance


def _apart(values: Floats, fronts: Integers) -> Floats:
    """(n,) of values that ascend within each front, how far the neighbours are apart, by the front's range."""
    border = np.flatnonzero(fronts[1:] != fronts[:-1]) + 1
    first, last = np.append(0, border), np.append(border, len(values)) - 1
    span = np.repeat(values[last] - values[first], last - first + 1)
    apart = np.zeros(len(values))
    apart[1:-1] = values[2:] - values[:-2]
    apart[first] = apart[last] = 0.0  # a neighbour of theirs is in another front, however far away
    apart = np.where(span > 0, apart / np.where(span > 0, span, 1.0), 0.0)
    apart[first] = apart[last] = math.inf
    return apart


def _finite(column: Floats) -> Floats:
    """Losses that can be subtracted: infinite ones clipped to the finite range, all scaled against overflow."""
    known = column[np.isfinite(column)]
    if not len(known):
        return np.nan_to_num(column, posinf=1.0, neginf=-1.0)
    clipped = np.clip(column, known.min(), known.max())
    return clipped / max(1.0, float(np.abs(known).max()))


# ------------------------------------------------------------------------------------------------------- hypervolume


def hypervolume(points: Floats, reference: Floats) -> float:
    """The volume that `points` (n, m) dominate within `reference` (m,), exact. Points that are not better than the
    reference in every objective add nothing; +inf where the volume is not finite.

    Two objectives by a sweep; more by exclusive volumes (While, Bradstreet and Barone 2012, "A Fast Way of Calculating
    Exact Hypervolumes", WFG), whose cost grows steeply with m: meant for m <= 5.
    """
    extents = _extents(points, reference)
    return _volume(extents) if np.isfinite(extents).all() else math.inf


def contributions(points: Floats, reference: Floats) -> Floats:
    """(n,) by how much the hypervolume shrinks without each point; 0 for dominated and for repeated ones. The volume
    within `reference` (m,) must be finite."""
    inside = (points < reference).all(axis=1)
    extents = _extents(points, reference)
    found = np.zeros(len(points))
    found[inside] = [_exclusive(extents[i], np.delete(extents, i, axis=0)) for i in range(len(extents))]
    return found


def _extents(points: Floats, reference: Floats) -> Floats:
    """(i, m) the sides of the boxes between the reference and the points within it."""
    with np.errstate(over="ignore"):  # beyond the largest float the volume is infinite
        extents: Floats = reference - points[(points < reference).all(axis=1)]
    return extents


def _volume(boxes: Floats) -> float:
    """The volume of the union of boxes (n, m) that share the corner 0."""
    boxes = boxes[front(-boxes)]
    if not len(boxes):
        return 0.0
    boxes = boxes[np.lexsort(boxes.T[::-1])]  # ascending in the first side
    if boxes.shape[1] <= 2:
        return _area(boxes)
    return sum(_exclusive(box, boxes[i + 1 :]) for i, box in enumerate(boxes))


def _area(boxes: Floats) -> float:
    """One or two sides, undominated, ascending in the first: each adds a strip as wide as it reaches further."""
    widths = np.diff(boxes[:, 0], prepend=0.0)
    heights = boxes[:, 1] if boxes.shape[1] == 2 else np.ones(len(boxes))
    return math.fsum((widths * heights).tolist())


def _exclusive(box: Floats, others: Floats) -> float:
    """The volume of the box that no other one covers (While et al. 2012, eq. 4)."""
    whole: float = math.prod(box.tolist())
    return max(0.0, whole - _volume(np.minimum(others, box)))
