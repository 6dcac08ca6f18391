"""`rung_reaction.py MODE FOLDER COUNT`: milliseconds until the runner has acted; modes as in `marked_trial.py`.

`logged`: from each report being written to its being durable in the store. `decided`: from the bad report to the
decision being durable. `told`: from the cause (bad report, request, target reached) to the trial's process being told.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from rung_attached import study_of, work

from rung.study import events as ev

if TYPE_CHECKING:
    from rung.api.handle import Handle

HERE = Path(__file__).parent
TRIAL = str(HERE / "marked_trial.py")
Found = dict[str, list[float]]


def noted(handle: Handle, number: int) -> float:
    """When the trial noted what it was to note."""
    folder = Path(handle.state.created.provenance["runs"]) / handle.name / f"{number:05d}" / "1"
    return float((folder / "noted").read_text())


def decisions(folder: Path, count: int) -> Found:
    """Trials that the schedule stops."""
    found: Found = defaultdict(list)
    marked: dict[int, float] = {}

    def seen(event: ev.AnyEvent) -> None:
        now = time.time()
        if isinstance(event, ev.TrialReported):
            found["logged"] += [now - report.time for report in event.reports]
            for report in event.reports:
                if report.values["loss"] == -1.0:
                    marked[event.trial] = report.time
        if isinstance(event, ev.TrialStopped):
            found["decided"].append(now - marked[event.trial])

    handle = study_of(folder, "b", TRIAL, trials=count, workers=1, schedule=str(HERE / "stop_on_mark.py"))
    work(handle, workers=1, seen=seen)
    handle.refresh()
    found["told"] = [noted(handle, number) - at for number, at in marked.items()]
    assert len(found["told"]) == len(found["decided"]) == count
    return found


def requests(folder: Path, count: int) -> Found:
    """Trials that somebody else, in another process, asks to be stopped."""
    asked: dict[int, float] = {}

    def seen(event: ev.AnyEvent) -> None:
        if isinstance(event, ev.TrialStopRequested):
            asked[event.trial] = event.at

    handle = study_of(folder, "b", TRIAL, trials=count, workers=1)
    stopper = subprocess.Popen([sys.executable, str(HERE / "rung_stopper.py"), handle.store.url, "b", str(count)])
    work(handle, workers=1, seen=seen)
    assert stopper.wait(timeout=60) == 0
    return {"told": [noted(handle, number) - at for number, at in asked.items()]}


def targets(folder: Path, count: int) -> Found:
    """Studies in which one trial reaches the target, so that the other one is stopped."""
    told = []
    for index in range(count):
        handle = study_of(folder, f"b{index}", TRIAL, trials=2, workers=2, target=0.0)
        work(handle, workers=2, seen=lambda event: None)
        told.append(noted(handle, 0) - noted(handle, 1))
    return {"told": told}


MODES = {"decision": decisions, "request": requests, "target": targets}

if __name__ == "__main__":
    mode = os.environ["MODE"] = sys.argv[1]
    delays = MODES[mode](Path(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps({name: [1e3 * delay for delay in of_name] for name, of_name in delays.items()}))
