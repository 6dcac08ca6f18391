"""What a callback may do: a hook for everything that happens while a tuning goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backend.trial_status import Trial
    from .tuner import Tuner


class TunerCallback:
    """Every hook does nothing; override those that you need."""

    def on_tuning_start(self, tuner: Tuner) -> None:
        """The tuning begins."""

    def on_tuning_end(self) -> None:
        """The tuning is over."""

    def on_loop_start(self) -> None:
        """Something happened, and is about to be told."""

    def on_loop_end(self) -> None:
        """All that happened was told."""

    def on_fetch_status_results(
        self, trial_status_dict: dict[int, tuple[Trial, str]], new_results: list[tuple[int, dict[str, Any]]]
    ) -> None:
        """These trials have these statuses, and made these reports since the last time."""

    def on_trial_complete(self, trial: Trial, result: dict[str, Any]) -> None:
        """The trial came to its own end; `result` is what it reported last."""

    def on_trial_result(self, trial: Trial, status: str, result: dict[str, Any], decision: str) -> None:
        """The trial reported; `decision` is CONTINUE, STOP or PAUSE."""

    def on_tuning_sleep(self, sleep_time: float) -> None:
        """Never called: nothing here waits for a fixed time."""

    def on_start_trial(self, trial: Trial) -> None:
        """The trial's program runs."""

    def on_resume_trial(self, trial: Trial) -> None:
        """The trial's program runs again, after a pause or an interruption."""
