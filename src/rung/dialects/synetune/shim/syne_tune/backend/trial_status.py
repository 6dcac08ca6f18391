"""Trials as callbacks, criteria and results see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


class Status:
    """The words for where a trial stands."""

    completed = "Completed"
    in_progress = "InProgress"
    failed = "Failed"
    paused = "Paused"
    stopped = "Stopped"
    stopping = "Stopping"


@dataclass
class Trial:
    """One configuration: its number (from 0), all its values (constants included), when it was made."""

    trial_id: int
    config: dict[str, Any]
    creation_time: datetime = field(default_factory=datetime.now)

    def add_results(
        self, metrics: list[dict[str, Any]], status: str, training_end_time: datetime | None = None
    ) -> TrialResult:
        """The trial together with what it has reported."""
        return TrialResult(self.trial_id, self.config, self.creation_time, metrics, status, training_end_time)


@dataclass
class TrialResult(Trial):
    """A trial with its reports, oldest first, and its status; `training_end_time` is None while it runs."""

    metrics: list[dict[str, Any]] = field(default_factory=list)
    status: str = Status.in_progress
    training_end_time: datetime | None = None

    @property
    def seconds(self) -> float:
        """How long it has run since it was made."""
        return ((self.training_end_time or datetime.now()) - self.creation_time).total_seconds()

    @property
    def cost(self) -> float | None:
        """What the trial says it has cost so far; None where it does not say."""
        return self.metrics[-1].get("st_worker_cost") if self.metrics else None
