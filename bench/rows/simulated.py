"""How busy a thousand simulated workers are, when the clock is charged what decisions take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.claims import Claim
from bench.rows.base import Row, Side, Sizes

if TYPE_CHECKING:
    from bench.journal import Values
    from bench.workshop import Workshop


def _rung(schedule: str, store: str) -> Side:
    def side(shop: Workshop, sizes: Sizes) -> Values:
        with shop.folder() as folder:
            arguments = (folder, sizes["workers"], sizes["trials"], schedule, store)
            found: Values = shop.side("rung_simulate.py", *arguments, folder=folder)
            return found

    return side


def _claims(what: str, side: str) -> tuple[Claim, ...]:
    busy = Claim(
        what=what, metric="busy", unit="% busy", side=side, kind="reading", goal=95.0, least=True, rate=True
    )  # fmt: skip
    rate = Claim(
        what="reports a second of real time meanwhile", metric="reports_per_second", unit="reports a second", side=side,
        kind="reading", rate=True,
    )  # fmt: skip
    return busy, rate


SIMULATED = Row(
    name="simulated",
    title="A thousand simulated workers",
    sides={
        "none": _rung("none", "memory"), "asha": _rung("asha", "memory"), "sqlite": _rung("asha", "sqlite"),
    },
    claims=(
        *_claims("every trial to its end, in memory", "none"),
        *_claims("stopped by ASHA, in memory", "asha"),
        *_claims("stopped by ASHA, SQLite", "sqlite"),
    ),
    how=(
        "The real runner and store on a virtual clock that is charged the real time of everything the runner does. "
        "Each trial has ten epochs of 8 to 12 seconds. Busy: the mean share of workers that have a trial, from the "
        "first start until the last trial has begun."
    ),
    limits="one proposal is appended and folded at a time, so filling a thousand places takes a thousand turns.",
    sizes={"workers": 1_000, "trials": 4_000},
    quick={"workers": 50, "trials": 150},
    rounds=5,
    quick_rounds=1,
)  # fmt: skip
