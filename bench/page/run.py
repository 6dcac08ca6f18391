"""`make bench-page`: what a person sees of a large study, beside optuna-dashboard, and what 50 open pages cost.

    bench/page/run.py [PART ...] [--quick] [--rounds N] [--report]

Parts are `page` (the study page at 1,000, 10,000 and 100,000 trials, and optuna-dashboard at the first two), `latency`
(from the log to the screen) and `crowd` (a running study with and without people who watch it). Sides of a part take
turns; it goes on where it stopped. Needs /usr/bin/chromium and the package `playwright`.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from bench.journal import Conditions, Journal, Measured, machine_id
from bench.measure import code_version, load, machine
from bench.page import sides
from bench.page.report import publish
from bench.peers import Peers
from bench.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.journal import Values

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "rung"
RESULTS = ROOT / "bench" / "results"
READERS, PAGES = 50, 3


class Part(NamedTuple):
    """What is measured in turns. `sizes` are part of what makes two measurements comparable."""

    sides: dict[str, Callable[[Workshop], Values]]
    sizes: dict[str, int]
    rounds: int


def parts(code: str, *, quick: bool) -> dict[str, Part]:
    """The parts; a quick run is smaller."""
    large = 10_000 if quick else 100_000
    ours, theirs = ((1_000, large), (1_000,)) if quick else ((1_000, 10_000, large), (1_000, 10_000))
    seconds, trials = (5, 150) if quick else (30, 600)
    pages: dict[str, Callable[[Workshop], Values]] = {
        f"rung {n}": partial(sides.opened, trials=n, code=code) for n in ours
    }
    pages |= {f"optuna-dashboard {n}": partial(sides.dashboard, trials=n) for n in theirs}
    crowd = {
        "nobody": partial(sides.running, trials=trials, readers=0, pages=0),
        f"{READERS} readers": partial(sides.running, trials=trials, readers=READERS, pages=0),
        f"{READERS} readers and {PAGES} pages": partial(sides.running, trials=trials, readers=READERS, pages=PAGES),
    }
    return {
        "page": Part(pages, {"large": large}, 1 if quick else 5),
        "latency": Part(
            {"rung": partial(sides.latency, trials=large, code=code, seconds=seconds)},
            {"trials": large, "seconds": seconds}, 1 if quick else 3,
        ),
        "crowd": Part(crowd, {"trials": trials, "readers": READERS, "pages": PAGES}, 2 if quick else 10),
    }  # fmt: skip


def page_version() -> str:
    """A short hash of the server and of the page's sources: the figures are of both."""
    digest = hashlib.sha256(code_version(SOURCE).encode())
    for path in sorted((ROOT / "web" / "src").rglob("*.ts*")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def measure(journal: Journal, shop: Workshop, name: str, part: Part, conditions: Conditions, *, rounds: int) -> None:
    """The journal holds that many complete rounds of the part."""
    names = list(part.sides)
    while (done := len(journal.rounds(conditions, names))) < rounds:
        for side in names if done % 2 == 0 else reversed(names):
            print(f"{name}: round {done + 1} of {rounds}, {side}", file=sys.stderr, flush=True)
            os.sync()
            before, at = load(), time.time()
            values = part.sides[side](shop)
            journal.append(
                Measured(
                    key=conditions.key(),
                    row=name,
                    side=side,
                    round=done,
                    values=values,
                    at=at,
                    load=before,
                    sizes=part.sizes,
                    code=conditions.code,
                )
            )


def main(words: Sequence[str] | None = None) -> int:
    """What was asked for has been measured and reported."""
    parser = argparse.ArgumentParser(prog="bench/page/run.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help="page, latency, crowd; all without any")
    parser.add_argument("--quick", action="store_true", help="little of everything, to see that it works")
    parser.add_argument("--rounds", type=int, metavar="N", help="instead of each part's own number")
    parser.add_argument("--report", action="store_true", help="measure nothing, write the report of what there is")
    asked = parser.parse_args(words)
    known = parts(code_version(SOURCE), quick=asked.quick)
    unknown = [name for name in asked.parts if name not in known]
    if unknown:
        parser.error(f"no part {unknown[0]}: there are {', '.join(known)}")
    journal = Journal(RESULTS / ("page-quick.jsonl" if asked.quick else "page.jsonl"))
    shop = Workshop(RESULTS / "scratch" / "page", Peers(ROOT / ".venvs"))
    host, code = machine(RESULTS), page_version()
    conditions = {name: Conditions(f"page.{name}", part.sizes, code, machine_id(host)) for name, part in known.items()}
    for name in [] if asked.report else asked.parts or known:
        rounds = asked.rounds or known[name].rounds
        measure(journal, shop, name, known[name], conditions[name], rounds=rounds)
    rounds_of = {name: journal.rounds(conditions[name], list(part.sides)) for name, part in known.items()}
    target = RESULTS / "quick" if asked.quick else ROOT / "docs" / "benchmarks"
    print(publish(target, rounds_of, host, peer=shop.peers.version("optuna-dashboard"), quick=asked.quick))
    return 0


if __name__ == "__main__":
    sys.exit(main())
