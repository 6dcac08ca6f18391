"""Making a study, or going on with the one of that name."""

from __future__ import annotations

import json
import secrets
import shlex
import time
from typing import TYPE_CHECKING, Literal

import msgspec

from rung.api.edits import check_satisfiable
from rung.api.handle import Handle, differences
from rung.api.provenance import collect
from rung.api.warmstart import WarmStart, read_earlier
from rung.model import BadInput, StudySpec, UnknownStudy
from rung.plugins import is_foreign, located, make_searcher, policy_for
from rung.runner.log import entry
from rung.store.errors import StoreMissing
from rung.study import events as ev
from rung.study.guard import raised
from rung.study.policy import first_points
from rung.study.state import State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rung.store.base import Store, StudyRow

FIXED = (
    "command", "function", "program", "parameters", "constraints", "objective", "outcomes", "start", "search",
    "schedule",
)  # fmt: skip


class Opened(msgspec.Struct):
    """A study that was made or found. `how`: created, continued, or finished (nothing to do). `changes`: what was
    changed in a continued study; in what a finished one differs from the search that was asked for. `notes`: what was
    found in the studies to learn from, a line each."""

    handle: Handle
    how: Literal["created", "continued", "finished"]
    changes: list[ev.Change] = []
    notes: tuple[str, ...] = ()


def created_event(
    spec: StudySpec, *, runs: Path, cwd: Path, command_line: Sequence[str], surface: str, deterministic: bool = False
) -> ev.StudyCreated:
    """The first event of a study. A seed that the spec leaves open is drawn here, once."""
    seed = spec.search.seed if spec.search.seed is not None else secrets.randbits(31)
    spec = located(spec, cwd.absolute())
    provenance = collect(spec, cwd=cwd, runs=runs, command_line=list(command_line), surface=surface)
    return ev.StudyCreated(
        at=time.time(), uid=secrets.token_hex(8), spec=spec, seed=seed, deterministic=deterministic,
        provenance=provenance,
    )  # fmt: skip


def check_startable(event: ev.StudyCreated) -> State:
    """The state of the study to be, with its searcher, scheduler and first points made once: what is wrong with them
    is said now."""
    state = State.begin(event, seq=1)
    policy_for(state)
    list(first_points(state))
    return state


def describe(event: ev.StudyCreated) -> str:
    """What the study's searcher will do and why, in one sentence."""
    searcher = make_searcher(State.begin(event, seq=1))
    try:
        return str(searcher.describe())
    except Exception as error:
        if not is_foreign(type(searcher)):
            raise
        return f"{event.spec.search.method}: asked what it will do, it {raised(error).what}"


def create(store: Store, event: ev.StudyCreated, *, stem: str, earlier: Sequence[ev.EarlierStudyRead] = ()) -> Handle:
    """A new study: under its own name, or the next free one of STEM-1, STEM-2, ..."""
    check_satisfiable(check_startable(event).space, event.seed)
    facts = [entry(fact) for fact in earlier]
    if event.spec.name is not None:
        store.create(event.spec.name, [entry(event), *facts], at=event.at)
        return Handle(store, event.spec.name)
    number = _next_number(store, stem)
    while True:
        name = f"{stem}-{number}"
        named = msgspec.structs.replace(event, spec=msgspec.structs.replace(event.spec, name=name))
        try:
            store.create(name, [entry(named), *facts], at=event.at)
        except BadInput:  # another process was first
            if name not in {row.name for row in _studies(store)}:
                raise
            number += 1
            continue
        return Handle(store, name)


def _next_number(store: Store, stem: str) -> int:
    tails = [row.name[len(stem) + 1 :] for row in _studies(store) if row.name.startswith(f"{stem}-")]
    return max((int(tail) for tail in tails if tail.isdigit()), default=0) + 1


def _studies(store: Store) -> list[StudyRow]:
    try:
        return list(store.studies())
    except StoreMissing:
        return []


def create_or_continue(
    store: Store, event: ev.StudyCreated, *, stem: str, warm_start: Sequence[str] = (), place: str = "--from"
) -> Opened:
    """A new study, which learns from the studies `warm_start`; with a name that is taken, the study of that name when
    it is the same search.

    Raises `BadInput` saying what differs, and the ways on.
    """
    name = event.spec.name
    if name is None or name not in {row.name for row in _studies(store)}:
        found = read_earlier(store, warm_start, event, place=place) if warm_start else WarmStart()
        try:
            made = create(store, event, stem=stem, earlier=found.facts)
            return Opened(made, "created", notes=found.lines)
        except BadInput:
            if name is None or name not in {row.name for row in _studies(store)}:
                raise  # else another process was first with this very name
    handle = Handle(store, name)
    old, new = handle.state.spec, _aligned(handle.state, event.spec)
    changed = [change for change in differences(old, new) if change.path.split(".")[0] in FIXED]
    notes = (f"study {name} exists: {place} only counts for a new one, and is left out",) if warm_start else ()
    if handle.state.switches.completed is not None:
        return Opened(handle, "finished", changed, notes)
    if changed:
        what = "; ".join(f"{c.path}: was {c.old!r}, is {c.new!r}" for c in changed[:5])
        raise BadInput(
            f"study {name} exists and is another search ({what}); take another --name, or {_way_on(name, changed)}",
            place="--name",
        )
    return Opened(handle, "continued", handle.change(new, surface="cli"), notes)


def _way_on(name: str, changed: Sequence[ev.Change]) -> str:
    """How the study that exists can become the search that was asked for, where it can."""
    editable = [c for c in changed if c.path.split(".")[0] in {"parameters", "constraints"}]
    if all(c.old is not None and c.new is not None for c in editable) and len(editable) == len(changed):
        settings = " ".join(f"--set {shlex.quote(f'{c.path}={json.dumps(c.new)}')}" for c in changed)
        return f"edit its space with: rung edit {name} {settings}"
    return f"change its budget with: rung edit {name} --set budget.trials=N"


def _aligned(state: State, spec: StudySpec) -> StudySpec:
    """The new spec with what it leaves open taken from the study: the seed, and a budget that was chosen then."""
    seed = state.spec.search.seed if spec.search.seed is None or spec.search.seed == state.seed else spec.search.seed
    return msgspec.structs.replace(
        spec,
        search=msgspec.structs.replace(spec.search, seed=seed),
        run=msgspec.structs.replace(spec.run, workers=state.spec.run.workers),
    )


__all__ = ["Opened", "UnknownStudy", "check_startable", "create", "create_or_continue", "created_event", "describe"]
