"""Time as it passes by itself: what every executor of real processes has in common."""

from __future__ import annotations

import time


class RealTime:
    """The part of the executor contract that a virtual clock would answer otherwise."""

    keeps_files = True
    asks_beside = True

    def clock(self) -> float:
        """Unix seconds now."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def rest(self, until: float | None) -> float | None:
        """How many seconds the runner may sleep: time goes on by itself."""
        return None if until is None else max(0.0, until - self.monotonic())
