"""`optuna_suggest.py METHOD WINDOW PENDING KNOWN...`: the same as `rung_suggest.py` with Optuna's sampler in memory.

METHOD: `tpe` (as it is by default; with the constant liar when trials are pending) or `gp`.
"""

from __future__ import annotations

import json
import sys
import time
import warnings

import optuna
from bowl import loss, points
from optuna_ten import storage, suggest

warnings.simplefilter("ignore")  # that the constant liar is experimental


def told(study: optuna.Study, trials: int) -> float:
    """That many trials are asked for and told; milliseconds for each."""
    started = time.perf_counter()
    for _ in range(trials):
        trial = study.ask()
        suggest(trial)
        study.tell(trial, loss(trial.params))
    return 1e3 * (time.perf_counter() - started) / trials


def sampler(method: str, pending: int) -> optuna.samplers.BaseSampler:
    """The sampler that is measured."""
    if method == "gp":
        return optuna.samplers.GPSampler(seed=0)
    return optuna.samplers.TPESampler(seed=0, constant_liar=pending > 0)


def measured(method: str, window: int, pending: int, known: int) -> float:
    """Milliseconds a trial with so many known."""
    study = optuna.create_study(storage=storage("memory", ""), sampler=optuna.samplers.RandomSampler(seed=0))
    for point in points(known + pending):
        study.enqueue_trial(point)
    told(study, known)
    for _ in range(pending):
        suggest(study.ask())
    study.sampler = sampler(method, pending)
    told(study, 2)
    return told(study, window)


if __name__ == "__main__":
    method, window, pending, *sizes = sys.argv[1:]
    print(json.dumps({f"ms_at_{known}": measured(method, int(window), int(pending), int(known)) for known in sizes}))
