"""A function of two parameters from scattered trials, on a grid: local quadratic regression of binned data.

At each cell a paraboloid is fitted to the trials around it, weighted by a Gaussian of their distance in units of a
bandwidth (Cleveland 1979; Fan & Gijbels 1996, section 2.3), where a local average would fill up valleys and be pulled
inwards at the edges. Slopes are drawn to 0 a little, curvatures the more, the fewer trials there are around.
Trials are first summed in the cells of the grid, with their mean place within each, so that the cost does not depend on
how many there are (Wand 1994). A cell is known only where there are trials within `REACH` bandwidths, and its value
never leaves the range of the cells that it is made from.

Notation: (r, c) cells; u, v: places in 0..1 of the n trials; w_kl: the Gaussian of two rows times that of two columns.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

REACH = 2.0  # bandwidths
SLOPE_RIDGE, CURVE_RIDGE = 1e-3, 0.02  # as parts of the weight around a cell
CHUNK = 256  # cells whose neighbourhoods are held at once
FEW = 2.0  # curvatures are drawn to 0 as by so many trials more


class Side(NamedTuple):
    """One side of the grid. `cell` (n,): of each trial; `place` (n,): in units; `centres` (k,); `bandwidth`: in units;
    0: cells say nothing about their neighbours, as categories do not."""

    cell: Integers
    place: Floats
    centres: Floats
    bandwidth: float


class Surface(NamedTuple):
    """(r, c) each: the `value` (NaN: nothing is known there), and how many `trials` are in the cell itself."""

    value: Floats
    trials: Integers


def bandwidth(units: Floats, cells: int) -> float:
    """Scott's rule for two dimensions, and not below half a cell."""
    return max(float(units.std()) * len(units) ** (-1 / 6), 1 / (2 * cells)) if len(units) else 1 / cells


def surface(rows: Side, columns: Side, z: Floats) -> Surface:
    """The surface through the values `z` (n,)."""
    shape = (len(rows.centres), len(columns.centres))
    flat = rows.cell * shape[1] + columns.cell

    def summed(weights: Floats | None = None) -> Floats:
        return np.bincount(flat, weights, shape[0] * shape[1]).astype(np.float64)

    count = summed()
    used = np.flatnonzero(count)
    if not len(used):
        return Surface(np.full(shape, np.nan), np.zeros(shape, np.int64))
    n, mean = count[used], summed(z)[used] / count[used]
    u, v = summed(rows.place)[used] / n, summed(columns.place)[used] / n
    value = np.empty(shape[0] * shape[1])
    for begin in range(0, len(value), CHUNK):
        cells = np.arange(begin, min(begin + CHUNK, len(value)))
        up, across = (
            _apart(side, cells_of, at, own)
            for side, cells_of, at, own in (
                (rows, cells // shape[1], u, used // shape[1]),
                (columns, cells % shape[1], v, used % shape[1]),
            )
        )
        value[cells] = _heights(up, across, n, mean)
    return Surface(value.reshape(shape), count.astype(np.int64).reshape(shape))


def _apart(side: Side, cells: Integers, at: Floats, own: Integers) -> Floats:
    """(k, m) how far what lies at `at` (m,), in the cells `own`, is from the middles of the `cells` (k,) along one
    side, in bandwidths."""
    if side.bandwidth > 0:
        return np.asarray((at[None] - side.centres[cells][:, None]) / side.bandwidth)
    return np.where(own[None] == cells[:, None], 0.0, np.inf)


def _heights(du: Floats, dv: Floats, trials: Floats, z: Floats) -> Floats:
    """(k,) the surface at some cells, from the distances (k, m) of all cells that have trials; NaN: it is not known."""
    squared = du**2 + dv**2
    near = squared <= REACH**2
    apart = ~np.isfinite(squared)
    fitted = _fitted(np.exp(-0.5 * squared), trials, np.where(apart, 0.0, du), np.where(apart, 0.0, dv), z)
    low = np.where(near, z[None], np.inf).min(1)
    high = np.where(near, z[None], -np.inf).max(1)
    known = near.any(1)
    return np.where(known, np.clip(fitted, np.where(known, low, 0.0), np.where(known, high, 0.0)), np.nan)


def _fitted(weights: Floats, trials: Floats, du: Floats, dv: Floats, z: Floats) -> Floats:
    """(k,) the height at each cell of the paraboloid through what is around it, by penalised least squares."""
    around = weights * trials
    total = np.where(around.sum(1) > 0, around.sum(1), 1.0)
    alike = total**2 / np.maximum((weights * around).sum(1), 1e-300)  # so many trials of equal weight say as much
    mean = (around * z).sum(1) / total
    terms = np.stack([np.ones_like(du), du, dv, du * du, du * dv, dv * dv], axis=-1)
    scaled = terms * (around / total[:, None])[..., None]
    normal = np.swapaxes(scaled, 1, 2) @ terms
    curved = CURVE_RIDGE + FEW / np.maximum(alike, 1.0)
    slopes = np.full_like(curved, SLOPE_RIDGE)
    ridge = np.stack([np.full_like(curved, 1e-9), slopes, slopes, curved, curved, curved], axis=-1)
    normal[:, np.arange(6), np.arange(6)] += ridge
    with np.errstate(over="ignore", invalid="ignore"):  # values near the largest number
        right = np.swapaxes(scaled, 1, 2) @ (z[None] - mean[:, None])[..., None]
        return np.asarray(mean + np.linalg.solve(normal, right)[:, 0, 0])
