"""The empirical distribution of what trials came to: F(x) is the share of them whose value is a finite one of at most x
(Bergstra and Bengio 2012 compare search spaces that way). A value that is no finite number is in no F(x), but counts
as a trial: so F ends below 1 where there are such."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
import numpy as np

from rung.analysis.views import MOST_MARKS, Marks, Where
from rung.analysis.views.marks import STATES, codes, matching, numbers, objective_named, objective_values, spread
from rung.model import WireNumber

if TYPE_CHECKING:
    from rung.analysis.views import Readable


class Edf(msgspec.Struct, frozen=True, kw_only=True):
    """F rises to `y` at `x`, and holds until the next. `trials`: how many have a value, `finite`: a finite one;
    `shown` of the `of` places where F rises are given."""

    MARKS: ClassVar = ("x", "y")

    metric: str | None
    goal: Literal["minimize", "maximize"] | float | None
    objectives: list[str]
    trials: int
    finite: int
    of: int
    shown: int
    x: list[WireNumber]
    y: list[float]


def edf(
    study: Readable,
    *,
    objective: Annotated[str | None, msgspec.Meta(description="The objective's metric; the first.")] = None,
    states: Annotated[
        list[Literal["complete", "pruned", "failed"]], msgspec.Meta(description="Trials in these states.")
    ] = ["complete"],  # noqa: B006 - read only, and what OpenAPI shows
    where: Where = "",
    marks: Marks = MOST_MARKS,
) -> Edf:
    """The empirical distribution function of one objective."""
    state = study.state
    found = objective_named(state, objective)
    names = [o.metric for o in state.spec.objectives]
    if found is None:
        return Edf(metric=None, goal=None, objectives=names, trials=0, finite=0, of=0, shown=0, x=[], y=[])
    place, wanted = found
    values, known = objective_values(state, place)
    known &= np.isin(codes(state), [STATES.index(name) for name in states]) & matching(state, where)
    finite = values[known & np.isfinite(values)]
    rises, counts = np.unique(finite, return_counts=True)
    trials = int(known.sum())
    shares = np.cumsum(counts) / max(1, trials)
    kept = spread(len(rises), marks)
    return Edf(
        metric=wanted.metric, goal=wanted.goal, objectives=names, trials=trials, finite=len(finite), of=len(rises),
        shown=len(kept), x=numbers(rises[kept]), y=shares[kept].tolist(),
    )  # fmt: skip
