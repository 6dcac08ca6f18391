"""Random search: every configuration is an independent draw from the space (Bergstra & Bengio 2012)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rung.model import BadInput, MethodOption, defaults
from rung.search.base import Delta, Exhausted, Problem, Suggestion
from rung.search.novelty import draw

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    import numpy as np


class Random:
    """Draws each parameter from its own distribution; never the same configuration twice, nor more than `repeats`
    times."""

    declared: ClassVar[Mapping[str, MethodOption]] = {
        "independent": MethodOption(
            False, "Whether, with repeats, chance alone says which configuration comes again, not the results so far"
        ),
    }
    options: ClassVar[Mapping[str, Any]] = defaults(declared)

    def __init__(self, problem: Problem) -> None:
        self.space = problem.space
        self.independent = problem.search.options.get("independent") or False
        if not isinstance(self.independent, bool):
            raise BadInput(f"expected true or false, got {self.independent!r}", key="search.independent")

    def observe(self, deltas: Sequence[Delta]) -> None:
        """Nothing: a random draw depends on no result."""

    def suggest(
        self, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | Exhausted:
        """A draw for trial `number`."""
        del number, pending
        params = draw(self.space, taken, rng)
        if params is None:
            return Exhausted(text="every configuration of the space has been proposed")
        return Suggestion(params=params, text="a random draw from the space")

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        again = "; one may come again" if self.independent else ""
        return f"random: every configuration is an independent draw from the space{again}"
