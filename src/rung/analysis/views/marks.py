"""What the views share: which trials one shows, their columns, and which marks are left out where there are many."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rung.model import BadInput, TrialState, WireNumber, to_wire
from rung.space.errors import did_you_mean
from rung.study.transitions import FINAL, PUBLIC, Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rung.model import Objective
    from rung.study.state import State

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

STATES: tuple[TrialState, ...] = ("waiting", "running", "paused", "complete", "pruned", "failed")
_CODE = np.array([STATES.index(PUBLIC[phase]) if phase in PUBLIC else 0 for phase in Phase], dtype=np.int64)
_FINAL = np.array([phase in FINAL for phase in Phase])


def matching(state: State, where: str) -> Bools:
    """(n,) which trials the filter expression holds for; all where it is empty. Raises `BadInput`."""
    if not where.strip():
        return np.ones(len(state), bool)
    from rung.analysis import filtering  # only a filter needs the expressions

    return filtering.matching(state, where)


def codes(state: State) -> Integers:
    """(n,) each trial's public state, as its place in `STATES`."""
    found: Integers = _CODE[state.table["phase"]]
    return found


def final(state: State) -> Bools:
    """(n,) whether each trial is over."""
    found: Bools = _FINAL[state.table["phase"]]
    return found


def state_names(found: Iterable[int]) -> list[TrialState]:
    """The names of states given by their places."""
    return [STATES[code] for code in found]


def numbers(values: npt.NDArray[Any]) -> list[WireNumber]:
    """Numbers as JSON can carry them."""
    found: list[WireNumber] = values.tolist()
    return found if np.isfinite(values).all() else [to_wire(value) for value in values.tolist()]


def numbers_or_none(values: npt.NDArray[Any], known: Bools) -> list[WireNumber | None]:
    """Numbers as JSON can carry them; None where they are not known."""
    pairs = zip(values.tolist(), known.tolist(), strict=True)
    return [to_wire(value) if there else None for value, there in pairs]


def number_or_none(value: float | None) -> WireNumber | None:
    """One number as JSON can carry it; None stays."""
    return None if value is None else to_wire(value)


def objective_named(state: State, name: str | None) -> tuple[int, Objective] | None:
    """The place and the objective of that metric; the first without a name, None where the study has none. Raises
    `BadInput` naming those that there are."""
    objectives = state.spec.objectives
    if name is None:
        return (0, objectives[0]) if objectives else None
    metrics = [objective.metric for objective in objectives]
    if name not in metrics:
        known = ", ".join(metrics) or "none"
        raise BadInput(f"the study has no objective {name!r}{did_you_mean(name, metrics)}; it has {known}")
    return metrics.index(name), objectives[metrics.index(name)]


def metric_named(state: State, name: str) -> str:
    """The metric, which the study declares or has a column for, or a live trial has reported. Raises `BadInput`."""
    known = metric_names(state)
    if name not in known:
        raise BadInput(f"no trial has reported a metric {name!r}{did_you_mean(name, known)}")
    return name


def metric_names(state: State) -> list[str]:
    """The metrics of a study: those it declares, those of finished trials, those of trials that live."""
    declared = [o.metric for o in state.spec.objectives] + [o.metric for o in state.spec.outcomes]
    columns = [name.removeprefix("metric:") for name in state.table.names() if name.startswith("metric:")]
    live = [name for trial in list(state.live.values()) for name in trial.tracks]
    return list(dict.fromkeys([*declared, *columns, *live]))


def objective_values(state: State, place: int, *, live: bool = False) -> tuple[Floats, Bools]:
    """(n,) what each trial's objective came to, and (n,) whether it has a value, which may be NaN or infinite. With
    `live` also that of trials which are not over, as far as they have come."""
    objective = state.spec.objectives[place]
    values: Floats = state.table["values"][:, place].copy()
    if "has:" + objective.metric not in state.table:
        known = np.zeros(len(values), bool)
    else:
        known = state.table["has:" + objective.metric].astype(bool) & final(state)
        # A failed trial may have reported and yet has no value, unless somebody told it one.
        known &= ~((state.table["phase"] == Phase.FAILED) & np.isnan(values))
    if live:
        for number, trial in state.live.items():
            track = trial.tracks.get(objective.metric)
            if track is not None and number < len(values):
                values[number], known[number] = track.pick(objective.value), True
    return values, known


def loss_of(objective: Objective, values: Floats) -> Floats:
    """Values as numbers to minimise; not finite is worst, +inf."""
    if objective.goal == "minimize":
        loss = values
    elif objective.goal == "maximize":
        loss = -values
    else:
        loss = np.abs(values - float(objective.goal))
    return np.where(np.isfinite(loss), loss, np.inf)


def improvements(losses: Floats) -> Integers:
    """The places where a loss is below all before it; an infinite one is never."""
    if not len(losses):
        return np.zeros(0, dtype=np.int64)
    before = np.concatenate(([math.inf], np.minimum.accumulate(losses)[:-1]))
    return np.flatnonzero(losses < before)


def thinned(y: Floats, most: int, *, keep: Sequence[int] | Integers = ()) -> Integers:
    """The places, ascending, of at most `most` of the marks with these heights `y` (n,), for marks in order: those to
    `keep`, then the lowest and highest of each of so many stretches of equal length, then as many of the rest as there
    is room, evenly spread. The same marks give the same choice. Where `keep` alone is too many it is spread evenly."""
    if len(y) <= most:
        return np.arange(len(y))
    kept = np.unique(np.asarray(keep, dtype=np.int64))
    if len(kept) >= most:
        return kept[spread(len(kept), most)]
    chosen = np.zeros(len(y), bool)
    chosen[kept] = True
    room = (most - len(kept)) // 2  # half of it for extremes, half for the rest
    stretches = max(1, room // 2)
    if room >= 2:
        chosen[_extremes(y, stretches)] = True
    rest = np.flatnonzero(~chosen)
    chosen[rest[spread(len(rest), most - int(chosen.sum()))]] = True
    return np.flatnonzero(chosen)


def spread(count: int, most: int) -> Integers:
    """At most `most` of the places 0 to count - 1, evenly, the first and the last among them."""
    if count <= most:
        return np.arange(count)
    if most <= 0:
        return np.zeros(0, dtype=np.int64)
    return np.unique(np.round(np.linspace(0, count - 1, most)).astype(np.int64))


def _extremes(y: Floats, stretches: int) -> Integers:
    """The places of the lowest and of the highest finite height in each stretch."""
    edges = np.linspace(0, len(y), stretches + 1).astype(np.int64)[:-1]
    edges = np.unique(edges)
    found = []
    for heights in (np.where(np.isfinite(y), y, np.inf), np.where(np.isfinite(y), -y, np.inf)):
        lowest = np.minimum.reduceat(heights, edges)
        stretch = np.searchsorted(edges, np.arange(len(y)), side="right") - 1
        hits = np.flatnonzero((heights == lowest[stretch]) & np.isfinite(heights))
        _, first = np.unique(stretch[hits], return_index=True)
        found.append(hits[first])
    return np.unique(np.concatenate(found))
