"""`syne_noop.py SCRIPT TRIALS POLL_S`: that many trials of a shell script with two workers; seconds in `Tuner.run`."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TYPE_CHECKING

from syne_tune import Tuner
from syne_tune.backend import LocalBackend
from syne_tune.config_space import uniform
from syne_tune.optimizer.baselines import RandomSearch

if TYPE_CHECKING:
    from collections.abc import Callable

    from syne_tune.tuning_status import TuningStatus


def finished(trials: int) -> Callable[[TuningStatus], bool]:
    """The rule that stops after `trials` finished trials."""
    return lambda status: status.num_trials_finished >= trials


if __name__ == "__main__":
    script, trials, poll_s = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    logging.getLogger("syne_tune").setLevel(logging.ERROR)
    tuner = Tuner(
        trial_backend=LocalBackend(entry_point=script, binary="/bin/sh"),
        scheduler=RandomSearch({"x": uniform(0, 1)}, metrics=["loss"], random_seed=0),
        stop_criterion=finished(trials),
        n_workers=2,
        sleep_time=poll_s,
    )
    started = time.perf_counter()
    tuner.run()
    taken = time.perf_counter() - started
    print(json.dumps({"seconds": taken, "trials": tuner.tuning_status.num_trials_finished}))
