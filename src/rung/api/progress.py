"""One line of progress on a terminal's stderr while `tune` searches; nothing where nobody watches."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from rung.study import events as ev

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.study.state import State

REFRESH_S = 0.2


class Progress:
    """`12/50 trials, 2 running, best 0.123 (trial 7), 0:31`, written over itself."""

    def __init__(self, trials: int | None) -> None:
        self.trials = trials
        self.begun = self.shown = time.monotonic()
        self.watched = sys.stderr.isatty()
        self.width = 0

    def update(self, state: State, events: Sequence[ev.AnyEvent]) -> None:
        """The line says how things stand."""
        now = time.monotonic()
        over = any(isinstance(event, ev.StudyCompleted) for event in events)
        if self.watched and (over or now - self.shown >= REFRESH_S):
            self.shown = now
            self._write(self._line(state, now))

    def say(self, text: str) -> None:
        """A message of its own, above the line."""
        if self.watched:
            self._write("")
        sys.stderr.write(f"\r{text}\n" if self.watched else f"{text}\n")

    def close(self) -> None:
        """The line stays as it is and the next output begins below it."""
        if self.width:
            sys.stderr.write("\n")
        sys.stderr.flush()

    def _line(self, state: State, now: float) -> str:
        counts = state.counts
        done = counts["complete"] + counts["pruned"]
        parts = [f"{done}/{self.trials} trials" if self.trials else f"{done} trials", f"{counts['running']} running"]
        if counts["failed"]:
            parts.append(f"{counts['failed']} failed")
        best = state.switches.best
        if best >= 0:
            parts.append(f"best {float(state.table['values'][best, 0]):.6g} (trial {best})")
        seconds = int(now - self.begun)
        return ", ".join([*parts, f"{seconds // 60}:{seconds % 60:02d}"])

    def _write(self, line: str) -> None:
        sys.stderr.write("\r" + line.ljust(self.width))
        sys.stderr.flush()
        self.width = len(line)
