"""`rung_ask_tell.py FOLDER TRIALS`: ask and tell that many trials through a store on disk; milliseconds a trial."""

from __future__ import annotations

import json
import sys
import time

from rung_ten import space

import rung

if __name__ == "__main__":
    folder, trials = sys.argv[1], int(sys.argv[2])
    study = rung.Study(space(), metric="loss", search="random", seed=0, store=f"sqlite:///{folder}/rung.db", name="b")
    study.tell(study.ask(), 0.5)  # what is loaded and opened once is not a trial's
    started = time.perf_counter()
    for _ in range(trials):
        study.tell(study.ask(), 0.5)
    taken = time.perf_counter() - started
    assert sum(trial.state == "complete" for trial in study.trials) == trials + 1
    print(json.dumps({"ms_per_trial": 1e3 * taken / max(1, trials)}))
