"""`syne.py TABLE.npz`: Syne Tune's own class of ASHA over a table, by the event loop of `drive`; one study a line read.

Runs in an environment that has Syne Tune, so it imports nothing of ours. The table holds `losses` and `seconds` (N, T)
and `targets`. A line names `seed`, `workers` and `horizon`; what comes back is `drive.Outcome` as an object.
"""

from __future__ import annotations

import heapq
import json
import logging
import sys
import time
from typing import Any

import numpy as np
from syne_tune.backend.trial_status import Trial
from syne_tune.config_space import randint
from syne_tune.optimizer.schedulers.asha import AsynchronousSuccessiveHalving
from syne_tune.optimizer.schedulers.searchers.multi_fidelity_searcher import IndependentMultiFidelitySearcher


class Rows(IndependentMultiFidelitySearcher):
    """The rows of the table in random order, each once."""

    def __init__(self, space: dict, order: list[int]) -> None:
        super().__init__(space)
        self.order = order

    def suggest(self, **_: object) -> dict | None:
        """The next row."""
        return {"row": self.order.pop()} if self.order else None


class Study:
    """One study in simulated time; decisions are charged."""

    def __init__(self, table: dict, seed: int, workers: int, horizon: float) -> None:
        self.losses, self.seconds, self.targets = table["losses"], table["seconds"], table["targets"]
        self.workers, self.horizon = workers, horizon
        count, self.epochs = self.losses.shape
        order = np.random.default_rng((seed, 0xF1DE)).permutation(count).tolist()
        space = {"row": randint(0, count - 1)}
        self.scheduler = AsynchronousSuccessiveHalving(
            space, metric="loss", searcher=Rows(space, order), time_attr="epoch", max_t=self.epochs, random_seed=seed
        )
        self.now, self.made, self.thought, self.calls, self.best = 0.0, 0, 0.0, 0, np.inf
        self.hits: list = [None] * len(self.targets)
        self.curve: list = []
        self.clock: list = []
        self.trials: list = []
        self.at: list = []

    def go(self) -> dict:
        """To the horizon, or until the last target is reached."""
        while True:
            while len(self.clock) < self.workers and self.begin():
                pass
            if not self.clock or self.hits[-1] is not None:
                return self.outcome()
            due, number = heapq.heappop(self.clock)
            if due > self.horizon:
                self.now = self.horizon
                return self.outcome()
            self.now = max(self.now, due)
            self.report(number)

    def timed(self, call: Any, *arguments: Any) -> Any:
        """What a call gives; its time is charged."""
        start = time.process_time()
        found = call(*arguments)
        took = time.process_time() - start
        self.now, self.thought, self.calls = self.now + took, self.thought + took, self.calls + 1
        return found

    def begin(self) -> bool:
        """Whether a new trial began."""
        suggestion = self.timed(self.scheduler.suggest)
        if suggestion is None:
            return False
        trial = Trial(trial_id=len(self.trials), config=suggestion.config, creation_time=None)
        self.timed(self.scheduler.on_trial_add, trial)
        heapq.heappush(self.clock, (self.now + self.seconds[trial.config["row"], 0], len(self.trials)))
        self.trials.append(trial)
        self.at.append(0)
        return True

    def report(self, number: int) -> None:
        """One more epoch of a trial."""
        row, epoch = self.trials[number].config["row"], self.at[number]
        loss = float(self.losses[row, epoch])
        self.at[number], self.made = epoch + 1, self.made + 1
        if loss < self.best:
            self.best = loss
            self.curve.append([self.now, self.made, loss])
            pairs = zip(self.hits, self.targets, strict=True)
            self.hits = [[self.now, self.made] if hit is None and loss <= target else hit for hit, target in pairs]
        action = self.timed(self.scheduler.on_trial_result, self.trials[number], {"loss": loss, "epoch": epoch + 1})
        if self.at[number] < self.epochs and action != "STOP":
            more = self.seconds[row, epoch + 1] - self.seconds[row, epoch]
            heapq.heappush(self.clock, (self.now + more, number))

    def outcome(self) -> dict:
        """As `drive.Outcome` has it."""
        return {
            "hits": self.hits,
            "ended": [self.now, self.made],
            "horizon": [self.horizon, self.losses.size],
            "curve": self.curve,
            "thought": self.thought,
            "decisions": self.calls,
            "begun": len(self.trials),
            "regret": float(self.best - self.losses[:, -1].min()),
        }


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    with np.load(sys.argv[1]) as file:
        known = {name: file[name] for name in file.files}
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(Study(known, asked["seed"], asked["workers"], asked["horizon"]).go()), flush=True)
