"""Metrics: JSON objects on lines of their own."""

from __future__ import annotations

import json
import sys
from typing import Any


class Logger:
    """Collects names and values until they are flushed as one line of JSON."""

    def __init__(self) -> None:
        self.partial_logs: dict[str, Any] = {}

    def __enter__(self) -> Logger:  # noqa: PYI034 - Self is not in every Python that runs trials
        self.partial_logs = {}
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()

    def log(self, *pairs: Any, **named: Any) -> None:
        """The names and values, `log("loss", 0.1, "epoch", 3)` or `log(loss=0.1)`, are collected. Raises `ValueError`
        for a name without a value."""
        if len(pairs) % 2:
            raise ValueError(f"a name without a value: log() got {len(pairs)} arguments, {pairs!r}")
        self.partial_logs.update({str(name): value for name, value in zip(pairs[::2], pairs[1::2])})  # noqa: B905 - runs on any Python 3
        self.partial_logs.update(named)

    def flush(self) -> None:
        """What was collected is on a line of stdout, if anything was."""
        if not self.partial_logs:
            return
        # The line break before it: whatever was printed without one must not spoil the line.
        print(f"\n{json.dumps(self.partial_logs, default=str)}", file=_stream(), flush=True)
        self.partial_logs = {}


def _stream() -> Any:
    """Where trials are read: not where a notebook shows things."""
    in_notebook = "ipykernel" in sys.modules
    return (sys.__stdout__ or sys.stdout) if in_notebook else sys.stdout


logger = Logger
