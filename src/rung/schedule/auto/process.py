"""The joint process over configurations and resource: its hyperparameters, what it knows, and what it predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rung.schedule.auto.kernel import covariance, gradient, noise, prior_of, variance
from rung.search.gp.ascent import ascend

if TYPE_CHECKING:
    from rung.schedule.auto.kernel import Rows
    from rung.search.gp.inputs import Shape
    from rung.space.scales import Floats

FITTED_ROWS = 128  # observations that hyperparameters are fitted to: more change them little and cost much
REACH, ENOUGH, WIDEST = 1.5, 1e-3, 4.0  # of a step of the fit, what ends it, its bounds: the first, last in prior sds
FAILED = -1e25  # the density where the covariance cannot be factored
FLOOR = 1e-10  # of a predicted variance: what rounding leaves of 1 - 1


class Process(NamedTuple):
    """`inverse` (n, n): of the lower Cholesky factor of the covariance of `rows` and their noise; `white` (n,): it
    times the losses. Rows that are only supposed have 0 there: they came out as predicted."""

    shape: Shape
    h: Floats
    rows: Rows
    inverse: Floats
    white: Floats


def log_density(shape: Shape, h: Floats, rows: Rows, y: Floats) -> tuple[float, Floats]:
    """Of h given standardised losses y (n,), but for a constant, and its gradient (Rasmussen & Williams 2006, eqs. 5.8
    and 5.9)."""
    from scipy.linalg.lapack import dpotrf, dtrtri

    parts, prior = covariance(shape, h, rows, rows), prior_of(shape)
    total = parts.total.copy()
    total[np.diag_indices_from(total)] += noise(shape, h)
    factor, info = dpotrf(total, lower=1, clean=1, overwrite_a=1)
    if info:
        return FAILED, np.zeros_like(h)
    root, _ = dtrtri(factor, lower=1)
    white = root @ y
    alpha = root.T @ white
    away = (h - prior.mean) / prior.sd
    density = -0.5 * float(white @ white) - float(np.log(np.diagonal(factor)).sum()) - 0.5 * float(away @ away)
    by_total = 0.5 * (np.outer(alpha, alpha) - root.T @ root)
    return density, gradient(shape, h, rows, parts, by_total) - away / prior.sd


def fit(shape: Shape, rows: Rows, y: Floats, start: Floats | None, steps: int) -> Floats:
    """The h that an ascent of the log density reaches in so many evaluations, from the last h or the prior's mean."""
    if len(y) > FITTED_ROWS:
        order = np.argsort(y, kind="stable")
        rest = order[FITTED_ROWS // 2 :]
        even = rest[np.linspace(0, len(rest) - 1, FITTED_ROWS - FITTED_ROWS // 2).astype(np.int64)]
        chosen = np.sort(np.concatenate([order[: FITTED_ROWS // 2], even]))
        rows, y = rows.take(chosen), y[chosen]
    prior = prior_of(shape)

    def density(points: Floats) -> tuple[Floats, Floats]:
        value, slope = log_density(shape, prior.mean + points[0] * prior.sd, rows, y)
        return np.array([value]), (slope * prior.sd)[None]

    first = np.zeros_like(prior.mean) if start is None else (start - prior.mean) / prior.sd
    bound = np.full((1, len(first)), WIDEST)
    found, _ = ascend(density, first[None], -bound, bound, steps, reach=REACH, enough=ENOUGH)
    return np.asarray(prior.mean + found[0] * prior.sd)


def condition(shape: Shape, h: Floats, rows: Rows, y: Floats) -> Process:
    """The process given losses y; `rows` beyond len(y) are supposed to come out as predicted (kriging believer,
    Ginsbourger et al. 2010): as they stand last, the factor of the known rows is a corner of that of all."""
    from scipy.linalg.lapack import dpotrf, dtrtri

    total = covariance(shape, h, rows, rows).total
    for more in (noise(shape, h), 1e-5, 1e-3, 1e-1):
        ridged = total.copy()
        ridged[np.diag_indices_from(ridged)] += more
        factor, info = dpotrf(ridged, lower=1, clean=1, overwrite_a=1)
        if not info:
            break
    else:
        raise AssertionError("a covariance matrix of at most a few hundred rows plus a tenth has a Cholesky factor")
    inverse, _ = dtrtri(factor, lower=1)
    known = len(y)
    white = np.zeros(len(rows.time))
    white[:known] = inverse[:known, :known] @ y
    return Process(shape, h, rows, inverse, white)


def predict(process: Process, rows: Rows) -> tuple[Floats, Floats]:
    """Mean and standard deviation (m,) of the latent function (Rasmussen & Williams 2006, eqs. 2.25 and 2.26)."""
    cross = covariance(process.shape, process.h, rows, process.rows).total
    projected = cross @ process.inverse.T
    left = variance(process.shape, process.h) - np.einsum("ij,ij->i", projected, projected)
    return projected @ process.white, np.sqrt(np.maximum(left, FLOOR))
