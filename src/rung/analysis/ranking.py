"""Which trials are best. Complete trials come first; pruned ones count only where none is complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from rung.search.pareto import front
from rung.search.pareto import hypervolume as volume
from rung.study.transitions import Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.model import Objective, Outcome
    from rung.study.state import State

Numbers = npt.NDArray[np.int64]


def evaluated(state: State) -> Numbers:
    """Numbers of the complete trials, ascending; of the pruned ones where none is complete."""
    phases = state.table["phase"]
    found = np.flatnonzero(phases == Phase.COMPLETE)
    return found if len(found) else np.flatnonzero(phases == Phase.PRUNED)


def candidates(state: State) -> Numbers:
    """Numbers of the trials that can be best, ascending: feasible ones where there are any."""
    found = evaluated(state)
    feasible = kept(state, found)
    return found[feasible] if feasible.any() else found


def kept(state: State, numbers: Numbers) -> npt.NDArray[np.bool_]:
    """(n,) whether each of the trials kept every outcome."""
    feasible = np.ones(len(numbers), bool)
    for outcome in state.spec.outcomes:
        feasible &= _kept(state, outcome)[numbers]
    return feasible


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
    """The candidates that no other one dominates, by number."""
    numbers = candidates(state)
    return [int(number) for number in numbers[front(losses(state, numbers))]]


class Volume(NamedTuple):
    """How much of the objectives' space the Pareto set dominates, up to a reference point in the metrics' own units (of
    a metric that approaches a target: its distance)."""

    value: float
    reference: tuple[float, ...]


def hypervolume(state: State) -> Volume | None:
    """The hypervolume of the Pareto set; None where nothing in it is finite."""
    found = losses(state, np.array(pareto(state), dtype=np.int64))
    found = found[np.isfinite(found).all(axis=1)]
    if not found.size:
        return None
    reference = reference_of(found)
    return Volume(volume(found, reference), as_metrics(state.spec.objectives, reference))


def reference_of(found: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(m,) the reference point of a front of finite losses (f, m): the worst of each objective, and a tenth of their
    range beyond it (a tenth of the value, or of 1, where all are equal)."""
    worst, spread = found.max(axis=0), np.ptp(found, axis=0)
    beyond = np.where(spread > 0, spread, np.where(worst != 0, np.abs(worst), 1.0)) / 10
    reference: npt.NDArray[np.float64] = worst + beyond
    return reference


def as_metrics(objectives: Sequence[Objective], reference: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """A point of losses (m,) in the metrics' own units; of one that approaches a target its distance."""
    return tuple(-r if o.goal == "maximize" else r for o, r in zip(objectives, reference.tolist(), strict=True))


def nothing_finite(state: State) -> bool:
    """Whether no trial that counts has finite values of all objectives, so that none is better than another."""
    found = losses(state, evaluated(state))
    return bool(found.size) and not np.isfinite(found).all(axis=1).any()


def unmeasured(state: State) -> list[str]:
    """The outcomes' metrics that no trial that counts has reported."""
    numbers = evaluated(state)
    names = dict.fromkeys(outcome.metric for outcome in state.spec.outcomes)
    return [name for name in names if not _has(state, name)[numbers].any()] if len(numbers) else []


def _has(state: State, metric: str) -> npt.NDArray[np.bool_]:
    """(n,) whether each trial of the study has reported the metric."""
    if "has:" + metric not in state.table:
        return np.zeros(len(state), bool)
    return np.asarray(state.table["has:" + metric].astype(bool))


def nearest_to_feasible(state: State) -> int | None:
    """Where no trial that counts kept every outcome, the one that broke them least, by the sum of the violations in
    units of their bounds; None where some kept them, or none has values to judge."""
    numbers = evaluated(state)
    if not len(numbers) or kept(state, numbers).any():
        return None
    broken = sum((_violation(state, outcome)[numbers] for outcome in state.spec.outcomes), np.zeros(len(numbers)))
    nearest = int(broken.argmin())
    return int(numbers[nearest]) if np.isfinite(broken[nearest]) else None


def _violation(state: State, outcome: Outcome) -> npt.NDArray[np.float64]:
    """(n,) by how much each trial breaks the outcome, in units of its bound; +inf where it has no value."""
    if "metric:" + outcome.metric not in state.table:
        return np.full(len(state), np.inf)
    has = state.table["has:" + outcome.metric].astype(bool)
    broken = np.zeros(len(state))
    for bound, sign in ((outcome.at_most, 1.0), (outcome.at_least, -1.0)):
        if bound is not None:
            above = sign * (state.table["metric:" + outcome.metric] - bound) / (abs(bound) or 1.0)
            broken = np.maximum(broken, np.where(np.isnan(above), np.inf, above))
    return np.where(has, broken, np.inf)
