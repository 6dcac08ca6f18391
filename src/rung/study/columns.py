"""A table that grows by rows: one NumPy array a column, doubled when full, so that a row costs O(1) and a history of
100,000 trials is a few megabytes of raw numbers that a snapshot writes as they are."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Columns:
    """Named columns of one length. `table[name]` is a view of the rows that exist; write through it."""

    def __init__(self, **types: tuple[str, int, Any]) -> None:
        """`types`: name -> (NumPy type, width (0: a flat column), value of a new row)."""
        self._types = dict(types)
        self._length = 0
        self._room = 64
        self._arrays = {name: self._empty(name) for name in types}

    def _empty(self, name: str) -> Array:
        dtype, width, fill = self._types[name]
        return np.full(self._room if not width else (self._room, width), fill, dtype)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name][: self._length]

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def names(self) -> list[str]:
        """The columns, in the order they were added."""
        return list(self._types)

    def add_column(self, name: str, dtype: str, fill: Any) -> None:
        """A new flat column whose rows all hold `fill`."""
        self._types[name] = (dtype, 0, fill)
        self._arrays[name] = self._empty(name)

    def add_row(self) -> int:
        """The number of a new row that holds every column's fill value."""
        if self._length == self._room:
            self._room *= 2
            for name, old in self._arrays.items():
                self._arrays[name] = self._empty(name)
                self._arrays[name][: self._length] = old
        self._length += 1
        return self._length - 1

    def dump(self) -> dict[str, Any]:
        """Types and raw little-endian bytes, ready for msgpack."""
        return {
            "length": self._length,
            "columns": {
                name: [dtype, width, np.asarray(fill, dtype).tobytes(), np.ascontiguousarray(self[name]).tobytes()]
                for name, (dtype, width, fill) in self._types.items()
            },
        }

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> Columns:
        """The table that `dump` wrote. Raises `msgspec.ValidationError` when the sizes do not fit."""
        types = {
            name: (dtype, width, np.frombuffer(fill, dtype)[0])
            for name, (dtype, width, fill, _) in dumped["columns"].items()
        }
        table = cls(**types)
        table._length = dumped["length"]
        table._room = max(64, table._length)
        for name, (dtype, width, _, raw) in dumped["columns"].items():
            rows = np.frombuffer(raw, dtype)
            if len(rows) != table._length * (width or 1):
                raise msgspec.ValidationError(f"column {name}: {len(rows)} numbers for {table._length} rows")
            array = table._empty(name)
            array[: table._length] = rows if not width else rows.reshape(-1, width)
            table._arrays[name] = array
        return table
