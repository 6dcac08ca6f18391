"""How soon a report is in the log, a decision is, and the trial's process is told."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from bench.claims import Claim
from bench.measure import percentile
from bench.rows.base import Row, Side, Sizes
from bench.workshop import SIDES, Workshop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.journal import Values


def _summary(delays: dict[str, Sequence[float]]) -> Values:
    found: Values = {}
    for name, ms in delays.items():
        found |= {f"{name}_median_ms": statistics.median(ms), f"{name}_p99_ms": percentile(ms, 99)}
        found[f"{name}_count"] = float(len(ms))
    return found


def _rung(mode: str) -> Side:
    def side(shop: Workshop, sizes: Sizes) -> Values:
        with shop.folder() as folder:
            return _summary(shop.side("rung_reaction.py", mode, folder, sizes[mode], folder=folder))

    return side


def syne_tune(shop: Workshop, sizes: Sizes) -> Values:
    """Syne Tune's scheduler, told of the reports of one trial."""
    with shop.folder() as folder:
        env = {"SYNETUNE_FOLDER": str(folder / "runs"), "REPORTS": str(sizes["peer_reports"])}
        trial = SIDES / "syne_trial.py"
        return _summary({"told": shop.side("syne_reaction.py", trial, folder=folder, peer="syne-tune", env=env)["ms"]})


def _reading(what: str, side: str, name: str, goal: float | None) -> tuple[Claim, ...]:
    return (
        Claim(what=what, metric=f"{name}_median_ms", unit="ms, median", side=side, kind="reading", goal=goal),
        Claim(what="the same", metric=f"{name}_p99_ms", unit="ms, 99th percentile", side=side, kind="reading"),
    )


REACTION = Row(
    name="reaction",
    title="From a report to a decision to the trial being told",
    sides={
        "decision": _rung("decision"),
        "request": _rung("request"),
        "target": _rung("target"),
        "syne-tune": syne_tune,
    },
    claims=(
        *_reading("a report written, until it is in the log", "decision", "logged", 10.0),
        *_reading("a report written, until the decision it caused is in the log", "decision", "decided", 10.0),
        *_reading("a report written, until the trial's process was told to stop", "decision", "told", 10.0),
        *_reading("a request to stop from another process, until the trial was told", "request", "told", 10.0),
        *_reading("a trial that reached the target, until the other one was told", "target", "told", 10.0),
        Claim(
            what="a report written, until its decision is in the log (Syne Tune: until its scheduler knows)",
            metric="decided_median_ms", unit="ms, median", side="decision", peer="syne-tune",
            peer_metric="told_median_ms", peer_name="Syne Tune",
        ),
    ),
    how=(
        "Trials that call `rung.report` at uneven intervals under a real runner with SQLite on disk; a schedule of one "
        "rule stops a trial whose loss falls below zero. Times are taken in the trial when the report is written, in "
        "the runner's process after the append has returned, and in the trial when SIGTERM is received. Requests "
        "come from another process, as `rung stop` makes them. Syne Tune looks every 5 s."
    ),
    limits=(
        "a report waits for its turn in the loop and for one flush of the disk; the slowest are the first of a "
        "trial, which come right after their file was made and wait for the spacing between two reads. Telling the "
        "process takes a look at every process of the machine (its tree is found by what it inherited). Requests "
        "from other processes are found by asking the store at intervals, and that interval is what they wait for."
    ),
    sizes={"decision": 40, "request": 20, "target": 10, "peer_reports": 40},
    quick={"decision": 4, "request": 2, "target": 2, "peer_reports": 6},
    rounds=3,
    quick_rounds=1,
    needs=("syne-tune",),
)  # fmt: skip
