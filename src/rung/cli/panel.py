"""What a runner shows while it works: a live panel on a terminal, one line for each finished trial elsewhere.

Both follow the events that the runner folds (`observe`), at a cost that does not grow with the study. The panel is
drawn by a thread of its own, which reads only what `Progress` keeps for it, never the state itself.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
from typing import TYPE_CHECKING

from rung.analysis.wording import assigned, last_line, number, seconds
from rung.cli.standing import Progress
from rung.study import events as ev
from rung.study.transitions import FINAL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from rich.console import RenderableType

    from rung.api.handle import Handle
    from rung.study.state import State

FRAMES_A_SECOND = 4
WIDEST = 110
MARGIN = 3  # columns left free, so that the `^C` which a terminal echoes does not wrap and shift the panel


def watched() -> bool:
    """Whether somebody sees stderr on a terminal that can be drawn on."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def counted(state: State) -> str:
    """`24 complete, 2 failed`: the trials by state, those that there are."""
    return ", ".join(f"{n} {name}" for name, n in state.counts.items() if n) or "no trials"


class Lines:
    """One line on stderr for each trial that is over."""

    def __init__(self, handle: Handle) -> None:
        self.progress = Progress(handle)

    def __enter__(self) -> Lines:  # noqa: PYI034 - typing.Self is not in Python 3.10
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nothing is left to do."""

    def observe(self, state: State, events: Sequence[ev.AnyEvent]) -> None:
        """The events that end a trial are on stderr."""
        before = self.progress.best_at
        self.progress.follow(state, events)
        for event in events:
            text = ending(state, event, is_best=self.progress.best_at != before)
            if text is not None:
                self.say(text)

    def say(self, text: str) -> None:
        """The line is on stderr; the study goes on when nobody reads it any more."""
        with contextlib.suppress(OSError):
            print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is what the command line is for


def ending(state: State, event: ev.AnyEvent, *, is_best: bool) -> str | None:
    """The line for an event that ends a trial or an attempt of it; None for any other."""
    if isinstance(event, ev.TrialRetried):
        return f"trial {event.trial} is to start again: {last_line(event.reason.text)}"
    if not isinstance(event, ev.TrialCompleted) or state.phase(event.trial) not in FINAL:
        return None
    trial = state.trial(event.trial)
    metrics = [o.metric for o in state.spec.objectives]
    values = [f"{m} {number(trial.values[m])}" for m in metrics if m in trial.values and event.state != "failed"]
    numbers = not any(math.isnan(trial.values.get(metric, 0.0)) for metric in metrics)
    best = " (best)" if is_best and numbers and state.switches.best == event.trial else ""
    why = last_line(event.error or (event.reason.text if event.reason else "")) if event.state != "complete" else ""
    took = seconds(trial.ended - trial.started) if trial.ended and trial.started else ""
    head = f"trial {event.trial} {event.state}: " + ", ".join([part for part in (*values, why) if part]) + best
    return "  ".join(part for part in (head, took, assigned(trial.params)) if part)


class Panel:
    """A live panel on the terminal behind stderr; messages and failures scroll above it."""

    def __init__(self, handle: Handle) -> None:
        from rich.console import Console
        from rich.live import Live

        self.progress = Progress(handle)
        self.console = Console(stderr=True)
        self.live = Live(
            get_renderable=self._draw, console=self.console, refresh_per_second=FRAMES_A_SECOND, transient=True,
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip

    def __enter__(self) -> Panel:  # noqa: PYI034 - typing.Self is not in Python 3.10
        self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(OSError):  # the terminal may be gone
            self.live.stop()

    def observe(self, state: State, events: Sequence[ev.AnyEvent]) -> None:
        """The panel shows what `state` says; trials that failed or start again are said above it."""
        self.progress.follow(state, events)
        for event in events:
            if isinstance(event, ev.TrialRetried) or (isinstance(event, ev.TrialCompleted) and event.state == "failed"):
                text = ending(state, event, is_best=False)
                if text is not None:
                    self.say(text)

    def say(self, text: str) -> None:
        """The line is above the panel; the study goes on when the terminal is gone."""
        from rich.text import Text

        with contextlib.suppress(OSError):
            self.console.print(Text(text))

    def _draw(self) -> RenderableType:
        from rung.cli.drawing import drawn

        return drawn(self.progress, width=min(WIDEST, self.console.width - MARGIN))
