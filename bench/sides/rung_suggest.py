"""`rung_suggest.py METHOD WINDOW PENDING KNOWN...`: milliseconds of one ask and tell in memory with a searcher.

A study for each KNOWN: that many given configurations are told, PENDING more are asked for and not told, then WINDOW
trials of the searcher are asked for and told; the figure is their mean.
"""

from __future__ import annotations

import json
import sys
import time

from bowl import loss, points
from rung_ten import space

import rung


def told(study: rung.Study, trials: int) -> float:
    """That many trials are asked for and told; milliseconds for each."""
    started = time.perf_counter()
    for _ in range(trials):
        trial = study.ask()
        study.tell(trial, loss(trial.params))
    return 1e3 * (time.perf_counter() - started) / trials


def measured(method: str, window: int, pending: int, known: int) -> float:
    """Milliseconds a trial with so many known."""
    study = rung.Study(space(), metric="loss", search=method, seed=0, start=points(known + pending))
    told(study, known)
    for _ in range(pending):
        study.ask()
    told(study, 2)  # what is loaded once is not a trial's
    return told(study, window)


if __name__ == "__main__":
    method, window, pending, *sizes = sys.argv[1:]
    print(json.dumps({f"ms_at_{known}": measured(method, int(window), int(pending), int(known)) for known in sizes}))
