"""A trial of Rung that reports at uneven intervals and notes, in `noted` in its directory, when something happened.

MODE (environment) says what: `decision`: its last report is a bad one, and it notes when it was told to stop;
`request`: it waits to be stopped by somebody, and notes when it was told; `target`: trial 0 waits to be told, any
other one reaches the target, notes when, and ends at once.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import rung

REPORTS = 10


def note() -> None:
    """The time is noted."""
    Path(os.environ["RUNG_TRIAL_DIR"], "noted").write_text(repr(time.time()))


def wait_to_be_told() -> None:
    """SIGTERM has come."""
    signal.sigwait({signal.SIGTERM})
    note()


def main() -> None:
    """The part that MODE names has been played."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    mode, first = os.environ["MODE"], rung.trial.number == 0
    rng = random.Random(rung.trial.seed)
    if mode == "target" and not first:
        time.sleep(0.3)  # until trial 0 waits
    for _ in range(REPORTS):
        time.sleep(rng.uniform(0.01, 0.04))
        rung.report(loss=1.0)
    time.sleep(rng.uniform(0.02, 0.12))
    if mode == "decision" or (mode == "target" and not first):
        rung.report(loss=-1.0)
    if mode == "target" and not first:
        note()
        os._exit(0)
    wait_to_be_told()


if __name__ == "__main__":
    main()
