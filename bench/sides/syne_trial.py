"""A trial of Syne Tune that reports now and then: REPORTS from the environment, at uneven intervals."""

from __future__ import annotations

import os
import random
import time

from syne_tune import Reporter

if __name__ == "__main__":
    report = Reporter()
    rng = random.Random(0)
    for step in range(int(os.environ["REPORTS"])):
        time.sleep(rng.uniform(0.1, 0.9))
        report(loss=1.0, step=step)
