"""What to do so that the jobs that there are become the jobs that the log says there should be. A pure comparison."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from rung.study.state import Live, State
from rung.study.transitions import LIVE, Phase


class Actions(msgspec.Struct):
    """What a runner is to do now. Everything names (trial, attempt)."""

    start: list[Live] = []
    adopt: list[Live] = []
    stop: list[tuple[int, int]] = []
    forget: list[tuple[int, int]] = []
    kill: list[tuple[int, int]] = []


def reconcile(state: State, epoch: int, jobs: Mapping[tuple[int, int], object]) -> Actions:
    """The difference between the attempts that `epoch` is to look after and the jobs that it watches."""
    actions = Actions()
    for number, live in state.live.items():
        phase = state.phase(number)
        if live.epoch != epoch or phase not in LIVE:
            continue
        watched = (number, live.attempt) in jobs
        if not watched and live.adopted:
            actions.adopt.append(live)
        elif not watched and phase is Phase.STARTING:
            actions.start.append(live)
        if phase is Phase.STOPPING and watched:
            actions.stop.append((number, live.attempt))
    for trial, attempt in jobs:
        found = state.live.get(trial)
        if found is None or found.attempt != attempt or state.phase(trial) not in LIVE:
            actions.kill.append((trial, attempt))  # the log has given this attempt up
        elif found.epoch != epoch:
            actions.forget.append((trial, attempt))  # another runner looks after it
    return actions


def orphans(state: State, epochs: set[int]) -> list[Live]:
    """Attempts whose runner holds no lease any more."""
    return [
        live for number, live in sorted(state.live.items()) if state.phase(number) in LIVE and live.epoch not in epochs
    ]
