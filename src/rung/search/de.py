"""Differential evolution: each member of a population moves towards a good one, by the difference of two others.

Sources: Storn and Price 1997, "Differential Evolution"; current-to-pbest/1/bin of Zhang and Sanderson 2009, "JADE".
Ours is asynchronous: a member's trial is made as soon as a worker is free, and replaces it when it is no worse.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rung.model import MethodOption, defaults
from rung.search.base import Proposed, Result
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
    ordered,
    propose,
    sizes,
)

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from rung.search.base import Delta, Exhausted, Problem, Suggestion
    from rung.search.history import Bools, Floats, Integers

PARENTS = 4  # a member, a good one, and two whose difference is taken
GOOD = 0.2  # the share of the population that `pbest` is drawn from (Zhang and Sanderson 2009)
WEIGHTS = (0.4, 0.9)  # F is uniform in here
CROSSOVERS = (0.3, 0.9)  # CR is one of these: parameters that act alone, and such that act together
STRAY = 0.05  # how often a choice takes any other value: differences alone never bring a lost one back


class DifferentialEvolution:
    """Each of P members, the `population`, is the best trial of its line."""

    declared: ClassVar[Mapping[str, MethodOption]] = {
        "population": MethodOption(None, "How many members; empty: a twelfth of the budget, 8 to 50", "number"),
    }
    options: ClassVar[Mapping[str, Any]] = defaults(declared)

    def __init__(self, problem: Problem) -> None:
        self.space = problem.space
        self.history = History(problem)
        self.size = whole_option(problem, "population", default_population(problem, least=8, turns=12), least=PARENTS)
        self._beginning = Beginning(problem, self.size)
        self._free = free_columns(self.history.columns)
        self._categorical = categorical(self.history.columns)
        self._sizes = sizes(self.history.columns)
        self._members: list[int] = []  # rows
        self._tried: list[int] = []  # how many trials were made to replace each
        self._worst: int | None = None  # the worst member, when it is known
        self._targets: dict[int, int] = {}  # the member that a trial without a result may replace, by its number

    # ------------------------------------------------------------------------------------------------------- the fold

    def observe(self, deltas: Sequence[Delta]) -> None:
        """The deltas are in the history, each result with its member."""
        for delta in deltas:
            self.history.observe((delta,))
            if isinstance(delta, Proposed) and delta.memo is not None and "de" in delta.memo:
                member = int(delta.memo["de"]["member"])
                if member < len(self._members):
                    self._targets[delta.number] = member
                    self._tried[member] += 1
            elif isinstance(delta, Result) and delta.number in self.history.row:
                self._select(self.history.row[delta.number], self._targets.pop(delta.number, None))

    def _select(self, row: int, member: int | None) -> None:
        """The trial takes its member's place when it is no worse; one without a member takes the worst's."""
        if row in self._members:
            self._worst = None  # it has another result now
            return
        if member is None and len(self._members) < self.size:
            self._members.append(row)
            self._tried.append(0)
            self._worst = None
            return
        member = self._worst_member() if member is None else member
        if self._no_worse(row, self._members[member]):
            self._members[member] = row
            self._worst = None

    def _worst_member(self) -> int:
        if self._worst is None:
            rows = np.array(self._members, dtype=np.int64)
            self._worst = int(ordered(self.history.losses[rows], self.history.violations[rows])[-1])
        return self._worst

    def _no_worse(self, row: int, member: int) -> bool:
        """Whether the member does not dominate the trial (Deb's constrained domination)."""
        broken, limit = (float(self.history.violations[i].sum()) for i in (row, member))
        if broken > 0 or limit > 0:
            return broken <= limit
        one, other = self.history.losses[row], self.history.losses[member]
        return not ((other <= one).all() and (other < one).any())

    # ------------------------------------------------------------------------------------------------------ proposing

    def suggest(
        self, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | Exhausted:
        """A spread point while the search begins, then a trial for the member that was tried least."""
        return propose(self.space, self._candidates(rng), taken, rng)

    def _candidates(self, rng: np.random.Generator) -> Iterator[Candidate]:
        yield from self._beginning.rows(self.history)
        if len(self._members) < PARENTS or not len(self._free):
            return
        members = np.array(self._members, dtype=np.int64)
        order = ordered(self.history.losses[members], self.history.violations[members])
        target = int(np.argmin(self._tried))
        while True:
            yield self._trial(members, order, target, rng)

    def _trial(self, members: Integers, order: Integers, target: int, rng: np.random.Generator) -> Candidate:
        good = int(order[rng.integers(max(1, math.ceil(GOOD * len(order))))])
        others = np.array([i for i in range(len(members)) if i not in {target, good}])
        one, other = (int(i) for i in rng.choice(others, size=2, replace=False))
        picked = members[[target, good, one, other]]
        weight = float(rng.uniform(*WEIGHTS))
        rows = filled(self.history.units[picked], rng)
        mutant = self._mutant(rows, weight, rng)
        child = np.where(self._crossed(rng), mutant, rows[0])
        numbers = [int(n) for n in self.history.numbers[picked]]
        towards = f"towards trial {numbers[1]}, one of the best, and " if good != target else ""
        difference = f"by the difference of trials {numbers[2]} and {numbers[3]}"
        text = f"trial {numbers[0]} moved {towards}{difference}, times {weight:.2f}"
        return Candidate(child, text, {"parents": numbers, "weight": weight}, memo={"de": {"member": target}})

    def _mutant(self, rows: Floats, weight: float, rng: np.random.Generator) -> Floats:
        """The mutant x + F (x_pbest - x) + F (x_1 - x_2) (Zhang and Sanderson 2009, eq. 6); what leaves a bound goes
        half of the way to it. A choice is copied from pbest with probability F, else from x_1."""
        target, good, one, other = rows
        mutant: Floats = target + weight * (good - target) + weight * (one - other)
        mutant = np.where(mutant < 0.0, target / 2.0, np.where(mutant > 1.0, (1.0 + target) / 2.0, mutant))
        copied = np.where(rng.random(len(target)) < weight, good, one)
        mutant = np.where(self._categorical, copied, mutant)
        for column in np.flatnonzero(self._categorical & (rng.random(len(target)) < STRAY)).tolist():
            mutant[column] = another(float(mutant[column]), int(self._sizes[column]), rng)
        return mutant

    def _crossed(self, rng: np.random.Generator) -> Bools:
        """(d,) which columns come from the mutant: each with probability CR, and one of them surely."""
        crossed = rng.random(len(self._sizes)) < CROSSOVERS[int(rng.integers(len(CROSSOVERS)))]
        crossed[self._free[rng.integers(len(self._free))]] = True
        return crossed

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        return (
            f"de: {self.size} spread points, each then moves towards one of the best, by the difference of two others, "
            "and keeps what is no worse"
        )
