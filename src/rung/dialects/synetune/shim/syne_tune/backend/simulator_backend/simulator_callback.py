"""The callback that launchers with a simulator pass."""

from __future__ import annotations

from typing import Any

from ...results_callback import StoreResultsCallback


class SimulatorCallback(StoreResultsCallback):
    """Accepted, and does nothing more than its parent: Rung's simulator has a clock of its own."""

    def __init__(self, extra_results_composer: Any = None) -> None:
        super().__init__(extra_results_composer=extra_results_composer)
