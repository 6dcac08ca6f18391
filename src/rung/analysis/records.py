"""Trials as plain JSON objects (CONTRACT, section JSON) and as columns for a data frame."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from rung.model import Report, Trial, to_wire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rung.study.state import State


def iso(at: float | None) -> str | None:
    """Unix seconds as ISO 8601 in UTC, to the millisecond."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def wired(value: Any) -> Any:
    """The value with every float in it as JSON can carry it."""
    if isinstance(value, float):
        return to_wire(value)
    if isinstance(value, dict):
        return {key: wired(item) for key, item in value.items()}
    return [wired(item) for item in value] if isinstance(value, list | tuple) else value


def record(state: State, trial: Trial, reports: Iterable[Report] | None = None) -> dict[str, Any]:
    """One trial as `rung trials --json` shows it. With several objectives `value` is null: see `values`."""
    single = len(state.spec.objectives) == 1
    found: dict[str, Any] = {
        "number": trial.number,
        "state": trial.state,
        "params": wired(trial.params),
        "value": wired(trial.value) if single else None,
        "values": wired(trial.values),
        "steps": trial.steps,
        "started": iso(trial.started),
        "ended": iso(trial.ended),
        "duration": duration(trial),
        "attempt": trial.attempt,
        "reason": trial.reason,
        "error": trial.error,
    }
    if reports is not None:
        begun = trial.started or 0.0
        found["reports"] = [
            {"step": whole(r.step), "time": round(max(0.0, r.time - begun), 6), "values": r.values} for r in reports
        ]
    return found


def duration(trial: Trial) -> float | None:
    """Seconds from start to end of the last attempt."""
    if trial.started is None or trial.ended is None:
        return None
    return round(max(0.0, trial.ended - trial.started), 6)


def whole(number: float) -> float | int:
    """An int where the number is whole: a step is counted, not measured."""
    return int(number) if number == number // 1 and abs(number) < 2**53 else number


def columns(state: State, trials: Iterable[Trial] | None = None) -> dict[str, list[Any]]:
    """The trials (None: all) as columns: number, state, value, `params_NAME`, `values_NAME`, the rest of the record."""
    records = [record(state, trial) for trial in (state.trials() if trials is None else trials)]
    params = list(state.space.full(dict.fromkeys(state.space.names)))
    metrics = list(dict.fromkeys(name for r in records for name in r["values"]))
    table: dict[str, list[Any]] = {name: [r[name] for r in records] for name in ("number", "state", "value")}
    table |= {f"params_{name}": [r["params"].get(name) for r in records] for name in params}
    table |= {f"values_{name}": [_number(r["values"].get(name)) for r in records] for name in metrics}
    rest = ("steps", "started", "ended", "duration", "attempt", "reason", "error")
    table["value"] = [_number(value) for value in table["value"]]
    return table | {name: [r[name] for r in records] for name in rest}


def data_frame(state: State) -> Any:
    """`columns` as a pandas or polars data frame, whichever is installed; else as they are."""
    table = columns(state)
    for library in ("pandas", "polars"):
        with contextlib.suppress(ImportError):
            return __import__(library).DataFrame(table)
    return table


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def inert(text: str) -> str:
    """The text as a CSV cell that no spreadsheet takes for a formula, with an apostrophe before one that could do
    something: names and values of a study are anybody's, and files are opened by others. `-2`, `+1` and `-O2` are left
    as they are: without a call, a reference or a pipe there is nothing in them to run."""
    begins = text[:1]
    harmful = begins in {"=", "@", "\t", "\r"} or (begins in {"+", "-"} and any(char in text for char in "(|!"))
    return f"'{text}" if harmful else text


def cell(value: Any) -> str:
    """A value for a CSV cell or a terminal table: text as it is, numbers without loss, the rest as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
