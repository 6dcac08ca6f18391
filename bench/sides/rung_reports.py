"""`rung_reports.py FOLDER WRITERS REPORTS HOW`: reports a second, from the first written to the last durable.

Also the microseconds of processor time that the runner's process used for each.
"""

from __future__ import annotations

import json
import math
import os
import resource
import sys
import time
from pathlib import Path

from rung_attached import study_of, work

from rung.study import events as ev


class Counted:
    """What has arrived."""

    def __init__(self) -> None:
        self.reports, self.first, self.last = 0, math.inf, 0.0

    def see(self, event: ev.AnyEvent) -> None:
        """One more event is durable."""
        if isinstance(event, ev.TrialReported):
            self.reports += len(event.reports)
            self.first = min(self.first, event.reports[0].time)
            self.last = time.time()


if __name__ == "__main__":
    folder, writers, reports = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    os.environ["REPORTS"], os.environ["HOW"] = str(reports), sys.argv[4]
    counted = Counted()
    handle = study_of(folder, "b", str(Path(__file__).with_name("fast_trial.py")), trials=writers, workers=writers)
    before = resource.getrusage(resource.RUSAGE_SELF)
    work(handle, workers=writers, seen=counted.see)
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert counted.reports == writers * reports, counted.reports
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    per_second = counted.reports / (counted.last - counted.first)
    print(json.dumps({"per_second": per_second, "cpu_us_per_report": 1e6 * cpu / counted.reports}))
