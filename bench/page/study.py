"""A study of many trials with a planted signal, written by the real event encoders into a real store.

    bench/page/study.py STORE [--name NAME] [--trials N] [--curves N] [--reports N] [--open]
    bench/page/study.py STORE --name NAME --live [--rate TRIALS_A_SECOND] [--seconds S]

such as `bench/page/study.py sqlite:////tmp/big/rung.db --trials 100000` (a quarter of a minute), then `rung ui --store
sqlite:////tmp/big/rung.db`. `--open` leaves eight trials running and the study unfinished. `--live` adds finished
trials to such a study at a steady rate; each line of its stdout is JSON: the Unix time at which an append was durable,
how many trials are complete by then, and the best value.

Ten parameters, one of them conditional; the loss is `planted` and some noise: of the variance `lr` explains about 52 %,
`width` 23 %, the two together 8 % more, `opt` 10 %, `dropout` 6 %, the others nothing. Everything follows from the seed
alone, but for the times of `--live`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rung.model import Budget, Objective, Parameter, Reason, Report, ScheduleSpec, SearchSpec, StudySpec
from rung.plugins import open_store
from rung.runner.log import entry, open_state, write_snapshot
from rung.space import Space
from rung.study import events as ev
from rung.study.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.store.base import Store

NAME = "large"
STARTED_AT = 1_780_000_000.0
WORKERS = 8
TRIAL_S = 4.0
EPOCHS = 30
CHUNK = 2_000  # trials drawn and appended at once
RUNNER: dict[str, Any] = {"runner": "r", "epoch": 1}
WHY = Reason(by="random", text="drawn at random")
RULE = Reason(by="median", text="val_loss was above the median of the earlier trials at epoch 1")

PARAMETERS = (
    Parameter(name="lr", type="float", min=1e-5, max=1.0, scale="log"),
    Parameter(name="width", type="int", min=16, max=1024, scale="log"),
    Parameter(name="opt", type="choice", values=("sgd", "adam", "adamw", "lion")),
    Parameter(name="dropout", type="float", min=0.0, max=0.8),
    Parameter(name="momentum", type="float", min=0.0, max=0.99, when="opt == 'sgd'"),
    Parameter(name="weight_decay", type="float", min=1e-8, max=0.1, scale="log"),
    Parameter(name="batch_size", type="ordinal", values=(16, 32, 64, 128, 256)),
    Parameter(name="depth", type="int", min=1, max=12),
    Parameter(name="warmup", type="int", min=0, max=2000),
    Parameter(name="smoothing", type="float", min=0.0, max=0.3),
)
BEST_LR, BEST_WIDTH = 0.6, 0.7


class Drawn(NamedTuple):
    """Some trials that were drawn: their parameters, (n,) final losses, (n,) how each ended."""

    params: list[dict[str, Any]]
    losses: list[float]
    ends: list[str]


def spec(trials: int) -> StudySpec:
    """What the study searches."""
    return StudySpec(
        command=("python", "train.py", "{rest}"), parameters=PARAMETERS, objectives=(Objective(metric="val_loss"),),
        search=SearchSpec(method="random", seed=0), schedule=ScheduleSpec(), budget=Budget(trials=trials),
    )  # fmt: skip


def planted(units: Any) -> Any:
    """(n,) losses without noise of (n, 10) unit rows: the signal that every plot of the study must show."""
    lr, width, opt, dropout = units[:, 0], units[:, 1], units[:, 2], units[:, 3]
    by_opt = np.array([0.0, 0.03, 0.07, 0.12])[np.minimum((opt * 4).astype(int), 3)]
    bowl = 1.1 * (lr - BEST_LR) ** 2 + 0.5 * (width - BEST_WIDTH) ** 2 - 0.5 * (lr - 0.5) * (width - 0.5)
    return 0.1 + bowl + by_opt + 0.12 * dropout


def draw(space: Space, rng: np.random.Generator, count: int) -> Drawn:
    """So many trials: 95 of 100 complete, 3 pruned, 2 failed."""
    units = space.sample(rng, count)
    losses = planted(units) + rng.normal(0.0, 0.02, count)
    ends = rng.choice(["complete", "pruned", "failed"], count, p=[0.95, 0.03, 0.02])
    return Drawn(space.decode(units), np.maximum(losses, 1e-3).round(6).tolist(), ends.tolist())


def curve(final: float, reports: int, rng: np.random.Generator) -> list[float]:
    """The losses of a trial that reports so often: a power law that comes down to `final`."""
    steps = np.arange(1, reports + 1)
    falling = final + 0.8 * (steps**-0.7 - reports**-0.7) + rng.normal(0, 0.01, reports) * (steps < reports)
    return [round(loss, 6) for loss in falling.tolist()]


def trial_events(
    number: int, params: dict[str, Any], losses: Sequence[float], *, end: str | None, begun: float, based_on: int,
) -> Iterator[ev.Event]:  # fmt: skip
    """One trial from its proposal to its end (None: it still runs); every loss is a report of its own."""
    decided: dict[str, Any] = {"at": begun, "based_on": based_on, "free": 1, **RUNNER}
    yield ev.TrialProposed(trial=number, params=params, reason=WHY, seconds=4e-5, **decided)
    yield ev.AttemptAssigned(trial=number, attempt=1, **decided)
    yield ev.TrialStarted(at=begun, trial=number, attempt=1, pid=2, ticks=3, boot="b" * 36, host="node")
    for place, loss in enumerate(losses, start=1):
        at = begun + TRIAL_S * place / len(losses)
        step = EPOCHS * place / len(losses)
        yield ev.TrialReported(
            at=at, trial=number, attempt=1, channel="file", offsets={"reports.jsonl": 70 * place},
            reports=(Report(step, at, {"val_loss": loss, "val_acc": round(1 - loss / 2, 6)}),),
        )  # fmt: skip
    if end is None:
        return
    over = begun + TRIAL_S
    decided["at"] = over
    if end == "pruned":
        yield ev.TrialStopped(trial=number, attempt=1, reason=RULE, **decided)
    code = {"complete": 0, "pruned": 143, "failed": 1}[end]
    tail = "RuntimeError: loss is NaN" if end == "failed" else ""
    yield ev.TrialExited(at=over, trial=number, attempt=1, how="exited", code=code, tail=tail)
    yield ev.TrialCompleted(
        trial=number, attempt=1, state=end,  # type: ignore[arg-type]  # one of the three
        values=None if end == "failed" else (losses[-1],),
        reason=RULE if end == "pruned" else None, error=tail or None, **decided,
    )  # fmt: skip


class Writer:
    """Appends to the study and folds what it appends, so that a snapshot costs no second reading."""

    def __init__(self, store: Store, name: str, state: State) -> None:
        self.store, self.name, self.state = store, name, state

    @classmethod
    def begin(cls, store: Store, name: str, trials: int) -> Writer:
        """The study exists and has a runner."""
        created = ev.StudyCreated(at=STARTED_AT, uid="0" * 16, spec=spec(trials), seed=0)
        store.create(name, [entry(created)], at=STARTED_AT)
        writer = cls(store, name, State.begin(created, seq=1))
        writer.append([ev.RunnerAttached(at=STARTED_AT, host="node", pid=1, workers=WORKERS, **RUNNER)])
        return writer

    def append(self, events: Sequence[ev.Event]) -> float:
        """The events are durable, and part of the state; when (Unix time) they were durable."""
        self.store.append(self.name, [entry(event) for event in events], after=self.state.decisions)
        at = time.time()
        for event in events:
            self.state.apply(self.state.seq + 1, event)  # type: ignore[arg-type]
        return at


def make(store: Store, name: str, *, trials: int, curves: int, reports: int, unfinished: bool) -> Writer:
    """The study is in the store, with the snapshot that its runner left; `curves` of the trials, evenly spread, report
    `reports` times, the others once."""
    writer, space, rng = Writer.begin(store, name, trials), Space(PARAMETERS), np.random.default_rng(0)
    every = max(1, trials // curves) if curves else trials + 1
    for begin in range(0, trials, CHUNK):
        drawn = draw(space, rng, min(CHUNK, trials - begin))
        events: list[ev.Event] = []
        for i, (params, loss, end) in enumerate(zip(*drawn, strict=True)):
            number = begin + i
            losses = curve(loss, reports, rng) if number % every == 0 and number // every < curves else [loss]
            running = unfinished and number >= trials - WORKERS
            events += trial_events(
                number, params, losses, end=None if running else end, based_on=writer.state.seq,
                begun=STARTED_AT + number * TRIAL_S / WORKERS,
            )  # fmt: skip
        writer.append(events)
    if not unfinished:
        over = STARTED_AT + trials * TRIAL_S / WORKERS + TRIAL_S
        enough = Reason(by="budget", text=f"budget.trials is reached ({trials})")
        writer.append([
            ev.StudyCompleted(at=over, based_on=writer.state.seq, state="complete", reason=enough, **RUNNER),
            ev.RunnerDetached(at=over, why="done", **RUNNER),
        ])  # fmt: skip
    write_snapshot(store, name, writer.state)
    return writer


def live(store: Store, name: str, *, rate: float, seconds: float) -> Iterator[dict[str, Any]]:
    """`rate` finished trials a second come to the study, in appends of about 20 a second; what is said of each append:
    `at` (Unix seconds, when it was durable), `complete`, `best`."""
    state = open_state(store, name)
    writer, space = Writer(store, name, state), Space(PARAMETERS)
    rng = np.random.default_rng([1, state.seq])
    began = time.time()
    written = 0
    for tick in itertools.count(1):
        due = began + tick * max(0.05, 1 / rate)
        if due > began + seconds:
            return
        time.sleep(max(0.0, due - time.time()))
        count = int((due - began) * rate + 1e-9) - written
        if count <= 0:
            continue
        drawn = draw(space, rng, count)
        first, now, events = len(writer.state), time.time(), list[ev.Event]()
        for i, (params, loss, end) in enumerate(zip(*drawn, strict=True)):
            begun = now - TRIAL_S
            events += trial_events(first + i, params, [loss], end=end, begun=begun, based_on=writer.state.seq)
        at = writer.append(events)
        written += count
        best = writer.state.switches.best_loss
        yield {"at": at, "complete": writer.state.counts["complete"], "best": best}


def main() -> None:
    """The study is written, or is being added to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("store")
    parser.add_argument("--name", default=NAME)
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument("--curves", type=int, default=1_000)
    parser.add_argument("--reports", type=int, default=EPOCHS)
    parser.add_argument("--open", action="store_true")
    parser.add_argument("--live", action="store_true")
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    asked = parser.parse_args()
    store = open_store(asked.store)
    if asked.live:
        for said in live(store, asked.name, rate=asked.rate, seconds=asked.seconds):
            print(json.dumps(said), flush=True)
        return
    began = time.perf_counter()
    made = make(
        store, asked.name, trials=asked.trials, curves=min(asked.curves, asked.trials), reports=asked.reports,
        unfinished=asked.open,
    )  # fmt: skip
    took = time.perf_counter() - began
    print(f"{asked.name}: {len(made.state)} trials, {made.state.seq} events, {took:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
