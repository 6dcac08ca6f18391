"""Trials as CSV, and columns of some trials as plain values: a line a trial, in any order."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np

from rung.analysis.records import cell, inert, iso, wired
from rung.analysis.trialtable import column, metric_names, parameter_names, resolved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from rung.study.state import State

CHUNK = 2_000  # lines written at once
REST = ("steps", "started", "ended", "duration", "attempt", "reason", "error")


def picked(state: State, numbers: Sequence[int], names: Sequence[str]) -> list[list[Any]]:
    """These columns of these trials, a list a trial, as JSON has them; None where there is no value."""
    some = np.asarray(numbers, np.int64)
    return [list(line) for line in zip(*(_values(state, name, some) for name in names), strict=True)]


def _values(state: State, name: str, numbers: NDArray[np.int64]) -> list[Any]:
    found = column(state, name)
    if found.categories is not None:
        values = [*(wired(value) for value in found.categories), None]  # code -1 is the last one
        return [values[code] for code in found.values[numbers].tolist()]
    convert = _meaning(state, found.name)
    each = zip(found.values[numbers].tolist(), found.missing[numbers].tolist(), strict=True)
    return [None if absent else wired(convert(value)) for value, absent in each]


def csv_header(state: State, names: Sequence[str] | None, numbers: NDArray[np.int64]) -> list[tuple[str, str]]:
    """(title, column) of a file. Without `names` all columns, titled `params_NAME` and `values_NAME`; of the metrics
    those that any of the trials has."""
    if names is not None:
        return [(name, resolved(state, name)) for name in names]
    known = [("number", "number"), ("state", "state"), ("value", "value")]
    known += [(f"params_{name}", f"params.{name}") for name in parameter_names(state)]
    for name in metric_names(state):
        if not column(state, f"metrics.{name}").missing[numbers].all():
            known.append((f"values_{name}", f"metrics.{name}"))
    return known + [(name, name) for name in REST]


def csv_lines(state: State, numbers: NDArray[np.int64], names: Sequence[str] | None = None) -> Iterator[str]:
    """The trials as CSV, some thousand lines at a time: a header, then a line each, in this order.

    Everything is read from the state at the first step: it may change while a slow reader takes the rest.
    """
    header = csv_header(state, names, numbers)
    cells = [_cells(state, name) for _, name in header]
    lines = _Lines()
    writer = csv.writer(lines)
    writer.writerow([inert(title) for title, _ in header])
    for begin in range(0, len(numbers), CHUNK):
        some = numbers[begin : begin + CHUNK]
        writer.writerows(zip(*(each(some) for each in cells), strict=True))
        yield lines.taken()
    yield lines.taken()


def _cells(state: State, name: str) -> Callable[[NDArray[np.int64]], list[str]]:
    """What gives a column's cells of some trials."""
    if name == "value" and len(state.spec.objectives) != 1:
        return lambda some: [""] * len(some)
    found = column(state, name)
    if found.categories is not None:
        texts = [*(inert(cell(value)) for value in found.categories), ""]  # code -1 is the last one
        return lambda some: [texts[code] for code in found.values[some].tolist()]
    convert, missing = _meaning(state, name), found.missing

    def cells(some: NDArray[np.int64]) -> list[str]:
        each = zip(found.values[some].tolist(), missing[some].tolist(), strict=True)
        return ["" if absent else _spelt(convert(value)) for value, absent in each]

    return cells


def _spelt(value: Any) -> str:
    """A number or a moment in a CSV cell: what is not finite as Python has it, as in all files of ours."""
    return value if isinstance(value, str) else repr(value)


def _meaning(state: State, name: str) -> Callable[[Any], Any]:
    """What makes the value that a record has of a column's number."""
    if name in {"started", "ended"}:
        return iso
    if name == "duration":
        return lambda seconds: round(seconds, 6)
    if name.startswith("params."):
        parameter = name.removeprefix("params.")
        own = state.space.constants.get(parameter)
        if state.space.whole(parameter) if own is None else isinstance(own, int):
            return lambda value: int(value) if value.is_integer() else value
    return lambda value: value


class _Lines:
    """Takes the rows of a CSV writer. Its own line end is left at \\r\\n, since it quotes only characters of that."""

    def __init__(self) -> None:
        self._kept: list[str] = []

    def write(self, row: str) -> None:
        """One row, ended by a newline alone."""
        self._kept.append(row.removesuffix("\r\n") + "\n")

    def taken(self) -> str:
        """What was written since the last call."""
        kept, self._kept = self._kept, []
        return "".join(kept)
