"""The three rules written down once more, from their description alone: slow, with plain lists that are sorted anew.

An outcome is a tuple: ("done", trial) has all it needs, ("end", trial), ("hold", trial), ("go", trial, rung), ("new",).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

Outcome = tuple[Any, ...]


@dataclass
class Result:
    trial: int
    loss: float
    arrival: int


@dataclass
class Twin:
    kind: str
    units: list[int]
    trials: int
    divisor: float
    wanted: int
    starts: list[int]
    invalid: int = 0
    clock: int = 0
    rung: dict[int, int] = field(default_factory=dict)
    state: dict[int, str] = field(default_factory=dict)  # runs, held, over
    exited: dict[int, float] = field(default_factory=dict)
    results: list[list[Result]] = field(default_factory=list)
    promoted: list[list[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.results = [[] for _ in self.units]
        self.promoted = [[] for _ in self.units]

    # ---- events

    def begin(self, trial: int) -> None:
        self.rung[trial], self.state[trial] = 0, "runs"

    def report(self, trial: int, step: float, loss: float) -> list[Outcome]:
        found: list[Outcome] = []
        while self.state[trial] == "runs" and self.units[self.rung[trial]] <= step:
            found += self.arrives(trial, loss)
        return found

    def exit(self, trial: int, loss: float) -> list[Outcome]:
        if self.state[trial] == "over":
            return []
        self.exited[trial] = loss
        if self.state[trial] == "held":
            return []
        if self.kind == "stopping":
            self.store(trial, loss)
            self.state[trial] = "over"
            return self.one_more()
        return [o for o in self.arrives(trial, loss) if o[1:2] != (trial,)]

    def drop(self, trial: int) -> list[Outcome]:
        for i in range(len(self.units)):
            self.results[i] = [r for r in self.results[i] if r.trial != trial]
            self.promoted[i] = [t for t in self.promoted[i] if t != trial]
        self.state[trial] = "over"
        self.invalid += 1
        return self.one_more()

    # ---- rules

    def store(self, trial: int, loss: float) -> int:
        self.clock += 1
        results = self.results[self.rung[trial]]
        results.append(Result(trial, loss, self.clock))
        newest_first = self.kind == "stopping"
        results.sort(key=lambda r: (r.loss, -r.arrival if newest_first else r.arrival))
        return [r.trial for r in results].index(trial)

    def one_more(self) -> list[Outcome]:
        if self.wanted - self.invalid >= self.trials:
            return []
        self.wanted += 1
        return [("new",)]

    def coming(self, i: int) -> int:
        return sum(self.rung[t] == i and s == "runs" for t, s in self.state.items())

    def arrives(self, trial: int, loss: float) -> list[Outcome]:
        i = self.rung[trial]
        place = self.store(trial, loss)
        if i == len(self.units) - 1:
            self.state[trial] = "over"
            own: list[Outcome] = [] if trial in self.exited else [("done", trial)]
            more = self.one_more() if self.kind != "synchronous" else []
            return own + more + self.close()
        if self.kind == "stopping":
            if place < max(int(len(self.results[i]) / self.divisor), 1):
                self.rung[trial] += 1
                return [("go", trial, i + 1)]
            self.state[trial] = "over"
            return [("end", trial), *self.one_more()]
        self.state[trial] = "held"
        chosen = self.chosen(i, place)
        found: list[Outcome] = []
        if chosen != trial and trial not in self.exited:
            found.append(("hold", trial))
        if chosen is None:
            found += self.one_more()
        else:
            found += self.promote(i, chosen)
        return found + self.close()

    def chosen(self, i: int, place: int) -> int | None:
        ranked = [r.trial for r in self.results[i]]
        if self.kind == "promotion":
            before, now = int((len(ranked) - 1) / self.divisor), int(len(ranked) / self.divisor)
            if place < now:
                return ranked[place]
            gone = [t for t in ranked if self.state[t] == "over"]
            if now > before and ranked[before] not in [*self.promoted[i], *gone]:
                return ranked[before]
            return None
        certain = len(ranked) + self.starts[i + 1] - self.starts[i]
        return None if certain <= 0 else ranked[place] if place < certain else ranked[certain - 1]

    def promote(self, i: int, trial: int) -> list[Outcome]:
        self.promoted[i].append(trial)
        self.rung[trial], self.state[trial] = i + 1, "runs"
        if trial in self.exited:
            return self.arrives(trial, self.exited[trial])
        return [("go", trial, i + 1)]

    def close(self) -> list[Outcome]:
        found: list[Outcome] = []
        if self.kind == "stopping" or (self.kind == "promotion" and len(self.results[0]) < self.trials):
            return found
        for i, results in enumerate(self.results):
            if self.kind == "promotion" and self.coming(i):
                break
            if self.kind == "synchronous" and (i == len(self.units) - 1 or len(results) < self.starts[i]):
                continue
            arrived = sorted(results, key=lambda r: r.arrival)
            idle = [r.trial for r in arrived if self.state[r.trial] == "held" and self.rung[r.trial] == i]
            for trial in idle:
                if trial not in self.exited:
                    self.state[trial] = "over"
                    found.append(("end", trial))
        return found


WORST = math.inf
