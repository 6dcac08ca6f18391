"""What to do so that the jobs that there are become the jobs that the log says there should be. A pure comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from rung.study.state import Live, State
from rung.study.transitions import LIVE, Phase

if TYPE_CHECKING:
    from collections.abc import Collection


class Actions(msgspec.Struct):
    """What a runner is to do now. Everything names (trial, attempt)."""

    start: list[Live] = []
    adopt: list[Live] = []
    stop: list[tuple[int, int]] = []
    forget: list[tuple[int, int]] = []
    kill: list[tuple[int, int]] = []


def reconcile(state: State, epoch: int, jobs: Collection[tuple[int, int]]) -> Actions:
    """The difference between the attempts that `epoch` is to look after and the jobs whose end was not told yet."""
    actions = Actions()
    for number, live in state.live.items():
        phase = state.phase(number)
        if live.epoch != epoch or phase not in LIVE:
            continue
        if (number, live.attempt) in jobs:
            if phase is Phase.STOPPING:
                actions.stop.append((number, live.attempt))
        elif phase is Phase.STARTING and not live.adopted:
            actions.start.append(live)
        else:
            actions.adopt.append(live)  # it may have started: what its directory says decides
    for trial, attempt in jobs:
        found = state.live.get(trial)
        if found is None or found.attempt != attempt or state.phase(trial) not in LIVE:
            actions.kill.append((trial, attempt))  # the log has given this attempt up
        elif found.epoch != epoch:
            actions.forget.append((trial, attempt))  # another runner looks after it
    return actions


def gone_epochs(state: State, leased: Collection[int]) -> set[int]:
    """Epochs that the state knows of and that hold no lease.

    `leased` must have been read after the state was folded: a runner that came in between would be taken for dead.
    """
    known = set(state.runners) | {live.epoch for n, live in state.live.items() if state.phase(n) in LIVE}
    return known.difference(leased)


def orphans(state: State, gone: Collection[int]) -> list[Live]:
    """The live attempts, by number, of runners whose epochs are `gone`."""
    return [live for number, live in sorted(state.live.items()) if state.phase(number) in LIVE and live.epoch in gone]
