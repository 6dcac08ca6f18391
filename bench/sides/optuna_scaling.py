"""`optuna_scaling.py WINDOW KNOWN...`: the same as `rung_scaling.py` with Optuna's memory storage."""

from __future__ import annotations

import json
import sys
import time

import optuna
from optuna_ten import storage, suggest


def advance(study: optuna.Study, trials: int) -> float:
    """That many more trials are told; microseconds for each."""
    started = time.perf_counter()
    for _ in range(trials):
        trial = study.ask()
        suggest(trial)
        study.tell(trial, 0.5)
    return 1e6 * (time.perf_counter() - started) / trials


if __name__ == "__main__":
    window = int(sys.argv[1])
    study = optuna.create_study(storage=storage("memory", ""), sampler=optuna.samplers.RandomSampler(seed=0))
    done, found = 0, {}
    for known in map(int, sys.argv[2:]):
        advance(study, known - done)
        found[f"us_at_{known}"] = advance(study, window)
        done = known + window
    print(json.dumps(found))
