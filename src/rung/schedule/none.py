"""No early stopping: every trial runs to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rung.model import MethodOption, defaults
from rung.schedule.base import Ask, Begun, Bracket, Ended, Held, Hold, Resumed
from rung.schedule.options import Options

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from rung.model import Continue, Pause, Stop
    from rung.schedule.base import Contest, Delta, Next


class RunToTheEnd:
    """Every trial runs until its program ends."""

    declared: ClassVar[dict[str, MethodOption]] = {
        "max_concurrent_trials": MethodOption(
            None, "How many run at once, however many workers there are; empty or 0: no limit", "number"
        ),
    }
    options: ClassVar[dict[str, Any]] = defaults(declared)

    def __init__(self, contest: Contest) -> None:
        self.contest = contest
        self.concurrent = Options(contest).whole("max_concurrent_trials", 0, least=0)
        self._running: set[int] = set()

    def observe(self, deltas: Sequence[Delta]) -> list[Stop | Pause | Continue]:
        """Nothing ever follows from a report."""
        for delta in deltas:
            if isinstance(delta, Begun | Resumed):
                self._running.add(delta.number)
            elif isinstance(delta, Held | Ended):
                self._running.discard(delta.number)
        return []

    def next(self, number: int, rng: np.random.Generator) -> Next:
        """Whatever the searcher proposes, within the limit."""
        if self.concurrent and len(self._running) >= self.concurrent:
            return Hold()
        return Ask()

    def levels(self) -> Sequence[float]:
        """There are no rungs."""
        return ()

    def brackets(self, trials: int | None) -> list[Bracket]:
        """All run alike."""
        return []

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        limit = f"; at most {self.concurrent} at once" if self.concurrent else ""
        return f"no early stopping: every trial runs to its end{limit}"
