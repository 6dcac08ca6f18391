"""Why a row was proposed, in the terms of the user's metrics: what it is worth, and what is predicted there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rung.search.gp.transform import LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.model import Objective
    from rung.search.gp.acquisition import Aim
    from rung.space.scales import Floats


class Predicted(NamedTuple):
    """A loss, and what it is one standard deviation below and above."""

    middle: float
    low: float
    high: float


def reason(aim: Aim, worth: float, losses: Floats, objectives: Sequence[Objective], at: Sequence[Predicted]) -> str:
    """One line. `losses` (n, m): those that the models were made of; `at`: the prediction for each model. Nothing is
    said to be predicted where no loss is finite, where some are cut, and of a scalarisation."""
    finite = losses[np.isfinite(losses)]
    if not len(finite):
        return "no result is finite yet: where the least is known"
    text = f"{_measure(aim, losses.shape[1])} {worth:.3g}"
    if np.abs(finite).max() > LIMIT or len(at) != len(objectives):
        return text
    return f"{text}: predicted {', '.join(map(_predicted, objectives, at))}"


def _measure(aim: Aim, objectives: int) -> str:
    if aim.best is None:
        return "no trial kept the bounds on outcomes yet: log probability to keep them"
    if aim.corner is not None:
        return "log expected hypervolume improvement"
    return "log expected improvement" + (" of a random weighting of the objectives" if objectives > 1 else "")


def _predicted(objective: Objective, at: Predicted) -> str:
    sign, name = 1.0, objective.metric
    if objective.goal == "maximize":
        sign = -1.0
    elif objective.goal != "minimize":
        name = f"|{objective.metric} - {objective.goal:g}|"
        at = Predicted(*(max(0.0, loss) for loss in at))  # a distance; the model does not know that
    low, high = sorted((sign * at.low, sign * at.high))
    return f"{name} {sign * at.middle:.6g} (one sd: {low:.6g} to {high:.6g})"


__all__ = ["Predicted", "reason"]
