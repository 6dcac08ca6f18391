"""Several runs of one method as one curve: best-so-far trajectories, filled in on a common axis, then mean, median or
interquartile mean (IQM) with a band.

All numbers are losses, to be minimised. A *trajectory* is a step function: (k,) ascending places on some axis (seconds,
money, trials, resource) and (k,) the best loss from each of them on. On a common axis runs make a table (t, n), one
column a run; what a run has not reached yet is +inf, the worst: a mean exists where all runs have begun, a median where
half of them have, and no band where one of its ends is not finite.

The IQM is the mean of the middle half of the runs, by weight: of n runs the mass n/4 is cut off at both ends, a run at
the cut counts in part (Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical Precipice").
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from rung.search.pareto import front, hypervolume

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = npt.NDArray[np.float64]
Kind = Literal["ci", "quartiles", "iqm"]

NORMAL_95 = 1.96  # two-sided 95 % of the standard normal
RESAMPLES = 1_000
LEVEL = 0.95
CHUNK = 64  # places whose resamples are weighed at once: bounds the memory


class Trajectory(NamedTuple):
    """A step function: from `at[i]` on the best loss is `best[i]`. Both (k,); `at` ascends, `best` descends."""

    at: Floats
    best: Floats


class Band(NamedTuple):
    """A curve (t,) and the ends of its band (t,); NaN where there is none."""

    centre: Floats
    low: Floats
    high: Floats


# ------------------------------------------------------------------------------------------------------ trajectories


def best_so_far(at: Sequence[float] | Floats, losses: Sequence[float] | Floats) -> Trajectory:
    """What was best at each place where that changed. `at` (k,) in any order; losses that are not finite are passed
    over; of several at one place the best counts."""
    places, found = np.asarray(at, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    usable = np.isfinite(found) & np.isfinite(places)
    order = np.lexsort((found[usable], places[usable]))
    places, best = places[usable][order], np.minimum.accumulate(found[usable][order])
    better = np.ones(len(best), dtype=bool)
    better[1:] = best[1:] < best[:-1]
    return Trajectory(places[better], best[better])


def covered(at: Sequence[float], points: Floats, reference: Floats) -> Trajectory:
    """Several objectives: how much of the space up to `reference` (m,) the points (k, m) met so far leave uncovered, as
    minus their hypervolume. `at` (k,) ascends."""
    inside = np.isfinite(points).all(axis=1) & (points < reference).all(axis=1)
    kept = np.empty((0, points.shape[1]))
    places, losses = [], []
    for place, point in zip(np.asarray(at)[inside].tolist(), points[inside], strict=True):
        if len(kept) and bool((kept <= point).all(axis=1).any()):
            continue  # dominated, or met before: nothing changes
        kept = np.vstack([kept, point])
        kept = kept[front(kept)]
        places.append(place)
        losses.append(-hypervolume(kept, reference))
    return best_so_far(places, losses)


def reference_point(clouds: Sequence[Floats]) -> Floats | None:
    """A point (m,) that is worse than all finite ones of all runs: the worst of each objective and a tenth of their
    range beyond it (a tenth of the value, or of 1, where all are equal). None where there are no finite points."""
    finite = [cloud[np.isfinite(cloud).all(axis=1)] for cloud in clouds]
    points = np.concatenate(finite) if finite else np.empty((0, 0))
    if not len(points):
        return None
    worst, spread = points.max(axis=0), np.ptp(points, axis=0)
    reference: Floats = worst + np.where(spread > 0, spread, np.where(worst != 0, np.abs(worst), 1.0)) / 10
    return reference


def filled(trajectories: Sequence[Trajectory], *, before: float = math.inf) -> tuple[Floats, Floats]:
    """The union of all places (t,), ascending, and each run's best there (t, n): carried forward, `before` where
    it has none yet."""
    places = np.unique(np.concatenate([t.at for t in trajectories])) if trajectories else np.empty(0)
    return places, sampled(trajectories, places, before=before)


def sampled(trajectories: Sequence[Trajectory], places: Floats, *, before: float = math.inf) -> Floats:
    """Each run's best (t, n) at the places (t,)."""
    table = np.full((len(places), len(trajectories)), before, dtype=np.float64)
    for run, (at, best) in enumerate(trajectories):
        last = np.searchsorted(at, places, side="right") - 1
        table[last >= 0, run] = best[last[last >= 0]]
    return table


def thinned(places: Floats, most: int) -> Floats:
    """At most `most` of the places, the first and the last among them: evenly by their number, so that there are more
    where more happens."""
    if len(places) <= most:
        return places
    kept: Floats = places[np.unique(np.linspace(0, len(places) - 1, most).round().astype(np.int64))]
    return kept


def reached(trajectory: Trajectory, loss: float) -> float:
    """The first place where the best is at or below `loss`; +inf if it never is."""
    first = int(np.searchsorted(-trajectory.best, -loss, side="left"))
    return float(trajectory.at[first]) if first < len(trajectory.at) else math.inf


# -------------------------------------------------------------------------------------------------------- aggregates


def band(table: Floats, kind: Kind, *, seed: int = 0) -> Band:
    """The runs (t, n) as one curve: `ci` mean and its confidence interval, `quartiles` median and quartiles, `iqm` IQM
    and its bootstrap interval (`seed`: of the resampling)."""
    if kind == "ci":
        return mean_and_interval(table)
    return median_and_quartiles(table) if kind == "quartiles" else iqm_and_interval(table, seed=seed)


def mean_and_interval(table: Floats, *, quantile: float | None = None, ddof: int = 1) -> Band:
    """Mean of the runs (t, n) -+ `quantile` sd / sqrt(n), None: the 97.5 % quantile of Student's t with n - 1 degrees
    of freedom; `ddof`: what the standard deviation divides by is n - ddof. One run has no interval."""
    n = table.shape[1]
    begun = np.isfinite(table).all(axis=1)
    centre = np.full(len(table), np.nan)
    centre[begun] = table[begun].mean(axis=1)
    half = np.full(len(table), np.nan)
    if n > 1:
        factor = student(n - 1) if quantile is None else quantile
        half[begun] = factor * table[begun].std(axis=1, ddof=ddof) / math.sqrt(n)
    return Band(centre, centre - half, centre + half)


def median_and_quartiles(table: Floats) -> Band:
    """Median of the runs (t, n) and their quartiles, by linear interpolation."""
    ordered = np.sort(table, axis=1)
    low, centre, high = (_quantile(ordered, q) for q in (0.25, 0.5, 0.75))
    return Band(centre, low, high)


def _quantile(ordered: Floats, q: float) -> Floats:
    """(t,) of rows that ascend; NaN where it is not finite."""
    place = q * (ordered.shape[1] - 1)
    below, above = ordered[:, math.floor(place)], ordered[:, math.ceil(place)]
    finite = np.isfinite(above)
    found = np.full(len(ordered), np.nan)
    found[finite] = below[finite] + (place % 1) * (above[finite] - below[finite])
    return found


def iqm_and_interval(table: Floats, *, resamples: int = RESAMPLES, seed: int = 0) -> Band:
    """IQM of the runs (t, n) -+ 1.96 times the standard deviation of the IQM over `resamples` of the runs, drawn with
    replacement; NaN where a run has not begun. One run has no interval."""
    n = table.shape[1]
    centre = iqm(table)
    half = np.full(len(table), np.nan)
    if n > 1:
        counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples)
        begun = np.flatnonzero(np.isfinite(table).all(axis=1))
        for first in range(0, len(begun), CHUNK):
            rows = begun[first : first + CHUNK]
            half[rows] = NORMAL_95 * _resampled(table[rows], counts).std(axis=1)
    return Band(centre, centre - half, centre + half)


def iqm(table: Floats) -> Floats:
    """(t,) the interquartile mean of the runs (t, n); NaN where one of the middle half is not finite."""
    ordered = np.sort(table, axis=1)
    weights = _middle_half(np.arange(table.shape[1] + 1, dtype=np.float64))
    middle = ordered[:, weights > 0]
    finite = np.isfinite(middle).all(axis=1)
    found = np.full(len(table), np.nan)
    found[finite] = middle[finite] @ weights[weights > 0] / weights.sum()
    return found


def _middle_half(borders: Floats) -> Floats:
    """How much of each stretch between ascending borders, along the last axis, is in the middle half of the whole."""
    quarter = borders[..., -1:] / 4
    return np.diff(np.clip(borders, quarter, 3 * quarter), axis=-1)


def _resampled(table: Floats, counts: npt.NDArray[np.int64]) -> Floats:
    """(t, b) the IQM of finite runs (t, n), each taken as often as a row of `counts` (b, n) says: a run that counts c
    times is c wide where the runs lie side by side in order."""
    order = np.argsort(table, axis=1)
    ordered = np.take_along_axis(table, order, axis=1)
    borders = np.zeros((len(table), len(counts), table.shape[1] + 1))
    borders[..., 1:] = np.cumsum(counts[:, order], axis=2).transpose(1, 0, 2)
    weights = _middle_half(borders)
    found: Floats = (weights @ ordered[:, :, None])[..., 0] / (table.shape[1] / 2)
    return found


def student(freedom: int) -> float:
    """The 97.5 % quantile of Student's t."""
    from scipy.special import stdtrit  # slow to load, and only comparisons need it

    return float(stdtrit(freedom, (1 + LEVEL) / 2))
