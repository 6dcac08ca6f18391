"""No early stopping: every trial runs to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.model import Continue, Pause, Stop
    from rung.schedule.base import Contest, Ended, Progress


class RunToTheEnd:
    """Every trial runs until its program ends."""

    options: ClassVar[dict[str, Any]] = {}

    def __init__(self, contest: Contest) -> None:
        self.contest = contest

    def observe(self, deltas: Sequence[Progress | Ended]) -> list[Stop | Pause | Continue]:
        """Nothing ever follows from a report."""
        return []

    def resource(self) -> float | None:
        """No limit."""
        return None

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        return "no early stopping: every trial runs to its end"
