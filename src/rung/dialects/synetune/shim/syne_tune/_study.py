"""The study behind a tuner or an experiment: its trials, their folders and rows, read from Rung's log."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from .backend.trial_status import Status, Trial

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rung.api.handle import Handle
    from rung.dialects.synetune.driver_story import Story


class StudyReader:
    """One study, as it stands whenever it is asked."""

    def __init__(self, handle: Handle) -> None:
        from rung.api.places import runs_directory

        self.handle = handle
        self.folder = runs_directory(handle) / handle.name

    def output(self, trial: int, attempt: int) -> Path:
        """Where that attempt's standard output is."""
        return self.folder / f"{trial:05d}" / str(attempt) / "stdout"

    def story(self) -> Story:
        """All that the log tells, from its beginning."""
        from rung.dialects.synetune.driver_story import Story

        told = Story(self.handle.state.created.spec, self.output)
        return told.tell(event for _, event in self.handle.story())

    @property
    def count(self) -> int:
        """How many trials there are."""
        self.handle.refresh()
        return len(self.handle.state)

    def attempt(self, trial_id: int) -> Path:
        """The folder of the trial's last attempt. Raises `BadInput` for a trial that is not there."""
        self.handle.refresh()
        return self.folder / f"{trial_id:05d}" / str(max(1, self.handle.trial(trial_id).attempt))

    def checkpoint(self, trial_id: int) -> Path:
        """The folder of the trial's last checkpoint: the last snapshot that a report named, else the working copy."""
        attempt = self.attempt(trial_id)
        saved = sorted((p for p in attempt.glob("checkpoints/*") if p.is_dir()), key=lambda p: p.stat().st_mtime)
        return saved[-1] if saved else attempt / "checkpoint"

    def fetch(self, trial_ids: Iterable[int]) -> tuple[dict[int, tuple[Trial, str]], list[tuple[int, dict[str, Any]]]]:
        """The status of these trials, and what they have reported."""
        told, wanted = self.story(), list(trial_ids)
        statuses = {
            number: (trial_of(told, number), told.status.get(number, Status.in_progress))
            for number in wanted
            if number in told.configs
        }
        return statuses, [(row.trial, row.result) for row in told.rows if row.trial in statuses]

    def best(self, metric: str | None = None) -> tuple[int, dict[str, Any]]:
        """The number and the configuration of the best trial: by the first objective, or by the named one. Raises
        `ValueError` where no trial has a value."""
        objectives = self.handle.state.spec.objectives
        objective = next((o for o in objectives if o.metric == metric), objectives[0])
        told = self.story()
        rows = [row for row in told.rows if isinstance(row.result.get(objective.metric), int | float)]
        if not rows:
            raise ValueError(f"study {self.handle.name}: no trial has reported {objective.metric}")
        best = min(rows, key=lambda row: objective.loss(row.result[objective.metric]))
        return best.trial, dict(told.configs[best.trial])


def trial_of(story: Story, number: int) -> Trial:
    """The trial as callbacks see it."""
    made = datetime.fromtimestamp(story.created[number])
    return Trial(number, dict(story.configs[number]), made)
