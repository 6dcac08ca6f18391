"""What to do so that the jobs that there are become the jobs that the log says there should be. A pure comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from rung.study.state import Live, State
from rung.study.transitions import LIVE, Phase

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Actions(msgspec.Struct):
    """What a runner is to do now. Everything names (trial, attempt)."""

    start: list[Live] = []
    adopt: list[Live] = []
    stop: list[tuple[int, int]] = []
    forget: list[tuple[int, int]] = []
    kill: list[tuple[int, int]] = []


def reconcile(
    state: State, epoch: int, jobs: Mapping[int, Collection[int]], trials: Collection[int] | None = None
) -> Actions:
    """The difference between the attempts that `epoch` is to look after and the jobs whose end was not told yet.

    `jobs` holds the attempts with a job, by trial. `trials`: those that may have changed since it was asked last, None:
    all of them.
    """
    actions = Actions()
    for number in sorted(state.active if trials is None else trials):
        live = state.live.get(number)
        if live is not None and live.epoch == epoch and state.phase(number) in LIVE:
            _wanted(actions, live, state.phase(number), has_job=live.attempt in jobs.get(number, ()))
    for number in sorted(jobs.keys() if trials is None else jobs.keys() & set(trials)):
        for attempt in jobs[number]:
            _unwanted(actions, state, epoch, number, attempt)
    return actions


def _wanted(actions: Actions, live: Live, phase: Phase, *, has_job: bool) -> None:
    """What an attempt that is to be looked after needs."""
    if has_job:
        if phase in {Phase.STOPPING, Phase.PAUSING}:
            actions.stop.append((live.number, live.attempt))
    elif phase is Phase.STARTING and not live.adopted:
        actions.start.append(live)
    else:
        actions.adopt.append(live)  # it may have started: what its directory says decides


def _unwanted(actions: Actions, state: State, epoch: int, trial: int, attempt: int) -> None:
    """What a job needs that nobody is to look after here."""
    found = state.live.get(trial)
    if found is None or found.attempt != attempt or state.phase(trial) not in LIVE:
        actions.kill.append((trial, attempt))  # the log has given this attempt up
    elif found.epoch != epoch:
        actions.forget.append((trial, attempt))  # another runner looks after it


def gone_epochs(state: State, leased: Collection[int]) -> set[int]:
    """Epochs that the state knows of and that hold no lease.

    `leased` must have been read after the state was folded: a runner that came in between would be taken for dead.
    """
    known = set(state.runners) | {live.epoch for n, live in state.live.items() if state.phase(n) in LIVE}
    return known.difference(leased)


def orphans(state: State, gone: Collection[int]) -> list[Live]:
    """The live attempts, by number, of runners whose epochs are `gone`."""
    return [live for number, live in sorted(state.live.items()) if state.phase(number) in LIVE and live.epoch in gone]
