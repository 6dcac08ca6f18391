"""Whether the trial was asked to stop."""

from __future__ import annotations

import enum

from determined import _study


class PreemptMode(enum.Enum):
    """Who asks, where several processes train; there is one here."""

    WorkersAskChief = "WORKERS_ASK_CHIEF"
    ChiefOnly = "CHIEF_ONLY"
    WorkersAskMaster = "WORKERS_ASK_MASTER"


class PreemptContext:
    """Answers whether to save a checkpoint and leave.

    Once a program has asked, being told to end no longer kills it: it has the study's grace period to see it.
    """

    def __init__(self, preempt_mode: PreemptMode = PreemptMode.WorkersAskChief) -> None:
        self._mode = PreemptMode(preempt_mode)
        self._watching = False

    def start(self) -> PreemptContext:
        """Nothing to start."""
        return self

    def close(self) -> None:
        """Nothing to close."""

    def should_preempt(self, auto_ack: bool = True) -> bool:
        """Whether the trial was asked to end; looks at the disk at most every 50 ms."""
        if not self._watching:
            self._watching = True
            if _study.current() is not None:
                _study.watch_for_the_end()
        return _study.asked_to_end()

    def acknowledge_preemption_signal(self) -> None:
        """Nothing waits for it."""
