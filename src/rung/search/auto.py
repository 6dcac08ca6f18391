"""`auto`: the searcher that fits what is known of the problem; it says which one, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rung.search.grid import Grid
from rung.search.random import Random

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    import numpy as np

    from rung.search.base import Delta, Exhausted, Problem, Searcher, Suggestion


class Auto:
    """Grid when the budget covers the whole of a finite space, random search otherwise."""

    options: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, problem: Problem) -> None:
        size, trials = problem.space.size, problem.budget.trials
        evaluations = None if size is None else size * problem.search.repeats
        if evaluations is not None and trials is not None and evaluations <= trials:
            self.inner: Searcher = Grid(problem)
            self.why = f"the whole space has {size} configurations and the budget covers them"
        else:
            self.inner = Random(problem)
            self.why = (
                "the space is infinite" if size is None else f"the budget does not cover all {size} configurations"
            )

    def observe(self, deltas: Sequence[Delta]) -> None:
        """The chosen searcher has seen them."""
        self.inner.observe(deltas)

    def suggest(
        self, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | Exhausted:
        """The chosen searcher's suggestion."""
        return self.inner.suggest(number, pending, taken, rng)

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        return f"auto chose {self.inner.describe()}, since {self.why}"
