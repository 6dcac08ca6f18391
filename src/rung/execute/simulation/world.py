"""The world that simulated jobs live in: its clock, what it does to jobs, and what was done in it. It outlives runners,
and stands still while none is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.execute.simulation.conditions import Conditions, Fate, fate_of, is_held

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.execute.base import Job
    from rung.execute.simulation.curves import Curves

EPOCH = 946684800.0
"""2000-01-01 UTC: where the clock begins if nothing else is said, so that no result depends on the day."""


class Tally:
    """How busy the world's workers were, and what they did. Sums only: nothing grows with the jobs."""

    def __init__(self, origin: float) -> None:
        self.origin = origin
        self.starts = self.ends = self.reports = 0
        self.work = 0.0  # steps gone forward, in all attempts together
        self.charged_s = 0.0  # real seconds that decisions took
        self.filled_at = origin  # when the last trial began
        self.filled_s = 0.0  # seconds that all jobs together had run by then
        self._started_s = self._ended_s = 0.0

    def began(self, at: float, *, first: bool) -> None:
        """A job begins; `first`: it is the first attempt of its trial."""
        self.starts += 1
        self._started_s += at - self.origin
        if first:
            self.filled_at, self.filled_s = at, self.busy_s(at)

    def ended(self, at: float) -> None:
        """A job has ended."""
        self.ends += 1
        self._ended_s += at - self.origin

    def busy_s(self, now: float) -> float:
        """Seconds that all jobs together have run up to `now`."""
        return (self.starts - self.ends) * (now - self.origin) - self._started_s + self._ended_s


class World:
    """One simulated world. `now` is its clock in Unix seconds; `fate` says what becomes of a job in place of
    `conditions`."""

    def __init__(
        self,
        curves: Curves,
        conditions: Conditions | None = None,
        *,
        seed: int = 0,
        now: float = EPOCH,
        fate: Callable[[Job], Fate] | None = None,
    ) -> None:
        self.curves, self.seed, self.now = curves, seed, now
        self.conditions = conditions or Conditions()
        self.tally = Tally(now)
        self.begun: dict[str, float] = {}  # job -> when it began, of those whose end was not told
        self._fate = fate
        self._held: dict[str, int] = {}  # job -> how often its start found no room

    def fate(self, job: Job) -> Fate:
        """What becomes of the job if nobody stops it."""
        return self._fate(job) if self._fate is not None else fate_of(self.conditions, self.seed, job.key)

    def holds(self, key: str) -> bool:
        """Whether a start that is made now finds no room."""
        tries = self._held.pop(key, 0)
        held = is_held(self.conditions, self.seed, key, tries)
        if held:
            self._held[key] = tries + 1
        return held
