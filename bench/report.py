"""The report: a page with a line for each claim, a plot of how far each goal is, and the figures as JSON.

Every figure on the page comes from the journal. Words that a person wrote (what limits a row) hold none.
"""

from __future__ import annotations

import json
import math
import subprocess
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from bench.rows import ROWS, Row
from bench.workshop import HERE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.claims import Verdict
    from bench.measure import Spread
    from bench.session import Session

WORDS = {"times as much": "times as much", "more": "more"}


def publish(session: Session) -> str:
    """Page, plot and figures are in the session's folder; returns the page."""
    session.target.mkdir(parents=True, exist_ok=True)
    text = page(session)
    (session.target / "machinery.md").write_text(text)
    figures = summary(session)
    path = session.target / "machinery.json"
    path.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n")
    if any(bar["goal"] for bar in figures["claims"]):
        python = str(session.shop.peers.python("plot"))
        plot = str(session.target / "machinery.svg")
        subprocess.run([python, str(HERE / "plot.py"), str(path), plot], check=True)
    return text


def summary(session: Session) -> dict[str, Any]:
    """All figures that the page shows, and what they were measured on."""
    return {
        "machine": session.machine,
        "code": {row.name: _codes(session, row) for row in ROWS.values()},
        "quick": session.quick,
        "peers": _versions(session),
        "claims": [one for row in ROWS.values() for one in _claims(session, row)],
        "rounds": {
            row.name: [{side: one.values for side, one in found.items()} for found in session.measured(row)]
            for row in ROWS.values()
        },
    }


def _versions(session: Session) -> dict[str, str]:
    peers = sorted({peer for row in ROWS.values() for peer in row.needs if session.measured(row)})
    return {peer: session.shop.peers.version(peer) for peer in peers}


def _codes(session: Session, row: Row) -> list[str]:
    """The code version that the row's figures are of."""
    return sorted({one.code for found in session.measured(row) for one in found.values()})


def _claims(session: Session, row: Row) -> list[dict[str, Any]]:
    verdicts = session.verdicts(row)
    return [_as_data(row, verdict, what) for verdict, what in zip(verdicts, full_names(verdicts), strict=True)]


def full_names(verdicts: Sequence[Verdict]) -> list[str]:
    """What each claim is about, with "the same" in place of what it stands for."""
    names: list[str] = []
    before = ""
    for verdict in verdicts:
        what = verdict.claim.what
        if what.startswith("the same"):
            names.append(before + what.removeprefix("the same"))
        else:
            names.append(what)
            before = what
    return names


def _as_data(row: Row, verdict: Verdict, what: str) -> dict[str, Any]:
    claim = verdict.claim
    return {
        "row": row.name,
        "what": what,
        "against": claim.peer_name,
        "unit": claim.unit,
        "kind": claim.kind,
        "goal": claim.goal,
        "least": claim.least,
        "met": verdict.met,
        "certain": verdict.certain,
        "rung": verdict.rung._asdict(),
        "peer": None if verdict.peer is None else verdict.peer._asdict(),
        "figure": verdict.figure._asdict(),
        "advance": advance(verdict),
    }


def advance(verdict: Verdict) -> float | None:
    """How many times better than its goal the figure is; below 1 it is behind. None without a goal."""
    goal, figure = verdict.claim.goal, verdict.figure.median
    if goal is None or figure <= 0:
        return None
    return figure / goal if verdict.claim.least else goal / figure


# ------------------------------------------------------------------------------------------------------------ page


def page(session: Session) -> str:
    """The report as Markdown."""
    parts = [_head(session), _table(session), _behind(session)]
    parts += [_section(session, row) for row in ROWS.values()]
    return "\n".join(part for part in parts if part)


def _head(session: Session) -> str:
    machine = session.machine
    lines = [one for row in ROWS.values() for found in session.measured(row) for one in found.values()]
    when = ", ".join(sorted({datetime.fromtimestamp(one.at, timezone.utc).strftime("%Y-%m-%d") for one in lines}))
    loads = [one.load for one in lines]
    peers = ", ".join(f"{name} {version}" for name, version in _versions(session).items())
    quick = "**A quick run: it shows that everything works; its figures are not to be quoted.**\n\n" * session.quick
    return f"""# Speed of the machinery

{quick}Made by `make bench`; do not edit. Every figure here was written by that run, and all of them are in \
[machinery.json](machinery.json). The sides of a row took turns in one run on one machine; ratios are taken round by \
round. Absolute times are readings of this machine.

Machine: {machine["processor"]}, {machine["cores"]} cores, {machine["memory_gb"]} GB, {machine["kernel"]}, \
{machine["file_system"]}; Python {machine["python"]}. Load average before the measurements: {_range(loads)}. \
Measured {when or "nothing yet"}; peers: {peers or "none"}.
"""


def _range(values: Iterable[float]) -> str:
    found = list(values)
    return f"{min(found):.2f} to {max(found):.2f}" if found else "unknown"


def _table(session: Session) -> str:
    lines = ["| what | Rung | against | ratio or figure | goal | met |", "|---|---|---|---|---|---|"]
    for row in ROWS.values():
        lines += [_line(verdict) for verdict in session.verdicts(row)]
        if not session.measured(row):
            lines.append(f"| {row.title} | not measured | | | | |")
    plot = "\n\n![How far each goal is](machinery.svg)\n"
    return (
        "\n".join(lines)
        + "\n\nMedian (least to greatest) of the rounds; for ratios the median and its interval."
        + plot
    )


def _line(verdict: Verdict) -> str:
    claim = verdict.claim
    against = "" if verdict.peer is None else f"{claim.peer_name}: {number(verdict.peer.median)}"
    cells = [
        claim.what,
        f"{_spread(verdict.rung)} {claim.unit}",
        against,
        "" if claim.kind == "reading" else f"{_spread(verdict.figure)} {WORDS.get(claim.kind, claim.word)}",
        _goal(verdict),
        _met(verdict),
    ]
    return f"| {' | '.join(cells)} |"


def _spread(spread: Spread) -> str:
    if spread.low == spread.high:
        return number(spread.median)
    return f"{number(spread.median)} ({number(spread.low)} to {number(spread.high)})"


def _goal(verdict: Verdict) -> str:
    claim = verdict.claim
    return "" if claim.goal is None else f"{'≥' if claim.least else '≤'} {number(claim.goal)}"


def _met(verdict: Verdict) -> str:
    if verdict.met is None:
        return ""
    return ("yes" if verdict.met else "**no**") + ("" if verdict.certain else ", within noise")


def number(value: float) -> str:
    """Three significant digits, thousands with commas."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = 2 - math.floor(math.log10(abs(value)))
    rounded = round(value, digits)
    return f"{rounded:,.{max(0, digits)}f}"


def _behind(session: Session) -> str:
    missed = [one for row in ROWS.values() for one in _claims(session, row) if is_behind(one)]
    if not missed:
        return ""
    lines = [f"- {one['what']}" + (f" (against {one['against']})" if one["against"] else "") for one in missed]
    return "## Where Rung is behind its goal, or behind another tuner\n\n" + "\n".join(lines) + "\n"


def is_behind(claim: dict[str, Any]) -> bool:
    """Whether a claim misses its goal or, goal or none, the other side did better."""
    return claim["met"] is False or (claim["kind"] == "times faster" and claim["figure"]["median"] < 1)


def _section(session: Session, row: Row) -> str:
    rounds = len(session.measured(row))
    sizes = ", ".join(f"{name.replace('_', ' ')} {size:,}" for name, size in session.conditions(row).sizes.items())
    codes = _codes(session, row)
    source = "".join(f"; source {code}{'' if code == session.code else ', not the present one'}" for code in codes)
    about = f"{rounds} round{'s' * (rounds != 1)}" + (f"; {sizes}" if sizes else "") + source
    limits = f"\n\nWhat limits it now: {row.limits}" if row.limits else ""
    return f"## {row.title}\n\n{row.how} ({about}.){limits}\n"
