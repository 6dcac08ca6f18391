"""`syne.py TABLE.npz`: Syne Tune's own class of ASHA over a table, by the event loop of `drive`; one study a line read.

Runs in an environment that has Syne Tune, so it imports nothing of ours. The table holds `losses` and `seconds` (N, T)
and `targets`. A line names `seed`, `workers` and `horizon`; what comes back are hits, horizon, thought and regret as
`drive.Outcome` has them.
"""

from __future__ import annotations

import heapq
import json
import logging
import sys
import time

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


def study(table: dict, seed: int, workers: int, horizon: float) -> dict:
    """One study in simulated time; decisions are charged."""
    losses, seconds, targets = table["losses"], table["seconds"], table["targets"]
    count, epochs = losses.shape
    order = np.random.default_rng((seed, 0xF1DE)).permutation(count).tolist()
    space = {"row": randint(0, count - 1)}
    scheduler = AsynchronousSuccessiveHalving(
        space, metric="loss", searcher=Rows(space, order), time_attr="epoch", max_t=epochs, random_seed=seed
    )
    now, made, thought, best = 0.0, 0, 0.0, np.inf
    hits: list = [None] * len(targets)
    curve, clock, trials, at = [], [], [], []
    while True:
        while len(clock) < workers:
            start = time.process_time()
            suggestion = scheduler.suggest()
            if suggestion is None:
                break
            trial = Trial(trial_id=len(trials), config=suggestion.config, creation_time=None)
            scheduler.on_trial_add(trial)
            took = time.process_time() - start
            now, thought = now + took, thought + took
            heapq.heappush(clock, (now + seconds[trial.config["row"], 0], len(trials)))
            trials.append(trial)
            at.append(0)
        if not clock or hits[-1] is not None:
            break
        due, number = heapq.heappop(clock)
        if due > horizon:
            now = horizon
            break
        now, row, epoch = max(now, due), trials[number].config["row"], at[number]
        loss = float(losses[row, epoch])
        at[number], made = epoch + 1, made + 1
        if loss < best:
            best = loss
            curve.append([now, made, loss])
            hits = [[now, made] if h is None and loss <= t else h for h, t in zip(hits, targets, strict=True)]
        start = time.process_time()
        action = scheduler.on_trial_result(trials[number], {"loss": loss, "epoch": epoch + 1})
        took = time.process_time() - start
        now, thought = now + took, thought + took
        if at[number] < epochs and action != "STOP":
            heapq.heappush(clock, (now + seconds[row, epoch + 1] - seconds[row, epoch], number))
    regret = float(best - losses[:, -1].min())
    return {"hits": hits, "horizon": [now, made], "curve": curve, "thought": thought, "begun": len(trials), "regret": regret}


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    with np.load(sys.argv[1]) as file:
        known = {name: file[name] for name in file.files}
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(study(known, asked["seed"], asked["workers"], asked["horizon"])), flush=True)
