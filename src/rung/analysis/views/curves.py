"""Learning curves: what trials reported as they trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import numpy as np

from rung.analysis.views import MOST_MARKS, Marks, Where
from rung.analysis.views.ladders import planned
from rung.analysis.views.marks import (
    STATES,
    codes,
    loss_of,
    matching,
    metric_named,
    metric_names,
    number_or_none,
    numbers,
    objective_named,
    objective_values,
    thinned,
)
from rung.analysis.views.readings import curves_of
from rung.model import BadInput, TrialState, WireNumber
from rung.study.transitions import PUBLIC

if TYPE_CHECKING:
    from rung.analysis.views import Readable
    from rung.analysis.views.marks import Bools, Floats, Integers
    from rung.study.state import State

MOST_CURVES = 1_000
Order = Literal["best", "running", "newest"]


class CurveLine(msgspec.Struct, frozen=True, kw_only=True):
    """One trial's curve: `x`, `y` are its marks, of `points` in all. `value`: what the trial has come to in the first
    objective. `why`: the reason or error it ended with."""

    number: int
    state: TrialState
    value: WireNumber | None
    why: str | None
    points: int
    x: list[WireNumber]
    y: list[WireNumber]


class Curves(msgspec.Struct, frozen=True, kw_only=True):
    """`shown` of the `of` trials that have reported anything have a curve; `marks` of `points` are given. `resource`:
    what a step is; `rungs`: the resources at which the schedule compares trials (of x = step). `metrics`: what
    `metric=` may name."""

    metric: str | None
    goal: Literal["minimize", "maximize"] | float | None
    metrics: list[str]
    x: Literal["step", "time"]
    resource: str
    rungs: list[float]
    of: int
    shown: int
    points: int
    marks: int
    curves: list[CurveLine]


def curves(
    study: Readable,
    *,
    metric: Annotated[str | None, msgspec.Meta(description="What is drawn; the first objective.")] = None,
    top: Annotated[int, msgspec.Meta(description="How many curves.", ge=1, le=MOST_CURVES)] = 20,
    first: Annotated[
        Order, msgspec.Meta(description="Which trials: the best, those that run and then the best, or the newest.")
    ] = "best",
    trials: Annotated[list[int], msgspec.Meta(description="These trials instead.")] = [],  # noqa: B006 - read only
    x: Annotated[
        Literal["step", "time"], msgspec.Meta(description="Steps, or seconds since the trial began.")
    ] = "step",
    where: Where = "",
    marks: Marks = MOST_MARKS,
) -> Curves:
    """The curves of some trials, at most `marks` points in all: of each its first, last, lowest and highest ones."""
    state = study.state
    names = metric_names(state)
    drawn = (metric_named(state, metric) if metric else None) or next(iter(names), None)
    goal = next((o.goal for o in state.spec.objectives if o.metric == drawn), None)
    reported = (state.table["steps"] > 0) & matching(state, where)
    chosen = _listed(state, trials) if trials else _chosen(state, reported, top, first)
    read = curves_of(study, chosen, drawn) if drawn is not None else {}
    lengths = np.array([len(read[number][0]) for number in read], dtype=np.int64)
    room = shares(lengths, marks)
    values, known = _values(state)
    lines = [
        _line(
            state, number, read[number], int(most), x, number_or_none(float(values[number])) if known[number] else None
        )
        for number, most in zip(read, room, strict=True)
    ]
    return Curves(
        metric=drawn, goal=goal, metrics=names, x=x, resource=state.spec.schedule.resource or "step",
        rungs=planned(state)[0] if x == "step" else [], of=int(reported.sum()), shown=len(lines),
        points=int(lengths.sum()), marks=sum(len(line.x) for line in lines), curves=lines,
    )  # fmt: skip


def _listed(state: State, trials: list[int]) -> list[int]:
    if len(trials) > MOST_CURVES:
        raise BadInput(f"expected at most {MOST_CURVES} trials, got {len(trials)}", place="view curves", key="trials")
    for number in trials:
        if not 0 <= number < len(state):
            have = f"0 to {len(state) - 1}" if len(state) else "none yet"
            raise BadInput(f"there is no trial {number} (there are {have})", place="view curves", key="trials")
    return list(dict.fromkeys(trials))


def _values(state: State) -> tuple[Floats, Bools]:
    if not state.spec.objectives:
        return np.full(len(state), np.nan), np.zeros(len(state), bool)
    return objective_values(state, 0, live=True)


def _chosen(state: State, reported: Bools, top: int, first: Order) -> list[int]:
    """The first `top` of the trials that reported, in the order wanted; equals by number."""
    some = np.flatnonzero(reported)
    if first == "newest":
        return [int(number) for number in some[::-1][:top]]
    order = _ranked(state, some)
    if first == "running":
        runs = codes(state)[order] == STATES.index("running")
        order = np.concatenate([order[runs], order[~runs]])
    return [int(number) for number in order[:top]]


def _ranked(state: State, some: Integers) -> Integers:
    """By the first objective as far as it has come, best first; without an objective by number."""
    found = objective_named(state, None)
    if found is None:
        return some
    values, known = objective_values(state, found[0], live=True)
    losses = np.where(known, loss_of(found[1], values), np.inf)[some]
    return some[np.argsort(losses, kind="stable")]


def shares(lengths: Integers, marks: int) -> Integers:
    """How many marks each curve of these lengths may have, so that all together have `marks` at most: what short ones
    do not need the others share."""
    given = np.zeros(len(lengths), dtype=np.int64)
    left = marks
    for place, i in enumerate(np.argsort(lengths, kind="stable")):
        given[i] = min(int(lengths[i]), left // (len(lengths) - place))
        left -= int(given[i])
    return given


def _line(
    state: State, number: int, read: tuple[Floats, Floats, Floats], most: int, x: str, value: WireNumber | None
) -> CurveLine:
    steps, times, heights = read
    kept = thinned(heights, most, keep=(0, len(heights) - 1) if most >= 2 else ()) if most else np.zeros(0, np.int64)
    begun = float(state.table["started"][number])
    along = steps if x == "step" else np.maximum(0.0, times - begun)
    return CurveLine(
        number=number, state=PUBLIC[state.phase(number)], value=value,
        why=state.reasons.get(number) or state.errors.get(number), points=len(steps), x=numbers(along[kept]),
        y=numbers(heights[kept]),
    )  # fmt: skip
