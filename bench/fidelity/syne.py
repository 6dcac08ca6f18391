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
        return {
        "hits": hits, "ended": [now, made], "horizon": [horizon, losses.size], "curve": curve, "thought": thought,
        "decisions": made, "begun": len(trials), "regret": regret,
    }  # fmt: skip


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    with np.load(sys.argv[1]) as file:
        known = {name: file[name] for name in file.files}
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(study(known, asked["seed"], asked["workers"], asked["horizon"])), flush=True)
