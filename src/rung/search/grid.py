"""Grid search: every configuration of a finite space, in the order the values were given, last parameter fastest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rung.model import BadInput, MethodOption, defaults
from rung.search.base import Delta, Exhausted, Problem, Suggestion
from rung.search.novelty import FirstFree

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    import numpy as np


class Grid:
    """Lists the space once; with the option `backwards` (false) from its end; with the option `points` (null), a list
    of configurations, those and no others. Raises `SpaceError` when a domain is infinite or a point is not in the
    space, `BadInput` for another option than true or false."""

    declared: ClassVar[Mapping[str, MethodOption]] = {
        "backwards": MethodOption(False, "Whether it begins at the end"),
        "points": MethodOption(
            None, "A list of configurations, such as [{lr: 0.1}, {lr: 0.2}]: those and no others", "data"
        ),
    }
    options: ClassVar[Mapping[str, Any]] = defaults(declared)

    def __init__(self, problem: Problem) -> None:
        self.size = problem.space.size
        self.backwards = problem.search.options.get("backwards") or False
        if not isinstance(self.backwards, bool):
            raise BadInput(f"expected true or false, got {self.backwards!r}", key="search.backwards")
        points = problem.search.options.get("points")
        self.listed = points is not None
        if points is None:
            self._first_free = FirstFree(problem.space.grid(backwards=self.backwards))
            return
        if not isinstance(points, (list, tuple)) or not all(isinstance(point, dict) for point in points):
            raise BadInput("expected a list of configurations", key="search.points")
        found = [problem.space.complete(point) for point in points]
        self.size = len(found)
        self._first_free = FirstFree(found[::-1] if self.backwards else found)

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
        if self.listed:
            turned = ", from the last to the first" if self.backwards else ", in their order"
            return f"grid: the {self.size} configurations that are listed{turned}"
        order = "from the last to the first of the order given" if self.backwards else "in the order given"
        return f"grid: all {self.size} configurations, {order}, the last parameter fastest"
