"""What a row is worth: the logarithm of the expected improvement, in a form that is exact far into the tails, plus the
log probability of feasibility; for two objectives the expected hypervolume improvement. All with gradients.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rung.search.gp.model import Model, predict, pull

if TYPE_CHECKING:
    from rung.space.scales import Floats

LOG_ROOT_TAU = 0.5 * math.log(2 * math.pi)
HALF_LOG_HALF_PI = 0.5 * math.log(math.pi / 2)
TINY = 1e-300

Belief = Callable[["Floats"], "Floats"]
"""(m, d) unit rows to (m,) log densities of where the user believes the optimum to lie."""


class Aim(NamedTuple):
    """What is looked for. `models`: one an objective, in transformed units; `best`: for one objective (1,) the level to
    improve on, for two (k, 2) the front; None while nothing is feasible. `corner` (2,): the hypervolume's reference.
    `bounds`: one model an outcome, kept where at most 0. `belief` is added with `weight`."""

    models: tuple[Model, ...]
    best: Floats | None
    corner: Floats | None = None
    bounds: tuple[Model, ...] = ()
    belief: Belief | None = None
    weight: float = 0.0


def log_h(z: Floats) -> Floats:
    """With h(z) = phi(z) + z Phi(z), EI = sd h((best - mean) / sd): its logarithm (Ament et al. 2023, eqs. 8 and 9)."""
    from scipy.special import erfcx, ndtr

    far = np.minimum(z, -1.0)
    near = np.maximum(z, -1.0)
    plain = np.log(np.exp(-0.5 * near * near - LOG_ROOT_TAU) + near * ndtr(near))
    ratio = np.log(erfcx(-far / math.sqrt(2)) * -far) + HALF_LOG_HALF_PI  # of z Phi(z) to phi(z): below 0
    series = -2.0 * np.log(-far)  # where 1 - ratio is lost to rounding
    gap = np.where(far < -1e5, series, np.log(-np.expm1(np.minimum(ratio, -TINY))))
    return np.where(z > -1.0, plain, -0.5 * far * far - LOG_ROOT_TAU + gap)


def log_expected_improvement(mean: Floats, sd: Floats, best: float) -> tuple[Floats, Floats, Floats]:
    """Log E[(best - f)_+] for f ~ N(mean, sd^2), and its derivatives by mean and sd: (m,) each.

    EI = sd h(z), dEI/dmean = -Phi(z), dEI/dsd = phi(z); the quotients are taken in logarithms.
    """
    from scipy.special import log_ndtr

    z = (best - mean) / sd
    value = log_h(z)
    by_mean = -np.exp(log_ndtr(z) - value) / sd
    by_sd = np.exp(-0.5 * z * z - LOG_ROOT_TAU - value) / sd
    return np.log(sd) + value, by_mean, by_sd


def log_feasibility(mean: Floats, sd: Floats) -> tuple[Floats, Floats, Floats]:
    """Log P(f <= 0) for f ~ N(mean, sd^2), and its derivatives by mean and sd."""
    from scipy.special import log_ndtr

    z = -mean / sd
    value = log_ndtr(z)
    by_z = np.exp(-0.5 * z * z - LOG_ROOT_TAU - value)
    return value, -by_z / sd, -by_z * z / sd


class Gains(NamedTuple):
    """E[(level - f)_+] at m rows and k levels, and its derivatives by mean and sd: (m, k) each."""

    value: Floats
    by_mean: Floats
    by_sd: Floats


def _gains(mean: Floats, sd: Floats, levels: Floats) -> Gains:
    from scipy.special import ndtr

    z = (levels[None, :] - mean[:, None]) / sd[:, None]
    density, below = np.exp(-0.5 * z * z - LOG_ROOT_TAU), ndtr(z)
    return Gains(sd[:, None] * np.maximum(density + z * below, 0.0), -below, density)


def log_expected_hypervolume(
    means: Floats, sds: Floats, front: Floats, corner: Floats
) -> tuple[Floats, Floats, Floats]:
    """Log of the expected growth of the area that is dominated up to `corner`, for two independent normals (m, 2); and
    its derivatives (m, 2) by means and sds.

    The area right of and above a point falls into strips between the front's first coordinates a_0 = -inf < a_1 < ...
    <= corner_1, in each of which the point gains down from the height b_i of the front there:
    sum_i E[(a_i+1 - f_1)_+ - (a_i - f_1)_+] E[(b_i - f_2)_+]  (Emmerich, Deutz & Klinkenberg 2011; here as products,
    which independence allows).
    """
    inside = front[(front < corner).all(axis=1)]
    order = inside[np.argsort(inside[:, 0])]
    right = _gains(means[:, 0], sds[:, 0], np.append(order[:, 0], corner[0]))
    height = _gains(means[:, 1], sds[:, 1], np.append(corner[1], order[:, 1]))

    def strips(levels: Floats) -> Floats:
        return np.diff(levels, axis=1, prepend=0.0)

    total = np.maximum((strips(right.value) * height.value).sum(axis=1), TINY)

    def share(one: Floats, two: Floats) -> Floats:
        return np.asarray((one * two).sum(axis=1) / total)

    by_mean = np.column_stack([share(strips(right.by_mean), height.value), share(strips(right.value), height.by_mean)])
    by_sd = np.column_stack([share(strips(right.by_sd), height.value), share(strips(right.value), height.by_sd)])
    return np.log(total), by_mean, by_sd


def value(aim: Aim, rows: Floats) -> Floats:
    """(m,) what the (m, d) unit rows are worth."""
    return _acquire(aim, rows, gradient=False)[0]


def value_and_gradient(aim: Aim, rows: Floats) -> tuple[Floats, Floats]:
    """The same and its gradient (m, d), which is 0 for choices and inactive parameters."""
    return _acquire(aim, rows, gradient=True)


def _acquire(aim: Aim, rows: Floats, *, gradient: bool) -> tuple[Floats, Floats]:
    total, slope = np.zeros(len(rows)), np.zeros(rows.shape)
    if aim.best is not None:
        at = [predict(model, rows) for model in aim.models]
        gain, by_mean, by_sd = _gain(aim, np.column_stack([p.mean for p in at]), np.column_stack([p.sd for p in at]))
        total += gain
        if gradient:
            for i, (model, prediction) in enumerate(zip(aim.models, at, strict=True)):
                slope += pull(model, prediction, by_mean[:, i], by_sd[:, i])
    for bound in aim.bounds:
        prediction = predict(bound, rows)
        kept, mean_slope, sd_slope = log_feasibility(prediction.mean, prediction.sd)
        total += kept
        if gradient:
            slope += pull(bound, prediction, mean_slope, sd_slope)
    if aim.belief is not None and aim.weight:
        total += aim.weight * aim.belief(rows)
        if gradient:
            slope += aim.weight * _belief_slope(aim.belief, rows)
    if gradient:
        slope[np.isnan(rows)] = 0.0
    return total, slope


def _gain(aim: Aim, means: Floats, sds: Floats) -> tuple[Floats, Floats, Floats]:
    assert aim.best is not None
    if aim.corner is not None:
        return log_expected_hypervolume(means, sds, aim.best, aim.corner)
    gain, by_mean, by_sd = log_expected_improvement(means[:, 0], sds[:, 0], float(aim.best[0]))
    return gain, by_mean[:, None], by_sd[:, None]


def _belief_slope(belief: Belief, rows: Floats, step: float = 1e-4) -> Floats:
    """By central differences: a belief is a black box, and cheap."""
    slope = np.zeros(rows.shape)
    for column in range(rows.shape[1]):
        ahead, behind = rows.copy(), rows.copy()
        ahead[:, column] = np.minimum(rows[:, column] + step, 1.0)
        behind[:, column] = np.maximum(rows[:, column] - step, 0.0)
        slope[:, column] = (belief(ahead) - belief(behind)) / (ahead[:, column] - behind[:, column])
    return slope
