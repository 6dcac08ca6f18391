"""Regularised evolution: children of recent winners, each with one parameter changed; the oldest die, not the worst.

Source: Real, Aggarwal, Huang and Le 2019, "Regularized Evolution for Image Classifier Architecture Search",
algorithm 1. Ours is asynchronous: a child is made as soon as a worker is free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rung.model import MethodOption, defaults
from rung.search.history import History
from rung.search.options import whole_option
from rung.search.population import (
    Beginning,
    Candidate,
    another,
    default_population,
    filled,
    free_columns,
    moved,
    ordered,
    propose,
)

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from rung.search.base import Delta, Exhausted, Problem, Suggestion
    from rung.search.history import Integers

RESAMPLED = 0.1  # share of the mutations of an ordered parameter that draw it afresh
STEPS = (-2.0, -0.5)  # the others move it by a normal step, whose log10 of the standard deviation is uniform in here
MORE = 8  # after so many children that were no use, one more parameter changes


class Evolution:
    """The `population` is the last P trials with a result; a parent is the best of S of them (`tournament`), drawn at
    random."""

    declared: ClassVar[Mapping[str, MethodOption]] = {
        "population": MethodOption(
            None, "So many last trials may have children; empty: a sixth of the budget, 10 to 50", "number"
        ),
        "tournament": MethodOption(
            None, "A parent is the best of so many, drawn at random; empty: a quarter of the population", "number"
        ),
    }
    options: ClassVar[Mapping[str, Any]] = defaults(declared)

    def __init__(self, problem: Problem) -> None:
        self.space = problem.space
        self.history = History(problem)
        self.size = whole_option(problem, "population", default_population(problem, least=10, turns=6), least=2)
        self.tournament = whole_option(problem, "tournament", max(2, self.size // 4), least=1)
        self._beginning = Beginning(problem, self.size)
        self._free = free_columns(self.history.columns)

    def observe(self, deltas: Sequence[Delta]) -> None:
        """The deltas are in the history, which is all that this searcher knows."""
        self.history.observe(deltas)

    def suggest(
        self, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | Exhausted:
        """A spread point while the search begins, then a child of a tournament's winner."""
        return propose(self.space, self._candidates(rng), taken, rng)

    def _candidates(self, rng: np.random.Generator) -> Iterator[Candidate]:
        yield from self._beginning.rows(self.history)
        living = np.flatnonzero(self.history.done)[-self.size :]
        if not len(living) or not len(self._free):
            return
        place = np.empty(len(living), dtype=np.int64)
        place[ordered(self.history.losses[living], self.history.violations[living])] = np.arange(len(living))
        tries = 0
        while True:
            yield self._child(living, place, 1 + tries // MORE, rng)
            tries += 1

    def _child(self, living: Integers, place: Integers, changes: int, rng: np.random.Generator) -> Candidate:
        drawn = rng.choice(len(living), size=min(self.tournament, len(living)), replace=False)
        winner = living[drawn[np.argmin(place[drawn])]]
        parent, row = int(self.history.numbers[winner]), self.history.units[winner]
        active = self._free[~np.isnan(row[self._free])]
        columns = rng.choice(active, size=min(changes, len(active)), replace=False)
        child = filled(row, rng).copy()
        for column in columns.tolist():
            child[column] = self._mutated(float(child[column]), column, rng)
        names = [self.space.names[column] for column in columns.tolist()]
        said = ", ".join(names)
        text = f"trial {parent} with {said} changed: the best of {len(drawn)} drawn from the last {len(living)}"
        return Candidate(child, text, {"parents": [parent], "changed": names})

    def _mutated(self, unit: float, column: int, rng: np.random.Generator) -> float:
        kind = self.history.columns[column]
        if kind.kind == "categorical":
            assert kind.size is not None
            return another(unit, kind.size, rng)
        if rng.random() < RESAMPLED:
            return float(rng.random())
        return moved(unit, float(rng.normal(0.0, 10.0 ** rng.uniform(*STEPS))), kind)

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        return (
            f"evolution: {self.size} spread points, then children of the best of {self.tournament} drawn from the last "
            f"{self.size} trials, one parameter changed in each"
        )
