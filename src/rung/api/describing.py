"""What is known of a study beside its trials: what `rung show` prints, and the page's header."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from rung.analysis.records import iso, record, wired
from rung.api.creation import describe
from rung.api.provenance import changed_plugins
from rung.model import StudyState, WireNumber, to_wire
from rung.plugins import make_scheduler, plugin_files
from rung.study import events as ev
from rung.study.live import Note
from rung.study.transitions import Phase

if TYPE_CHECKING:
    from rung.analysis.estimates import Estimate
    from rung.api.handle import Handle
    from rung.model import Trial
    from rung.study.state import State

    Winner = tuple[Trial, Estimate | None]

SPARKS = 60  # points of a summary's line
LONGEST_SCRIPT = 64 * 1024 * 1024  # bytes; a longer file is not compared with what it was
_HEAVY = ("diff", "untracked", "packages")


class AttachedRunner(msgspec.Struct, frozen=True, kw_only=True):
    """A runner that works on a study. `follows`: its workers are as many as the study says."""

    host: str
    pid: int
    workers: int
    follows: bool
    since: str | None


class StudySummary(msgspec.Struct, frozen=True, kw_only=True):
    """A study as the list shows it. `metric`, `goal`, `best`, `line` are the first objective's; `best_trial` is where
    `best` comes from. `line`: its best value so far, at most 60 points over the complete trials in the order in which
    they ended. `budget`: how many trials it may have. `elapsed`: seconds with a runner attached. `note`: the first line
    of what is kept beside it. `runs`: whether a runner may work on it, or only the program that made it."""

    name: str
    state: StudyState
    trials: int
    counts: dict[str, int]
    budget: int | None
    objectives: int
    metric: str | None
    goal: str | float | None
    best: WireNumber | None
    best_trial: int | None
    line: list[WireNumber]
    created: str | None
    elapsed: float
    workers: int
    runners: int
    tags: list[str]
    note: str
    archived: bool
    runs: bool


def summary(handle: Handle) -> StudySummary:
    """The study in a line of a list."""
    state = handle.state
    spec, note = state.spec, state.notes.get(None, Note())
    status = handle.status()
    best = handle.best(top=1) if spec.objectives else []
    objective = spec.objectives[0] if spec.objectives else None
    value = best[0].values.get(objective.metric) if best and objective is not None else None
    attached = [] if status in {"interrupted", "complete", "failed"} else list(state.runners.values())
    return StudySummary(
        name=handle.name,
        state=status,
        trials=len(state),
        counts=dict(state.counts),
        budget=spec.budget.trials,
        objectives=len(spec.objectives),
        metric=objective.metric if objective is not None else None,
        goal=objective.goal if objective is not None else None,
        best=None if value is None else to_wire(value),
        best_trial=best[0].number if best else None,
        line=best_line(state),
        created=iso(state.created.at),
        elapsed=round(state.switches.elapsed, 3),
        workers=sum(runner.workers for runner in attached),
        runners=len(attached),
        tags=list(note.tags),
        note=note.text.strip().partition("\n")[0],
        archived=note.archived,
        runs=spec.runs_something,
    )


def best_line(state: State, *, points: int = SPARKS) -> list[WireNumber]:
    """The first objective's best value so far over the complete trials in the order in which they ended, thinned to so
    many points, the last among them. Values that are no numbers are left out."""
    if not state.spec.objectives or not len(state):
        return []
    done = state.table["phase"] == Phase.COMPLETE
    values, ended = state.table["values"][done, 0], state.table["ended"][done]
    values = values[np.argsort(ended, kind="stable")]
    values = values[np.isfinite(values)]
    if not len(values):
        return []
    goal = state.spec.objectives[0].goal
    loss = values if goal == "minimize" else -values if goal == "maximize" else np.abs(values - float(goal))
    least = np.minimum.accumulate(loss)
    first = np.flatnonzero(np.concatenate(([True], least[1:] < least[:-1])))  # where each best value was new
    best = values[first][np.searchsorted(first, np.arange(len(values)), side="right") - 1]
    kept = np.unique(np.linspace(0, len(best) - 1, min(points, len(best))).round().astype(int))
    return [to_wire(float(value)) for value in best[kept]]


class ChangeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A field of the spec, or a value of a trial, that was changed since the study began."""

    at: str | None
    who: str
    path: str
    old: Any
    new: Any


class EarlierStudy(msgspec.Struct, frozen=True, kw_only=True):
    """A study that this one began with: how many of its complete trials were read, and how many it had."""

    study: str
    read: int
    trials: int


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a study beside its trials (CONTRACT, section JSON). `winners`: the best trial, or the Pareto
    set of several objectives. `earlier`: the studies that it began with."""

    name: str
    state: StudyState
    spec: dict[str, Any]
    seed: int
    counts: dict[str, int]
    winners: list[dict[str, Any]]
    elapsed: float
    code: dict[str, Any]
    changes: list[ChangeRecord]
    created: str | None
    deterministic: bool
    earlier: list[EarlierStudy]
    reason: str | None
    store: str
    runs: str | None
    runners: list[AttachedRunner]
    note: str
    tags: list[str]
    archived: bool


def described(handle: Handle) -> Description:
    """The study as it is now."""
    from rung.dialects import spec_to_tree  # brings the reader of YAML along: who asks for the best does not pay

    state = handle.state
    completed, note = state.switches.completed, state.notes.get(None, Note())
    return Description(
        name=handle.name,
        state=handle.status(),
        spec=wired(spec_to_tree(state.spec)),
        seed=state.seed,
        counts=state.counts,
        winners=[winner_record(handle, winner) for winner in handle.winners()],
        elapsed=round(state.switches.elapsed, 3),
        code=code_of(state.created.provenance),
        changes=[change for event in state.changes for change in changes_of(event)],
        created=iso(state.created.at),
        deterministic=state.created.deterministic,
        earlier=_earlier(state),
        reason=completed.reason.text if completed is not None else None,
        store=handle.store.url,
        runs=state.created.provenance.get("runs"),
        runners=[
            AttachedRunner(host=r.host, pid=r.pid, workers=r.workers, follows=r.follows, since=iso(r.since))
            for r in state.runners.values()
        ],
        note=note.text,
        tags=list(note.tags),
        archived=note.archived,
    )


def shown(handle: Handle) -> dict[str, Any]:
    """The description as `rung show --json` has it: `best` is one trial, or a list where there are several
    objectives."""
    found: dict[str, Any] = msgspec.to_builtins(described(handle))
    winners = found.pop("winners")
    best = winners if len(handle.state.spec.objectives) > 1 else winners[0] if winners else None
    head = ("name", "state", "spec", "seed", "counts")
    return {**{name: found.pop(name) for name in head}, "best": best, **found}


def winner_record(handle: Handle, winner: Winner) -> dict[str, Any]:
    """The trial as a JSON object, with what is known of its configuration's true mean."""
    trial, estimate = winner
    return {
        **record(handle.state, trial),
        "estimate": None if estimate is None else wired(msgspec.to_builtins(estimate)),
    }


def _earlier(state: State) -> list[EarlierStudy]:
    read: dict[tuple[int, str, int], int] = {}
    for event in state.earlier:
        key = (event.source, event.study, event.total)
        read[key] = read.get(key, 0) + len(event.params)
    return [EarlierStudy(study=name, read=count, trials=total) for (_, name, total), count in read.items()]


def changes_of(event: ev.SpecChanged | ev.TrialTold | ev.TrialEnqueued) -> list[ChangeRecord]:
    """Each change of spec or values that an event made: when, who, what."""

    def change(path: str, old: Any, new: Any) -> ChangeRecord:
        return ChangeRecord(at=iso(event.at), who=event.who, path=path, old=wired(old), new=wired(new))

    if isinstance(event, ev.TrialTold):
        return [change(f"trial {event.trial}: {name}", None, value) for name, value in event.values.items()]
    if isinstance(event, ev.TrialEnqueued):
        return [change("enqueued", None, event.params)]
    return [change(c.path, c.old, c.new) for c in event.changes]


def search_text(state: State) -> str:
    """What the study's searcher does and why, in one sentence. A plug-in is only named: its code is no business of
    whoever looks at a study."""
    method = state.spec.search.method
    return f"{method}: a plug-in" if plugin_files(state.created.spec) else describe(_begun(state))


def schedule_text(state: State) -> str:
    """What the study's scheduler does, in one sentence."""
    method = state.spec.schedule.method
    return f"{method}: a plug-in" if plugin_files(state.created.spec) else str(make_scheduler(state).describe())


def _begun(state: State) -> ev.StudyCreated:
    """The study as if it began with the space that is searched now."""
    spec = msgspec.structs.replace(
        state.created.spec, parameters=state.spec.parameters, constraints=state.spec.constraints, start="random"
    )
    return msgspec.structs.replace(state.created, spec=spec)


# ---------------------------------------------------------------------------------------------------------- the code


def code_of(provenance: dict[str, Any]) -> dict[str, Any]:
    """Commit and dirty first, as scripts expect them; then all else that was recorded."""
    git = provenance.get("git") or {}
    rest = {key: value for key, value in provenance.items() if key not in {"git", "runs"}}
    return {"commit": git.get("commit"), "dirty": git.get("dirty"), "diff": git.get("diff"),
            "untracked": git.get("untracked"), **rest}  # fmt: skip


def light(code: dict[str, Any]) -> dict[str, Any]:
    """The same without what may be long: the diff of a dirty tree, and the list of packages."""
    return {name: value for name, value in code.items() if name not in _HEAVY}


def changed_code(created: ev.StudyCreated) -> list[str]:
    """A line for each file that is not as it was when the study was created: its script and its plug-ins. Trials that
    start now run what is there now."""
    script = created.provenance.get("script")
    lines = []
    if script is not None:
        now = _sha256_now(script["path"])
        if now is None:
            lines.append(f"{script['path']} is not there any more")
        elif now not in {"", script["sha256"]}:
            lines.append(f"{script['path']} has changed since the study was created: trials run what is there now")
    return lines + changed_plugins(created)


def _sha256_now(path: str) -> str | None:
    """The file's hash, None where there is none, empty for one that is too long to look at."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    if found.st_size > LONGEST_SCRIPT:
        return ""
    return _sha256(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=256)
def _sha256(path: str, _changed: int, _size: int) -> str | None:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return None
