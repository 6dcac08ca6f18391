"""The vectors recorded from Determined's own tests, and what is needed to play them on our scheduler."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rung.model import Continue, Objective, Pause, ScheduleSpec, Stop
from rung.schedule.adaptive.scheduler import Adaptive
from rung.schedule.base import Ask, Begun, Contest, Ended, Held, Hold, Over, Progress, Resumed

VECTORS = Path(__file__).parents[4] / "shared" / "vectors"
FILES = sorted(VECTORS.glob("determined_searcher*.json"))
ABSENT = "the vectors determined_searcher*.json are not beside this project"
RNG = np.random.default_rng(0)


def files() -> Iterator[dict[str, Any]]:
    for path in FILES:
        yield json.loads(path.read_text())


def contest(options: dict[str, Any], *, maximize: bool = False) -> Contest:
    return Contest(
        schedule=ScheduleSpec(method="adaptive", options=options),
        objectives=(Objective(metric="loss", goal="maximize" if maximize else "minimize"),),
        seed=0,
    )


@dataclass
class Played:
    """What became of one trial: at which resources it reported, and whether it exited in the middle."""

    bracket: int
    at: list[float] = field(default_factory=list)


@dataclass
class Rerun:
    """Every trial that may run does; they are looked at one after another, in the order in which their jobs were given.

    `metric` of a trial; `exits` after how many jobs it exits in the middle of the last of them, None: never.
    """

    scheduler: Adaptive
    metric: Callable[[int], float]
    exits: Callable[[int], int | None] = lambda number: None
    trials: list[Played] = field(default_factory=list)
    jobs: deque[tuple[int, float]] = field(default_factory=deque)

    def run(self) -> list[Played]:
        self.begin()
        while self.jobs:
            number, to = self.jobs.popleft()
            self.trials[number].at.append(to)
            if self.exits(number) == len(self.trials[number].at):
                self.obey(self.scheduler.observe([Ended(number, None)]))
            else:
                self.report(number, to)
            self.begin()
        assert isinstance(self.scheduler.next(len(self.trials), RNG), Over)
        return self.trials

    def report(self, number: int, to: float) -> None:
        commands = self.scheduler.observe([Progress(number, to, (self.metric(number),))])
        if number not in {command.trial for command in commands}:  # it runs on, to the next rung of its bracket
            units = self.scheduler.shapes[self.trials[number].bracket].units
            self.jobs.append((number, units[len(self.trials[number].at)]))
        self.obey(commands)

    def obey(self, commands: list[Stop | Pause | Continue]) -> None:
        for command in commands:
            if isinstance(command, Continue):
                assert command.to is not None
                self.jobs.append((command.trial, command.to))
            elif isinstance(command, Pause):
                assert self.scheduler.observe([Held(command.trial)]) == []
            else:
                assert self.scheduler.observe([Ended(command.trial, (self.metric(command.trial),))]) == []

    def begin(self) -> None:
        while True:
            answer = self.scheduler.next(len(self.trials), RNG)
            if isinstance(answer, Ask):
                assert answer.ticket is not None
                number, bracket = len(self.trials), answer.ticket["bracket"]
                self.trials.append(Played(bracket))
                self.scheduler.observe([Begun(number, {}, ticket=answer.ticket)])
                self.jobs.append((number, self.scheduler.shapes[bracket].units[0]))
            elif isinstance(answer, Continue):
                assert answer.to is not None
                self.scheduler.observe([Resumed(answer.trial, answer.to)])
                self.jobs.append((answer.trial, answer.to))
            else:
                assert isinstance(answer, Hold | Over)
                return
