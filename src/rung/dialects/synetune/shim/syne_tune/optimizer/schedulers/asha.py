"""Asynchronous successive halving under its long name (2026)."""

from __future__ import annotations

from typing import Any

from ...optimizer.schedulers._kinds import HyperbandScheduler


class AsynchronousSuccessiveHalving(HyperbandScheduler):
    """Stops a trial at a rung where it is not among the best."""

    def __init__(
        self, config_space: dict[str, Any], metric: str | None = None, time_attr: str = "training_iteration",
        max_t: float = 100, **keywords: Any,
    ) -> None:  # fmt: skip
        super().__init__(config_space, metric, time_attr=time_attr, max_t=max_t, **keywords)
