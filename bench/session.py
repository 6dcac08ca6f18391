"""One run of the harness: which code on which machine, how large, and where the numbers go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bench.claims import Verdict, judge
from bench.journal import Conditions, Journal, Measured
from bench.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.rows.base import Row


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """`target` is the folder that the report is written to; `source` holds the code that `code` is the version of."""

    quick: bool
    journal: Journal
    shop: Workshop
    machine: dict[str, str | int | float]
    machine_id: str
    code: str
    target: Path
    source: Path | None = None

    def conditions(self, row: Row) -> Conditions:
        """What this session measures the row under."""
        return Conditions(row.name, row.quick if self.quick else row.sizes, self.code, self.machine_id)

    def rounds(self, row: Row) -> int:
        """How many rounds of the row this session wants."""
        return row.quick_rounds if self.quick else row.rounds

    def measured(self, row: Row) -> list[dict[str, Measured]]:
        """The complete rounds of the row: of this code, else of the code that was measured last on this machine."""
        ours = self.conditions(row)
        codes = [line.code for line in self.journal.lines() if line.row == row.name and line.sizes == ours.sizes]
        for code in [self.code, *reversed(codes)]:
            found = self.journal.rounds(msgspec.structs.replace(ours, code=code), list(row.sides))
            if found:
                return found
        return []

    def column(self, row: Row) -> Callable[[str, str], list[float]]:
        """The row's figures by side and metric, one a round."""
        rounds = self.measured(row)
        return lambda side, metric: [found[side].values[metric] for found in rounds]

    def verdicts(self, row: Row) -> list[Verdict]:
        """The row's claims with their numbers; none before there is a complete round."""
        return [judge(claim, self.column(row)) for claim in row.claims] if self.measured(row) else []
