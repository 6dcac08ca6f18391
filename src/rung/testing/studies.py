"""A world without processes or clocks that drives an engine: a test says how trials behave and which one ends next.

The log, the leases and the decisions are the real ones (`MemoryStore`, `runner.log`, `study.engine`); only the trials
are made up. Every event is one second after the one before it.

    world = World(study_spec(trials=6), workers=2)
    world.run(choose=lambda running: running[-1])       # the youngest trial always ends first
    assert world.state.switches.completed.state == "complete"
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from rung.analysis.records import wired
from rung.model import (
    Budget,
    Checkpoint,
    Conflict,
    Objective,
    Parameter,
    Reason,
    Report,
    RunSettings,
    SearchSpec,
    StudySpec,
    WireNumber,
)
from rung.plugins import policy_for
from rung.runner.log import Log, entry, open_engine, read, write_snapshot
from rung.runner.reconcile import gone_epochs, orphans
from rung.schedule.base import Contest
from rung.schedule.none import RunToTheEnd
from rung.search.base import Delta, Exhausted, Problem, Suggestion
from rung.store.base import LeaseOwner, Store
from rung.store.memory import MemoryStore
from rung.study import events as ev
from rung.study.engine import Engine, Me, PolicyFactory
from rung.study.policy import Combined, Policy
from rung.study.seeds import generator
from rung.study.state import State
from rung.study.transitions import LIVE, Phase
from rung.testing.functions import rough

if TYPE_CHECKING:
    import numpy as np

BEGIN = 1_700_000_000.0  # Unix seconds
STUDY = "study-1"

PARAMETERS = (
    Parameter(name="lr", type="float", min=1e-5, max=0.1, scale="log"),
    Parameter(name="width", type="int", min=8, max=64, step=8),
    Parameter(name="opt", type="choice", values=("sgd", "adam")),
    Parameter(name="momentum", type="float", min=0, max=0.9, when="opt == 'sgd'"),
    Parameter(name="epochs", type="constant", value=3),
)


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt goes: what it reports, step by step, and how it ends."""

    reports: tuple[dict[str, WireNumber], ...] = ()
    how: Literal["exited", "timeout", "killed", "lost", "never", "interrupted", "told"] = "exited"
    code: int | None = 0
    tail: str = ""


Behaviour = Callable[[int, int, dict[str, Any]], Ending]
"""(trial, attempt, parameters) -> how the attempt goes. A function, so that a study can be played again."""


def well_behaved(trial: int, attempt: int, params: dict[str, Any]) -> Ending:  # noqa: ARG001 - a Behaviour
    """Two reports of `loss`, a function of the parameters; status 0."""
    return Ending(reports=({"loss": 1.0 + rough(params)}, {"loss": rough(params)}))


def fails(trial: int, attempt: int, params: dict[str, Any]) -> Ending:  # noqa: ARG001 - a Behaviour
    """Nothing is reported; status 1."""
    return Ending(code=1, tail="boom")


def study_spec(
    *,
    trials: int | None = 4,
    parameters: tuple[Parameter, ...] = PARAMETERS,
    objectives: tuple[Objective, ...] = (Objective(metric="loss"),),
    search: SearchSpec | None = None,
    budget: Budget | None = None,
    run: RunSettings | None = None,
    **fields: Any,
) -> StudySpec:
    """A small study of five parameters; the arguments replace parts of it."""
    return StudySpec(
        name=STUDY,
        command=("train", "{rest}"),
        parameters=parameters,
        objectives=objectives,
        search=search or SearchSpec(method="random"),
        budget=budget or Budget(trials=trials),
        run=run or RunSettings(),
        **fields,
    )


def digest(state: State) -> str:
    """A hash of what a study's readers can see: equal for equal states, whatever columns hold them."""
    seen = {
        "seq": state.seq,
        "decisions": state.decisions,
        "counts": state.counts,
        "trials": [msgspec.structs.asdict(trial) for trial in state.trials()],
        "phases": [state.phase(number).name for number in range(len(state))],
        "switches": _fields(state.switches, "paused stop time_spent elapsed failures best best_loss completed"),
        "queue": sorted(state.queue.items()),
        "asked": [sorted(state.trial_stops), sorted(state.retries_wanted)],
        "budget": _fields(state.spec.budget, "trials time_s target max_failures"),
        "run": _fields(state.spec.run, "workers gpus cpus timeout_s grace_s retries executor inject cwd"),
        "history": state.history["delta"].tolist(),
        "results": [state.result(number) for number in range(len(state)) if number not in state.live],
        "spaces": [
            state.table["space"].tolist(),
            [[msgspec.to_builtins(space.parameters), space.constraints] for space in state.spaces.versions],
        ],
        "earlier": [msgspec.to_builtins(event) for event in state.earlier],
        "live": {number: _fields(live, _LIVE) for number, live in sorted(state.live.items())},
        "runners": {
            epoch: _fields(runner, "runner host pid workers") for epoch, runner in sorted(state.runners.items())
        },
        **({"notes": _noted(state)} if state.notes else {}),
    }
    return hashlib.sha256(json.dumps(wired(seen), sort_keys=True).encode()).hexdigest()


_LIVE = "attempt runner epoch adopted asked resource pid ticks boot host started offsets channel reports step exit stop"


def _noted(state: State) -> dict[str, Any]:
    return {str(trial): msgspec.to_builtins(note) for trial, note in state.notes.items()}


def _fields(record: msgspec.Struct, names: str) -> dict[str, Any]:
    """Those fields that mean something outside: one that is added later does not make it another state."""
    return {name: msgspec.to_builtins(getattr(record, name)) for name in names.split()}


class World:
    """One runner of one study. `joined` gives a second runner beside it, `resumed` the next one after a crash."""

    def __init__(
        self,
        spec: StudySpec,
        *,
        behave: Behaviour = well_behaved,
        workers: int = 1,
        seed: int = 0,
        deterministic: bool = False,
        policies: PolicyFactory = policy_for,
        earlier: Sequence[ev.EarlierStudyRead] = (),
    ) -> None:
        store = MemoryStore()
        created = ev.StudyCreated(at=BEGIN, uid="0123456789abcdef", spec=spec, seed=seed, deterministic=deterministic)
        store.create(STUDY, [entry(event) for event in (created, *earlier)], at=BEGIN)
        self._attach(store, behave, workers, policies, runner="runner-1")

    def _attach(self, store: Store, behave: Behaviour, workers: int, policies: PolicyFactory, *, runner: str) -> None:
        self.store, self.behave, self.workers, self.policies, self.runner = store, behave, workers, policies, runner
        self.lease = store.acquire(STUDY, LeaseOwner(runner, "host", "boot", 4242, 17))
        self.engine: Engine = open_engine(store, STUDY, policies, Me(runner, self.lease.epoch))
        self.log = Log(store, STUDY, seq=self.state.seq, lease=self.lease)
        self.skew = 0.0
        self.fact(ev.RunnerAttached, runner=runner, epoch=self.lease.epoch, host="host", pid=4242, workers=workers)

    def _another(self, runner: str) -> World:
        other = World.__new__(World)
        other._attach(self.store, self.behave, self.workers, self.policies, runner=runner)
        return other

    def joined(self) -> World:
        """A second runner, attached beside this one. Each sees what the other wrote when it calls `catch_up`."""
        return self._another(f"runner-{self.lease.epoch + 1}")

    def resumed(self) -> World:
        """This runner was killed; the next one takes over its lease and its live trials. Use only the new world."""
        self.store.release(self.lease)
        other = self._another(f"runner-{self.lease.epoch + 1}")
        other._take_over()
        return other

    def _take_over(self) -> None:
        epochs = {lease.epoch for lease in self.store.leases(STUDY)}
        for gone in [r for epoch, r in self.state.runners.items() if epoch not in epochs]:
            self.fact(ev.RunnerDetached, runner=gone.runner, epoch=gone.epoch, why="lost")
        self.decide([
            ev.AttemptAdopted(
                at=self.now, based_on=self.state.seq, runner=self.runner, epoch=self.lease.epoch,
                trial=live.number, attempt=live.attempt, previous=live.epoch,
            )
            for live in orphans(self.state, gone_epochs(self.state, epochs))
        ])  # fmt: skip

    # -------------------------------------------------------------------------------------------------- looking

    @property
    def state(self) -> State:
        """What the log says, as far as this runner has folded it."""
        return self.engine.state

    @property
    def now(self) -> float:
        """The time of the next event; add to `skew` to set the clock."""
        return BEGIN + self.state.seq + self.skew

    @property
    def events(self) -> list[ev.AnyEvent]:
        """The whole log."""
        return [event for _, event in read(self.store, STUDY)]

    @property
    def proposals(self) -> list[dict[str, Any]]:
        """The parameters of all trials, by number."""
        return [event.params for event in self.events if isinstance(event, ev.TrialProposed)]

    def running(self) -> list[int]:
        """The trials whose attempt is this runner's and not over, ascending."""
        return [
            number
            for number in self.state.running()
            if self.state.phase(number) in LIVE and self.state.live[number].epoch == self.lease.epoch
        ]

    @property
    def free(self) -> int:
        """How many more attempts this runner could look after."""
        return max(0, self.workers - len(self.running()))

    # -------------------------------------------------------------------------------------------------- writing

    def catch_up(self) -> None:
        """What others wrote is folded."""
        self.engine.fold(self.log.tail())

    def fact(self, kind: type[ev.Fact], **fields: Any) -> None:
        """The fact is in the log and folded."""
        self.engine.fold(self.log.append_facts([kind(at=self.now, **fields)]))

    def request(self, kind: type[ev.Request], **fields: Any) -> None:
        """Somebody's request is in the log and folded."""
        self.store.append(STUDY, [entry(kind(at=self.now, who="test", **fields))])
        self.catch_up()

    def decide(self, decisions: Sequence[ev.Decision]) -> None:
        """The decisions are in the log, as far as they are legal after what others decided in between."""
        while decisions:
            try:
                self.engine.fold(self.log.append_decisions(decisions, after=self.state.decisions))
                return
            except Conflict:
                self.catch_up()
                decisions = self.engine.legal(decisions)

    def turn(self) -> None:
        """All that follows from the state is in the log: outcomes, retries, proposals, assignments, the end."""
        while True:
            decisions = self.engine.decide(at=self.now, free=self.free)
            decisions = decisions or self.engine.propose(at=self.now, free=self.free)
            if not decisions:
                return
            self.decide(decisions)

    def start(self, number: int) -> None:
        """The trial's program runs."""
        live = self.state.live[number]
        self.fact(
            ev.TrialStarted, trial=number, attempt=live.attempt, pid=1000 + number, ticks=1, boot="boot", host="host"
        )

    def report(self, number: int, **values: WireNumber) -> None:
        """The trial reports these metrics at its next step."""
        self.saves(number, values)

    def saves(
        self, number: int, values: Mapping[str, WireNumber], *, step: float | None = None, size: int | None = None
    ) -> None:
        """The trial reports these metrics, at its next step if none is given. `size`: bytes of a checkpoint that the
        line names, None: it names none."""
        live = self.state.live[number]
        at = live.step + 1 if step is None else step
        made = Checkpoint(live.attempt, f"{live.reports + 1}", at, live.reports + 1, size or 0)
        self.fact(
            ev.TrialReported, trial=number, attempt=live.attempt, reports=(Report(at, self.now, dict(values)),),
            offsets={"reports.jsonl": 100 * (live.reports + 1)}, channel="file",
            checkpoints=() if size is None else (made,),
        )  # fmt: skip

    def exit(self, number: int, *, how: str = "exited", code: int | None = 0, tail: str = "") -> None:
        """The trial's attempt is over."""
        attempt = self.state.live[number].attempt
        self.fact(ev.TrialExited, trial=number, attempt=attempt, how=how, code=code, tail=tail)

    def end(self, number: int) -> None:
        """The attempt goes as its behaviour says; one that was told to stop reports no more and ends by a signal."""
        live, phase = self.state.live[number], self.state.phase(number)
        if phase is Phase.STOPPING:
            return self.exit(number, code=143)
        ending = self.behave(number, live.attempt, self.state.space.full(self.state.params(number)))
        if phase is Phase.STARTING and ending.how != "never":
            self.start(number)
        for values in ending.reports:
            self.report(number, **values)
        return self.exit(number, how=ending.how, code=ending.code, tail=ending.tail)

    def run(self, choose: Callable[[Sequence[int]], int] = min, *, limit: int = 10_000) -> World:
        """Trials run until nothing runs any more; `choose` says which of the running ones ends next."""
        for _ in range(limit):
            self.turn()
            running = self.running()
            if not running:
                return self
            self.end(choose(running))
        raise AssertionError(f"still running after {limit} trials")

    def snapshot(self) -> None:
        """The store holds a snapshot of the state as it is now."""
        write_snapshot(self.store, STUDY, self.state)


class Diary:
    """A searcher whose every suggestion is a function of all that it has seen, and tells it in its text."""

    options: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, problem: Problem) -> None:
        self.space = problem.space
        self.seen: list[str] = []

    def observe(self, deltas: Sequence[Delta]) -> None:
        self.seen += [f"{type(d).__name__.lower()} {getattr(d, 'number', '')}" for d in deltas]

    def suggest(
        self, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | Exhausted:
        text = "; ".join(self.seen)
        params = self.space.decode(self.space.sample(generator(zlib.crc32(text.encode()), "diary", number)))[0]
        return Suggestion(params=params, text=text, data={"pending": list(pending)})

    def describe(self) -> str:
        return "a diary"


def searching_with(kind: type[Diary]) -> PolicyFactory:
    """The usual policy with such a diary for a searcher."""

    def make(state: State) -> Diary:
        spec = state.created.spec
        return kind(
            Problem(
                space=state.space, seed=state.seed, search=spec.search, objectives=spec.objectives, budget=spec.budget,
                space_version=len(state.spaces),
            )
        )  # fmt: skip

    def policy_for(state: State) -> Policy:
        spec = state.created.spec
        contest = Contest(schedule=spec.schedule, objectives=spec.objectives, seed=state.seed)
        policy = Combined(state, make, RunToTheEnd(contest))
        policy.catch_up(state)
        return policy

    return policy_for


diary_policy = searching_with(Diary)


class Folding:
    """A state without an engine, and a hand that applies events to it one after the other."""

    def __init__(self, spec: StudySpec, *, deterministic: bool = False) -> None:
        created = ev.StudyCreated(at=BEGIN, uid="u", spec=spec, seed=1, deterministic=deterministic)
        self.state = State.begin(created, seq=1)

    def add(self, kind: type[ev.Event], *, at: float | None = None, **fields: Any) -> State:
        """`kind` is the next event, one second after the last one; a decision gets what every decision needs."""
        if issubclass(kind, ev.Decision):
            fields = {"based_on": self.state.seq, "runner": "r", "epoch": 1, **fields}
        event: Any = kind(at=BEGIN + self.state.seq if at is None else at, **fields)
        self.state.apply(self.state.seq + 1, event)
        return self.state

    def attached(self, epoch: int = 1, *, at: float | None = None) -> Folding:
        """A runner says that it is attached."""
        self.add(ev.RunnerAttached, at=at, runner="r", epoch=epoch, host="host", pid=1, workers=1)
        return self

    def proposed(self, params: dict[str, Any] | None = None, *, by: str = "random") -> int:
        """The number of a new trial that waits for its first attempt."""
        number = len(self.state)
        given = self.state.space.middle() if params is None else params
        self.add(ev.TrialProposed, trial=number, params=given, reason=Reason(by=by, text="test"))
        return number

    def started(self, number: int | None = None) -> int:
        """The number of a trial (a new one, if none is given) whose next attempt runs."""
        trial = self.proposed() if number is None else number
        attempt = int(self.state.table["attempt"][trial]) + 1
        self.add(ev.AttemptAssigned, trial=trial, attempt=attempt)
        self.add(ev.TrialStarted, trial=trial, attempt=attempt, pid=9, ticks=8, boot="boot", host="host")
        return trial

    def reported(self, number: int, *reports: dict[str, WireNumber]) -> None:
        """One drain with these reports."""
        live = self.state.live[number]
        lines = tuple(Report(live.step + i, BEGIN, values) for i, values in enumerate(reports, start=1))
        self.add(
            ev.TrialReported, trial=number, attempt=live.attempt, reports=lines,
            offsets={"reports.jsonl": live.reports + len(lines)}, channel="file",
        )  # fmt: skip

    def exited(self, number: int, *, how: str = "exited", code: int | None = 0, tail: str = "") -> None:
        """The attempt is over."""
        attempt = self.state.live[number].attempt
        self.add(ev.TrialExited, trial=number, attempt=attempt, how=how, code=code, tail=tail)

    def completed(self, number: int, *values: WireNumber, state: str = "complete", **fields: Any) -> None:
        """The trial is final."""
        attempt = int(self.state.table["attempt"][number])
        given = tuple(values) if values else None
        self.add(ev.TrialCompleted, trial=number, attempt=attempt, state=state, values=given, **fields)

    def done(self, *values: WireNumber, params: dict[str, Any] | None = None) -> int:
        """The number of a new trial that ran and is complete with these values."""
        number = self.started(self.proposed(params))
        names = [objective.metric for objective in self.state.spec.objectives]
        self.reported(number, dict(zip(names, values, strict=True)))
        self.exited(number)
        self.completed(number, *values)
        return number

    def failed(self, text: str = "exit status 1") -> int:
        """The number of a new trial that ran and failed by itself."""
        number = self.started()
        self.exited(number, code=1)
        self.completed(number, state="failed", error=text)
        return number
