"""What a scheduler promises: to say, after each report, whether a trial has earned more resource (ARCHITECTURE rule 5).

Like a searcher it is a deterministic fold: it sees the reports in the order of the log and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import msgspec

from rung.model import Continue, Objective, Pause, ScheduleSpec, Stop

if TYPE_CHECKING:
    from collections.abc import Sequence


class Progress(msgspec.Struct, frozen=True):
    """A delta: trial `number` reported at `step`. `losses` are its objectives to minimise, None where not reported."""

    number: int
    step: float
    losses: tuple[float | None, ...]


class Ended(msgspec.Struct, frozen=True):
    """A delta: trial `number` will report no more. `losses` is None when it failed."""

    number: int
    losses: tuple[float, ...] | None


class Contest(msgspec.Struct, frozen=True, kw_only=True):
    """What a scheduler is told once."""

    schedule: ScheduleSpec
    objectives: tuple[Objective, ...]
    seed: int


class Scheduler(Protocol):
    """Decides who goes on. `rung.search` proposes; a policy combines the two."""

    options: ClassVar[dict[str, Any]]

    def __init__(self, contest: Contest) -> None: ...

    def observe(self, deltas: Sequence[Progress | Ended]) -> list[Stop | Pause | Continue]:
        """What follows from these deltas: at most one command a trial."""
        ...

    def resource(self) -> float | None:
        """How far a new trial may run before it is looked at again; None: to its end."""
        ...

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        ...
