"""A trial that says as many reports as fast as it can: REPORTS of them, by `rung.report` or (HOW=lines) as one block
of ready-made lines, as a program in another language may write them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import rung

if __name__ == "__main__":
    count = int(os.environ["REPORTS"])
    if os.environ["HOW"] == "lines":
        now = f"{time.time():.6f}"
        lines = "".join(f'{{"loss":{1.0 / (step + 1)!r},"step":{step},"_time":{now}}}\n' for step in range(count))
        with Path(os.environ["RUNG_TRIAL_DIR"], "reports.jsonl").open("a") as file:
            file.write(lines)
    else:
        for step in range(count):
            rung.report(loss=1.0 / (step + 1), step=step)
