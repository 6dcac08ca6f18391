"""`optuna_reports.py FOLDER REPORTS`: `trial.report` that often, into SQLite; reports a second."""

from __future__ import annotations

import json
import sys
import time

import optuna
from optuna_ten import storage

if __name__ == "__main__":
    folder, reports = sys.argv[1], int(sys.argv[2])
    study = optuna.create_study(storage=storage("sqlite", folder))
    trial = study.ask()
    trial.report(1.0, 0)
    started = time.perf_counter()
    for step in range(1, reports + 1):
        trial.report(1.0 / step, step)
    print(json.dumps({"per_second": reports / (time.perf_counter() - started)}))
