"""Which predicted chance is small enough, so that wrong stops stay under alpha.

A trial that would have ended among the best is stopped wrongly when at some look its predicted chance p fell below the
level a at which we stop. Let u be the least chance, over all looks, that the forecast ever gave a trial of becoming as
good as it became. For a trial that ends among the best, p >= u at every look: the threshold is no better than what it
became. So P(stopped | ends among the best) <= P(u < a), whatever the forecast is worth, and a has to be the
alpha-quantile of u. It is taken from the finished trials, each predicted from the others (so that theirs are like the
next one's), and of them from the best eighth: those that end among the best are of this kind. (Who ends there did so by
some luck at the end too, which the forecast could not know; among all finished trials u is larger.)

Two estimates of the quantile, of x = -log u, of which the more careful one counts:

- the predictive quantile for x exponential with rate ~ Gamma(STRENGTH, STRENGTH MEAN): x = b (alpha^(-1/c) - 1), of a
  Lomax distribution with c = STRENGTH + m, b = STRENGTH MEAN + sum x. It is careful where the record is short;
- the conformal quantile (Vovk, Gammerman and Shafer 2005): the largest x with (1 + weight of those above) <= alpha
  (1 + sum w); it assumes nothing on the shape but needs about 1/alpha finished trials to speak.

Who was stopped never shows its u, so that the record would grow too sure of itself. Two things are done about it.

- A share of the trials, chosen beforehand by their number, is let run to the end: those of them that would have been
  stopped (u < a) stand for the others, with weight w = 1 / share. The share shrinks with the number n as 1/sqrt(n):
  what is measured grows with sqrt(n), and what it costs becomes small beside n.
- Any other trial that finished while a' was the level was seen because its x was below c = -log a'. It stands for those
  that were not: for q / (1 - q) more, q = P(x > c), with c + mean on average (the exponential law forgets), but for no
  more than alpha / (1 - alpha), which is what the level was made for. The mean is found by iteration (expectation and
  maximisation for a truncated exponential law).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STRENGTH, MEAN = 3.0, 3.0  # three trials' worth of belief that x is 3 on average (it is 1 for one look, exactly known)
LEAST = 1e-13  # chances below it are not told apart
ROUNDS = 20  # of the iteration: by then it stands still to a per cent
SPAN = 10  # trials until the share of measured ones begins to shrink


def measured_share(share: float, number: int) -> float:
    """Which share of the trials about `number` is let run to the end; `share` of the first."""
    return share / math.sqrt(1 + number / SPAN)


def is_measured(share: float, number: int, seed: int) -> bool:
    """Whether trial `number` is one of them: a draw that depends on nothing but seed and number."""
    draw = np.random.default_rng((abs(seed), number)).random()
    return bool(draw < measured_share(share, number))


def level(least: Array, weights: Array, floors: Array, alpha: float) -> float:
    """The chance a below which a trial is stopped. Of finished trials, (m,) each: `least` the u; `weights` how many
    trials one stands for when u < a; `floors` the level while it finished, 0 if it was not to be stopped."""
    first = _level(least, np.ones_like(least), floors, alpha)
    return min(first, _level(least, np.where(least < first, weights, 1.0), floors, alpha))


def _level(least: Array, weights: Array, floors: Array, alpha: float) -> float:
    x = -np.log(np.maximum(least, LEAST))
    ends = np.where(floors > 0, np.maximum(-np.log(np.maximum(floors, LEAST)), x), np.inf)
    c = STRENGTH + float(weights.sum())
    lomax = c * _mean(x, weights, ends, alpha) * (alpha ** (-1 / c) - 1)
    return math.exp(-max(lomax, _conformal(x, weights, alpha)))


def _mean(x: Array, weights: Array, ends: Array, alpha: float) -> float:
    """The mean of x, of which each was seen because it is at most its `end`; with the prior belief."""
    seen, total = STRENGTH + float(weights.sum()), STRENGTH * MEAN + float(weights @ x)
    mean, end = total / seen, np.where(np.isfinite(ends), ends, 0.0)
    for _ in range(ROUNDS):
        beyond = np.minimum(np.exp(-ends / mean), alpha)
        hidden = weights * beyond / (1 - beyond)
        mean = (total + float(hidden @ (end + mean))) / (seen + float(hidden.sum()))
    return mean


def _conformal(x: Array, weights: Array, alpha: float) -> float:
    """The conformal quantile; 0 (no objection) while the record is too short."""
    down = np.argsort(-x, kind="stable")
    allowed = alpha * (1 + float(weights.sum()))
    within = np.flatnonzero(1 + np.cumsum(weights[down]) <= allowed)
    return float(x[down][within[-1]]) if len(within) else 0.0
