"""Hyperparameters by maximum a posteriori, with analytic gradients.

The vector h holds logarithms, in this order: lengthscales (one a feature, one a choice), the noise variance relative
to the signal's, the warpings' a and b, and for each earlier study the logit of its correlation with this one. The
mean and the signal variance are no part of it: given h, their best values have a closed form (`profile`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rung.search.gp.ascent import ascend
from rung.search.gp.kernel import distances, matern52, task_correlations
from rung.search.gp.warp import kumaraswamy

if TYPE_CHECKING:
    from rung.search.gp.inputs import Inputs, Shape
    from rung.search.gp.warp import Warped
    from rung.space.scales import Floats

LENGTH_SD = math.sqrt(3.0)  # of log lengthscale
NOISE_MEAN, NOISE_SD = math.log(1e-5), 3.5
NOISE_LOW, NOISE_HIGH = math.log(1e-8), math.log(2.0)
WARP_SD, WARP_LIMIT = 0.25, 1.0
TASK_SD = 1.5
SIGNAL_WEIGHT = 2.0  # how many observations the prior belief that the signal variance is 1 counts for
MEAN_WEIGHT = 0.25  # precision of the mean around 0, in units of 1 / signal variance
REACH = 1.5  # of a step of the fit, in standard deviations of the prior
ENOUGH = 1e-3  # of the log density: a step that gains less ends the fit
FAILED = 1e25  # the objective where the covariance cannot be factored


class Hyper(NamedTuple):
    """h taken apart, on the natural scale: `lengths` (L,), `noise`, `a` and `b` (w,), `correlation` (tasks,)."""

    lengths: Floats
    noise: float
    a: Floats
    b: Floats
    correlation: Floats


class Profile(NamedTuple):
    """For y of covariance s^2 (K + noise): `alpha` = (K + noise)^-1 (y - mean), the `mean`, `variance` s^2, and the
    negative log marginal likelihood but for a constant."""

    alpha: Floats
    mean: float
    variance: float
    loss: float


def unpack(shape: Shape, h: Floats) -> Hyper:
    """The parts of h."""
    lengths, warps = shape.lengths, len(shape.warped)
    parts = np.split(h, np.cumsum([lengths, 1, warps, warps]))
    noise = float(np.exp(parts[1][0]))
    return Hyper(np.exp(parts[0]), noise, np.exp(parts[2]), np.exp(parts[3]), 1 / (1 + np.exp(-parts[4])))


class Prior(NamedTuple):
    """Independent normal densities of the entries of h, and their bounds: arrays (len(h),)."""

    mean: Floats
    sd: Floats
    low: Floats
    high: Floats


def prior_of(shape: Shape) -> Prior:
    """Lengthscales grow with the root of the dimension (Hvarfner, Hellsten & Nardi 2024, section 5: a lognormal with
    location sqrt(2) + log(d)/2 and scale sqrt(3), whose density has its mode where ours has its mean); warpings stand
    near the identity; the noise may be anything between none and all."""
    lengths, warps = shape.lengths, len(shape.warped)
    centre = math.sqrt(2) - 3 + math.log(max(1, lengths)) / 2
    columns = [
        (lengths, centre, LENGTH_SD, math.log(0.005), centre + 6),
        (1, NOISE_MEAN, NOISE_SD, NOISE_LOW, NOISE_HIGH),
        (2 * warps, 0.0, WARP_SD, -WARP_LIMIT, WARP_LIMIT),
        (shape.tasks, 0.0, TASK_SD, -5.0, 5.0),
    ]
    repeats = [column[0] for column in columns]
    return Prior(*(np.repeat([float(column[i]) for column in columns], repeats) for i in range(1, 5)))


def warp(shape: Shape, hyper: Hyper, features: Floats) -> tuple[Floats, Warped]:
    """The (n, f) features after warping, and the warping of the (n, w) warped ones."""
    warped = kumaraswamy(features[:, shape.warped], hyper.a, hyper.b)
    moved: Floats = features.copy()
    moved[:, shape.warped] = warped.value
    return moved, warped


def profile(factor: Floats, y: Floats) -> Profile:
    """The best mean and signal variance in closed form, for the lower Cholesky `factor` of K + noise."""
    from scipy.linalg.lapack import dpotrs

    n = len(y)
    solved, _ = dpotrs(factor, np.column_stack([y, np.ones(n)]), lower=1)
    ones = solved[:, 1]
    mean = float(ones @ y / (ones.sum() + MEAN_WEIGHT))
    alpha = solved[:, 0] - mean * ones
    quadratic = float((y - mean) @ alpha + MEAN_WEIGHT * mean * mean) + SIGNAL_WEIGHT
    variance = quadratic / (n + SIGNAL_WEIGHT)
    loss = 0.5 * (n + SIGNAL_WEIGHT) * math.log(variance) + float(np.log(np.diagonal(factor)).sum())
    return Profile(alpha, mean, variance, loss)


class Fixed(NamedTuple):
    """What no step of a fit changes: `differs` (c, n, n) where the choices differ, `task` (tasks, n) of which study."""

    shape: Shape
    inputs: Inputs
    prior: Prior
    differs: Floats


def fixed_of(shape: Shape, inputs: Inputs) -> Fixed:
    """Computed once a fit."""
    codes = inputs.codes.T
    differs = (codes[:, :, None] != codes[:, None, :]).astype(np.float64)
    return Fixed(shape, inputs, prior_of(shape), differs)


class Covariance(NamedTuple):
    """K + noise of the rows of a fit, and what its gradient is made of."""

    moved: Floats
    warped: Warped
    weights: Floats
    slope: Floats
    kernel: Floats
    tasks: Floats | None
    factor: Floats | None


def covariance(fixed: Fixed, hyper: Hyper) -> Covariance:
    """K + noise and its lower Cholesky factor (None where there is none)."""
    from scipy.linalg.lapack import dpotrf

    shape, inputs = fixed.shape, fixed.inputs
    moved, warped = warp(shape, hyper, inputs.features)
    moved -= 0.5  # the distances' cancellation is least around 0
    weights = hyper.lengths**-2.0
    scaled = moved * np.sqrt(weights[: shape.features])
    squared = distances(scaled, scaled)
    if len(shape.choices):
        squared += np.tensordot(weights[shape.features :], fixed.differs, 1)
    np.fill_diagonal(squared, 0.0)
    kernel, slope = matern52(squared)
    tasks = task_correlations(hyper.correlation, inputs.task, inputs.task) if shape.tasks else None
    total = kernel.copy() if tasks is None else kernel * tasks
    total[np.diag_indices_from(total)] += hyper.noise
    factor, info = dpotrf(total, lower=1, clean=1, overwrite_a=1)
    return Covariance(moved, warped, weights, slope, kernel, tasks, None if info else factor)


def objective(h: Floats, fixed: Fixed, y: Floats) -> tuple[float, Floats]:
    """Negative log posterior density of h (but for a constant) and its gradient (Rasmussen & Williams 2006, eq. 5.9,
    with mean and signal variance at their best, where the density does not depend on them to first order)."""
    from scipy.linalg.lapack import dtrtri

    shape, prior = fixed.shape, fixed.prior
    hyper = unpack(shape, h)
    cov = covariance(fixed, hyper)
    if cov.factor is None:
        return FAILED, np.zeros_like(h)
    found = profile(cov.factor, y)
    root, _ = dtrtri(cov.factor, lower=1)  # dpotri takes a thousand times longer where other programs use the cores
    inverse = root.T @ root
    by_cov = 0.5 * (inverse - np.outer(found.alpha, found.alpha) / found.variance)  # dloss / d(K + noise)
    gradient = [
        _by_lengths_and_warps(fixed, cov, by_cov, hyper.noise),
        _by_tasks(fixed, hyper, cov, by_cov),
    ]
    away = (h - prior.mean) / prior.sd
    return found.loss + 0.5 * float(away @ away), np.concatenate(gradient) + away / prior.sd


def _by_lengths_and_warps(fixed: Fixed, cov: Covariance, by_cov: Floats, noise: float) -> Floats:
    """By log lengthscales, log noise, log a and log b. With M = dloss/d(r^2), symmetric, and m its row sums:
    sum_ij M_ij (x_i - x_j)(z_i - z_j) = 2 (sum_i m_i x_i z_i - x' M z)."""
    shape = fixed.shape
    by_squared = by_cov * cov.slope
    if cov.tasks is not None:
        by_squared *= cov.tasks
    sums, product = by_squared.sum(axis=1), by_squared @ cov.moved
    pulled = 2.0 * (sums[:, None] * cov.moved - product)  # (n, f)
    by_weight = np.einsum("ij,ij->j", cov.moved, pulled)
    if len(shape.choices):
        by_weight = np.concatenate([by_weight, np.tensordot(fixed.differs, by_squared, 2)])
    by_noise = [noise * np.trace(by_cov)]
    warped = 2.0 * cov.weights[shape.warped] * pulled[:, shape.warped]
    by_a = np.einsum("ij,ij->j", cov.warped.by_a, warped)
    by_b = np.einsum("ij,ij->j", cov.warped.by_b, warped)
    return np.concatenate([-2.0 * cov.weights * by_weight, by_noise, by_a, by_b])


def _by_tasks(fixed: Fixed, hyper: Hyper, cov: Covariance, by_cov: Floats) -> Floats:
    """By the logits of the correlations."""
    task, gradient = fixed.inputs.task, np.zeros(fixed.shape.tasks)
    if cov.tasks is None:
        return gradient
    b = np.concatenate([[1.0], hyper.correlation])
    by_tasks = by_cov * cov.kernel * (task[:, None] != task[None, :])
    by_row = 2.0 * (by_tasks @ b[task])
    for source, correlation in enumerate(hyper.correlation):
        gradient[source] = by_row[task == source + 1].sum() * correlation * (1 - correlation)
    return gradient


def fit(fixed: Fixed, y: Floats, start: Floats, steps: int) -> tuple[Floats, float]:
    """The h that an ascent from `start` reaches in so many evaluations, and its negative log density. The ascent is on
    h in units of the prior's standard deviations."""
    prior = fixed.prior

    def density(z: Floats) -> tuple[Floats, Floats]:
        found = [objective(prior.mean + prior.sd * one, fixed, y) for one in z]
        return -np.array([value for value, _ in found]), np.array([-prior.sd * gradient for _, gradient in found])

    inside = np.clip(start, prior.low, prior.high)
    z, low, high = ((some - prior.mean)[None, :] / prior.sd for some in (inside, prior.low, prior.high))
    reached, value = ascend(density, z, low, high, steps, reach=REACH, enough=ENOUGH)
    return prior.mean + prior.sd * reached[0], -float(value[0])
