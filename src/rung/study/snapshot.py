"""A state as bytes and back: raw columns and plain records in msgpack, never code. A snapshot is a shortcut: the same
state comes from folding the log, and one written by another version of the fold is ignored."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import numpy as np

from rung.model import LogError, Parameter, RungError
from rung.study import events as ev
from rung.study.checkpoints import Shelf
from rung.study.columns import Columns
from rung.study.endings import Tally
from rung.study.live import Live, Note, Runner, Switches
from rung.study.state import State
from rung.study.transitions import LIVE, Phase

FOLD_VERSION = "7"  # raise it whenever `State.apply` gives another state for the same log


class _Edit(msgspec.Struct, array_like=True):
    """A version of the space after the first."""

    seq: int
    parameters: tuple[Parameter, ...]
    constraints: tuple[str, ...]


class _Frozen(msgspec.Struct):
    created: ev.StudyCreated
    seq: Annotated[int, msgspec.Meta(ge=0)]
    decisions: int
    budget: Any
    run: Any
    edits: list[_Edit]
    table: dict[str, Any]
    history: dict[str, Any]
    superseded: dict[int, list[Any]]
    memos: dict[int, dict[str, Any]]
    live: dict[int, Live]
    tweaked: dict[int, dict[str, Any]]
    reasons: dict[int, str]
    errors: dict[int, str]
    queue: dict[int, dict[str, Any]]
    trial_stops: set[int]
    retries_wanted: set[int]
    held: set[int]
    released: set[int]
    runners: dict[int, Runner]
    changes: list[ev.SpecChanged | ev.TrialTold]
    earlier: list[ev.EarlierStudyRead]
    notes: dict[int | None, Note]
    switches: Switches
    shelf: Shelf
    tally: Tally
    phases: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Frozen)


def dump(state: State) -> bytes:
    """The state as bytes."""
    frozen = _Frozen(
        created=state.created,
        seq=state.seq,
        decisions=state.decisions,
        budget=state.spec.budget,
        run=state.spec.run,
        edits=[
            _Edit(seq, space.parameters, space.constraints)
            for seq, space in zip(state.spaces.since[1:], state.spaces.versions[1:], strict=True)
        ],
        table=state.table.dump(),
        history=state.history.dump(),
        phases=state.phases.tobytes(),
        **{name: getattr(state, name) for name in _COPIED},
    )
    return _encoder.encode(frozen)


def load(body: bytes) -> State:
    """The state that `dump` wrote. Raises `LogError` when the bytes are not one."""
    try:
        frozen = _decoder.decode(body)
        state = State(frozen.created, seq=frozen.seq)
        state.decisions = frozen.decisions
        for edit in frozen.edits:
            state.spaces.add(edit.parameters, edit.constraints, seq=edit.seq)
        state.spec = msgspec.structs.replace(
            state.spec,
            parameters=state.space.parameters,
            constraints=state.space.constraints,
            budget=msgspec.convert(frozen.budget, type(state.spec.budget)),
            run=msgspec.convert(frozen.run, type(state.spec.run)),
        )
        state.table = Columns.load(frozen.table)
        state.history = Columns.load(frozen.history)
        state.phases = np.frombuffer(frozen.phases, np.int64).copy()
    except (msgspec.DecodeError, RungError, ValueError, TypeError, LookupError) as error:
        raise LogError(f"the snapshot cannot be read: {error}") from error
    for name in _COPIED:
        setattr(state, name, getattr(frozen, name))
    for number, trial in state.live.items():
        phase = state.phase(number)
        if phase in state.due:
            state.due[phase].add(number)
        state.busy[trial.epoch] += phase in LIVE
        if phase is not Phase.PAUSED:
            state.active.add(number)
    return state


_COPIED = (
    "superseded", "memos", "live", "tweaked", "reasons", "errors", "queue", "trial_stops",
    "retries_wanted", "held", "released", "runners",
    "changes", "earlier", "notes", "switches", "shelf",
    "tally",
)  # fmt: skip
