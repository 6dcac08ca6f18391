"""Which trials are best. Complete trials come first; pruned ones count only where none is complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rung.study.transitions import Phase

if TYPE_CHECKING:
    from rung.model import Objective, Outcome
    from rung.study.state import State

Numbers = npt.NDArray[np.int64]


def candidates(state: State) -> Numbers:
    """Numbers of the trials that can be best, ascending: feasible ones where there are any."""
    phases = state.table["phase"]
    found = np.flatnonzero(phases == Phase.COMPLETE)
    if not len(found):
        found = np.flatnonzero(phases == Phase.PRUNED)
    feasible = np.ones(len(found), bool)
    for outcome in state.spec.outcomes:
        feasible &= _kept(state, outcome)[found]
    return found[feasible] if feasible.any() else found


def _kept(state: State, outcome: Outcome) -> npt.NDArray[np.bool_]:
    if "metric:" + outcome.metric not in state.table:
        return np.zeros(len(state), bool)
    column = state.table["metric:" + outcome.metric]
    kept = state.table["has:" + outcome.metric].astype(bool)
    if outcome.at_most is not None:
        kept &= column <= outcome.at_most
    if outcome.at_least is not None:
        kept &= column >= outcome.at_least
    return kept


def losses(state: State, numbers: Numbers) -> npt.NDArray[np.float64]:
    """The trials' objectives as numbers to minimise, shape (len(numbers), objectives); not finite is worst, +inf."""
    columns = [_loss(o, state.table["values"][numbers, i]) for i, o in enumerate(state.spec.objectives)]
    return np.stack(columns, axis=1) if columns else np.zeros((len(numbers), 0))


def _loss(objective: Objective, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if objective.goal == "minimize":
        loss = values
    elif objective.goal == "maximize":
        loss = -values
    else:
        loss = np.abs(values - float(objective.goal))
    return np.where(np.isfinite(loss), loss, np.inf)


def ranked(state: State) -> list[int]:
    """The candidates by their first objective, best first; equals by number."""
    numbers = candidates(state)
    order = np.argsort(losses(state, numbers)[:, 0], kind="stable")
    return [int(n) for n in numbers[order]]


def pareto(state: State) -> list[int]:
    """The candidates that no other one dominates, by number. O(n log n + n f) for a front of f."""
    numbers = candidates(state)
    loss = losses(state, numbers)
    order = np.lexsort(loss.T[::-1])
    front: list[int] = []
    for row in order:  # in lexicographic order only an earlier row can dominate a later one
        kept = loss[front]
        if not bool(((kept <= loss[row]).all(axis=1) & (kept < loss[row]).any(axis=1)).any()):
            front.append(int(row))
    return sorted(int(numbers[row]) for row in front)


def best(state: State, *, top: int | None = None) -> list[int]:
    """The best trial, the `top` best ones, or the Pareto set when there are several objectives and no `top`."""
    if not state.spec.objectives:
        return []
    if top is None and len(state.spec.objectives) > 1:
        return pareto(state)
    return ranked(state)[: top if top is not None else 1]
