"""What each trial came to, and the best so far: over trials, time or cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
import numpy as np

from rung.analysis import ranking
from rung.analysis.views import MOST_MARKS, Marks, Where
from rung.analysis.views.marks import (
    STATES,
    codes,
    final,
    improvements,
    loss_of,
    matching,
    number_or_none,
    numbers,
    objective_named,
    objective_values,
    state_names,
    thinned,
)
from rung.model import TrialState, WireNumber

if TYPE_CHECKING:
    from rung.analysis.views import Readable
    from rung.analysis.views.marks import Floats, Integers
    from rung.study.state import State

Over = Literal["trial", "time", "wall", "cost"]


class HonestMean(msgspec.Struct, frozen=True, kw_only=True):
    """The estimated true mean of the configuration that `trial` stands for, with its 95 % interval."""

    trial: int
    mean: WireNumber
    low: WireNumber
    high: WireNumber
    evaluations: int


class History(msgspec.Struct, frozen=True, kw_only=True):
    """`number`, `state`, `value`, `x`: a mark for each trial that has a value (`shown` of `of`), in the order of x.
    `best_*`: the best so far begins at these marks' x and holds until the next. `end`: where the study stands on x
    now. `target`: the budget's, in this metric's unit. `estimate`: what is known of the best configuration's mean,
    where some were evaluated more than once. `objectives`: the metrics that `objective=` may name."""

    MARKS: ClassVar = ("number", "state", "x", "value")

    metric: str | None
    goal: Literal["minimize", "maximize"] | float | None
    objectives: list[str]
    over: Over
    of: int
    shown: int
    number: list[int]
    state: list[TrialState]
    x: list[WireNumber]
    value: list[WireNumber]
    best_number: list[int]
    best_x: list[WireNumber]
    best_value: list[WireNumber]
    end: WireNumber
    target: WireNumber | None
    estimate: HonestMean | None


def history(
    study: Readable,
    *,
    over: Annotated[
        Over,
        msgspec.Meta(
            description="The number of the trial, seconds with a runner attached, seconds since the study was created, "
            "or what the study has cost; but for the first, as of each trial's end."
        ),
    ] = "trial",
    objective: Annotated[str | None, msgspec.Meta(description="The objective's metric; the first.")] = None,
    states: Annotated[
        list[Literal["complete", "pruned", "failed", "running", "paused"]],
        msgspec.Meta(description="Trials in these states; of a live one what it has come to."),
    ] = ["complete", "pruned"],  # noqa: B006 - read only, and what OpenAPI shows
    where: Where = "",
    marks: Marks = MOST_MARKS,
) -> History:
    """Every trial's value, and the best so far of those that can be best: complete and feasible ones, where there are
    any. Values that are no finite numbers are marks, and never best."""
    state = study.state
    found = objective_named(state, objective)
    names = [o.metric for o in state.spec.objectives]
    if found is None:
        return _nothing(names, over)
    place, wanted = found
    live = "running" in states or "paused" in states
    values, known = objective_values(state, place, live=live)
    known &= np.isin(codes(state), [STATES.index(name) for name in states]) & matching(state, where)
    x, end = _places(study, over)
    shown = np.flatnonzero(known)
    shown = shown[np.argsort(x[shown], kind="stable")]
    best = shown[_bettering(state, shown, loss_of(wanted, values))]
    kept = shown[thinned(values[shown], marks, keep=np.flatnonzero(np.isin(shown, best)))]
    target = state.spec.budget.target
    return History(
        metric=wanted.metric, goal=wanted.goal, objectives=names, over=over, of=len(shown), shown=len(kept),
        number=kept.tolist(), state=state_names(codes(state)[kept].tolist()), x=numbers(x[kept]),
        value=numbers(values[kept]), best_number=best.tolist(), best_x=numbers(x[best]),
        best_value=numbers(values[best]), end=end, target=number_or_none(target) if place == 0 else None,
        estimate=_estimate(state) if place == 0 and not where.strip() else None,
    )  # fmt: skip


def _nothing(names: list[str], over: Over) -> History:
    """A study that has no objective, as those of a dialect may, has no history of it."""
    return History(
        metric=None, goal=None, objectives=names, over=over, of=0, shown=0, number=[], state=[], x=[], value=[],
        best_number=[], best_x=[], best_value=[], end=0, target=None, estimate=None,
    )  # fmt: skip


def _bettering(state: State, shown: Integers, losses: Floats) -> Integers:
    """The places in `shown` of the trials that were better than all before."""
    can = np.zeros(len(state), bool)
    can[_candidates(state, shown)] = True
    return improvements(np.where(can[shown], losses[shown], np.inf))


def _candidates(state: State, shown: Integers) -> Integers:
    """Of the trials shown, those that can be best: complete ones first, then pruned; feasible ones, where there are
    any (`ranking.candidates` for those trials alone)."""
    code = codes(state)[shown]
    for name in ("complete", "pruned"):
        some = shown[code == STATES.index(name)]
        if len(some):
            feasible = ranking.kept(state, some)
            best: Integers = some[feasible] if feasible.any() else some
            return best
    return np.zeros(0, dtype=np.int64)


def _places(study: Readable, over: Over) -> tuple[Floats, WireNumber]:
    """(n,) where each trial is on the axis, and where the study stands."""
    state = study.state
    if over == "trial":
        return np.arange(len(state), dtype=np.float64), len(state)
    from rung.analysis.views.chronicle import chronicle  # over trials nobody needs the log

    told = chronicle(study)
    now = {"time": told.elapsed, "wall": told.last_at - state.created.at, "cost": told.spent}[over]
    done = told.done[: len(state)]
    column = done["at"] - state.created.at if over == "wall" else done["elapsed" if over == "time" else "cost"]
    return np.where(np.isnan(column) | ~final(state), now, column), number_or_none(now) or 0


def _estimate(state: State) -> HonestMean | None:
    from rung.analysis.estimates import winners  # brings scipy where there is noise

    found = winners(state, top=1)
    number, estimate = found[0] if found else (0, None)
    if estimate is None:
        return None
    mean, low, high = (number_or_none(value) or 0 for value in (estimate.mean, estimate.low, estimate.high))
    return HonestMean(trial=number, mean=mean, low=low, high=high, evaluations=estimate.evaluations)
