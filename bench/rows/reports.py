"""Reports a second through the real runner and store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.claims import Claim
from bench.rows.base import Row, Side, Sizes

if TYPE_CHECKING:
    from bench.journal import Values
    from bench.workshop import Workshop


def _rung(writers: str, reports: str, how: str) -> Side:
    def side(shop: Workshop, sizes: Sizes) -> Values:
        with shop.folder() as folder:
            arguments = (folder, sizes[writers], sizes[reports], how)
            found: Values = shop.side("rung_reports.py", *arguments, folder=folder)
            return found

    return side


def optuna(shop: Workshop, sizes: Sizes) -> Values:
    """`trial.report` into SQLite."""
    with shop.folder() as folder:
        found: Values = shop.side("optuna_reports.py", folder, sizes["peer_reports"], folder=folder, peer="optuna")
        return found


def _claims(what: str, side: str) -> tuple[Claim, ...]:
    common = {"metric": "per_second", "unit": "reports a second", "side": side, "rate": True}
    return (
        Claim(what=what, kind="reading", goal=20_000.0, least=True, **common),  # type: ignore[arg-type]
        Claim(what="the same", peer="optuna", peer_name="Optuna, SQLite", **common),  # type: ignore[arg-type]
    )


REPORTS = Row(
    name="reports",
    title="Reports a second",
    sides={
        "one": _rung("one", "reports", "call"),
        "many": _rung("many", "reports_of_many", "call"),
        "lines": _rung("one", "lines", "lines"),
        "optuna": optuna,
    },
    claims=(
        *_claims("one trial that calls `rung.report` as fast as it can", "one"),
        *_claims("eight such trials at once", "many"),
        *_claims("one trial that appends ready-made lines", "lines"),
        Claim(
            what="the runner's processor time, one trial", metric="cpu_us_per_report", unit="µs a report", side="one",
            kind="reading",
        ),
    ),
    how=(
        "From the first report being written to the last one being durable in the log, with the real runner and "
        "SQLite. Optuna: `trial.report` on SQLite, one process."
    ),
    limits=(
        "the runner's one thread: parsing and checking each line, the fold, and the scheduler's view of each report "
        "are about equal parts; the disk is not. Where a trial and the runner share few cores, the trial's own "
        "writing competes."
    ),
    sizes={"one": 1, "many": 8, "reports": 200_000, "reports_of_many": 25_000, "lines": 400_000, "peer_reports": 500},
    quick={"one": 1, "many": 8, "reports": 5_000, "reports_of_many": 1_000, "lines": 10_000, "peer_reports": 30},
    rounds=5,
    quick_rounds=1,
    needs=("optuna",),
)  # fmt: skip
