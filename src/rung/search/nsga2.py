"""NSGA-II: the undominated and least crowded trials cross and mutate, for several objectives.

Source: Deb, Pratap, Agarwal and Meyarivan 2002, "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II":
constrained domination, crowding, simulated binary crossover (Deb and Agrawal 1995) and polynomial mutation. Ours is
asynchronous: a child is made from the best so far as soon as a worker is free, survivors are chosen after each P
results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rung.model import MethodOption, defaults
from rung.search.base import Result
from rung.search.history import History
from rung.search.options import whole_option
from rung.search.population import (
    Beginning,
    Candidate,
    another,
    categorical,
    default_population,
    filled,
    free_columns,
    moved,
    ordered,
    propose,
    reflected,
)

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from rung.search.base import Delta, Exhausted, Problem, Suggestion
    from rung.search.history import Floats, Integers

CROSSED = 0.9  # how often a pair crosses (Deb et al. 2002, section IV)
SPREAD_CROSSOVER = 5.0  # distribution index: the larger, the nearer children are to their parents
SPREAD_MUTATION = 10.0


class Nsga2:
    """Parents win a tournament of two among the best P trials, the `population`."""

    declared: ClassVar[Mapping[str, MethodOption]] = {
        "population": MethodOption(
            None, "So many best trials may have children; empty: a twentieth of the budget, 10 to 50", "number"
        ),
    }
    options: ClassVar[Mapping[str, Any]] = defaults(declared)

    def __init__(self, problem: Problem) -> None:
        self.space = problem.space
        self.history = History(problem)
        self.size = whole_option(problem, "population", default_population(problem, least=10, turns=20), least=2)
        self._beginning = Beginning(problem, self.size)
        self._free = free_columns(self.history.columns)
        self._categorical = categorical(self.history.columns)
        self._rows: list[int] = []  # survivors and what came since, by arrival

    def observe(self, deltas: Sequence[Delta]) -> None:
        """The deltas are in the history; of twice P trials the best P survive."""
        for delta in deltas:
            self.history.observe((delta,))
            row = self.history.row.get(delta.number) if isinstance(delta, Result) else None
            if row is not None and row not in self._rows:
                self._rows.append(row)
                if len(self._rows) >= 2 * self.size:
                    self._rows = sorted(self._best().tolist())

    def _best(self) -> Integers:
        """The rows of the best P, best first."""
        rows = np.array(self._rows, dtype=np.int64)
        order = ordered(self.history.losses[rows], self.history.violations[rows])
        return rows[order[: self.size]]

    def suggest(
        self, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | Exhausted:
        """A spread point while the search begins, then a child of two of the best."""
        return propose(self.space, self._candidates(rng), taken, rng)

    def _candidates(self, rng: np.random.Generator) -> Iterator[Candidate]:
        yield from self._beginning.rows(self.history)
        if not self._rows or not len(self._free):
            return
        best = self._best()
        while True:
            yield self._child(best, rng)

    def _child(self, best: Integers, rng: np.random.Generator) -> Candidate:
        # a tournament of two: the one that stands earlier in the order wins
        first, second = (int(best[rng.integers(len(best), size=2).min()]) for _ in range(2))
        numbers = self.history.numbers
        parents = sorted({int(numbers[first]), int(numbers[second])})
        one, other = self._completed(self.history.units[first], self.history.units[second], rng)
        crossed = first != second and rng.random() < CROSSED
        child = self._mutated(self._crossed(one, other, rng) if crossed else one, rng)
        said = " and ".join(map(str, parents)) if crossed else str(int(numbers[first]))
        text = f"a {'cross of trials' if crossed else 'mutation of trial'} {said}, among the best {len(best)}"
        return Candidate(child, text, {"parents": parents if crossed else [int(numbers[first])]})

    def _completed(self, one: Floats, other: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """What only one of two parents has both have; what none has is drawn."""
        both = np.stack([np.where(np.isnan(one), other, one), np.where(np.isnan(other), one, other)])
        complete = filled(both, rng)
        return complete[0], complete[1]

    def _crossed(self, one: Floats, other: Floats, rng: np.random.Generator) -> Floats:
        """Simulated binary crossover of half of the ordered columns (Deb and Agrawal 1995); the others, and those
        without an order, come from either parent."""
        u = rng.random(len(one))
        power = 1.0 / (SPREAD_CROSSOVER + 1.0)
        spread = np.where(u <= 0.5, (2.0 * u) ** power, (1.0 / (2.0 * (1.0 - u))) ** power)
        side = np.where(rng.random(len(one)) < 0.5, 1.0, -1.0)
        binary = reflected(0.5 * ((1.0 + spread * side) * one + (1.0 - spread * side) * other))
        copied = np.where(side > 0, one, other)
        child: Floats = np.where(self._categorical | (rng.random(len(one)) < 0.5), copied, binary)
        return child

    def _mutated(self, row: Floats, rng: np.random.Generator) -> Floats:
        """Polynomial mutation (Deb and Goyal 1996) of each column with probability 1 / d; others than ordered ones
        take another value."""
        child: Floats = row.copy()
        chosen = self._free[rng.random(len(self._free)) < 1.0 / len(self._free)]
        for column in chosen.tolist():
            kind = self.history.columns[column]
            if kind.kind == "categorical":
                assert kind.size is not None
                child[column] = another(float(child[column]), kind.size, rng)
            else:
                child[column] = moved(float(child[column]), _polynomial(float(rng.random())), kind)
        return child

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        return (
            f"nsga2: {self.size} spread points, then crosses and mutations of the best {self.size} trials by "
            "non-domination and crowding"
        )


def _polynomial(u: float) -> float:
    """The change in -1..1 at the quantile `u` of the polynomial distribution."""
    power = 1.0 / (SPREAD_MUTATION + 1.0)
    return float((2.0 * u) ** power - 1.0 if u < 0.5 else 1.0 - (2.0 * (1.0 - u)) ** power)
