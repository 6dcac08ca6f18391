"""The rows: what is measured, on which sides, how large, and what the figures are claimed to show."""

from __future__ import annotations

from bench.rows.base import Row
from bench.rows.noop import NOOP, SHORT
from bench.rows.opening import OPENING
from bench.rows.reaction import REACTION
from bench.rows.reports import REPORTS
from bench.rows.scaling import SCALING
from bench.rows.simulated import SIMULATED
from bench.rows.startup import STARTUP
from bench.rows.storage import FLUSHES, STORAGE
from bench.rows.suggest import SUGGEST_GP, SUGGEST_PENDING, SUGGEST_TPE

ROWS: dict[str, Row] = {
    row.name: row
    for row in (
        NOOP, SHORT, STORAGE, FLUSHES, STARTUP, REACTION, REPORTS, OPENING, SCALING, SIMULATED, SUGGEST_TPE,
        SUGGEST_PENDING, SUGGEST_GP,
    )
}  # fmt: skip

__all__ = ["ROWS", "Row"]
