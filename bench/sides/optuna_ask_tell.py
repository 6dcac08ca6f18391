"""`optuna_ask_tell.py FOLDER TRIALS KIND`: the same as `rung_ask_tell.py` with Optuna's storage KIND."""

from __future__ import annotations

import json
import sys
import time

import optuna
from optuna_ten import storage, suggest


def ask_and_tell(study: optuna.Study) -> None:
    """One more trial is complete."""
    trial = study.ask()
    suggest(trial)
    study.tell(trial, 0.5)


if __name__ == "__main__":
    folder, trials, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(storage=storage(kind, folder), sampler=sampler)
    ask_and_tell(study)
    started = time.perf_counter()
    for _ in range(trials):
        ask_and_tell(study)
    taken = time.perf_counter() - started
    print(json.dumps({"ms_per_trial": 1e3 * taken / max(1, trials)}))
