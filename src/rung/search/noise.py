"""How good configurations are when evaluations are noisy: an empirical-Bayes normal model.

Notation: y_ij the j-th of n_i evaluations of configuration i, ybar_i their mean.

    y_ij ~ N(theta_i, s^2)        s^2 = sum_ij (y_ij - ybar_i)^2 / sum_i (n_i - 1), pooled over what was repeated
    theta_i ~ G                   G = sum_k p_k N(g_k, h^2), normals on an even grid of the good end, h = 0.7 s

The p_k are those of the largest likelihood of the means, by a fixed number of steps of expectation maximisation from
equal ones (Laird 1978; Jiang & Zhang 2009, whose early stop keeps G smooth), so G is the population of good
configurations whatever its shape: a sharp lower end, which a good searcher makes, pulls lucky draws back. Given
component k, theta_i is normal with variance v_i = 1 / (1/h^2 + n_i/s^2) and mean v_i (g_k/h^2 + n_i ybar_i/s^2);
the posterior's mean and variance are those of the mixture. A posterior does not mind that the best of many was picked
(Efron 2011, "Tweedie's formula and selection bias").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]

COMPONENTS = 64
WIDTH = 0.7  # of a component, and the distance between two, in standard deviations of the noise
STEPS = 30
CELLS = 4  # for each component: so fine are the means counted
LEADERS = 2000  # among the configurations evaluated once, only the best so many are computed: no other can win
SMALLEST = 1e-250  # a variance below it is none: its reciprocal has no number
LARGEST = 1e150  # a loss beyond it counts as this much: squares stay finite


class Evaluations(NamedTuple):
    """What is known of k configurations: `counts` (k,) and `means` (k,) of their finite evaluations (NaN: none), the
    `variance` of one evaluation, pooled, and its degrees of freedom (0: nothing was repeated, the variance is 0)."""

    counts: Integers
    means: Floats
    variance: float
    freedom: int


def evaluations(configuration: Integers, losses: Floats, size: int) -> Evaluations:
    """The evaluations of `size` configurations: (n,) which one each is of, and its (n,) finite loss."""
    losses = np.clip(losses, -LARGEST, LARGEST)
    counts = np.bincount(configuration, minlength=size)
    means = np.full(size, np.nan)
    np.divide(np.bincount(configuration, weights=losses, minlength=size), counts, out=means, where=counts > 0)
    apart = losses - means[configuration]
    freedom = int((counts[counts > 0] - 1).sum())
    repeated = counts[configuration] > 1  # of the others the deviation is 0, but for a rounding
    return Evaluations(counts, means, float(apart[repeated] @ apart[repeated]) / max(freedom, 1), freedom)


def posterior(found: Evaluations, *, target: float | None = None) -> tuple[Floats, Floats]:
    """(k,) posterior means and variances of the configurations' true losses; NaN where there is no evaluation.

    `target`: the good end is around it, not at the smallest mean. Far from the good end nothing is shrunk.
    """
    mean = found.means.copy()
    variance = np.full(len(mean), np.nan)
    known = np.flatnonzero(found.counts)
    variance[known] = found.variance / found.counts[known]
    if found.variance < SMALLEST or not len(known):
        return mean, variance
    h = WIDTH * found.variance**0.5
    origin = float(mean[known].min()) if target is None else target - h * (COMPONENTS // 2)
    near = known[(mean[known] >= origin) & (mean[known] - origin <= h * (COMPONENTS - 1))]
    if not len(near):
        return mean, variance
    shifted = mean[near] - origin
    shares = _population(shifted, found.counts[near], h, found.variance)
    leading = _leading(shifted if target is None else np.abs(mean[near] - target), found.counts[near])
    rows = near[leading]
    found_mean, variance[rows] = _mixture(shifted[leading], variance[rows], h, shares)
    mean[rows] = found_mean + origin
    return mean, variance


def _population(means: Floats, counts: Integers, h: float, noise: float) -> Floats:
    """(COMPONENTS,) the shares p of the population, from means that are counted in cells of h / CELLS."""
    cell = np.floor(means / h * CELLS).astype(np.int64)
    _, member, weights = np.unique(cell + (CELLS * COMPONENTS + 1) * counts, return_inverse=True, return_counts=True)
    member = member.reshape(-1)
    centres = np.bincount(member, weights=means) / weights
    errors = np.bincount(member, weights=noise / counts) / weights
    likelihood = _likelihood(centres, errors, h)
    shares = np.full(COMPONENTS, 1 / COMPONENTS)
    for _ in range(STEPS):
        joint = likelihood * shares
        shares = weights @ (joint / joint.sum(axis=1, keepdims=True)) + 1 / COMPONENTS
        shares /= weights.sum() + 1
    return shares


def _likelihood(means: Floats, errors: Floats, h: float) -> Floats:
    """(n, COMPONENTS) of each mean under each component, up to a factor."""
    spread = (errors + h * h)[:, None]
    apart = means[:, None] - h * np.arange(COMPONENTS)
    likelihood: Floats = np.exp(-apart * apart / (2 * spread)) / np.sqrt(spread)
    return likelihood


def _leading(badness: Floats, counts: Integers) -> npt.NDArray[np.bool_]:
    """Which configurations can win: those that were repeated, and the best of the others."""
    leading = counts > 1
    once = np.flatnonzero(~leading)
    if len(once) > LEADERS:
        once = once[np.argpartition(badness[once], LEADERS)[:LEADERS]]
    leading[once] = True
    return leading


def _mixture(means: Floats, errors: Floats, h: float, shares: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of theta given each mean with its error variance."""
    weights = _likelihood(means, errors, h) * shares
    weights /= weights.sum(axis=1, keepdims=True)
    within = 1 / (1 / (h * h) + 1 / errors)
    # within component k: within * (g_k / h^2 + mean / error)
    centres = h * np.arange(COMPONENTS)
    shrink = within / (h * h)
    first, second = weights @ centres, weights @ (centres * centres)
    mean = shrink * first + (within / errors) * means
    return mean, within + shrink * shrink * np.maximum(second - first * first, 0.0)
