"""From a history to models: which rows, what of their losses, with which hyperparameters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from rung.search.gp.fit import SIGNAL_WEIGHT, fit, fixed_of, prior_of
from rung.search.gp.inputs import Inputs, inputs_of
from rung.search.gp.model import Model, condition
from rung.search.gp.transform import SOFTNESS, Output, clipped, forward, log_slopes, outputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.search.gp.fit import Fixed
    from rung.search.gp.inputs import Integers, Shape
    from rung.search.history import History
    from rung.space.scales import Floats

ROWS = 300  # results of this study that the models are made of; of a longer history a choice
EARLIER_ROWS = 150  # of all earlier studies together
FITTED_ROWS = 150  # that hyperparameters are fitted to
FIRST_STEPS, STEPS = 30, 15  # of a fit from the default, and from the last fit


class Data(NamedTuple):
    """The rows that the models are made of: `units` (n, d), `losses` (n, m), `violations` (n, k), `task` (n,); ours
    (task 0) come first, `own` of them."""

    units: Floats
    losses: Floats
    violations: Floats
    task: Integers
    own: int


class Last(NamedTuple):
    """What the memo of the last proposal says of one model: its h, and which scale its losses were on."""

    h: Sequence[float]
    scale: int


class Fitted(NamedTuple):
    """A model of one column of losses, its h, the `place` of its scale in SOFTNESS, our study's scale itself, and the
    model's `skill`."""

    model: Model
    h: Floats
    place: int
    output: Output
    skill: float


Work = Literal["keep", "fit", "choose"]
"""What to do about the last hyperparameters: use them; improve them; choose the scale of the losses again as well."""


def gather(history: History) -> Data:
    """The results of the study, at most ROWS, and of earlier ones, at most EARLIER_ROWS."""
    rows = chosen(history.ranking(), ROWS)
    units, losses, violations, source = history.earlier()
    there = _chosen_earlier(losses, source)
    return Data(
        np.concatenate([history.units[rows], units[there]]),
        np.concatenate([history.losses[rows], losses[there]]),
        np.concatenate([history.violations[rows], violations[there]]),
        np.concatenate([np.zeros(len(rows), dtype=np.int64), source[there] + 1]),
        len(rows),
    )


def chosen(ranking: Integers, limit: int) -> Integers:
    """At most `limit` of the rows ranked best first: the best half, the most recent quarter, the rest evenly from what
    is left of the ranking. Ascending."""
    if len(ranking) <= limit:
        return np.sort(ranking)
    best = ranking[: limit // 2]
    others = ranking[limit // 2 :]
    recent = np.sort(others)[-(limit // 4) :]
    left = others[~np.isin(others, recent)]
    spread = left[np.linspace(0, len(left) - 1, limit - len(best) - len(recent)).astype(np.int64)]
    return np.sort(np.concatenate([best, recent, spread]))


def _chosen_earlier(losses: Floats, source: Integers) -> Integers:
    """The best half and an even choice of the rest of each earlier study."""
    sources = np.unique(source)
    found = [np.empty(0, dtype=np.int64)]
    for one in sources:
        mine = np.flatnonzero(source == one)
        ranking = mine[np.argsort(losses[mine, 0], kind="stable")]
        limit = max(2, EARLIER_ROWS // len(sources))
        half, rest = ranking[: limit // 2], ranking[limit // 2 :]
        even = np.unique(np.linspace(0, max(len(rest) - 1, 0), min(limit - len(half), len(rest))).astype(np.int64))
        found.append(np.concatenate([half, rest[even]]))
    return np.sort(np.concatenate(found))


def learn(shape: Shape, data: Data, losses: Floats, last: Last | None, work: Work, *, plain: bool) -> Fitted:
    """A model of `losses` (n,), which are clipped and, unless `plain`, put on one of the scales of `transform`."""
    inputs = inputs_of(shape, data.units, data.task)
    fixed = fixed_of(shape, inputs)
    scales = _scales(losses, data.task, plain=plain)
    default = prior_of(shape).mean
    if last is None or work == "choose":
        tried = [
            _fitted(fixed, scale, fit(fixed, scale.y, default, FIRST_STEPS)[0], i) for i, scale in enumerate(scales)
        ]
        return max(tried, key=lambda one: one.skill)
    h, place = np.asarray(last.h), min(last.scale, len(scales) - 1)
    if work == "fit":
        h = _fit(fixed, scales[place].y, h, STEPS)
    return _fitted(fixed, scales[place], h, place)


def _fit(fixed: Fixed, y: Floats, start: Floats, steps: int) -> Floats:
    """The h fitted to at most FITTED_ROWS of the rows: more change it little and cost much."""
    if len(y) > FITTED_ROWS:
        rows = chosen(np.argsort(y, kind="stable"), FITTED_ROWS)
        fixed, y = fixed_of(fixed.shape, fixed.inputs.take(rows)), y[rows]
    return fit(fixed, y, start, steps)[0]


class _Scale(NamedTuple):
    """A scale of the losses: our study's `output`, all losses `y` on it, and `slopes`, log dy/dloss of each."""

    output: Output
    y: Floats
    slopes: Floats


def _fitted(fixed: Fixed, scale: _Scale, h: Floats, place: int) -> Fitted:
    model = stable(fixed.shape, h, fixed.inputs, scale.y)
    return Fitted(model, h, place, scale.output, skill(model, scale))


def skill(model: Model, scale: _Scale) -> float:
    """The log likelihood of the losses, but for a constant: in their own units, so that scales compare."""
    n = len(scale.y)
    fit_of_y = -0.5 * (n + SIGNAL_WEIGHT) * math.log(model.variance) + np.log(np.diagonal(model.inverse)).sum()
    return float(fit_of_y + scale.slopes.sum())


def _scales(losses: Floats, task: Integers, *, plain: bool) -> list[_Scale]:
    """The candidate scales; each study is standardised alone."""
    values = np.zeros(len(losses))
    by_task: dict[int, list[Output]] = {}
    for one in np.unique(task).tolist():
        values[task == one] = clipped(losses[task == one])
        by_task[one] = outputs(values[task == one])
    found = []
    for i in range(1 if plain else len(SOFTNESS)):
        y, slopes = np.zeros(len(values)), np.zeros(len(values))
        for one, some in by_task.items():
            y[task == one] = forward(some[i], values[task == one])
            slopes[task == one] = log_slopes(some[i], values[task == one])
        found.append(_Scale(by_task[min(by_task)][i], y, slopes))
    return found


def stable(shape: Shape, h: Floats, inputs: Inputs, y: Floats) -> Model:
    """`condition`, with more noise where the covariance cannot be factored without."""
    for noise in (0.0, 1e-6, 1e-3, 1.0):
        more = h.copy()
        more[shape.lengths] = np.logaddexp(h[shape.lengths], np.log(noise)) if noise else h[shape.lengths]
        model = condition(shape, more, inputs, y)
        if model is not None:
            return model
    raise AssertionError("a correlation matrix plus the identity has a Cholesky factor")


def learn_bound(shape: Shape, data: Data, violations: Floats, last: Last | None, work: Work) -> Fitted:
    """A model of one outcome, at most 0 where it is kept. How far a kept one is from its bound is not known: it counts
    as -1; a broken one as 0.5 and more, by the logarithm."""
    broken = violations[np.isfinite(violations) & (violations > 0)]
    unit = float(np.median(broken)) if len(broken) else 1.0
    grown = 0.5 + np.log1p(np.minimum(violations / max(unit, 1e-300), 1e6))
    y = np.where(violations > 0, grown, -1.0)
    scale = _Scale(Output(0.0, math.inf, 0.0, 1.0), y, np.zeros(len(y)))
    fixed = fixed_of(shape, inputs_of(shape, data.units, data.task))
    h = prior_of(shape).mean if last is None else np.asarray(last.h)
    if last is None or work != "keep":
        h = _fit(fixed, scale.y, h, FIRST_STEPS if last is None else STEPS)
    return _fitted(fixed, scale, h, 0)
