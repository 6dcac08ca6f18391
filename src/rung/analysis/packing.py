"""Columns of trials as raw bytes, for a page that draws 100,000 of them.

8 bytes `RUNGCOL1`, the header's length (u32, little-endian), four zero bytes, the header (JSON, padded with blanks to a
multiple of 8), then each column's raw little-endian data, aligned to 8 bytes. The header says `seq`, `rows`, how many
trials were `matching` `of` all, and of each column its `name`, `type` (`f64`, NaN where missing; `i32`; `codes`: i32
into `categories`, -1 where missing), `offset` from the end of the header and `length` in bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from rung.analysis.filtering import matching
from rung.analysis.records import wired
from rung.analysis.trialtable import available, column, order, resolved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rung.analysis.trialtable import Column
    from rung.study.state import State

MAGIC = b"RUNGCOL1"
_ALIGNED = 8


def packed(
    state: State, names: Sequence[str] | None = None, *, where: str = "", sort: str | None = None,
    marks: int | None = None,
) -> bytes:  # fmt: skip
    """The columns `names` (None: number, state, value, parameters and objectives) of the trials that `where` holds for,
    in the order of `sort`; of more than `marks` trials those that `thinned` chooses. Raises `BadInput`."""
    wanted = [resolved(state, name) for name in (usual(state) if names is None else names)]
    numbers = order(state, sort, matching(state, where) if where.strip() else None)
    columns = [column(state, name) for name in dict.fromkeys(wanted)]
    kept = numbers if marks is None or len(numbers) <= marks else thinned(state, numbers, marks, columns)
    parts: list[bytes] = []
    described: list[dict[str, Any]] = []
    offset = 0
    for one in columns:
        data = _raw(one, kept)
        described.append(
            {
                "name": one.name,
                "type": _type(one),
                "offset": offset,
                "length": len(data),
                "categories": None if one.categories is None else wired(list(one.categories)),
            }
        )
        padded = data + bytes(-len(data) % _ALIGNED)
        parts.append(padded)
        offset += len(padded)
    header = msgspec.json.encode(
        {"seq": state.seq, "rows": len(kept), "matching": len(numbers), "of": len(state), "columns": described}
    )
    header += b" " * (-len(header) % _ALIGNED)
    return b"".join([MAGIC, len(header).to_bytes(4, "little"), bytes(4), header, *parts])


def mask_bits(mask: NDArray[np.bool_]) -> bytes:
    """Bit i, the lowest of a byte first, is trial i's."""
    return np.packbits(mask, bitorder="little").tobytes()


def usual(state: State) -> list[str]:
    """The columns that most plots need."""
    infos = available(state)
    goals = [info.name for info in infos if info.group == "metrics" and info.goal is not None]
    value = ["value"] if len(state.spec.objectives) == 1 else []
    return ["number", "state", *value, *(info.name for info in infos if info.group == "params"), *goals]


def thinned(state: State, numbers: NDArray[np.int64], marks: int, columns: Sequence[Column]) -> NDArray[np.int64]:
    """At most `marks` of the trials, in the order given: the best one, the first, the last, each column's lowest and
    highest, and others as a hash of their number has it. So the choice is the same each time, and hardly changes as
    trials are added."""
    marks = max(1, marks)
    keep = dict.fromkeys(place for place in [_best_place(state, numbers), 0, len(numbers) - 1] if place is not None)
    for one in columns:
        if one.categories is None:
            values = one.values[numbers].astype(np.float64)
            finite = np.flatnonzero(np.isfinite(values))
            if len(finite):
                keep |= dict.fromkeys([int(finite[values[finite].argmin()]), int(finite[values[finite].argmax()])])
    must = list(keep)[:marks]
    hashed = _hash(numbers)
    hashed[must] = 0
    chosen = np.argpartition(hashed, marks - 1)[:marks]
    return numbers[np.sort(chosen)]


def _best_place(state: State, numbers: NDArray[np.int64]) -> int | None:
    """Where the trial with the least loss of the first objective stands."""
    if not state.spec.objectives:
        return None
    objective = state.spec.objectives[0]
    values = column(state, f"metrics.{objective.metric}").values[numbers]
    goal = objective.goal
    losses = values if goal == "minimize" else -values if goal == "maximize" else np.abs(values - float(goal))
    finite = np.flatnonzero(np.isfinite(losses))
    return int(finite[losses[finite].argmin()]) if len(finite) else None


def _hash(numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A number above 0 for each trial that says nothing of it (the mixing of SplitMix64, Steele et al. 2014)."""
    mixed = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((mixed ^ (mixed >> np.uint64(31))) | np.uint64(1), dtype=np.uint64)


def _type(one: Column) -> str:
    if one.categories is not None:
        return "codes"
    return "i32" if one.values.dtype.kind == "i" else "f64"


def _raw(one: Column, numbers: NDArray[np.int64]) -> bytes:
    return np.ascontiguousarray(one.values[numbers], dtype="<i4" if one.values.dtype.kind == "i" else "<f8").tobytes()


__all__ = ["mask_bits", "packed", "thinned", "usual"]
