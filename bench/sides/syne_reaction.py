"""`syne_reaction.py SCRIPT`: milliseconds from each report of one trial until Syne Tune's scheduler is told of it."""

from __future__ import annotations

import json
import logging
import sys
import time

from syne_tune import Tuner
from syne_tune.backend import LocalBackend
from syne_tune.config_space import uniform
from syne_tune.constants import ST_WORKER_TIMESTAMP
from syne_tune.optimizer.baselines import RandomSearch
from syne_tune.tuner_callback import TunerCallback


class Delays(TunerCallback):
    """How long after they were written results arrive."""

    def __init__(self) -> None:
        super().__init__()
        self.ms: list[float] = []

    def on_trial_result(self, trial, status, result, decision) -> None:
        """A result has come."""
        self.ms.append(1e3 * (time.time() - result[ST_WORKER_TIMESTAMP]))


if __name__ == "__main__":
    logging.getLogger("syne_tune").setLevel(logging.ERROR)
    delays = Delays()
    Tuner(
        trial_backend=LocalBackend(entry_point=sys.argv[1]),
        scheduler=RandomSearch({"x": uniform(0, 1)}, metrics=["loss"], random_seed=0),
        stop_criterion=lambda status: status.num_trials_finished >= 1,
        n_workers=1,
        callbacks=[delays],
    ).run()
    print(json.dumps({"ms": delays.ms}))
