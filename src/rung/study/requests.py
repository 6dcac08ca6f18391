"""What requests change in a state. A wish that cannot be granted changes nothing, and stops nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from rung.model import from_wire
from rung.space import SpaceError
from rung.study import events as ev
from rung.study.live import Note, Track, by_user
from rung.study.spaces import completed, revised
from rung.study.transitions import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rung.study.state import State


def _pause(state: State, _: ev.PauseRequested) -> None:
    state.switches.paused = True


def _unpause(state: State, _: ev.UnpauseRequested) -> None:
    state.switches.paused = False


def _stop(state: State, event: ev.StopRequested) -> None:
    state.switches.stop = "now" if event.now or state.switches.stop == "now" else "after"


def _trial_stop(state: State, event: ev.TrialStopRequested) -> None:
    if event.trial in state.live:
        state.trial_stops.add(event.trial)


def _trial_pause(state: State, event: ev.TrialPauseRequested) -> None:
    if event.trial in state.live:
        state.held.add(event.trial)


def _trial_unpause(state: State, event: ev.TrialUnpauseRequested) -> None:
    state.held.discard(event.trial)
    live = state.live.get(event.trial)
    if live is None or state.phase(event.trial) not in {Phase.PAUSING, Phase.PAUSED}:
        return
    if by_user(live.pause):  # when others go on the schedule says
        state.released.add(event.trial)


def _retry_wanted(state: State, event: ev.RetryRequested) -> None:
    if 0 <= event.trial < len(state) and event.trial not in state.live:
        state.retries_wanted.add(event.trial)
        _reopen(state)


def _enqueued(state: State, event: ev.TrialEnqueued) -> None:
    state.switches.enqueued += 1
    try:
        state.queue[state.switches.enqueued - 1] = state.space.complete(event.params)
    except SpaceError:
        return  # not written by us, who check first: a wish that cannot be granted must not stop the study
    _reopen(state)


def _changed(state: State, event: ev.SpecChanged) -> None:
    if event.parameters is not None or event.constraints is not None:
        try:
            _edit_space(state, event)
        except SpaceError:
            return  # as with a wish that cannot be granted: two edits may only be possible without each other
    state.changes.append(event)
    state.spec = msgspec.structs.replace(
        state.spec, budget=event.budget or state.spec.budget, run=event.run or state.spec.run
    )
    for runner in state.runners.values():
        runner.workers = state.spec.run.workers if runner.follows else runner.workers
    if event.budget is not None:
        state.switches.time_spent = False
        _reopen(state)


def _edit_space(state: State, event: ev.SpecChanged) -> None:
    """There is a new version of the space; what was enqueued and is none of it is no longer."""
    spec = revised(state.spec, event.parameters, event.constraints)
    state.spaces.add(spec.parameters, spec.constraints, seq=state.seq + 1)
    state.spec = spec
    state.queue = {i: fit for i, params in state.queue.items() if (fit := completed(state.space, params)) is not None}
    state.switches.reopened = state.seq + 1
    over = state.switches.completed
    if over is not None and over.reason.by == state.spec.search.method:  # all had been proposed
        state.switches.completed = None


def _told(state: State, event: ev.TrialTold) -> None:
    state.changes.append(event)
    if not 0 <= event.trial < len(state):
        return
    live = state.live.get(event.trial)
    if live is None:
        state.supersede(event.trial)
    for name, wire in event.values.items():
        if live is not None:
            live.tracks[name] = told = Track()
            told.add(from_wire(wire), state.objectives.get(name))
        else:
            state.keep_metric(event.trial, name, from_wire(wire))
            for i, objective in enumerate(state.spec.objectives):
                if objective.metric == name:
                    state.table["values"][event.trial, i] = from_wire(wire)
    if live is None and state.spec.objectives:
        state.remember(~event.trial)
        state.compare_all()


def _noted(state: State, event: ev.NotesChanged) -> None:
    if event.trial is not None and not 0 <= event.trial < len(state):
        return
    known = state.notes.get(event.trial, Note())
    note = Note(
        text=known.text if event.text is None else event.text,
        tags=tuple(tag for tag in dict.fromkeys((*known.tags, *event.tagged)) if tag not in event.untagged),
        archived=known.archived if event.archived is None else event.archived,
    )
    if note == Note():
        state.notes.pop(event.trial, None)
    else:
        state.notes[event.trial] = note


def _reopen(state: State) -> None:
    """More is asked for: what ended the study by being met does not end it again."""
    state.tally.met, state.tally.stale = -1, 0
    state.switches.completed = None
    state.switches.stop = None
    state.switches.reopened = state.seq + 1


HANDLERS: Mapping[type, Callable[[State, Any], None]] = {
    ev.PauseRequested: _pause,
    ev.UnpauseRequested: _unpause,
    ev.StopRequested: _stop,
    ev.TrialStopRequested: _trial_stop,
    ev.TrialPauseRequested: _trial_pause,
    ev.TrialUnpauseRequested: _trial_unpause,
    ev.RetryRequested: _retry_wanted,
    ev.TrialEnqueued: _enqueued,
    ev.SpecChanged: _changed,
    ev.TrialTold: _told,
    ev.NotesChanged: _noted,
}
