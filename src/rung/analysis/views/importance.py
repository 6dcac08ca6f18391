"""How much each parameter explains of an objective, with intervals and in which direction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import msgspec
import numpy as np

from rung.analysis.anova import BINS, LOCAL_BINS, Bins, Shares, functional, in_bins, local
from rung.analysis.dimensions import Dimension, dimensions
from rung.analysis.views import Where  # noqa: TC001 - the options are read at run time
from rung.analysis.views.judged import Judged, Pruned, Whose, judged, kept, sampled, settled
from rung.study.seeds import generator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.analysis.views import Readable
    from rung.analysis.views.marks import Bools, Floats
    from rung.study.state import State

Method = Literal["fanova", "local"]
FEWEST = 20
MOST_IN_FOREST = 4_000
FEW_BEST, MOSTLY_BEST = 0.1, 0.5  # the share of the forest's trials that are simply the best
FENCE = 5.0  # interquartile ranges beyond the third quartile from which on a loss is an outlier
PAIRS = 10
QUICK = 8  # halvings where only the order of the parameters matters


class ParameterImportance(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter's share of the variance, 0 to 1, and its 95 % interval. `correlation`: Spearman's rank correlation of
    parameter and metric, -1 to 1 (null: it has no order, or no two values). `active`: the share of the trials that have
    the parameter."""

    name: str
    importance: float
    low: float
    high: float
    correlation: float | None
    active: float


class PairImportance(msgspec.Struct, frozen=True, kw_only=True):
    """What two parameters explain together beyond what each of them does alone, and its 95 % interval."""

    x: str
    y: str
    importance: float
    low: float
    high: float


class Importance(msgspec.Struct, frozen=True, kw_only=True):
    """`parameters` and `pairs`, greatest first; with `method` "local" there are no pairs. `explained`: which share of
    the variance of trials that it has not seen the model predicts (null with "local"): shares of little say little.
    Computed from `shown` of `of` trials, the best among them; `later`: so many have ended since, and will count when
    there are more of them; `needed`: how many there have to be; `unusable`: trials
    without a finite value. `capped`: so many trials were far worse than the others, and count as the worst of those.
    `constant`: parameters that have only one value so far. `note`: why there are no numbers, else empty."""

    metric: str
    goal: Literal["minimize", "maximize"] | float
    method: Method
    top: float
    parameters: list[ParameterImportance]
    pairs: list[PairImportance]
    explained: float | None
    shown: int
    of: int
    later: int
    needed: int
    unusable: int
    capped: int
    constant: list[str]
    note: str


def importance(
    study: Readable,
    *,
    objective: Whose = None,
    method: Annotated[
        Method,
        msgspec.Meta(
            description="fanova: shares of the variance over the whole space, of a forest; local: what tells the best "
            "trials from all, in the part of the space that was searched."
        ),
    ] = "fanova",
    top: Annotated[
        float,
        msgspec.Meta(
            description="Which share of the trials counts as the best. fanova: losses worse than theirs count as the "
            "worst of theirs; 0: 1 for fanova, 0.1 for local.",
            ge=0.0,
            le=1.0,
        ),
    ] = 0.0,
    pruned: Pruned = False,
    where: Where = "",
) -> Importance:
    """How much of the objective's variance each parameter explains, and each pair; how sure that is; and whether the
    metric rises or falls with it. Failed trials do not count. The same trials give the same
    numbers."""
    top = top or (1.0 if method == "fanova" else 0.1)
    state = study.state
    every = judged(state, objective=objective, where=where, pruned=pruned)
    rests_on = settled(state, every)
    options = (method, top)
    made: Importance = kept(state, "importance", options, rests_on, lambda: _importance(state, rests_on, method, top))
    later = len(every.rows) - len(rests_on.rows)
    return msgspec.structs.replace(made, later=later, unusable=every.unusable)


def leading(state: State, found: Judged) -> list[str]:
    """The parameters that vary, most important first, from a quick look at the trials."""
    varying = [one for one in _of(dimensions(state), found) if one.varies]
    if len(found.rows) < _needed(varying) or not np.ptp(found.losses) > 0:
        return [one.name for one in varying]

    found = settled(state, found)

    def rank() -> list[str]:
        few = sampled(found, MOST_IN_FOREST // 4, seed=state.seed, best=FEW_BEST)
        own = _of(dimensions(state), few)
        varying = [one for one in own if one.varies]
        shares = functional(_binned(varying, varying), _capped(few.losses)[0], _rng(state), halvings=QUICK, pairs=0)
        return [varying[place].name for place in np.argsort(-shares.value, kind="stable").tolist()]

    ranked: list[str] = kept(state, "leading", None, found, rank)
    return ranked


class _Case(NamedTuple):
    """What is to be explained: these parameters of the trials `found`, whose losses are as far as they count `y`;
    `whole`: the same parameters of `every` trial."""

    every: Judged
    found: Judged
    varying: list[Dimension]
    whole: list[Dimension]
    y: Floats
    best: Bools


def _importance(state: State, every: Judged, method: Method, top: float) -> Importance:
    share = MOSTLY_BEST if top < 1 else FEW_BEST
    found = sampled(every, MOST_IN_FOREST, seed=state.seed, best=share) if method == "fanova" else every
    searched = dimensions(state)
    own = _of(searched, found)
    varying = [one for one in own if one.varies]
    whole = [one.rows(every.rows) for one, some in zip(searched, own, strict=True) if some.varies]
    capped_losses, capped = _capped(found.losses)
    best = found.losses <= np.quantile(every.losses, top) if len(every.rows) else np.zeros(0, bool)
    y = np.minimum(capped_losses, found.losses[best].max()) if best.any() else capped_losses
    case = _Case(every, found, varying, whole, y, best)
    needed = _needed(varying) if method == "fanova" or top >= 1 else max(FEWEST, math.ceil(5 / top))
    note = _nothing(own, case, needed, method)
    shares = None if note else _shares(state, case, method)
    if shares is not None and not shares.value.sum() > 0:
        note = "no parameter explains anything that could be told from noise"
    named = [one.name for one in varying]
    return Importance(
        metric=found.objective.metric, goal=found.objective.goal, method=method, top=top,
        parameters=[] if shares is None else _parameters(case, shares),
        pairs=[] if shares is None else [
            PairImportance(x=named[i], y=named[j], importance=_round(value), low=_round(low), high=_round(high))
            for i, j, value, low, high in shares.pairs
        ],
        explained=None if shares is None or method == "local" else _round(shares.explained),
        shown=len(found.rows), of=len(every.rows), later=0, needed=needed, unusable=every.unusable, capped=capped,
        constant=[one.name for one in own if not one.varies], note=note,
    )  # fmt: skip


def _needed(varying: Sequence[Dimension]) -> int:
    """How many trials a forest needs that has something to say: each parameter wants a few."""
    return max(FEWEST, 4 * len(varying))


def _nothing(own: Sequence[Dimension], case: _Case, needed: int, method: Method) -> str:
    """Why nothing can be said; empty: something can."""
    trials = len(case.found.rows)
    if not own:
        return "the study searches no parameter: all are constants"
    if trials < needed:
        have = "1 trial has a value" if trials == 1 else f"{trials or 'no'} trials have a value"
        return f"{have}: at least {needed} are needed to tell parameters apart"
    if not case.varying:
        return "all trials have the same parameters"
    if method == "local" and case.best.all():
        return "all trials are among the best: nothing tells them apart"
    if method == "fanova" and not np.ptp(case.y) > 0:
        return "all trials have the same value: there is nothing to explain"
    return ""


def _shares(state: State, case: _Case, method: Method) -> Shares:
    if method == "local":
        return local(_binned(case.varying, case.whole, LOCAL_BINS), case.best, _rng(state))
    return functional(_binned(case.varying, case.whole), case.y, _rng(state), pairs=PAIRS)


def _binned(varying: Sequence[Dimension], whole: Sequence[Dimension], most: int = BINS) -> Bins:
    units = np.stack([one.prior for one in varying], axis=1)
    categories = [len(one.axis.categories or ()) for one in varying]
    ordered = [one.axis.ordered for one in varying]
    absent = [float(np.isnan(one.numbers).mean()) for one in whole]
    return in_bins(units, categories=categories, ordered=ordered, most=most, absent=absent)


def _parameters(case: _Case, shares: Shares) -> list[ParameterImportance]:
    found = [
        ParameterImportance(
            name=one.name, importance=_round(value), low=_round(low), high=_round(high),
            correlation=correlation(one, case.every.values), active=_round(1 - np.isnan(one.numbers).mean()),
        )
        for one, value, low, high in zip(case.whole, shares.value, shares.low, shares.high, strict=True)
    ]  # fmt: skip
    return sorted(found, key=lambda one: -one.importance)


def correlation(one: Dimension, values: Floats) -> float | None:
    """Spearman's rank correlation of a parameter's and the metric's values, over the trials that have the parameter."""
    there = ~np.isnan(one.numbers)
    x, y = ranks(one.numbers[there]), ranks(values[there])
    if not one.axis.ordered or len(x) < 3 or not np.ptp(x) > 0 or not np.ptp(y) > 0:
        return None
    return _round(np.corrcoef(x, y)[0, 1])


def ranks(values: Floats) -> Floats:
    """(n,) the ranks, from 0; equal values have the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return np.asarray((last - (count + 1) / 2)[place.ravel()], dtype=np.float64)


def _capped(losses: Floats) -> tuple[Floats, int]:
    """The losses with the few that are far worse than all others (Tukey's far fence) as the fence; how many these
    were: a few trials that diverged would else be all of the variance."""
    if not len(losses):
        return losses, 0
    low, high = np.quantile(losses, [0.25, 0.75])
    fence = high + FENCE * (high - low)
    beyond = int((losses > fence).sum()) if high > low else 0
    return (np.minimum(losses, fence), beyond) if beyond else (losses, 0)


def _of(every: Sequence[Dimension], found: Judged) -> list[Dimension]:
    return [one.rows(found.rows) for one in every]


def _rng(state: State) -> np.random.Generator:
    return generator(state.seed, "importance", 0)


def _round(share: float) -> float:
    return round(float(share), 6)


__all__ = ["Importance", "PairImportance", "ParameterImportance", "correlation", "importance", "leading"]
