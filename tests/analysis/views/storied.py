"""Studies with a log: what views that read it are shown. Every event is one second after the one before it, unless a
test says otherwise."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from rung.api.handle import Handle
from rung.model import Objective, Parameter, Reason, ScheduleSpec, StudySpec
from rung.runner.log import entry
from rung.store.memory import MemoryStore
from rung.study import events as ev
from rung.study.state import State
from rung.testing.functions import rough
from rung.testing.studies import BEGIN, STUDY, Folding, World, study_spec

GOLDEN = Path(__file__).parents[2] / "golden"
X = (Parameter(name="x", type="float", min=0, max=1),)


class Storied(Folding):
    """A `Folding` that keeps its events, so that the study can be opened from a store."""

    def __init__(self, spec: StudySpec) -> None:
        super().__init__(spec)
        self.events: list[ev.AnyEvent] = [self.state.created]

    def add(self, kind: type[ev.Event], *, at: float | None = None, **fields: Any) -> State:
        """The next event."""
        if issubclass(kind, ev.Decision):
            fields = {"based_on": self.state.seq, "runner": "r", "epoch": 1, **fields}
        event: Any = kind(at=BEGIN + self.state.seq if at is None else at, **fields)
        self.state.apply(self.state.seq + 1, event)
        self.events.append(event)
        return self.state

    @property
    def handle(self) -> Handle:
        """The study as it is now, in a store of its own."""
        return stored(self.events)


def storied(*, objectives: Sequence[Objective] = (Objective(metric="loss"),), **fields: Any) -> Storied:
    """A study of one parameter without trials."""
    return Storied(study_spec(parameters=X, objectives=tuple(objectives), trials=None, **fields))


def stored(events: Iterable[ev.AnyEvent]) -> Handle:
    """A study with this log, in memory."""
    first, *rest = events
    store = MemoryStore()
    store.create(STUDY, [entry(first)], at=first.at)
    for event in rest:
        decided = store.position(STUDY).decisions if event.kind == "decision" else None
        store.append(STUDY, [entry(event)], after=decided)
    return Handle(store, STUDY)


def prune(log: Folding, value: float, *, by: str = "median") -> int:
    """The number of a new trial that reported once and was then stopped."""
    why = Reason(by=by, text="because")
    number = log.started()
    log.reported(number, {"loss": value})
    log.add(ev.TrialStopped, trial=number, attempt=1, reason=why)
    log.exited(number, code=143)
    log.completed(number, value, state="pruned", reason=why)
    return number


def golden(name: str) -> list[ev.AnyEvent]:
    """The events of a log that every version must be able to read."""
    lines = (GOLDEN / f"{name}.jsonl").read_bytes().splitlines()
    return [ev.decode(line, seq=seq) for seq, line in enumerate(lines, start=1)]


def played(method: str, **options: Any) -> Handle:
    """The study of `driven`."""
    return Handle(driven(method, **options).store, STUDY)


@cache
def driven(method: str, *, trials: int = 16, workers: int = 3, steps: int = 10_000, **options: Any) -> World:
    """A study with that schedule, driven step by step in an order that chance chooses: its reports fall towards what
    its parameters are worth. It is left as it is after so many `steps`.
    Whoever asks for the same gets the same one: tests only look at it."""
    schedule = ScheduleSpec(method=method, resource="epoch", options=options)
    world = World(study_spec(trials=trials, schedule=schedule), workers=workers)
    rng = random.Random(1)
    for _ in range(steps):
        world.turn()
        running = world.running()
        if not running:
            break
        step(world, rng.choice(running), top=options.get("max", 9))
    return world


def step(world: World, number: int, *, top: float) -> None:
    """The trial's program does its next thing."""
    live, phase = world.state.live[number], world.state.phase(number).name
    if phase in {"STOPPING", "PAUSING"}:
        world.exit(number, code=143)
    elif phase == "STARTING":
        world.start(number)
    elif live.step >= top:
        world.exit(number)
    else:
        worth = rough(world.state.space.full(world.state.params(number)))
        world.saves(number, {"loss": worth + 1 / (live.step + 1)}, size=10)
