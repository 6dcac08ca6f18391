"""Several objectives: which trials no other one beats, and how much of the space they dominate as the study goes on.

A trial dominates another when it is nowhere worse and somewhere better. Those that can be on the front are complete
(pruned where none is) and keep every outcome, where any do. The hypervolume is that of their losses up to a reference
point: the worst of each objective on the final front and a tenth of the front's range beyond, so that the whole course
is measured alike. Of two objectives it is kept up by a staircase, O(log n) a trial; of more each trial that joins the
front adds what it dominates alone (While, Bradstreet and Barone 2012, eq. 4), as long as the front is short enough.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
import numpy as np

from rung.analysis import ranking
from rung.analysis.views import MOST_MARKS, Marks, Where
from rung.analysis.views.marks import (
    codes,
    final,
    matching,
    numbers,
    objective_named,
    objective_values,
    spread,
    state_names,
    thinned,
)
from rung.model import TrialState, WireNumber, to_wire
from rung.search.pareto import front as front_of
from rung.search.pareto import hypervolume
from rung.study.transitions import Phase

if TYPE_CHECKING:
    from rung.analysis.views import Readable
    from rung.analysis.views.marks import Bools, Floats, Integers
    from rung.study.state import State

MOST_EXACT = {3: 300, 4: 80}  # members of a front whose hypervolume is computed, by objectives
MOST_EXACT_BEYOND = 40
MOST_JOINING = 2_000  # trials that may join a front of three objectives or more
BLOCK = 1_000


class Axis(msgspec.Struct, frozen=True, kw_only=True):
    """One objective, and the trials' values of it in the order of `number`."""

    metric: str
    goal: Literal["minimize", "maximize"] | float
    values: list[WireNumber]


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """The hypervolume up to `reference` (in the metrics' own units; of one that approaches a target, its distance) is
    `y` from trial `x` on. `shown` of the `of` trials at which it grew are given."""

    value: WireNumber
    reference: list[WireNumber]
    of: int
    shown: int
    x: list[int]
    y: list[WireNumber]


class Pareto(msgspec.Struct, frozen=True, kw_only=True):
    """`shown` of the `of` trials that have all values, by number: which are on the front, and which keep every outcome.
    `hypervolume`: null where nothing on the front is finite, or the front has too many members for exact volumes."""

    MARKS: ClassVar = ("number", "state", "front", "feasible")

    objectives: list[str]
    of: int
    shown: int
    on_front: int
    feasible_trials: int
    number: list[int]
    state: list[TrialState]
    front: list[bool]
    feasible: list[bool]
    axes: list[Axis]
    hypervolume: Volume | None


def pareto(
    study: Readable,
    *,
    objectives: Annotated[list[str], msgspec.Meta(description="These objectives; all.")] = [],  # noqa: B006 - read only
    where: Where = "",
    marks: Marks = MOST_MARKS,
) -> Pareto:
    """The Pareto front of all trials or some, what it dominates, and its hypervolume as trials came in."""
    state = study.state
    names = [o.metric for o in state.spec.objectives]
    named = [objective_named(state, name) for name in dict.fromkeys(objectives or names)]
    places = [place for place, _ in filter(None, named)]
    wanted = [state.spec.objectives[place] for place in places]
    if not places:
        return Pareto(
            objectives=[], of=0, shown=0, on_front=0, feasible_trials=0, number=[], state=[], front=[], feasible=[],
            axes=[], hypervolume=None,
        )  # fmt: skip
    found = [objective_values(state, place) for place in places]
    some = np.flatnonzero(np.logical_and.reduce([known for _, known in found]) & _can_be(state, where))
    feasible = ranking.kept(state, some)
    losses = ranking.losses(state, some)[:, places]
    candidates = feasible if feasible.any() else np.ones(len(some), bool)
    on_front = np.zeros(len(some), bool)
    on_front[np.flatnonzero(candidates)[front_of(losses[candidates])]] = True
    kept = thinned(losses[:, 0], marks, keep=np.flatnonzero(on_front))
    course = _course(some[candidates], losses[candidates], losses[on_front], marks)
    return Pareto(
        objectives=names, of=len(some), shown=len(kept), on_front=int(on_front.sum()),
        feasible_trials=int(feasible.sum()), number=some[kept].tolist(),
        state=state_names(codes(state)[some[kept]].tolist()), front=on_front[kept].tolist(),
        feasible=feasible[kept].tolist(),
        axes=[
            Axis(metric=o.metric, goal=o.goal, values=numbers(values[some[kept]]))
            for o, (values, _) in zip(wanted, found, strict=True)
        ],
        hypervolume=None if course is None else msgspec.structs.replace(
            course, reference=[to_wire(r) for r in ranking.as_metrics(wanted, _reference(losses[on_front]))]
        ),
    )  # fmt: skip


def _can_be(state: State, where: str) -> Bools:
    """(n,) complete trials that match, or pruned ones where none of these is complete."""
    phases, matches = state.table["phase"], matching(state, where) & final(state)
    complete: Bools = matches & (phases == Phase.COMPLETE)
    return complete if complete.any() else matches & (phases == Phase.PRUNED)


def _reference(front: Floats) -> Floats:
    return ranking.reference_of(front[np.isfinite(front).all(axis=1)])


def _course(trials: Integers, losses: Floats, front: Floats, marks: int) -> Volume | None:
    """How the hypervolume of `losses` (n, m) grew, trial by trial; the reference is filled in by the caller."""
    m = losses.shape[1]
    finite = np.isfinite(losses).all(axis=1)
    some = front[np.isfinite(front).all(axis=1)]
    if not len(some):
        return None
    if m > 2 and len(np.unique(some, axis=0)) > MOST_EXACT.get(m, MOST_EXACT_BEYOND):
        return None
    trials, losses, reference = trials[finite], losses[finite], ranking.reference_of(some)
    grown = {1: _of_one, 2: _of_two}.get(m, _of_more)(losses, reference)
    if grown is None:
        return None
    places, volumes = grown
    kept = spread(len(places), marks)
    return Volume(
        value=to_wire(float(volumes[-1])) if len(volumes) else 0.0, reference=[], of=len(places), shown=len(kept),
        x=trials[places[kept]].tolist(), y=numbers(volumes[kept]),
    )  # fmt: skip


def _of_one(losses: Floats, reference: Floats) -> tuple[Integers, Floats]:
    """Of one objective: how far the best is below the reference."""
    with np.errstate(over="ignore"):  # values near the largest number
        below = reference[0] - losses[:, 0]
    gains = np.maximum.accumulate(np.maximum(0.0, below))
    places = np.flatnonzero(np.diff(gains, prepend=0.0) > 0)
    return places, gains[places]


def _of_two(losses: Floats, reference: Floats) -> tuple[Integers, Floats]:
    """The front as a staircase: `first` ascends, `second` descends. A point that joins adds the area between its own
    corner and the steps that it covers."""
    right, up = reference.tolist()
    first: list[float] = []
    second: list[float] = []
    places, volumes, volume = [], [], 0.0
    for i, (a, b) in enumerate(losses.tolist()):
        if a >= right or b >= up:
            continue
        at = bisect_left(first, a)
        if (at < len(first) and first[at] == a and second[at] <= b) or (at and second[at - 1] <= b):
            continue
        end, ceiling, left, gained = at, second[at - 1] if at else up, a, 0.0
        while end < len(first) and second[end] >= b:  # these it dominates
            gained += (first[end] - left) * (ceiling - b)
            left, ceiling = first[end], second[end]
            end += 1
        gained += ((first[end] if end < len(first) else right) - left) * (ceiling - b)
        first[at:end], second[at:end] = [a], [b]
        volume += gained
        places.append(i)
        volumes.append(volume)
    return np.array(places, dtype=np.int64), np.array(volumes)


def _of_more(losses: Floats, reference: Floats) -> tuple[Integers, Floats] | None:
    """Trials that the front of those before does not dominate join it, each with what it alone dominates. None where
    too many do."""
    front = np.zeros((0, losses.shape[1]))
    places, volumes, volume = [], [], 0.0
    for begin in range(0, len(losses), BLOCK):
        block = losses[begin : begin + BLOCK]
        new = (block < reference).all(axis=1) & ~_covered(block, front)
        for i in np.flatnonzero(new).tolist():
            row = block[i]
            if _covered(row[np.newaxis], front)[0]:
                continue
            volume += _alone(row, front, reference)
            front = np.concatenate([front[(front < row).any(axis=1)], row[np.newaxis]])
            places.append(begin + i)
            volumes.append(volume)
            if len(places) > MOST_JOINING or len(front) > MOST_EXACT.get(len(row), MOST_EXACT_BEYOND):
                return None
    return np.array(places, dtype=np.int64), np.array(volumes)


def _covered(rows: Floats, front: Floats) -> Bools:
    """(n,) which rows are equal to one of the front, or dominated by it."""
    found = np.zeros(len(rows), bool)
    for member in front:
        found |= (member <= rows).all(axis=1)
    return found


def _alone(row: Floats, front: Floats, reference: Floats) -> float:
    """The volume that the row dominates and nobody of the front does."""
    whole = float(np.prod(reference - row))
    return max(0.0, whole - hypervolume(np.maximum(front, row), reference)) if len(front) else whole
