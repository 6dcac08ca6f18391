"""What a training script reports with: one line on standard output for each call.

Inside a study the line is also what keeps a checkpoint: when `--st_checkpoint_dir` has changed since the last report,
the folder is copied first and the line names the copy.
"""

from __future__ import annotations

import json
import os
import sys
import time

from .constants import ST_WORKER_ITER, ST_WORKER_TIME, ST_WORKER_TIMESTAMP

TYPE_CHECKING = False  # importing typing costs every trial 3 ms
if TYPE_CHECKING:
    from typing import Any

    from rung.inside.snapshot import Keeper

PREFIX = "[tune-metric]: "
MOST_BYTES = 50_000


class Reporter:
    """Reports metrics to the tuner: `report = Reporter()`, then `report(epoch=1, loss=0.3)` as often as there is news.

    `add_time`: the time, the seconds since the reporter was made and the number of the report are part of it.
    `add_cost`: kept for its place; it has no meaning outside the service that it is of.
    """

    def __init__(self, add_time: bool = True, add_cost: bool = True) -> None:
        self.add_time = add_time
        self.add_cost = add_cost
        self.start = time.perf_counter()
        self.iter = 0
        self._keeper: Keeper | None = None

    def __call__(self, **kwargs: Any) -> None:
        """The values are reported, on a line of their own, flushed.

        Raises `AssertionError` for a value that is None, a name that begins with `st_` and more than 50,000 bytes,
        `TypeError` for what is no JSON.
        """
        for name, value in kwargs.items():
            assert value is not None, f"{name} is None: a report needs a value for it"
            assert not name.startswith("st_"), f"{name}: names that begin with st_ are kept for the tuner"
        line = PREFIX + json.dumps({**kwargs, **self._times()}, default=_scalar)
        assert sys.getsizeof(line) < MOST_BYTES, f"a report has less than {MOST_BYTES} bytes: report numbers, not data"
        self.iter += 1
        self._say(f"{line}\n".encode(), kwargs)

    def _times(self) -> dict[str, Any]:
        if not self.add_time:
            return {}
        return {
            ST_WORKER_TIMESTAMP: time.time(),
            ST_WORKER_TIME: time.perf_counter() - self.start,
            ST_WORKER_ITER: self.iter,
        }

    def _say(self, line: bytes, metrics: dict[str, Any]) -> None:
        """The line is written, naming a copy of the checkpoint where there is a new one."""
        keeper = self._keeper or self._made()
        if keeper is None:
            _write(line)
        else:
            keeper.commit(line, metrics, _write)

    def _made(self) -> Keeper | None:
        """Who keeps this trial's checkpoints; None outside a study, where none are wanted, and before there is one."""
        directory, folder = os.environ.get("RUNG_TRIAL_DIR"), os.environ.get("RUNG_CHECKPOINT_DIR")
        wanted = os.environ.get("RUNG_CHECKPOINT") != "0"
        if not (directory and folder and wanted and os.access(folder, os.F_OK)):
            return None
        from rung.inside.snapshot import Keeper  # 20 ms that a trial without checkpoints need not pay

        self._keeper = Keeper(folder, directory, os.environ)
        return self._keeper


def _write(line: bytes) -> None:
    """All of `line` goes out in one piece, so that what other threads print stays beside it."""
    sys.stdout.write(line.decode())
    sys.stdout.flush()


def _scalar(value: Any) -> Any:
    """The number in a NumPy or torch scalar."""
    if hasattr(value, "item"):
        try:
            return value.item()
        except (ValueError, RuntimeError):  # more than one number
            pass
    raise TypeError(f"a report holds numbers, texts and what JSON can say, not {type(value).__name__}")


def retrieve(log_lines: list[str]) -> list[dict[str, Any]]:
    """What the reports in the lines of a log say, in order."""
    import re

    return [json.loads(found) for found in re.findall(r"\[tune-metric\]: (\{.*\})", "\n".join(log_lines))]
