"""What is always true of a state. Tests check it at the end of every study; `rung doctor` and `rung replay` too."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from rung.study.checkpoints import needed_bytes
from rung.study.transitions import FINAL, LIVE, Phase

if TYPE_CHECKING:
    from rung.study.state import State


def broken(state: State) -> list[str]:
    """One line for each invariant that does not hold; empty for a sound state."""
    return [
        *_counts(state),
        *_live_trials(state),
        *_final_trials(state),
        *_requests(state),
        *_costs(state),
        *_checkpoints(state),
    ]


def _counts(state: State) -> list[str]:
    counted = np.bincount(state.table["phase"], minlength=len(Phase))
    return [
        f"{int(state.phases[phase])} trials are counted as {phase.name.lower()}, {int(counted[phase])} are"
        for phase in Phase
        if counted[phase] != state.phases[phase]
    ]


def _live_trials(state: State) -> list[str]:
    final = {int(n) for n in np.flatnonzero(np.isin(state.table["phase"], [int(p) for p in FINAL]))}
    lines = [f"trial {n} is final and live" for n in sorted(final & set(state.live))]
    lines += [
        f"trial {n} is neither final nor live" for n in range(len(state)) if n not in final and n not in state.live
    ]
    lines += [
        f"the {phase.name.lower()} trials are {sorted(numbers)} by their phases, {sorted(state.due[phase])} are due"
        for phase in state.due
        if (numbers := {n for n in state.live if state.phase(n) is phase}) != state.due[phase]
    ]
    active = {n for n in state.live if state.phase(n) is not Phase.PAUSED}
    if active != state.active:
        lines.append(f"the active trials are {sorted(active)}, {sorted(state.active)} are said to be")
    busy = Counter(live.epoch for n, live in state.live.items() if state.phase(n) in LIVE)
    if busy != +state.busy:
        lines.append(f"runners have {dict(busy)} attempts, {dict(+state.busy)} are counted")
    for number, live in state.live.items():
        phase = state.phase(number)
        if phase in LIVE and not live.runner:
            lines.append(f"trial {number} is {phase.name.lower()} and no runner was named for it")
        if phase is Phase.ENDED and live.exit is None:
            lines.append(f"trial {number} has ended without an exit")
        if phase is Phase.STOPPING and live.stop is None:
            lines.append(f"trial {number} is stopping without a reason")
        if phase in {Phase.PAUSING, Phase.PAUSED} and live.pause is None:
            lines.append(f"trial {number} is {phase.name.lower()} without a reason")
    return lines


def _final_trials(state: State) -> list[str]:
    lines = []
    if state.spec.objectives:
        unvalued = np.isnan(state.table["values"][:, 0]) & (state.table["phase"] == Phase.COMPLETE)
        lines += [
            f"trial {int(n)} is complete without a value"
            for n in np.flatnonzero(unvalued)
            if not state.has_value(int(n))
        ]
    failed = np.flatnonzero(state.table["phase"] == Phase.FAILED)
    return lines + [
        f"trial {int(n)} failed without a word"
        for n in failed
        if int(n) not in state.errors and int(n) not in state.reasons
    ]


def _requests(state: State) -> list[str]:
    return [f"trial {n} is over and still asked to stop" for n in sorted(state.trial_stops) if n not in state.live]


def _costs(state: State) -> list[str]:
    tally, running = state.tally, [live for number, live in state.live.items() if state.phase(number) in LIVE]
    priced = {live.number: live.started for live in running if live.started is not None}
    priced = {number: started for number, started in priced.items() if number not in tally.costs}
    if priced != tally.priced:
        return [f"trials {sorted(priced)} cost by their time, {sorted(tally.priced)} are counted"]
    since = sum(started - state.created.at for started in priced.values())
    if not math.isclose(since, tally.priced_since, rel_tol=1e-9, abs_tol=1e-3):
        return [f"trials that cost by their time started after {since:g} s in sum, {tally.priced_since:g} are counted"]
    return []


def _checkpoints(state: State) -> list[str]:
    shelf = state.shelf
    size = sum(saved.checkpoint.bytes for several in shelf.saved.values() for saved in several)
    lines = [] if size == shelf.bytes else [f"checkpoints take {size} bytes, {shelf.bytes} are counted"]
    must = sum(shelf.needed.values())
    if must != shelf.needed_bytes:
        lines.append(f"checkpoints that must stay take {must} bytes, {shelf.needed_bytes} are counted")
    lines += [
        f"checkpoints of trial {trial} that must stay take {found} bytes, {shelf.needed.get(trial, 0)} are counted"
        for trial in sorted({*shelf.saved, *shelf.needed})
        if (found := needed_bytes(state, trial)) != shelf.needed.get(trial, 0)
    ]
    ranked = sorted((s.loss, n, s.place) for n, several in shelf.saved.items() for s in several if s.loss == s.loss)
    if ranked != shelf.ranked:
        lines.append("the ranking of checkpoints is not that of those that are kept")
    return lines + [
        f"trial {trial} is to begin from a checkpoint of trial {source.trial} that is gone"
        for trial, source in shelf.borrowed.items()
        if state.phase(trial) is Phase.WAITING and not shelf.holds(source)
    ]
