"""A scheduler of one rule, given to Rung by its file: a trial whose loss falls below zero is stopped at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rung.model import Reason, Stop
from rung.schedule.base import Ended, Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.model import Continue, Pause
    from rung.schedule.base import Contest


class StopOnMark:
    """Stops what reports a negative loss."""

    options: ClassVar[dict[str, Any]] = {}

    def __init__(self, contest: Contest) -> None:
        self.contest = contest

    def observe(self, deltas: Sequence[Progress | Ended]) -> list[Stop | Pause | Continue]:
        """A stop for each negative loss."""
        return [
            Stop(trial=delta.number, reason=Reason(by="mark", text="reported a negative loss"))
            for delta in deltas
            if isinstance(delta, Progress) and delta.losses[0] is not None and delta.losses[0] < 0
        ]

    def resource(self) -> float | None:
        """No limit."""
        return None

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        return "stops a trial that reports a negative loss"
