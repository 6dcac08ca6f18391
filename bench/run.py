"""`make bench`: measures the rows that are named (all without any), goes on where it stopped, and writes the report.

    bench/run.py [ROW ...] [--quick] [--rounds N] [--report] [--list]

`--quick` measures little of everything, to see that all works; its figures are kept apart and published nowhere.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from typing import TYPE_CHECKING

from bench.journal import Journal, Measured, machine_id
from bench.measure import code_version, load, machine
from bench.peers import Peers
from bench.report import publish
from bench.rows import ROWS, Row
from bench.session import Session
from bench.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "rung"
RESULTS = ROOT / "bench" / "results"


def missing_programs(row: Row) -> list[str]:
    """The programs of the system that the row needs and this machine lacks."""
    return [program for program in row.programs if shutil.which(program) is None]


def measure_row(session: Session, row: Row, *, rounds: int) -> None:
    """The journal holds that many complete rounds of the row."""
    conditions = session.conditions(row)
    sides = list(row.sides)
    while (done := len(session.journal.rounds(conditions, sides))) < rounds:
        for name in sides if done % 2 == 0 else reversed(sides):  # forth and back: no side always follows another
            started = time.time()
            say(f"{row.name}: round {done + 1} of {rounds}, {name}")
            session.journal.append(measure_side(session, row, name, number=done))
            say(f"  took {time.time() - started:.1f} s")


def measure_side(session: Session, row: Row, name: str, *, number: int) -> Measured:
    """One side of one round, on a disk that has nothing left to write."""
    conditions = session.conditions(row)
    os.sync()
    before, at = load(), time.time()
    values = row.sides[name](session.shop, conditions.sizes)
    if session.source is not None and code_version(session.source) != session.code:
        raise SystemExit("the source was changed while it was measured: run again, or measure a copy of it")
    return Measured(
        key=conditions.key(), row=row.name, side=name, round=number, values=values, at=at, load=before,
        sizes=conditions.sizes, code=conditions.code,
    )  # fmt: skip


def say(line: str) -> None:
    """The line is on stderr."""
    print(line, file=sys.stderr, flush=True)


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="bench/run.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"one of {', '.join(ROWS)}")
    parser.add_argument("--quick", action="store_true", help="little of everything, to see that it works")
    parser.add_argument("--rounds", type=int, metavar="N", help="instead of each row's own number")
    parser.add_argument("--report", action="store_true", help="measure nothing, write the report of what there is")
    parser.add_argument("--list", action="store_true", help="say which rows there are")
    asked = parser.parse_args(words)
    unknown = [name for name in asked.rows if name not in ROWS]
    if unknown:
        parser.error(f"no row {unknown[0]}: there are {', '.join(ROWS)}")
    return asked


def main(words: Sequence[str] | None = None) -> int:
    """What was asked for has been measured and reported."""
    asked = arguments(words)
    if asked.list:
        print("\n".join(f"{row.name:10} {row.title}" for row in ROWS.values()))
        return 0
    session = open_session(quick=asked.quick)
    for row in [] if asked.report else [ROWS[name] for name in asked.rows or ROWS]:
        lacking = missing_programs(row)
        if lacking:
            say(f"{row.name}: left out, this machine has no {', '.join(lacking)}")
            continue
        measure_row(session, row, rounds=asked.rounds or session.rounds(row))
        publish(session)
    print(publish(session))
    return 0


def open_session(*, quick: bool) -> Session:
    """The session of this checkout on this machine."""
    name = "quick" if quick else "machinery"
    found = machine(RESULTS)
    return Session(
        quick=quick,
        journal=Journal(RESULTS / f"{name}.jsonl"),
        shop=Workshop(RESULTS / "scratch", Peers(ROOT / ".venvs")),
        machine=found,
        machine_id=machine_id(found),
        code=code_version(SOURCE),
        source=SOURCE,
        target=RESULTS / "quick" if quick else ROOT / "docs" / "benchmarks",
    )


if __name__ == "__main__":
    sys.exit(main())
