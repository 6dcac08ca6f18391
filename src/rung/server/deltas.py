"""What a page is told when a study goes on: how it stands, and which trials changed."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import msgspec

from rung.analysis import trialtable
from rung.analysis.views.progress import progress
from rung.model import StudyState, TrialState, WireNumber, from_wire, to_wire
from rung.study.transitions import PUBLIC

if TYPE_CHECKING:
    from rung.api.handle import Handle
    from rung.server.site import Watched
    from rung.study.live import Live
    from rung.study.state import State

MOST_ROWS = 200
MOST_RUNNING = 16


class TrialRow(msgspec.Struct, frozen=True, kw_only=True):
    """A trial as `rung trials --json` shows it. With several objectives `value` is null: see `values`."""

    number: int
    state: TrialState
    params: dict[str, Any]
    value: WireNumber | None
    values: dict[str, WireNumber]
    steps: int
    started: str | None
    ended: str | None
    duration: float | None
    attempt: int
    reason: str | None
    error: str | None


class BestSoFar(msgspec.Struct, frozen=True, kw_only=True):
    """The complete trial with the best value."""

    number: int
    value: WireNumber


class RunningTrial(msgspec.Struct, frozen=True, kw_only=True):
    """A trial that runs or waits: its first objective's last value, and the step it has come to."""

    number: int
    state: TrialState
    value: WireNumber | None
    step: float | None


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """How a study stands as of event `seq`.

    `at`: when this was made, Unix seconds. `trials`: how many there are, `total`: how many the budget has room for
    (null: no limit). `best`: null with several objectives. `elapsed`: seconds with a runner attached; `left_s`: a guess
    of how many more, from the pace so far. `running`: the first few. `changed`: the rows of the trials that changed
    since the delta before; null: too many, or not known, so that what is shown has to be read anew. `ended`: the study
    is over.
    """

    study: str
    seq: int
    at: float
    state: StudyState
    counts: dict[str, int]
    trials: int
    total: int | None
    best: BestSoFar | None
    elapsed: float
    left_s: float | None
    running: list[RunningTrial]
    changed: list[TrialRow] | None
    ended: bool


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """The study (null: the store) is not there now, and why. Who stays is told when it is back."""

    study: str | None
    why: str


class Reset(msgspec.Struct, frozen=True, kw_only=True):
    """What was missed cannot be told: the study is read anew."""

    study: str


class StudiesChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The list of studies is another one, or some of them went on. `created`, `deleted`: since the last such event."""

    created: list[str]
    deleted: list[str]
    changed: list[str]
    of: int


def delta(watched: Watched, handle: Handle, *, since: int | None, most: int = MOST_ROWS) -> Delta:
    """How the study stands, with the rows that changed since event `since` (None: nobody knows the old ones)."""
    state = handle.state
    status = handle.status()
    numbers = None if since is None else watched.touched.since(since, most)
    now = time.time()
    found = progress(handle, work=False)
    best = found.best if len(state.spec.objectives) == 1 else None
    left = None if found.left is None or status != "running" else from_wire(found.left.seconds)
    return Delta(
        study=handle.name,
        seq=state.seq,
        at=now,
        state=status,
        counts=dict(state.counts),
        trials=len(state),
        total=state.spec.budget.trials,
        best=None if best is None else BestSoFar(number=best.number, value=best.value),
        elapsed=_elapsed(state, now, status),
        left_s=None if left is None or not math.isfinite(left) else round(left, 3),
        running=[_running(state, state.live[number]) for number in sorted(state.active)[:MOST_RUNNING]],
        changed=None if numbers is None else _rows(state, numbers),
        ended=state.switches.completed is not None,
    )


def _rows(state: State, numbers: list[int]) -> list[TrialRow]:
    found = trialtable.rows(state, [number for number in numbers if 0 <= number < len(state)])
    return msgspec.convert(found, list[TrialRow])


def _elapsed(state: State, now: float, status: str) -> float:
    """The log counts up to its last event; a runner that waits for a trial writes none."""
    since = max(0.0, now - state.switches.last_at) if state.runners and status in {"running", "paused"} else 0.0
    return round(state.switches.elapsed + since, 3)


def _running(state: State, live: Live) -> RunningTrial:
    objectives = state.spec.objectives
    track = live.tracks.get(objectives[0].metric) if objectives else None
    return RunningTrial(
        number=live.number,
        state=PUBLIC[state.phase(live.number)],
        value=None if track is None else to_wire(track.last),
        step=live.step if live.reports else None,
    )
