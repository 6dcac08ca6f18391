"""What the methods with a population share: who is better, how a search begins, and how rows become new trials."""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rung.search.base import Exhausted, Suggestion
from rung.search.novelty import draw
from rung.search.pareto import crowding, ranks

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from rung.search.base import Problem
    from rung.search.history import Bools, Column, Floats, History, Integers
    from rung.space import Space

TRIES = 32  # candidates that break a constraint or are taken, before a random draw replaces them
BEGIN = 0xB0  # names the generator of the first points


class Candidate(NamedTuple):
    """A unit row (d,) that may become a trial: NaN where inactive, not yet snapped, and why."""

    row: Floats
    text: str
    data: dict[str, Any]
    memo: dict[str, Any] | None = None


def propose(
    space: Space, candidates: Iterator[Candidate], taken: Container[Mapping[str, Any]], rng: np.random.Generator
) -> Suggestion | Exhausted:
    """The first of at most `TRIES` candidates that keeps every constraint and is not taken, else a random draw."""
    for candidate in islice(candidates, TRIES):
        params = admit(space, candidate.row, taken)
        if params is not None:
            return Suggestion(params=params, text=candidate.text, memo=candidate.memo, data=candidate.data)
    return drawn(space, taken, rng)


def admit(space: Space, row: Floats, taken: Container[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The configuration of a unit row (d,), None when it breaks a constraint or is taken."""
    snapped, kept = space.snap(row[np.newaxis])
    params = space.decode(snapped)[0] if kept[0] else None
    return None if params is None or params in taken else params


def drawn(
    space: Space,
    taken: Container[Mapping[str, Any]],
    rng: np.random.Generator,
    *,
    why: str = "the method had no new configuration",
    memo: dict[str, Any] | None = None,
) -> Suggestion | Exhausted:
    """A random configuration that is not taken."""
    params = draw(space, taken, rng)
    if params is None:
        return Exhausted(text="every configuration of the space has been proposed")
    return Suggestion(params=params, text=f"a random draw: {why}", memo=memo)


def ordered(losses: Floats, violations: Floats) -> Integers:
    """The rows of `losses` (n, m) and `violations` (n, k), best first: by constrained domination, within a front the
    least crowded first (Deb et al. 2002, the crowded-comparison operator); equals as they stand."""
    rank = ranks(losses, violations)
    if losses.shape[1] == 1:
        return np.argsort(rank, kind="stable")
    return np.lexsort((-crowding(losses, rank), rank))


class Beginning:
    """The first rows of a search: the best configurations of earlier studies (a quarter at most), then a Latin
    hypercube (McKay, Beckman and Conover 1979), so that every part of every axis is met."""

    def __init__(self, problem: Problem, size: int) -> None:
        self.size = size
        width = len(problem.space.names)
        rng = np.random.default_rng((problem.seed, BEGIN))
        strata = np.array([rng.permutation(size) for _ in range(width)], dtype=np.float64).reshape(width, size).T
        self._rows: Floats = (strata + rng.random((size, width))) / size

    def rows(self, history: History) -> Iterator[Candidate]:
        """The row that stands at the place of the next trial, while the search begins."""
        place = history.n
        if place >= self.size:
            return
        earlier = best_earlier(history, self.size // 4)
        if place < len(earlier):
            units, _, _, source = history.earlier()
            text = f"among the best of earlier study {int(source[earlier[place]]) + 1}"
            yield Candidate(units[earlier[place]], text, {})
        else:
            text = f"point {place + 1} of the {self.size} spread ones that begin the search"
            yield Candidate(self._rows[place], text, {})


def best_earlier(history: History, most: int) -> list[int]:
    """The places of up to `most` evaluations of earlier studies, the best of each in turn: losses of two studies need
    not be comparable."""
    _, losses, violations, source = history.earlier()
    ranked: list[tuple[int, int, int]] = []
    for study in np.unique(source).tolist():
        rows = np.flatnonzero(source == study)
        order = ordered(losses[rows], violations[rows])[:most]
        ranked += [(place, study, int(row)) for place, row in enumerate(rows[order])]
    return [row for _, _, row in sorted(ranked)[:most]]


def default_population(problem: Problem, *, least: int, turns: int) -> int:
    """The population that the budget renews `turns` times, `least` to 50; without a budget, the one of 240 trials."""
    trials = 240 if problem.budget.trials is None else problem.budget.trials
    return min(max(trials // turns, least), 50)


# ---------------------------------------------------------------------------------------------------------- variation


def free_columns(columns: tuple[Column, ...]) -> Integers:
    """The columns that have more than one value."""
    return np.array([i for i, column in enumerate(columns) if column.size != 1], dtype=np.int64)


def filled(rows: Floats, rng: np.random.Generator) -> Floats:
    """`rows` with draws where they are NaN: what a child activates was not there in its parent."""
    gaps = np.isnan(rows)
    return np.where(gaps, rng.random(rows.shape), rows) if gaps.any() else rows


def reflected(units: Floats) -> Floats:
    """Folded back into 0..1 at both bounds, as often as needed."""
    folded: Floats = 1.0 - np.abs(1.0 - np.mod(units, 2.0))
    return folded


def sizes(columns: tuple[Column, ...]) -> Floats:
    """(d,) how many values each column has, +inf for continuous ones."""
    return np.array([math.inf if column.size is None else float(column.size) for column in columns])


def categorical(columns: tuple[Column, ...]) -> Bools:
    """(d,) which columns have values without an order."""
    return np.array([column.kind == "categorical" for column in columns], dtype=bool)


def moved(unit: float, change: float, column: Column) -> float:
    """`unit` of an ordered column plus `change`, reflected at the bounds; discrete ones move by at least one value."""
    if column.size is not None and abs(change) < 1.0 / column.size:
        change = math.copysign(1.0 / column.size, change)
    target = float(reflected(np.array([unit + change]))[0])
    if column.size is not None and int(target * column.size) == int(unit * column.size):
        target = unit - math.copysign(1.0 / column.size, change)
    return target


def another(unit: float, size: int, rng: np.random.Generator) -> float:
    """The centre of the bin of another one of `size` values, all equally likely."""
    here = min(int(unit * size), size - 1)
    other = int(rng.integers(size - 1))
    return (other + (other >= here) + 0.5) / size
