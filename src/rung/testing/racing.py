"""A study in virtual time, by hand: what the conformance suite of schedulers and their own tests are written with.

Programs make steps and report a loss at each; W of them run at a time. The scheduler is shown every delta once, in the
order of time, its commands are carried out, and it is asked what to begin whenever a place is free.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from rung.model import Budget, Continue, Objective, Parameter, Pause, ScheduleSpec, Stop
from rung.schedule.base import (
    Ask,
    Begun,
    Contest,
    Delta,
    Ended,
    Held,
    Hold,
    Next,
    Over,
    Progress,
    Propose,
    Resumed,
    Scheduler,
)
from rung.space import Space
from rung.study.seeds import generator

Command = Stop | Pause | Continue
Curve = Callable[[int, float], "tuple[float | None, ...] | None"]
MakeScheduler = Callable[[Contest], Scheduler]
LAST = 27  # epochs that a program makes, if it is let


def contest(
    options: dict[str, Any] | None = None, *, method: str = "asha", objectives: int = 1, trials: int | None = None,
    workers: int = 4, goal: str = "minimize", epochs: int | None = LAST,
) -> Contest:  # fmt: skip
    """A contest over epochs, of which a trial makes `epochs`, on a space of two parameters."""
    space = [
        Parameter(name="lr", type="float", min=1e-4, max=1.0, scale="log"),
        Parameter(name="width", type="int", min=1, max=64),
    ]
    if epochs is not None:
        space.append(Parameter(name="epochs", type="constant", value=epochs))
    return Contest(
        schedule=ScheduleSpec(method=method, resource="epoch", options=options or {}),
        objectives=tuple(Objective(metric=f"loss{i}", goal=goal) for i in range(objectives)),  # type: ignore[arg-type]
        seed=7,
        space=Space(space),
        budget=Budget(trials=trials),
        workers=workers,
    )


def spread(number: int, salt: int = 0) -> float:
    """A number in [0, 1) that looks random, always the same for the same arguments (Weyl's sequence, twice)."""
    first = math.modf((number + 1) * 0.6180339887498949 + salt * 0.7548776662466927)[0]
    return math.modf(first * 7919.0 + number * 0.5698402909980532)[0]


def falling(number: int, step: float) -> tuple[float | None, ...]:
    """Curves that fall as 1/step to levels of their own, and cross on the way."""
    return (spread(number) + (0.5 + spread(number, 1)) / step,)


class Run(msgspec.Struct):
    """One trial's program. `limit`: how far it was let, None: to its end. `steps`: where it reported, in order;
    `due`: the command it has been given, and after how many reports it is obeyed."""

    number: int
    step: float = 0.0
    limit: float | None = None
    state: str = "running"
    steps: list[float] = msgspec.field(default_factory=list)
    due: tuple[Command, int] | None = None
    attempts: int = 1


class Meeting:
    """The study. `last`: where a program ends by itself. `lag`: after how many more reports a program obeys a Stop or a
    Pause. `stride`: how far a program goes from report to report. `obedient`: a program ends by itself where it is to
    be looked at. `curve`: the losses at a step; None: the program fails there."""

    def __init__(
        self, scheduler: Scheduler, contest: Contest, *, curve: Curve = falling, workers: int = 4, trials: int = 30,
        last: float = LAST, lag: int = 0, stride: Callable[[int], float] = lambda _: 1.0, obedient: bool = False,
        tickets: bool = True, violation: Callable[[int], float] = lambda _: 0.0,
    ) -> None:  # fmt: skip
        self.scheduler, self.contest, self.curve = scheduler, contest, curve
        self.workers, self.trials, self.last, self.lag = workers, trials, last, lag
        self.stride, self.obedient, self.tickets, self.violation = stride, obedient, tickets, violation
        self.runs: list[Run] = []
        self.history: list[Delta] = []
        self.answers: list[list[Command]] = []  # to each delta of the history
        self.begun: list[Next] = []  # what `next` gave that began something
        self._clock: list[tuple[float, int]] = []
        self.now = 0.0

    @property
    def running(self) -> int:
        """How many programs run."""
        return len(self._clock)

    def go(self) -> Meeting:
        """To the end: nothing runs, and nothing more may begin."""
        while True:
            while self.running < self.workers and self._begin():
                pass
            if not self._clock:
                return self
            self.now, number = heapq.heappop(self._clock)
            self._report(self.runs[number])

    def show(self, delta: Delta) -> None:
        """The scheduler sees it, and its commands are carried out."""
        found = list(self.scheduler.observe([delta]))
        self.history.append(delta)
        self.answers.append(found)
        for command in found:
            self._command(command)

    def _begin(self) -> bool:
        number = len(self.runs)
        place = self.scheduler.next(number, generator(self.contest.seed, "schedule", number))
        if isinstance(place, Hold | Over) or (not isinstance(place, Continue) and number >= self.trials):
            return False
        self.begun.append(place)
        if isinstance(place, Continue):
            assert place.trial < number, f"`next` continues trial {place.trial}, which was never begun"
            run = self.runs[place.trial]
            assert run.state == "held", f"trial {place.trial} is {run.state}: `next` continues paused trials only"
            self._resume(run, place.to)
            run.attempts += 1
            self._start(run)
        else:
            self._propose(number, place)
        return True

    def _propose(self, number: int, place: Ask | Propose) -> None:
        parent = place.parent if isinstance(place, Propose) else None
        step = self.runs[parent].step if parent is not None else 0.0
        params = place.params if isinstance(place, Propose) else {"lr": spread(number), "width": 1 + number % 64}
        self.runs.append(Run(number, step=step, limit=place.resource))
        self.show(Begun(number, params, parent, step, place.ticket if self.tickets else None))
        self._start(self.runs[number])

    def _start(self, run: Run) -> None:
        run.state = "running"
        heapq.heappush(self._clock, (self.now + self._seconds(run.number), run.number))

    def _seconds(self, number: int) -> float:
        return (0.5 + spread(number, 2)) * self.stride(number)

    def _resume(self, run: Run, to: float | None) -> None:
        run.limit, run.due = to, None
        self.show(Resumed(run.number, to))

    def _report(self, run: Run) -> None:
        run.step = min(run.step + self.stride(run.number), self.last)
        losses = self.curve(run.number, run.step)
        if losses is None:
            self._end(run, None)
            return
        run.steps.append(run.step)
        if run.due is not None:
            run.due = (run.due[0], run.due[1] - 1)
        self.show(Progress(run.number, run.step, losses, losses, self.violation(run.number), self.now))
        self._carry_on(run, losses)

    def _carry_on(self, run: Run, losses: tuple[float | None, ...]) -> None:
        """After a report: it obeys, ends by itself, or goes on."""
        over = run.step >= self.last or (self.obedient and run.limit is not None and run.step >= run.limit)
        command, wait = run.due if run.due is not None else (None, 1)
        if isinstance(command, Pause) and (over or wait <= 0):
            run.state, run.due = "held", None
            self.show(Held(run.number))
        elif over or (isinstance(command, Stop) and wait <= 0):
            self._end(run, losses)
        else:
            self._start(run)

    def _end(self, run: Run, losses: tuple[float | None, ...] | None) -> None:
        run.state, run.due = "ended", None
        final = None if losses is None else tuple(math.inf if x is None else x for x in losses)
        self.show(Ended(run.number, final))

    def _command(self, command: Command) -> None:
        run = self.runs[command.trial]
        assert run.state != "ended", f"{type(command).__name__} of trial {run.number}, which has ended"
        if run.state == "held":
            assert isinstance(command, Stop), "`next` continues a paused trial, `observe` does not"
            self._end(run, self.curve(run.number, run.step))
        elif isinstance(command, Continue):
            self._resume(run, command.to)
        else:
            run.due = (command, self.lag)

    # -------------------------------------------------------------------------------------------- what must be true

    def commands(self) -> list[Command]:
        """All that were given, in order."""
        return [command for found in self.answers for command in found]

    def work(self) -> float:
        """The resource that all programs used together."""
        return sum(run.step for run in self.runs)

    def beyond(self) -> float:
        """How far programs went beyond what they were let, together."""
        return sum(max(0.0, run.step - run.limit) for run in self.runs if run.limit is not None)

    def check(self) -> Meeting:
        """No step twice, none left out; nobody told twice in one call; nobody is held for good who may go on."""
        for run in self.runs:
            assert all(low < high for low, high in pairwise(run.steps)), f"trial {run.number} repeats a step"
        for found in self.answers:
            assert max(Counter(command.trial for command in found).values(), default=0) <= 1
        return self


def reaches(meeting: Meeting, levels: Sequence[float]) -> list[int]:
    """How many trials got to each of these resources."""
    return [sum(run.step >= level for run in meeting.runs) for level in levels]
