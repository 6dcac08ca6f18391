"""One run: a tuner proposes, the objective answers, with one or several trials at a time.

With several workers, results come back in the order of simulated durations: every trial takes a time that is drawn
from the problem, the seed and the trial's number alone, so that it is the same for all tuners.
"""

from __future__ import annotations

import heapq
import random
import time
import zlib
from typing import TYPE_CHECKING

from bench.quality.children import ChildFailed
from bench.quality.problems import PROBLEMS
from bench.quality.runs import Key, Run

if TYPE_CHECKING:
    from bench.quality.children import Child

DURATION_SPREAD = 0.5  # sd of the logarithm of a trial's duration


def seed_of(*parts: object) -> int:
    """31 bits that follow from the parts."""
    return zlib.crc32("/".join(map(str, parts)).encode()) >> 1


class Play:
    """A run under way."""

    def __init__(self, key: Key, tuner: Child, objectives: Child) -> None:
        self.key, self.tuner, self.objectives = key, tuner, objectives
        self.noisy = bool(PROBLEMS[key.problem].noise)
        self.pending: list[tuple[float, int, float | None, float | None]] = []  # end, number, seen, true
        self.seen: list[float | None] = []
        self.true: list[float | None] = []
        self.seconds: list[float] = []

    def run(self) -> Run:
        """The finished run; when the tuner died, what it did until then and why. Raises `ChildFailed` when it did not
        even start: that says nothing about the method."""
        error = ""
        self._introduce()
        try:
            self._all()
        except ChildFailed as failure:
            error = str(failure) or "it ended without a word"
        true = self.true if self.noisy else []
        seconds = [round(one, 6) for one in self.seconds]
        return Run(**self.key._asdict(), seen=self.seen, true=true, seconds=seconds, at=time.time(), error=error)

    def _introduce(self) -> None:
        space = [list(param) for param in PROBLEMS[self.key.problem].space]
        seed = seed_of("tuner", self.key.problem, self.key.seed)
        self.tuner.ask({"new": {"space": space, "seed": seed, "trials": self.key.trials, "workers": self.key.workers}})

    def _all(self) -> None:
        now = 0.0
        for number in range(self.key.trials):
            if len(self.pending) == self.key.workers:
                now = self._finish_one()
            if not self._begin(number, now):
                break
        while self.pending:
            self._finish_one()

    def _begin(self, number: int, now: float) -> bool:
        answer = self.tuner.ask({"ask": number})
        if "over" in answer:
            return False
        self.seconds.append(answer["seconds"])
        draw = seed_of("noise", self.key.problem, self.key.seed, number) if self.noisy else None
        found = self.objectives.ask({"problem": self.key.problem, "params": answer["params"], "draw": draw})
        rng = random.Random(seed_of("duration", self.key.problem, self.key.seed, number))
        end = now + rng.lognormvariate(0.0, DURATION_SPREAD)
        heapq.heappush(self.pending, (end, number, found["seen"], found["true"]))
        return True

    def _finish_one(self) -> float:
        end, number, seen, true = heapq.heappop(self.pending)
        self.seen.append(seen)
        self.true.append(true)
        self.seconds[number] += self.tuner.ask({"tell": number, "loss": seen})["seconds"]
        return end
