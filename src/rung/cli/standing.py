"""How a study stands while it runs: what the panel draws."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rung.study import events as ev

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.api.handle import Handle
    from rung.model import Report, Trial
    from rung.study.state import State


class Progress:
    """How a study stands, in plain values that another thread may read."""

    def __init__(self, handle: Handle) -> None:
        self.name = handle.name
        self.begun = time.monotonic()
        self.running: dict[int, float] = {}  # trial -> monotonic time it was first seen
        self.last: dict[int, Report] = {}
        self.ended_here = 0
        self.best: Trial | None = None
        self.best_at = (-1, 0.0)
        self.follow(handle.state, ())

    def follow(self, state: State, events: Sequence[ev.AnyEvent]) -> None:
        """The values are those of `state`, which has just folded `events`."""
        for event in events:
            if isinstance(event, ev.TrialReported) and event.reports:
                self.last[event.trial] = event.reports[-1]
            elif isinstance(event, ev.AttemptAssigned | ev.AttemptAdopted):
                self.running[event.trial] = time.monotonic()
            elif isinstance(event, ev.TrialCompleted | ev.TrialRetried):
                self.running.pop(event.trial, None)
                self.last.pop(event.trial, None)
                self.ended_here += isinstance(event, ev.TrialCompleted) and event.state != "failed"
        self.spec = state.spec
        self.counts = state.counts
        self.paused = state.switches.paused
        self.spent = state.switches.elapsed
        at = (state.switches.best, state.switches.best_loss)
        if at != self.best_at and at[0] >= 0:
            self.best, self.best_at = state.trial(at[0]), at

    @property
    def evaluated(self) -> int:
        """Trials that count towards the budget and are over."""
        return self.counts["complete"] + self.counts["pruned"]

    def left_s(self) -> float | None:
        """Seconds until the budget is used up, from the pace of this runner; None without a guess."""
        here = time.monotonic() - self.begun
        guesses = []
        if self.spec.budget.trials is not None and self.ended_here:
            guesses.append((self.spec.budget.trials - self.evaluated) * here / self.ended_here)
        if self.spec.budget.time_s is not None:
            guesses.append(max(0.0, self.spec.budget.time_s - self.spent))
        return min(guesses, default=None)
