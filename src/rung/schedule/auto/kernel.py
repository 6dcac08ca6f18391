"""The covariance of two observations: how alike two configurations are, times how alike two amounts of resource are.

    cov(f(x, t), f(x', t')) = LEVEL + SHAPE r(t, t') + k(x, x') (level + shape r(t, t'))
                              + [same trial] (own + drift r(t, t'))

`k` is a Matern-5/2 over the space with a lengthscale for each parameter, `r` one over the logarithm of the resource.
The first two terms are the mean curve, about which next to nothing is assumed; the next two what follows from the
configuration, a level and the shape of its curve; the last two what is a trial's own, so that its partial curve says
more of it than any neighbour does. A sum of products of covariances is one (Rasmussen & Williams 2006, section 4.2.4).

The idea of one process over all partial curves is that of Swersky, Snoek & Adams 2014, "Freeze-Thaw Bayesian
Optimization" (arXiv:1406.3896), whose curves are independent given their asymptotes; here the shape of a curve is
learned from its neighbours too, since how fast a network learns follows from its learning rate.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rung.search.gp.kernel import distances, matern52, mismatches

if TYPE_CHECKING:
    from rung.search.gp.inputs import Inputs, Integers, Shape
    from rung.space.scales import Floats

LEVEL, SHAPE = 4.0, 4.0  # variances of the mean curve, in standardised losses
JITTER = 1e-8
LENGTH_SD = math.sqrt(3.0)
# h is the log lengthscales, then in this order: the logarithms of the variances level, shape, own and drift, of the
# variance of the noise, and of the lengthscale of log resource.


class Rows(NamedTuple):
    """n observations: `inputs` of their configurations, `time` (n,) log resource, or (1,) where it is the same for
    all, `trial` (n,) whose they are (negative numbers: configurations that were never tried)."""

    inputs: Inputs
    time: Floats
    trial: Integers

    def take(self, rows: Integers) -> Rows:
        """Those of some rows."""
        return Rows(self.inputs.take(rows), self.time[rows], self.trial[rows])


class Prior(NamedTuple):
    """Independent normal densities of the entries of h, (len(h),) each."""

    mean: Floats
    sd: Floats


def prior_of(shape: Shape) -> Prior:
    """Lengthscales grow with the root of the dimension (Hvarfner, Hellsten & Nardi 2024, section 5), and are a little
    longer than for finished trials alone, as there are more observations than configurations. A lengthscale of 1.5 in
    log resource makes a curve at 3 epochs tell something, not all, of the one at 50."""
    lengths = shape.lengths
    centre = math.sqrt(2) - 2 + math.log(max(1, lengths)) / 2
    mean = [0.0, 0.0, -3.0, -3.0, -7.0, math.log(1.5)]
    sd = [1.0, 1.0, 1.5, 1.5, 1.5, 0.7]
    return Prior(np.concatenate([np.full(lengths, centre), mean]), np.concatenate([np.full(lengths, LENGTH_SD), sd]))


class Parts(NamedTuple):
    """A covariance and what its gradient is made of: all (n, m), those by time (1, m) where it is the same for all."""

    total: Floats
    space: Floats
    space_slope: Floats
    time: Floats
    time_slope: Floats
    same: Floats


def scaled(shape: Shape, h: Floats, inputs: Inputs) -> Floats:
    """(n, f) features over their lengthscales; the distances' cancellation is least around 0."""
    return np.asarray((inputs.features - 0.5) * np.exp(-h[: shape.features]))


def covariance(shape: Shape, h: Floats, one: Rows, two: Rows) -> Parts:
    """Of the latent function at n and m rows, without noise. The slopes are by the squared distances."""
    squared = distances(scaled(shape, h, one.inputs), scaled(shape, h, two.inputs))
    if len(shape.choices):
        weights = np.exp(-2.0 * h[shape.features : shape.lengths])
        squared += mismatches(one.inputs.codes, two.inputs.codes, weights)
    if one is two:
        np.fill_diagonal(squared, 0.0)
    space, space_slope = matern52(squared)
    level, shaped, own, drift, _, stretch = np.exp(h[shape.lengths :])
    apart = (one.time[:, None] - two.time[None, :]) / stretch
    time, time_slope = matern52(apart * apart)
    same = (one.trial[:, None] == two.trial[None, :]).astype(np.float64)
    total = LEVEL + space * level + same * own + time * (SHAPE + space * shaped + same * drift)
    return Parts(total, space, space_slope, time, 2.0 * apart * apart * time_slope, same)


def variance(shape: Shape, h: Floats) -> float:
    """Of the latent function at any row, before anything is observed."""
    return LEVEL + SHAPE + float(np.exp(h[shape.lengths : shape.lengths + 4]).sum())


def noise(shape: Shape, h: Floats) -> float:
    """Variance of the noise of an observation."""
    return float(np.exp(h[shape.lengths + 4])) + JITTER


def gradient(shape: Shape, h: Floats, rows: Rows, parts: Parts, by_total: Floats) -> Floats:
    """By h, of a quantity whose derivatives by the covariance of `rows` with themselves are `by_total` (n, n), which is
    symmetric. With M = d/d(r^2) and m its row sums: sum_ij M_ij (x_i - x_j)^2 = 2 (sum_i m_i x_i^2 - x' M x)."""
    level, shaped, own, drift, noisy, _ = np.exp(h[shape.lengths :])
    by_squared = by_total * parts.space_slope * (level + shaped * parts.time)
    at = scaled(shape, h, rows.inputs)
    by_features = 2.0 * np.einsum("ij,ij->j", at, by_squared.sum(axis=1)[:, None] * at - by_squared @ at)
    codes, weights = rows.inputs.codes, np.exp(-2.0 * h[shape.features : shape.lengths])
    by_choices = [weight * by_squared[codes[:, c, None] != codes[None, :, c]].sum() for c, weight in enumerate(weights)]
    by_time = by_total * (SHAPE + parts.space * shaped + parts.same * drift)
    by_scales = [
        level * (by_total * parts.space).sum(),
        shaped * (by_total * parts.space * parts.time).sum(),
        own * (by_total * parts.same).sum(),
        drift * (by_total * parts.same * parts.time).sum(),
        noisy * np.trace(by_total),
        -(by_time * parts.time_slope).sum(),
    ]
    return np.concatenate([-2.0 * by_features, -2.0 * np.asarray(by_choices), by_scales])
