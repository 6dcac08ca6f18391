"""`rung_scaling.py WINDOW KNOWN...`: microseconds of one ask and tell in memory, with so many trials known.

KNOWN ascends; each figure is the mean over the WINDOW trials that follow.
"""

from __future__ import annotations

import json
import sys
import time

from rung_ten import space

import rung


def advance(study: rung.Study, trials: int) -> float:
    """That many more trials are told; microseconds for each."""
    started = time.perf_counter()
    for _ in range(trials):
        study.tell(study.ask(), 0.5)
    return 1e6 * (time.perf_counter() - started) / trials


if __name__ == "__main__":
    window = int(sys.argv[1])
    study = rung.Study(space(), metric="loss", search="random", seed=0)
    done, found = 0, {}
    for known in map(int, sys.argv[2:]):
        advance(study, known - done)
        found[f"us_at_{known}"] = advance(study, window)
        done = known + window
    print(json.dumps(found))
