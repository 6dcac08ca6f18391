"""`optuna_open.py FOLDER`: the seconds and the peak memory until Optuna holds the trials of the study."""

from __future__ import annotations

import json
import sys
import time

import optuna
from optuna_ten import storage
from process_memory import peak_mb

if __name__ == "__main__":
    before = peak_mb()
    started = time.perf_counter()
    trials = optuna.load_study(study_name="large", storage=storage("sqlite", sys.argv[1])).trials
    taken = time.perf_counter() - started
    print(json.dumps({"seconds": taken, "peak_mb": peak_mb(), "before_mb": before, "trials": len(trials)}))
