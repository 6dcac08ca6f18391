"""`rung_simulate.py FOLDER WORKERS TRIALS SCHEDULE STORE`: a study on a clock that is charged what decisions take.

Every trial has ten epochs of about ten seconds. Says how busy the workers were until the last trial began, and how many
reports a second of real time went through runner and store.
"""

from __future__ import annotations

import json
import sys
import time

import rung

EPOCHS, EPOCH_S = 10, 10.0


def loss(params: dict[str, float], step: float) -> dict[str, float]:
    return {"loss": (params["x"] - 0.3) ** 2 + 1 / step}


def seconds(params: dict[str, float], step: float) -> float:
    return EPOCH_S * step * (0.8 + 0.4 * params["x"])


if __name__ == "__main__":
    folder, workers, trials, schedule, store = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:6]
    study = {
        "parameters": {"x": {"type": "float", "min": 0, "max": 1}},
        "objective": "loss",
        "search": {"method": "random", "seed": 0},
        "schedule": {"method": schedule, "resource": "step"} | ({"max": EPOCHS} if schedule != "none" else {}),
        "budget": {"trials": trials},
    }
    url = {"memory": None, "sqlite": f"sqlite:///{folder}/rung.db"}[store]
    begun = time.perf_counter()
    found = rung.simulate(study, loss, seconds=seconds, steps=EPOCHS, workers=workers, store=url, name=url and "b")
    taken = time.perf_counter() - begun
    figures = found.figures
    print(json.dumps({"busy": 100 * figures.busy_filling, "reports_per_second": figures.reports / taken}))
