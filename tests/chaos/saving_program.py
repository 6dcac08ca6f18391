"""A trial that trains with real checkpoints: gradient descent on (w - 1)^2, in steps that it counts.

    python saving_program.py LEDGER TOP SECONDS MANNER --lr=...

LEDGER: one line for each program that begins. TOP: it ends there by itself; 0: never. MANNER: `heeds` ends at
RUNG_RESOURCE, `ignores` does not look at it, `forgets` ends there and saves nothing. What it saves holds every step that led to it, so
that a step which was done twice, or left out, shows.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import rung


def load(path: Path) -> dict[str, list[list[int]] | float]:
    """What an attempt of this trial, or of the one it was cloned from, has saved; else the beginning."""
    return json.loads(path.read_text()) if path.exists() else {"w": 0.0, "steps": []}


def main(ledger: str, top: int, seconds: float, manner: str) -> None:
    """It trains from where it was to where it may."""
    trial, attempt = rung.trial.number, rung.trial.attempt
    with open(ledger, "a") as file:
        file.write(f"begin {trial} {attempt} {os.getpid()} {os.getppid()}\n")
    path = rung.checkpoint_dir() / "state.json" if manner != "forgets" else Path("/nonexistent/state.json")
    state = load(path)
    steps, w = state["steps"], state["w"]
    assert isinstance(steps, list)
    assert isinstance(w, float)
    bound = rung.trial.resource if manner != "ignores" else None
    while (not top or len(steps) < top) and (bound is None or len(steps) < bound):
        w -= float(str(rung.params()["lr"])) * 2 * (w - 1)
        assert trial is not None
        assert attempt is not None
        steps.append([trial, attempt, len(steps) + 1])
        if manner != "forgets":
            path.write_text(json.dumps({"w": w, "steps": steps}))  # torn by a kill: what is resumed is a snapshot
        rung.report(loss=(w - 1) ** 2, epoch=len(steps))
        time.sleep(seconds)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4])
