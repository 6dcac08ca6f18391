"""What a job and its runner agree on: file names, environment variables, and how one report line is written.

A report is one flat JSON object on one line: the metrics, a step key if there is one, and `_time` in Unix seconds. With
`_checkpoint` it commits the snapshot of that name, a folder in the attempt's `checkpoints/`; `_bytes` is its size.
JSON has no NaN and no infinities, so those are the strings "NaN", "Infinity", "-Infinity".
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

TYPE_CHECKING = False  # not `typing.TYPE_CHECKING`: importing typing costs 3 ms at the start of every trial
if TYPE_CHECKING:
    from typing import SupportsFloat

STARTED = "started"
EXIT = "exit"
STDOUT = "stdout"
STDERR = "stderr"
REPORTS = "reports.jsonl"
PARAMS = "params.json"
STOP = "stop"
INVALID = "invalid"
"""Holds why the program refused its configuration, where it did."""
WORKING_COPY = "checkpoint"
SNAPSHOTS = "checkpoints"

TRIAL_DIR = "RUNG_TRIAL_DIR"
PARAMS_FILE = "RUNG_PARAMS_FILE"
TRIAL = "RUNG_TRIAL"
STUDY = "RUNG_STUDY"
SEED = "RUNG_SEED"
ATTEMPT = "RUNG_ATTEMPT"
CHECKPOINT_DIR = "RUNG_CHECKPOINT_DIR"
RESOURCE = "RUNG_RESOURCE"
METRIC = "RUNG_METRIC"
JOB = "RUNG_JOB"
SNAPSHOTS_WANTED = "RUNG_CHECKPOINT"
"""\"0\" where the study keeps no checkpoints."""
RESOURCE_NAME = "RUNG_RESOURCE_NAME"
REPORTS_BEFORE = "RUNG_REPORTS"
"""How many reports the trial had made at the checkpoint that this attempt goes on from."""
TRIAL_VARIABLES = (
    TRIAL_DIR, PARAMS_FILE, TRIAL, STUDY, SEED, ATTEMPT, CHECKPOINT_DIR, RESOURCE, METRIC, JOB,
    SNAPSHOTS_WANTED, RESOURCE_NAME, REPORTS_BEFORE,
)  # fmt: skip

EXIT_ROOM = 16
"""Bytes that `exit` holds before the start: blanks, overwritten in place, so that a full disk cannot lose a status."""

TIME = "_time"
NAMED = "_checkpoint"
BYTES = "_bytes"
OURS = {
    TIME: "the time of a report is added by rung",
    NAMED: "a checkpoint is named by rung when its folder has changed",
    BYTES: "the size of a checkpoint is measured by rung",
}
NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

_LARGEST_INT = 2**63


def number(name: str, value: object) -> float | int | str:
    """`value` as the wire carries it. Raises `TypeError` naming the metric for anything that is no single number."""
    if type(value) is float:
        return value if math.isfinite(value) else _non_finite(value)
    if type(value) is int:
        return value if -_LARGEST_INT <= value < _LARGEST_INT else _clipped(value)
    return _foreign_number(name, value)


def _foreign_number(name: str, value: object) -> float | int | str:
    """The scalar inside a NumPy, torch or other number, or a subclass of ours."""
    if value is None or isinstance(value, (bool, str, bytes, complex)):
        raise _refused(name, value)
    inner: object = value
    if hasattr(value, "item"):
        try:
            inner = value.item()
        except (ValueError, TypeError, RuntimeError):  # more than one element, or a tensor without data
            raise _refused(name, value) from None
        if type(inner) in (float, int):
            return number(name, inner)
    if isinstance(inner, bool) or not hasattr(inner, "__float__"):
        raise _refused(name, value)
    return number(name, _as_float(name, inner))


def _as_float(name: str, value: SupportsFloat) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        raise _refused(name, value) from None


def _refused(name: str, value: object) -> TypeError:
    return TypeError(f"metric {name!r} must be one number, got {type(value).__name__} {value!r:.60}")


def _non_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _clipped(value: int) -> float | str:
    try:
        return float(value)
    except OverflowError:
        return "Infinity" if value > 0 else "-Infinity"


def report_line(metrics: Mapping[str, object]) -> bytes:
    """One line of `reports.jsonl` that says `metrics` now. Raises `TypeError` naming the metric that is no number."""
    parts: list[str] = []
    for name, value in metrics.items():
        if type(name) is not str or not name:
            raise TypeError(f"a metric's name must be a non-empty string, got {name!r}")
        if name in OURS:
            raise TypeError(f"{name!r} is not a metric: {OURS[name]}")
        plain = number(name, value)
        parts.append(f'{_quoted(name)}:"{plain}"' if type(plain) is str else f"{_quoted(name)}:{plain!r}")
    if not parts:
        raise TypeError("a report needs at least one metric, such as rung.report(loss=0.3)")
    parts.append(f'"{TIME}":{time.time():.6f}')
    return f"{{{','.join(parts)}}}\n".encode()


def naming(line: bytes, checkpoint: str, size: int) -> bytes:
    """The report `line` (as `report_line` makes it), which also commits the snapshot `checkpoint` of `size` bytes."""
    return line[:-2] + f',"{NAMED}":{_quoted(checkpoint)},"{BYTES}":{size}}}\n'.encode()


def _quoted(name: str) -> str:
    if name.isascii() and name.isprintable() and '"' not in name and "\\" not in name:
        return f'"{name}"'
    import json  # 6 ms that only an unusual name is worth

    return json.dumps(name)


def to_wire(value: object) -> object:
    """`value` with every non-finite number in it replaced by its name: what strict JSON can carry."""
    if isinstance(value, float) and not math.isfinite(value):
        return _non_finite(value)
    if isinstance(value, Mapping):
        return {str(key): to_wire(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_wire(inner) for inner in value]
    return value


def from_wire(value: object) -> object:
    """What `to_wire` was given."""
    if isinstance(value, str):
        return NON_FINITE.get(value, value)
    if isinstance(value, dict):
        return {key: from_wire(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [from_wire(inner) for inner in value]
    return value
