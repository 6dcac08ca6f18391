"""Grid search: every configuration of a finite space, in the order the values were given, last parameter fastest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rung.search.base import Delta, Exhausted, Problem, Suggestion
from rung.search.novelty import FirstFree

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    import numpy as np


class Grid:
    """Lists the space once. Raises `SpaceError` when a domain is infinite."""

    options: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, problem: Problem) -> None:
        self.size = problem.space.size
        self._first_free = FirstFree(problem.space.grid())

    def observe(self, deltas: Sequence[Delta]) -> None:
        """Nothing: the order is fixed, and what was proposed is in `taken`."""

    def suggest(
        self, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | Exhausted:
        """The first configuration, in order, that was not proposed."""
        del pending, rng
        params = self._first_free.find(taken)
        if params is None:
            return Exhausted(text=f"all {self.size} configurations of the grid have been proposed")
        return Suggestion(
            params=params, text=f"the next of {self.size} configurations of the grid", data={"of": self.size}
        )

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        return f"grid: all {self.size} configurations, in the order given, the last parameter fastest"
