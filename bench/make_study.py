"""A large study, written by the real event encoders into a real store: `make_study.py URL TRIALS REPORTS SNAPSHOT`.

Each report is an event of its own, as from trials that report once in a while: the log at its longest. Values follow
from the seed alone, so the same arguments give the same log. SNAPSHOT is the part of the log (0 to 1, in the order of
events) that the snapshot beside it holds.
"""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "sides"))

from typing import TYPE_CHECKING

import numpy as np
from rung_ten import space

from rung.model import Budget, Objective, Reason, Report, SearchSpec, StudySpec
from rung.plugins import open_store
from rung.runner.log import entry, read, write_snapshot
from rung.space import Space
from rung.space.declare import parameters_from
from rung.study import events as ev
from rung.study.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.store.base import Store

STARTED_AT = 1_700_000_000.0
TRIAL_S = 10.0
PAGE = 20_000
CHUNK = 1_000  # configurations drawn at once
NAME = "large"


def study_events(trials: int, reports: int) -> Iterator[ev.Event]:
    """The log of a study in which one runner ran that many trials, each of which reported that often."""
    parameters = parameters_from(space())
    spec = StudySpec(
        command=("python", "train.py", "{rest}"), parameters=parameters, objectives=(Objective(metric="loss"),),
        search=SearchSpec(method="random", seed=0), budget=Budget(trials=trials),
    )  # fmt: skip
    yield ev.StudyCreated(at=STARTED_AT, uid="0" * 16, spec=spec, seed=0)
    yield ev.RunnerAttached(at=STARTED_AT, runner="r", epoch=1, host="node", pid=1, workers=8)
    rng = np.random.default_rng(0)
    compiled = Space(parameters)
    sequence = 2
    for begin in range(0, trials, CHUNK):
        count = min(CHUNK, trials - begin)
        losses = rng.random((count, reports)).tolist()
        for number, params in enumerate(compiled.decode(compiled.sample(rng, count)), start=begin):
            for event in trial_events(number, params, losses[number - begin], based_on=sequence):
                sequence += 1
                yield event


def trial_events(number: int, params: dict[str, object], losses: list[float], *, based_on: int) -> Iterator[ev.Event]:
    """One trial from its proposal to its end; a report is an event of its own."""
    begun = STARTED_AT + number * TRIAL_S
    decided = {"at": begun, "based_on": based_on, "runner": "r", "epoch": 1, "free": 8}
    reason = Reason(by="random", text="drawn at random")
    yield ev.TrialProposed(trial=number, params=params, reason=reason, **decided)  # type: ignore[arg-type]
    yield ev.AttemptAssigned(trial=number, attempt=1, **decided)  # type: ignore[arg-type]
    yield ev.TrialStarted(at=begun, trial=number, attempt=1, pid=2, ticks=3, boot="b" * 36, host="node")
    for step, loss in enumerate(losses, start=1):
        at = begun + TRIAL_S * step / len(losses)
        yield ev.TrialReported(
            at=at, trial=number, attempt=1, reports=(Report(step, at, {"loss": loss, "accuracy": 1 - loss}),),
            offsets={"reports.jsonl": 60 * step}, channel="file",
        )  # fmt: skip
    yield ev.TrialExited(at=begun + TRIAL_S, trial=number, attempt=1, how="exited", code=0)
    yield ev.TrialCompleted(trial=number, attempt=1, state="complete", values=(losses[-1],), **decided)  # type: ignore[arg-type]


def make(store: Store, name: str, *, trials: int, reports: int) -> None:
    """The study is in the store, without a snapshot."""
    events = study_events(trials, reports)
    decisions = 0
    store.create(name, [entry(next(events))], at=STARTED_AT)
    while page := [entry(event) for event in islice(events, PAGE)]:
        store.append(name, page, after=decisions)
        decisions += sum(one.kind == "decision" for one in page)


def add_snapshot(store: Store, name: str, *, part: float) -> None:
    """The study has a snapshot of the first `part` of its log."""
    last = part * store.position(name).seq
    events = read(store, name)
    seq, created = next(events)
    state = State.begin(created, seq=seq)
    for seq, event in events:
        if seq > last:
            break
        state.apply(seq, event)
    write_snapshot(store, name, state)


if __name__ == "__main__":
    target = open_store(sys.argv[1])
    make(target, NAME, trials=int(sys.argv[2]), reports=int(sys.argv[3]))
    add_snapshot(target, NAME, part=float(sys.argv[4]))
