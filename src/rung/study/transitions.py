"""The life of a trial, as data. Everything that may happen to a trial, and when, stands in `TABLE`.

A trial is *waiting* for an attempt, *starting* once a runner was named for it, *running* when its program was seen,
*stopping* when it was decided to end it, *ended* when nothing of the attempt is left, and then either waiting again
or final: *complete*, *pruned*, *failed*. One that is to be held is *pausing* until its program is gone, then *paused*
until it is continued or given up. `docs/trial-states.md` holds the diagram that `mermaid()` draws from it.

Requests about a trial never fit or misfit: they are wishes, and the policy answers them.
"""

from __future__ import annotations

import enum

from rung.model import LogError, TrialState
from rung.study.events import (
    AttemptAdopted,
    AttemptAssigned,
    Event,
    TrialCompleted,
    TrialContinued,
    TrialExited,
    TrialPaused,
    TrialProposed,
    TrialReported,
    TrialRetried,
    TrialStarted,
    TrialStopped,
)


class Phase(enum.IntEnum):
    """Where a trial stands; the number is what the state's column holds."""

    NEW = 0
    WAITING = 1
    STARTING = 2
    RUNNING = 3
    STOPPING = 4
    PAUSING = 5
    PAUSED = 6
    ENDED = 7
    COMPLETE = 8
    PRUNED = 9
    FAILED = 10


LIVE = frozenset({Phase.STARTING, Phase.RUNNING, Phase.STOPPING, Phase.PAUSING})
FINAL = frozenset({Phase.COMPLETE, Phase.PRUNED, Phase.FAILED})
OUTCOME = {"complete": Phase.COMPLETE, "pruned": Phase.PRUNED, "failed": Phase.FAILED}

PUBLIC: dict[Phase, TrialState] = {
    Phase.WAITING: "waiting",
    Phase.STARTING: "running",
    Phase.RUNNING: "running",
    Phase.STOPPING: "running",
    Phase.PAUSING: "running",
    Phase.PAUSED: "paused",
    Phase.ENDED: "running",
    Phase.COMPLETE: "complete",
    Phase.PRUNED: "pruned",
    Phase.FAILED: "failed",
}

# None stands for the final phase that the event itself names.
TABLE: dict[Phase, dict[type[Event], Phase | None]] = {
    Phase.NEW: {TrialProposed: Phase.WAITING},
    Phase.WAITING: {AttemptAssigned: Phase.STARTING, TrialCompleted: None},
    Phase.STARTING: {
        TrialStarted: Phase.RUNNING,
        TrialReported: Phase.STARTING,
        TrialExited: Phase.ENDED,
        TrialStopped: Phase.STOPPING,
        TrialPaused: Phase.PAUSING,
        TrialContinued: Phase.STARTING,
        AttemptAdopted: Phase.STARTING,
    },
    Phase.RUNNING: {
        TrialReported: Phase.RUNNING,
        TrialExited: Phase.ENDED,
        TrialStopped: Phase.STOPPING,
        TrialPaused: Phase.PAUSING,
        TrialContinued: Phase.RUNNING,
        AttemptAdopted: Phase.RUNNING,
    },
    Phase.STOPPING: {
        TrialStarted: Phase.STOPPING,
        TrialReported: Phase.STOPPING,
        TrialExited: Phase.ENDED,
        AttemptAdopted: Phase.STOPPING,
    },
    Phase.PAUSING: {
        TrialStarted: Phase.PAUSING,
        TrialReported: Phase.PAUSING,
        TrialExited: Phase.PAUSED,
        TrialStopped: Phase.STOPPING,
        AttemptAdopted: Phase.PAUSING,
    },
    Phase.PAUSED: {TrialContinued: Phase.WAITING, TrialCompleted: None},
    # A stop may be decided while the news of the exit is under way: it comes too late and changes nothing. A program
    # may also end by itself where it was to be held, or where it was told to end and may go on.
    Phase.ENDED: {
        TrialRetried: Phase.WAITING,
        TrialCompleted: None,
        TrialStopped: Phase.ENDED,
        TrialPaused: Phase.PAUSED,
        TrialContinued: Phase.WAITING,
    },
    Phase.COMPLETE: {TrialRetried: Phase.WAITING},
    Phase.PRUNED: {TrialRetried: Phase.WAITING},
    Phase.FAILED: {TrialRetried: Phase.WAITING},
}


def after(phase: Phase, event: Event, *, trial: int) -> Phase:
    """The phase that follows. Raises `LogError` naming trial, phase and event when the event does not fit."""
    row = TABLE[phase]
    if type(event) not in row:
        raise LogError(f"trial {trial} is {phase.name.lower()}: {type(event).__name__} does not fit")
    following = row[type(event)]
    return OUTCOME[event.state] if following is None else following  # type: ignore[attr-defined]


def mermaid() -> str:
    """The table as a mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for phase, row in TABLE.items():
        source = "[*]" if phase is Phase.NEW else phase.name.lower()
        for event, target in row.items():
            targets = OUTCOME.values() if target is None else [target]
            lines += [f"    {source} --> {t.name.lower()}: {event.__name__}" for t in targets]
    lines += [f"    {phase.name.lower()} --> [*]" for phase in sorted(FINAL)]
    return "\n".join(lines)
