"""One study in simulated time: a scheduler is driven by deltas and answers as the policy does, over a table.

W workers; every epoch is a report. A paused trial keeps its checkpoint and costs nothing to continue. The time that the
scheduler takes for its answers is charged: while it thinks, the worker that waits for it waits. New configurations are
those of the table that were not begun yet, in random order where the searcher is asked.
"""

from __future__ import annotations

import heapq
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rung.model import Continue, Pause, Stop
from rung.schedule.base import Ask, Begun, Ended, Held, Hold, Over, Progress, Propose, Resumed
from rung.study.seeds import generator

if TYPE_CHECKING:
    from bench.fidelity.tables import Table
    from rung.schedule.base import Delta, Scheduler


class Outcome(NamedTuple):
    """Of one study. `hits`: for each target the seconds and epochs until it was reached, None where it was not;
    `ended`: seconds and epochs at which it ended; `horizon`: what a miss counts with; `curve`: (seconds, epochs, best
    loss) at every improvement; `thought`: seconds that decisions took, `decisions`: how many calls; `begun`:
    configurations; `regret`: best loss less the table's best, at the end."""

    hits: list[tuple[float, int] | None]
    ended: tuple[float, int]
    horizon: tuple[float, int]
    curve: list[tuple[float, int, float]]
    thought: float
    decisions: int
    begun: int
    regret: float


class Study:
    """See the module. `seed` orders the pool."""

    def __init__(
        self, table: Table, scheduler: Scheduler, workers: int, seed: int, *, charge: bool, horizon: float
    ) -> None:
        self.table, self.scheduler, self.workers, self.seed = table, scheduler, workers, seed
        self.charge, self.horizon = charge, horizon
        self.pool = np.random.default_rng((seed, 0xF1DE)).permutation(len(table.params)).tolist()
        self.place = {_key(params): i for i, params in enumerate(table.params)}
        self.used: set[int] = set()
        self.row: list[int] = []  # of each trial
        self.at: list[int] = []  # epochs made by each trial
        self.state: list[str] = []
        self.clock: list[tuple[float, int]] = []
        self.now, self.epochs, self.thought, self.calls = 0.0, 0, 0.0, 0
        self.best = np.inf
        self.hits: list[tuple[float, int] | None] = [None] * len(table.targets)
        self.curve: list[tuple[float, int, float]] = []

    def go(self) -> Outcome:
        """To the horizon, or until the last target is reached."""
        while True:
            while len(self.clock) < self.workers and self._begin():
                pass
            if not self.clock or self.hits[-1] is not None:
                break
            due, trial = heapq.heappop(self.clock)
            if due > self.horizon:
                self.now = self.horizon
                break
            self.now = max(self.now, due)
            self._report(trial)
        return Outcome(
            hits=self.hits, ended=(self.now, self.epochs), horizon=(self.horizon, self.table.losses.size),
            curve=self.curve, thought=self.thought, decisions=self.calls, begun=len(self.row),
            regret=float(self.best - self.table.best),
        )  # fmt: skip

    def _timed(self, call: Any, *arguments: Any) -> Any:
        start = time.process_time()
        found = call(*arguments)
        took = time.process_time() - start
        self.thought, self.calls = self.thought + took, self.calls + 1
        if self.charge:
            self.now += took
        return found

    def _begin(self) -> bool:
        number = len(self.row)
        place = self._timed(self.scheduler.next, number, generator(self.seed, "schedule", number))
        if isinstance(place, Hold | Over):
            return False
        if isinstance(place, Continue):
            assert self.state[place.trial] == "held"
            self._show(Resumed(place.trial, place.to))
            self._start(place.trial)
            return True
        row = self._row(place)
        if row is None:
            return False
        self.used.add(row)
        self.row.append(row)
        self.at.append(0)
        self.state.append("new")
        self._show(Begun(number, self.table.params[row], ticket=place.ticket))
        self._start(number)
        return True

    def _row(self, place: Ask | Propose) -> int | None:
        if isinstance(place, Propose):
            return self.place[_key(place.params)]
        while self.pool and self.pool[-1] in self.used:
            self.pool.pop()
        return self.pool.pop() if self.pool else None

    def _start(self, trial: int) -> None:
        self.state[trial] = "running"
        seconds, at = self.table.seconds[self.row[trial]], self.at[trial]
        heapq.heappush(self.clock, (self.now + seconds[at] - (seconds[at - 1] if at else 0.0), trial))

    def _report(self, trial: int) -> None:
        row, at = self.row[trial], self.at[trial]
        loss = float(self.table.losses[row, at])
        self.at[trial], self.epochs = at + 1, self.epochs + 1
        if loss < self.best:
            self.best = loss
            self.curve.append((self.now, self.epochs, loss))
            for i, target in enumerate(self.table.targets):
                if self.hits[i] is None and loss <= target:
                    self.hits[i] = (self.now, self.epochs)
        seconds = float(self.table.seconds[row, at])
        loss = loss if loss == loss else np.inf
        command = self._show(Progress(trial, float(at + 1), (loss,), (loss,), 0.0, seconds))
        self._carry_on(trial, command)

    def _carry_on(self, trial: int, command: Stop | Pause | Continue | None) -> None:
        if self.at[trial] >= self.table.epochs or isinstance(command, Stop):
            self.state[trial] = "ended"
            self._show(Ended(trial, (float(self.table.losses[self.row[trial], self.at[trial] - 1]),)))
        elif isinstance(command, Pause):
            self.state[trial] = "held"
            self._show(Held(trial))
        else:
            if isinstance(command, Continue):
                self._show(Resumed(trial, command.to))
            self._start(trial)

    def _show(self, delta: Delta) -> Stop | Pause | Continue | None:
        """The command for the trial of the delta; those for held ones are carried out."""
        mine = None
        for command in self._timed(self.scheduler.observe, [delta]):
            if command.trial == delta.number:
                mine = command
            elif isinstance(command, Stop) and self.state[command.trial] == "held":
                self.state[command.trial] = "ended"
                losses = self.table.losses[self.row[command.trial], self.at[command.trial] - 1]
                self.scheduler.observe([Ended(command.trial, (float(losses),))])
        return mine


def _key(params: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(params.values())
