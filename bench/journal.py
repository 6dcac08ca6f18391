"""What was measured, as JSON lines that are flushed as they come: a run that was stopped goes on where it was.

A line is one side of one round. Rounds count only when every side of them is there, since sides are compared within
a round; a round that was cut short is measured again. Lines of another code version, size or machine stay in the file
and are not used.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Values = dict[str, float]


class Conditions(msgspec.Struct, frozen=True):
    """What must be the same for two measurements to be comparable."""

    row: str
    sizes: dict[str, int]
    code: str
    machine: str

    def key(self) -> str:
        """A short name for these conditions."""
        text = json.dumps([self.row, sorted(self.sizes.items()), self.code, self.machine])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class Measured(msgspec.Struct, frozen=True):
    """One side of one round. `at` is Unix seconds; `load` the load average before it."""

    key: str
    row: str
    side: str
    round: int
    values: Values
    at: float
    load: float
    sizes: dict[str, int] = {}
    code: str = ""


class Journal:
    """The file of measurements."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def append(self, measured: Measured) -> None:
        """The measurement is on disk."""
        with self.path.open("ab") as file:
            if file.tell() and not self._ends_whole():
                file.write(b"\n")
            file.write(msgspec.json.encode(measured) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _ends_whole(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

    def lines(self) -> list[Measured]:
        """All measurements, in the order they were made; a torn line is left out."""
        found = []
        for line in self.path.read_bytes().splitlines() if self.path.exists() else []:
            try:
                found.append(msgspec.json.decode(line, type=Measured))
            except msgspec.DecodeError:
                continue
        return found

    def rounds(self, conditions: Conditions, sides: Sequence[str]) -> list[dict[str, Measured]]:
        """The complete rounds under these conditions, in order; of a side measured twice in a round, the last."""
        key = conditions.key()
        by_round: dict[int, dict[str, Measured]] = {}
        for line in self.lines():
            if line.key == key and line.side in sides:
                by_round.setdefault(line.round, {})[line.side] = line
        return [found for _, found in sorted(by_round.items()) if len(found) == len(sides)]

    def column(self, conditions: Conditions, sides: Sequence[str], *, side: str, metric: str) -> list[float]:
        """A side's figure in each complete round."""
        return [found[side].values[metric] for found in self.rounds(conditions, sides)]


def machine_id(machine: Mapping[str, Any]) -> str:
    """A short name for a machine as `measure.machine` describes it."""
    return hashlib.sha256(json.dumps(dict(machine), sort_keys=True).encode()).hexdigest()[:12]
