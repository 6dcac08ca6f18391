"""Trials as lines across parallel axes: one axis for each parameter that varies, and one for each objective."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import numpy as np

from rung.analysis.dimensions import ParameterAxis, dimensions
from rung.analysis.views import Marks, Where  # noqa: TC001 - the options are read at run time
from rung.analysis.views.importance import leading
from rung.analysis.views.judged import Pruned, Whose, judged, sampled
from rung.analysis.views.marks import codes, metric_named, numbers_or_none, state_names
from rung.model import TrialState, WireNumber

if TYPE_CHECKING:
    from rung.analysis.dimensions import Dimension
    from rung.analysis.views import Readable
    from rung.analysis.views.judged import Judged
    from rung.study.state import State

Order = Literal["importance", "declared"]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One axis and where each line crosses it: `values`, one for each of the view's trials, indices for categories;
    null where the trial has none. `group`: what the axis is of; `goal`: what is wanted of an objective."""

    group: Literal["params", "metrics"]
    axis: ParameterAxis
    goal: Literal["minimize", "maximize"] | float | None
    values: list[WireNumber | None]


class Parallel(msgspec.Struct, frozen=True, kw_only=True):
    """`number`, `state`, `value`: the trials, worst first, so that the best are drawn on top; `rank`: the place of each
    among all, 0 for the best. `axes`: parameters, then objectives. `constant`: parameters that have no axis since they
    are the same in all. `shown` of `of` trials: the best, and some of the others. `low`, `high`: the range for the
    colours, from the best to the worst (`goal` says which is which) but for the outermost twentieths of all."""

    metric: str
    goal: Literal["minimize", "maximize"] | float
    number: list[int]
    state: list[TrialState]
    value: list[float]
    rank: list[int]
    axes: list[Line]
    constant: list[str]
    low: float | None
    high: float | None
    shown: int
    of: int
    unusable: int


def parallel(
    study: Readable,
    *,
    parameters: Annotated[
        list[str] | None, msgspec.Meta(description="Which parameters, in this order; all that vary.")
    ] = None,
    metrics: Annotated[
        list[str] | None, msgspec.Meta(description="Which metrics, in this order; the objectives.")
    ] = None,
    order: Annotated[
        Order, msgspec.Meta(description="Parameters that are not named: the most important first, or as declared.")
    ] = "declared",
    objective: Whose = None,
    top: Annotated[int, msgspec.Meta(description="Only so many of the best trials; 0: all.", ge=0)] = 0,
    pruned: Pruned = False,
    where: Where = "",
    marks: Marks = 600,
) -> Parallel:
    """The trials as lines over parameters and objectives. Of more trials than `marks` half the lines are the best, and
    half are drawn from the others at random, always the same."""
    state = study.state
    every = judged(state, objective=objective, where=where, pruned=pruned)
    best_first = every.best_first()
    rank = np.empty(len(best_first), np.int64)
    rank[best_first] = np.arange(len(best_first))
    of = every if not top else every.some(np.sort(best_first[:top]))
    found = sampled(of, marks, seed=state.seed, best=0.5)
    found = found.some(found.best_first()[::-1])
    own = dimensions(state, parameters or ())
    varying = [one for one in own if parameters or one.rows(every.rows).varies]
    if order == "importance" and not parameters:
        names = leading(state, every)
        varying.sort(key=lambda one: names.index(one.name))
    named = [o.metric for o in state.spec.objectives] if metrics is None else metrics
    lines = [_parameter(one, found) for one in varying] + [_metric(state, name, found) for name in named]
    low, high = np.quantile(of.values, [0.05, 0.95]).tolist() if len(of.rows) else (None, None)
    return Parallel(
        metric=every.objective.metric, goal=every.objective.goal, number=found.rows.tolist(),
        state=state_names(codes(state)[found.rows].tolist()), value=found.values.tolist(),
        rank=rank[np.searchsorted(every.rows, found.rows)].tolist(), axes=lines,
        constant=[one.name for one in own if one.name not in {line.axis.name for line in lines}],
        low=low, high=high, shown=len(found.rows), of=len(of.rows), unusable=every.unusable,
    )  # fmt: skip


def _parameter(one: Dimension, found: Judged) -> Line:
    values = one.numbers[found.rows]
    return Line(group="params", axis=one.axis, goal=None, values=numbers_or_none(values, ~np.isnan(values)))


def _metric(state: State, name: str, found: Judged) -> Line:
    metric = metric_named(state, name)
    table = state.table
    if "has:" + metric in table:
        known = table["has:" + metric][found.rows].astype(bool)
        values = np.where(known, table["metric:" + metric][found.rows], np.nan)
    else:
        known, values = np.zeros(len(found.rows), bool), np.full(len(found.rows), np.nan)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    goal = next((o.goal for o in state.spec.objectives if o.metric == metric), None)
    axis = ParameterAxis(name=metric, kind="number", scale="linear", low=low, high=high)
    return Line(group="metrics", axis=axis, goal=goal, values=numbers_or_none(values, known))


__all__ = ["Line", "Parallel", "parallel"]
