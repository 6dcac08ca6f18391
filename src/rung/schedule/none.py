"""No early stopping: every trial runs to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rung.schedule.base import Ask, Bracket

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from rung.model import Continue, Pause, Stop
    from rung.schedule.base import Contest, Delta, Next


class RunToTheEnd:
    """Every trial runs until its program ends."""

    options: ClassVar[dict[str, Any]] = {}

    def __init__(self, contest: Contest) -> None:
        self.contest = contest

    def observe(self, deltas: Sequence[Delta]) -> list[Stop | Pause | Continue]:
        """Nothing ever follows from a report."""
        return []

    def next(self, number: int, rng: np.random.Generator) -> Next:
        """Whatever the searcher proposes, with no limit."""
        return Ask()

    def levels(self) -> Sequence[float]:
        """There are no rungs."""
        return ()

    def brackets(self, trials: int | None) -> list[Bracket]:
        """All run alike."""
        return []

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        return "no early stopping: every trial runs to its end"
