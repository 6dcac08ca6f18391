"""`rung_stopper.py URL STUDY TRIALS`: asks for each trial in turn to be stopped, a little after its last report."""

from __future__ import annotations

import random
import sys
import time

from marked_trial import REPORTS

from rung.api.handle import Handle
from rung.plugins import open_store

if __name__ == "__main__":
    handle = Handle(open_store(sys.argv[1]), sys.argv[2])
    rng = random.Random(0)
    for number in range(int(sys.argv[3])):
        while not (number in handle.state.live and handle.state.live[number].reports == REPORTS):
            time.sleep(0.02)
            handle.refresh()
        time.sleep(rng.uniform(0.2, 0.4))  # the trial waits for the signal by now
        handle.stop_trial(number)
