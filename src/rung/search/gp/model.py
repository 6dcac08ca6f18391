"""A Gaussian process given its hyperparameters: conditioning on results and on pending rows, predictions, and the
gradient of whatever is computed from predictions with respect to the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rung.search.gp.fit import covariance, fixed_of, profile, unpack, warp
from rung.search.gp.inputs import Inputs, inputs_of
from rung.search.gp.kernel import distances, matern52, mismatches, task_correlations

if TYPE_CHECKING:
    from rung.search.gp.fit import Hyper
    from rung.search.gp.inputs import Shape
    from rung.space.scales import Floats

FANTASY_NOISE = (
    1e-6  # of a pending row, relative to the signal: nobody should go there again, however noisy results are
)
VARIANCE_FLOOR = 1e-12  # of a prediction, relative to the signal: what rounding leaves of 1 - 1


class Model(NamedTuple):
    """`scaled` (n, f) warped features over their lengthscales, `codes` (n, c), `tasks` (n,) correlation with our study,
    `inverse` (n, n) inverse of the lower Cholesky factor of K + noise, `alpha` (n,), `mean`, `variance` of the signal.
    """

    shape: Shape
    hyper: Hyper
    scaled: Floats
    codes: Floats
    tasks: Floats
    inverse: Floats
    alpha: Floats
    mean: float
    variance: float


class Prediction(NamedTuple):
    """At m rows: `mean` and `sd` (m,) of the latent function; the rest is kept for `pull`."""

    mean: Floats
    sd: Floats
    slope: Floats
    projected: Floats
    scaled: Floats
    by_x: Floats


def condition(shape: Shape, h: Floats, inputs: Inputs, y: Floats) -> Model | None:
    """The process given results y (n,); None where the covariance cannot be factored."""
    from scipy.linalg.lapack import dtrtri

    hyper = unpack(shape, h)
    cov = covariance(fixed_of(shape, inputs), hyper)
    if cov.factor is None:
        return None
    found = profile(cov.factor, y)
    inverse, _ = dtrtri(cov.factor, lower=1)
    scaled = cov.moved * np.sqrt(cov.weights[: shape.features])
    zeros = np.zeros_like(inputs.task)
    tasks = task_correlations(hyper.correlation, inputs.task, zeros[:1])[:, 0] if shape.tasks else np.ones(len(y))
    return Model(shape, hyper, scaled, inputs.codes, tasks, inverse, found.alpha, found.mean, found.variance)


def _cross(model: Model, rows: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    shape, hyper = model.shape, model.hyper
    inputs = inputs_of(shape, rows)
    moved, warped = warp(shape, hyper, inputs.features)
    by_x = np.ones_like(moved)
    by_x[:, shape.warped] = warped.by_x
    roots = 1 / hyper.lengths[: shape.features]
    scaled = (moved - 0.5) * roots
    squared = distances(scaled, model.scaled)
    if len(shape.choices):
        squared += mismatches(inputs.codes, model.codes, hyper.lengths[shape.features :] ** -2.0)
    kernel, slope = matern52(squared)
    return kernel * model.tasks, slope * model.tasks, scaled, by_x * roots, inputs.codes


def predict(model: Model, rows: Floats) -> Prediction:
    """The latent function at (m, d) unit rows (Rasmussen & Williams 2006, eqs. 2.25 and 2.26)."""
    kernel, slope, scaled, by_x, _ = _cross(model, rows)
    projected = kernel @ model.inverse.T  # (m, n): L^-1 k
    left = np.maximum(1.0 - np.einsum("ij,ij->i", projected, projected), VARIANCE_FLOOR)
    return Prediction(model.mean + kernel @ model.alpha, np.sqrt(model.variance * left), slope, projected, scaled, by_x)


def pull(model: Model, at: Prediction, by_mean: Floats, by_sd: Floats) -> Floats:
    """(m, d) gradient by the unit rows of a quantity whose derivatives by mean and sd (m,) are given.

    With G = dk/d(r^2) (by_mean alpha - 2 by_var (K + noise)^-1 k): sum_i G_i 2 (z - z_i), then the chain rule.
    """
    by_left = by_sd * model.variance / (2.0 * at.sd)
    solved = at.projected @ model.inverse  # (m, n): (K + noise)^-1 k
    pulled = at.slope * (by_mean[:, None] * model.alpha - 2.0 * by_left[:, None] * solved)
    by_scaled = 2.0 * (at.scaled * pulled.sum(axis=1)[:, None] - pulled @ model.scaled)
    by_feature = by_scaled * at.by_x
    gradient = np.zeros((len(by_mean), len(model.shape.smooth) + len(model.shape.choices)))
    gradient[:, model.shape.smooth] = by_feature[:, : len(model.shape.smooth)]
    return gradient


def believe(model: Model, rows: Floats) -> Model:
    """The process as if each of the (p, d) pending rows had come out at its predicted mean (kriging believer,
    Ginsbourger et al. 2010): the mean stays, the variance shrinks. The Cholesky factor is extended, not computed
    anew."""
    from scipy.linalg.lapack import dpotrf, dtrtri

    if not len(rows):
        return model
    kernel, _, scaled, _, codes = _cross(model, rows)
    projected = kernel @ model.inverse.T  # (p, n)
    squared = distances(scaled, scaled)
    if len(model.shape.choices):
        squared += mismatches(codes, codes, model.hyper.lengths[model.shape.features :] ** -2.0)
    corner = matern52(squared)[0] - projected @ projected.T
    corner[np.diag_indices_from(corner)] += FANTASY_NOISE
    factor, info = dpotrf(corner, lower=1, clean=1)
    if info:  # rows that are all but equal: only more noise tells them apart
        corner[np.diag_indices_from(corner)] += 1e-3
        factor, info = dpotrf(corner, lower=1, clean=1)
    small, _ = dtrtri(factor, lower=1)
    n, p = len(model.alpha), len(rows)
    inverse = np.zeros((n + p, n + p))
    inverse[:n, :n] = model.inverse
    inverse[n:, n:] = small
    inverse[n:, :n] = -small @ (projected @ model.inverse)
    return model._replace(
        scaled=np.concatenate([model.scaled, scaled]),
        codes=np.concatenate([model.codes, codes]),
        tasks=np.concatenate([model.tasks, np.ones(p)]),
        inverse=inverse,
        alpha=np.concatenate([model.alpha, np.zeros(p)]),  # a value at its own mean moves nothing
    )
