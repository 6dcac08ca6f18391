"""Ask and tell: the caller runs the trials. The log and its decisions are those of any other study."""

from __future__ import annotations

import contextlib
import threading
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from rung.analysis.ranking import pareto
from rung.api.creation import create_or_continue, created_event
from rung.api.goals import objectives
from rung.api.heartbeat import keep_alive
from rung.api.viewing import Viewed
from rung.api.warmstart import studies_named
from rung.model import BadInput, Fenced, Report, RungError, StudySpec, Trial, to_wire
from rung.plugins import open_store, policy_for
from rung.runner.asking import Asking
from rung.runner.facts import gone
from rung.runner.seat import Seat
from rung.space.declare import parameters_from
from rung.study import events as ev
from rung.study.guard import failure_of
from rung.study.seeds import trial_seed
from rung.study.transitions import LIVE

if TYPE_CHECKING:
    from rung.analysis.estimates import Estimate
    from rung.api.handle import Handle
    from rung.store.base import Store
    from rung.study.state import Live


class Asked:
    """A trial that `Study.ask` gave out: evaluate `params`, then tell."""

    def __init__(self, study: Study, number: int, params: dict[str, Any], seed: int) -> None:
        self.number, self.params, self.seed = number, params, seed
        self._study = study

    def __repr__(self) -> str:
        return f"Asked(number={self.number}, params={self.params})"

    def report(self, values: Mapping[str, float] | None = None, *, step: float | None = None, **metrics: float) -> None:
        """Metrics at a step are in the log; the step is counted when none is given."""
        self._study._report(self.number, {**(values or {}), **metrics}, step)

    def should_stop(self) -> bool:
        """Whether it was decided to end this trial."""
        return self._study._stopping(self.number)


class Study(Viewed):
    """A study that this program drives: `ask` for a trial, evaluate it, `tell` its value.

    In memory unless `store` and `name` are given. `space` maps names to domains (`rung.loguniform(...)` or the
    mapping of a study file) or constants. `metric` and `goal` may be lists: several objectives. `budget` has the keys
    of a study file's; without `trials` there is no end. `warm_start` names studies of the same store to learn from.
    """

    def __init__(
        self,
        space: Mapping[str, Any],
        *,
        metric: str | Sequence[str] = "value",
        goal: str | float | Sequence[str | float] = "minimize",
        search: str = "auto",
        seed: int | None = None,
        budget: Mapping[str, Any] | None = None,
        constraints: Sequence[str] = (),
        start: str | Sequence[Mapping[str, Any]] = "random",
        repeats: int = 1,
        store: str | None = None,
        name: str | None = None,
        warm_start: Sequence[str] = (),
    ) -> None:
        from rung.dialects import spec_from_tree

        tree: dict[str, Any] = {
            "constraints": [constraints] if isinstance(constraints, str) else list(constraints),
            "search": {"method": search, "repeats": repeats} | ({} if seed is None else {"seed": seed}),
            "budget": dict(budget or {}),
            "start": start if isinstance(start, str) else [dict(point) for point in start],
        }
        spec = msgspec.structs.replace(
            spec_from_tree({**tree, "parameters": {}, "start": "random"}, place="Study"),
            parameters=parameters_from(space),
            constraints=tuple(tree["constraints"]),
            objectives=objectives(metric, goal),
            start=tree["start"] if isinstance(start, str) else tuple(tree["start"]),
            name=name,
        )
        if store is not None and name is None:
            raise BadInput("give the study a name= as well, so that it can be found again", key="Study(store=...)")
        self._open(_joined(open_store(store or "memory://"), spec, warm_start))

    @classmethod
    def joined(cls, handle: Handle) -> Study:
        """An existing study, to read, to ask and to tell."""
        study = cls.__new__(cls)
        study._open(handle)
        return study

    def _open(self, handle: Handle) -> None:
        self._handle = handle
        self._lock = threading.RLock()
        self._seat: Seat | None = None
        self._asking = Asking()

    # ------------------------------------------------------------------------------------------------ asking

    def ask(self) -> Asked:
        """The next trial to evaluate. Raises `RungError` when the study is over or must wait for a result."""
        with self._seated() as seat:
            number = None
            while number is None:
                self._settle(seat)
                number = self._next(seat)
            state = seat.state
            return Asked(self, number, state.space.full(state.params(number)), trial_seed(state.seed, number))

    def _next(self, seat: Seat) -> int | None:
        """The number of a trial that is now this process's; None when another one decided in between."""
        engine, at = seat.engine, time.time()
        decisions = engine.decide(at=at, free=1)  # a trial that waits for another attempt comes first
        decisions = decisions or engine.propose(at=at, free=1, watch=time.monotonic, ask=self._asking)
        if engine.state.switches.completed is not None:
            raise RungError(f"the study is over: {engine.state.switches.completed.reason.text}")
        if not decisions:
            seat.take_over()
            if not self._give_up_adopted(seat):
                raise RungError("there is nothing to ask for now: tell the results of the trials that run")
        mine = {live.number for live in engine.state.live.values() if live.epoch == seat.lease.epoch}
        seat.decide([_as_asked(decision) for decision in decisions])
        _warn_of(decisions)
        new = {live.number for live in engine.state.live.values() if live.epoch == seat.lease.epoch} - mine
        return min(new, default=None)

    def tell(
        self,
        trial: Asked | int,
        values: float | Mapping[str, float] | Sequence[float] | None = None,
        *,
        state: Literal["complete", "failed"] = "complete",
    ) -> None:
        """The trial is over with these values: a number, a number for each objective, or a mapping of metrics."""
        number = trial if isinstance(trial, int) else trial.number
        if state not in {"complete", "failed"}:
            raise BadInput(f"expected complete or failed, got {state!r}", place="tell", key="state")
        with self._seated() as seat:
            live = self._running(seat, number)
            metrics = self._metrics(values) if values is not None else {}
            missing = [o.metric for o in self._state.spec.objectives if o.metric not in {*metrics, *live.tracks}]
            if missing and state == "complete":
                raise BadInput(f"trial {number} has no value for {', '.join(missing)}", place="tell")
            facts = self._reported(live, metrics, None) if metrics else []
            facts.append(
                ev.TrialExited(
                    at=time.time(), trial=number, attempt=live.attempt, how="told",
                    code=0 if state == "complete" else 1, tail="" if state == "complete" else "told that it failed",
                )
            )  # fmt: skip
            seat.facts(*facts)
            self._settle(seat)

    def _running(self, seat: Seat, number: int) -> Live:
        live = seat.state.live.get(number)
        if live is None or self._state.phase(number) not in LIVE:
            raise BadInput(f"trial {number} is not running: it was told already, or never asked for")
        if live.epoch != seat.lease.epoch:
            raise BadInput(f"trial {number} belongs to another process: `rung tell` can give it a value from outside")
        return live

    def _metrics(self, values: Any) -> dict[str, float]:
        metrics = [objective.metric for objective in self._state.spec.objectives]
        if isinstance(values, Mapping):
            return {str(name): _number(value, str(name)) for name, value in values.items()}
        numbers = list(values) if isinstance(values, Sequence) and not isinstance(values, str) else [values]
        if len(numbers) != len(metrics):
            raise BadInput(f"expected {len(metrics)} value(s) for {', '.join(metrics)}, got {len(numbers)}")
        return {name: _number(value, name) for name, value in zip(metrics, numbers, strict=True)}

    def _report(self, number: int, metrics: Mapping[str, float], step: float | None) -> None:
        with self._seated() as seat:
            seat.facts(*self._reported(self._running(seat, number), metrics, step))

    def _reported(self, live: Live, metrics: Mapping[str, float], step: float | None) -> list[ev.Event]:
        at = time.time()
        wire = {name: to_wire(_number(value, name)) for name, value in metrics.items()}
        report = Report(float(step) if step is not None else live.step + 1, at, wire)
        return [
            ev.TrialReported(
                at=at, trial=live.number, attempt=live.attempt, reports=(report,), offsets=live.offsets, channel="file"
            )
        ]

    def _stopping(self, number: int) -> bool:
        with self._seated() as seat:
            self._settle(seat)
            live = seat.state.live.get(number)
            return live is None or live.stop is not None

    # -------------------------------------------------------------------------------------------------- the log

    @contextlib.contextmanager
    def _seated(self) -> Iterator[Seat]:
        """This process has a seat at the study, up to date. One that was taken over (a laptop that slept) is taken
        anew at the next call; the trials that it had asked for are then over."""
        with self._lock:
            try:
                seat = self._seat or self._sit_down()
                if self._handle.store.changed():
                    seat.catch_up()
                yield seat
            except Fenced:
                self._seat = None
                raise RungError(
                    "this process was taken for dead, and its trials given up; ask again to go on"
                ) from None

    def _sit_down(self) -> Seat:
        handle = self._handle
        seat = Seat(
            handle.store, handle.name, policy_for, role="asker", clock=time.time, monotonic=time.monotonic,
            observe=lambda state, events: None,  # noqa: ARG005 - nobody watches
        )  # fmt: skip
        seat.take(workers=0)
        seat.take_over()
        handle.state = seat.state
        self._seat = seat
        self._give_up_adopted(seat)
        if not handle.store.url.startswith("memory"):
            keep_alive(self, seat.store, seat.lease)
        return seat

    def _give_up_adopted(self, seat: Seat) -> bool:
        """Trials whose asking process is gone are over: nobody else can tell what came of them. Whether any was."""
        mine = [
            live
            for live in seat.state.live.values()
            if live.adopted and live.exit is None and live.epoch == seat.lease.epoch
        ]
        if mine:
            seat.facts(*(gone(live, at=time.time()) for live in mine))
            self._settle(seat)
        return bool(mine)

    def _settle(self, seat: Seat) -> None:
        """What follows from what was told is in the log: outcomes, and the end of the study."""
        while decisions := [_as_asked(d) for d in seat.engine.decide(at=time.time(), free=0)]:
            seat.decide(decisions)
        seat.keep_snapshot()

    @property
    def _state(self) -> Any:
        return self._handle.state

    # -------------------------------------------------------------------------------------------------- reading

    @property
    def name(self) -> str:
        """The study's name."""
        return self._handle.name

    @property
    def state(self) -> str:
        """running, paused, complete, failed or interrupted."""
        self._refresh()
        return self._handle.status()

    @property
    def trials(self) -> list[Trial]:
        """All trials, by number."""
        self._refresh()
        return list(self._state.trials())

    @property
    def best(self) -> Trial:
        """The best trial; where configurations were evaluated again, one of the configuration whose estimated mean is
        best. Raises `RungError` when none has succeeded, or when there are several objectives."""
        return self._winner()[0]

    @property
    def estimate(self) -> Estimate | None:
        """The true mean of the best configuration as far as it is known; None where none was evaluated again."""
        return self._winner()[1]

    def _winner(self) -> tuple[Trial, Estimate | None]:
        if len(self._state.spec.objectives) > 1:
            raise RungError("there are several objectives: see best_trials, none of which is better than another")
        self._refresh()
        found = self._handle.winners()
        if not found:
            raise RungError("no trial has succeeded yet")
        return found[0]

    @property
    def best_trials(self) -> list[Trial]:
        """The trials that no other one beats in every objective."""
        self._refresh()
        return [self._state.trial(number) for number in pareto(self._state)]

    def _refresh(self) -> None:
        with self._lock:
            if self._seat is None:
                self._handle.refresh()
            elif self._handle.store.changed():
                self._seat.catch_up()

    def __repr__(self) -> str:
        return f"Study({self.name!r}, {len(self._state)} trials)"


def _number(value: Any, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise BadInput(f"expected a number, got {value!r}", place="tell", key=name) from None


def _warn_of(decisions: Sequence[ev.Decision]) -> None:
    for decision in decisions:
        if isinstance(decision, ev.TrialProposed) and failure_of(decision.reason) is not None:
            warnings.warn(f"trial {decision.trial} is {decision.reason.text}", RuntimeWarning, stacklevel=4)


def _as_asked(decision: ev.Decision) -> ev.Decision:
    if isinstance(decision, ev.AttemptAssigned):
        return msgspec.structs.replace(decision, asked=True)
    return decision


def _joined(store: Store, spec: StudySpec, warm_start: Sequence[str]) -> Handle:
    """A new study; the one of that name when it is the same search."""
    event = created_event(spec, runs=Path("runs").absolute(), cwd=Path.cwd(), command_line=[], surface="python")
    stem = "study" if spec.name is None else spec.name
    return create_or_continue(store, event, stem=stem, warm_start=studies_named(warm_start), place="warm_start").handle


__all__ = ["Asked", "Study"]
