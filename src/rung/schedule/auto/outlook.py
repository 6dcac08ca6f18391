"""What may become of trials: the loss each is predicted to end with, and what it is worth to let it go on.

A trial is worth the logarithm of the improvement that is expected of its last report, over the best loss that anyone
has reported, less that of the time it has still to run (expected improvement per second, Snoek, Larochelle & Adams
2012, "Practical Bayesian Optimization", section 3.2, on the time that is left).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from rung.schedule.auto.curves import Pace
from rung.schedule.auto.kernel import Rows
from rung.schedule.auto.process import Process, condition, fit, predict
from rung.search.gp.acquisition import log_h
from rung.search.gp.inputs import inputs_of
from rung.search.gp.transform import Output, backward, clipped, forward, outputs
from rung.space.scales import Floats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.schedule.auto.curves import Curve
    from rung.search.gp.inputs import Integers, Shape

ROWS = 192  # observations that the model is told
PENDING = 64  # running trials of which it is supposed that they come out as predicted
FIRST_STEPS, STEPS = 30, 10  # evaluations of a fit
SCALE = 2  # the place in SOFTNESS of the scale of losses: logarithmic above the best, as what counts is near it
SURE = 1e-4  # of the spread of losses: an improvement by less is none


class Fitted(msgspec.Struct, frozen=True):
    """What was learned when hyperparameters were last fitted: h, and the scale of the losses."""

    h: Floats
    output: Output


class Worth(NamedTuple):
    """Of m candidates, (m,) each: the `mean` and `sd` of the loss they end with on the scale of the model, the `chance`
    that it is better than the best, the seconds that are `left`, and what they are worth."""

    mean: Floats
    sd: Floats
    chance: Floats
    left: Floats
    value: Floats


class Candidates(NamedTuple):
    """Who may have a place: `units` (m, d), `number` (m,) whose, negative for new ones, `step` (m,) how far they are,
    `repeat` (m,) how many steps they make again, `pace` (m,) their seconds a step, NaN where not known."""

    units: Floats
    number: Integers
    step: Floats
    repeat: Floats
    pace: Floats


def gathered(curves: Sequence[Curve], best_first: Sequence[int]) -> tuple[list[tuple[Curve, float]], Floats]:
    """At most ROWS observations, as (trial, step), and their losses; of many trials the last only, but for those that
    stand `best_first`."""
    spare = ROWS - sum(1 for curve in curves if curve.points)
    second = set(best_first[: max(0, spare)])
    told = [(c, p) for c in curves for p in c.told(slope=c.number in second)]
    if len(told) > ROWS:
        told = [told[i] for i in np.linspace(0, len(told) - 1, ROWS).astype(int).tolist()]
    return [(curve, point.step) for curve, point in told], np.array([point.loss for _, point in told])


def learn(shape: Shape, curves: Sequence[Curve], best_first: Sequence[int], last: Fitted | None) -> Fitted:
    """The scale and the hyperparameters, from the curves of trials in order of their numbers."""
    told, losses = gathered(curves, best_first)
    usable = clipped(losses)
    output = outputs(usable)[SCALE]
    rows = _rows(shape, told)
    y = forward(output, usable)
    start = None if last is None else last.h
    return Fitted(fit(shape, rows, y, start, FIRST_STEPS if last is None else STEPS), output)


class Outlook:
    """The model of one moment. `top`: the resource that a trial ends with; `best`: the best loss reported."""

    def __init__(
        self, shape: Shape, fitted: Fitted, curves: Sequence[Curve], best_first: Sequence[int], *, top: float,
        best: float, running: Sequence[Curve],
    ) -> None:  # fmt: skip
        """`curves` in order of their numbers; `running` go on until they are looked at next."""
        self.shape, self.fitted, self.top = shape, fitted, top
        told, losses = gathered(curves, best_first)
        known = forward(fitted.output, clipped(losses))
        self.best = min(float(forward(fitted.output, np.array([best]))[0]), float(known.min()))
        self.spread = max(float(np.median(known)) - self.best, 1e-6)
        supposed = [(c, min(c.look or top, top)) for c in running[-PENDING:]]
        self.process: Process = condition(shape, fitted.h, _rows(shape, told + supposed), known)
        timed = [curve for curve in curves if curve.pace == curve.pace]
        units = np.array([curve.unit for curve in timed])
        features = inputs_of(shape, units).features if timed else np.empty((0, shape.features))
        self.pace = Pace(features, np.array([curve.pace for curve in timed]))

    def worth(self, of: Candidates) -> Worth:
        """What each is worth."""
        from scipy.special import ndtr

        inputs = inputs_of(self.shape, of.units)
        rows = Rows(inputs, np.full(1, np.log(self.top)), of.number)
        mean, sd = predict(self.process, rows)
        z = (self.best - SURE * self.spread - mean) / sd
        steps = np.maximum(self.top - of.step, 0.0) + of.repeat
        left = self.pace.predict(inputs.features, of.pace) * np.maximum(steps, 1e-9 * self.top)
        return Worth(mean, sd, ndtr(z), left, np.log(sd) + log_h(z) - np.log(left))

    def in_losses(self, mean: float, sd: float) -> tuple[float, float]:
        """A prediction as a loss and its standard deviation."""
        middle, above = backward(self.fitted.output, np.array([mean, mean + sd])).tolist()
        return middle, above - middle


def _rows(shape: Shape, told: Sequence[tuple[Curve, float]]) -> Rows:
    units = np.array([curve.unit for curve, _ in told])
    steps = np.array([step for _, step in told])
    trial = np.array([curve.number for curve, _ in told], dtype=np.int64)
    return Rows(inputs_of(shape, units), np.log(np.maximum(steps, 1e-12)), trial)
