"""An objective over each parameter alone: the trials as marks, and what is best and usual along the axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import numpy as np

from rung.analysis.dimensions import Dimension, ParameterAxis, dimensions
from rung.analysis.views import Marks, Where  # noqa: TC001 - the options are read at run time
from rung.analysis.views.importance import leading
from rung.analysis.views.judged import Judged, Pruned, Whose, judged, sampled
from rung.analysis.views.marks import codes, numbers_or_none, state_names
from rung.model import TrialState

if TYPE_CHECKING:
    from rung.analysis.views import Readable
    from rung.analysis.views.marks import Floats

MOST_BINS = 200
FEWEST_DRAWN = 6  # parameters shown without being named


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """The trials whose parameter is in [`low`, `high`), the last bin's end included; of a category both are its index.
    `count`: how many; `best`: the best value among them; `median`, `lower`, `upper`: its quartiles; null: no trial."""

    low: float
    high: float
    count: int
    best: float | None
    median: float | None
    lower: float | None
    upper: float | None


class ParameterSlice(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter. `x`: where each mark of the view is on `axis`, null where the parameter was inactive; `inactive`:
    of how many trials, and `inactive_best`: the best value that one of those has. `bins`: of all trials, not of the
    marks alone."""

    axis: ParameterAxis
    x: list[float | None]
    bins: list[Bin]
    inactive: int
    inactive_best: float | None


class Slices(msgspec.Struct, frozen=True, kw_only=True):
    """`number`, `state`, `value`: a mark for each of `shown` of `of` trials, the best of them always among the marks;
    `parameters`: where each of those is along each parameter. `unusable`: trials without a finite value."""

    metric: str
    goal: Literal["minimize", "maximize"] | float
    number: list[int]
    state: list[TrialState]
    value: list[float]
    parameters: list[ParameterSlice]
    shown: int
    of: int
    unusable: int


def slices(
    study: Readable,
    *,
    parameters: Annotated[
        list[str] | None, msgspec.Meta(description="Which parameters; those that explain most, most of it first.")
    ] = None,
    objective: Whose = None,
    bins: Annotated[int, msgspec.Meta(description="Stretches of a number's axis.", ge=1, le=MOST_BINS)] = 20,
    pruned: Pruned = True,
    where: Where = "",
    marks: Marks = 2_000,
) -> Slices:
    """The objective over each of some parameters: a mark a trial, and in each stretch of the axis the best value, the
    median and the quartiles. Trials that failed, and values that are no finite numbers, are left out."""
    state = study.state
    every = judged(state, objective=objective, where=where, pruned=pruned)
    names = parameters or leading(state, every)[:FEWEST_DRAWN]
    found = sampled(every, marks, seed=state.seed)
    return Slices(
        metric=every.objective.metric, goal=every.objective.goal, number=found.rows.tolist(),
        state=state_names(codes(state)[found.rows].tolist()), value=found.values.tolist(),
        parameters=[_slice(one, every, found, bins) for one in (dimensions(state, names) if names else [])],
        shown=len(found.rows), of=len(every.rows), unusable=every.unusable,
    )  # fmt: skip


def _slice(one: Dimension, every: Judged, found: Judged, bins: int) -> ParameterSlice:
    of_all = one.rows(every.rows)
    absent = np.isnan(of_all.numbers)
    best = every.losses[absent].argmin() if absent.any() else None
    x = one.numbers[found.rows]
    return ParameterSlice(
        axis=one.axis, x=numbers_or_none(x, ~np.isnan(x)), inactive=int(absent.sum()),  # type: ignore[arg-type] # finite
        inactive_best=None if best is None else float(every.values[absent][best]),
        bins=_bins(of_all, every.values, every.losses, bins),
    )  # fmt: skip


def edges(one: Dimension, bins: int) -> tuple[Floats, Floats]:
    """Where the bins of a parameter's axis end, in units (k + 1,) and in its numbers (k + 1,): equal stretches along
    the scale; a bin for each value of a category, and of an integer that has no more values than there are bins."""
    if one.axis.categories is not None:
        count = max(1, len(one.axis.categories))
        return np.linspace(0, 1, count + 1), np.arange(count + 1, dtype=np.float64)
    if has_few_values(one, bins):
        between = np.arange(one.axis.low, one.axis.high + 2) - 0.5
        inner = one.places(between[1:-1])  # the outermost lie beyond the axis
        return np.concatenate(([0.0], inner, [1.0])), between
    units = np.linspace(0, 1, bins + 1)
    return units, one.points(units)


def has_few_values(one: Dimension, bins: int) -> bool:
    """Whether the parameter is an integer that has a bin for each of its values."""
    return one.axis.kind == "integer" and one.axis.high - one.axis.low < bins


def _bins(one: Dimension, values: Floats, losses: Floats, bins: int) -> list[Bin]:
    units, ends = edges(one, bins)
    there = np.flatnonzero(~np.isnan(one.units))
    place = np.clip(np.searchsorted(units, one.units[there], side="right") - 1, 0, len(units) - 2)
    order = there[np.lexsort((values[there], place))]
    count = np.bincount(place, minlength=len(units) - 1)
    start = np.concatenate(([0], np.cumsum(count)))
    ascending = values[order]
    categories = one.axis.categories is not None
    found = []
    for k, (begin, size) in enumerate(zip(start.tolist(), count.tolist(), strict=False)):
        low, high = (float(k), float(k)) if categories else (float(ends[k]), float(ends[k + 1]))
        if not size:
            found.append(Bin(low=low, high=high, count=0, best=None, median=None, lower=None, upper=None))
            continue
        own = ascending[begin : begin + size]
        lower, median, upper = np.quantile(own, [0.25, 0.5, 0.75]).tolist()
        best = float(values[order[begin + int(losses[order[begin : begin + size]].argmin())]])
        found.append(Bin(low=low, high=high, count=size, best=best, median=median, lower=lower, upper=upper))
    return found


__all__ = ["Bin", "ParameterSlice", "Slices", "edges", "has_few_values", "slices"]
