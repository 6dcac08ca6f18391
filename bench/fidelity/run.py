"""`run.py`: schedulers compared in simulated time; what was run is kept, and goes on where it stopped.

    python bench/fidelity/run.py                     # 20 seeds of everything, then the page
    python bench/fidelity/run.py --seeds 3 --minutes 40
    python bench/fidelity/run.py --report            # the page, of what there is

Seeds come one after the other, each with all methods, tables and numbers of workers: stopped at any time, the page
compares the seeds that all methods have.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(threads, "1")  # decisions are charged: a second core would make them seem cheaper

from bench.fidelity.drive import Study  # noqa: E402 - behind the path
from bench.fidelity.methods import METHODS, PEER, scheduler  # noqa: E402
from bench.fidelity.report import publish  # noqa: E402
from bench.fidelity.tables import SCRATCH, Table, every  # noqa: E402
from bench.peers import Peers  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

JOURNAL = ROOT / "bench" / "results" / "fidelity.jsonl"
WORKERS = (1, 8, 64)
KEPT = 60  # points of a curve in the journal


def run_one(table: Table, name: str, workers: int, seed: int, peer: Peer) -> dict[str, Any]:
    """One study, to the time in which W workers could train every configuration of the table."""
    method, horizon = METHODS[name], float(table.seconds[:, -1].sum() / workers)
    if method.schedule is None:
        return peer.run(table, seed, workers, horizon)
    study = Study(table, scheduler(method, table, workers, seed), workers, seed, charge=True, horizon=horizon)
    if method.first:
        study.pool.append(int(table.losses[:, -1].argmin()))
    return study.go()._asdict()


class Peer:
    """Syne Tune in an environment of its own: a program for each table."""

    def __init__(self, peers: Peers) -> None:
        self.peers = peers
        self.programs: dict[str, subprocess.Popen[str]] = {}

    def run(self, table: Table, seed: int, workers: int, horizon: float) -> dict[str, Any]:
        """One study."""
        program = self.programs.get(table.name) or self._begin(table)
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write(json.dumps({"seed": seed, "workers": workers, "horizon": horizon}) + "\n")
        program.stdin.flush()
        return dict(json.loads(program.stdout.readline()))

    def _begin(self, table: Table) -> subprocess.Popen[str]:
        path = SCRATCH / f"table-{table.name.replace(' ', '-').replace(':', '')}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, losses=table.losses, seconds=table.seconds, targets=np.array(table.targets))
        command = [str(self.peers.python(PEER)), str(Path(__file__).with_name("syne.py")), str(path)]
        self.programs[table.name] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self.programs[table.name]

    def close(self) -> None:
        """The programs have ended."""
        for program in self.programs.values():
            assert program.stdin is not None
            program.stdin.close()
            program.wait()


def code_of(peers: Peers) -> dict[str, str]:
    """The version of each method: of a peer its own, of ours a hash of all that it is made of."""
    sources = [*(ROOT / "src/rung/schedule").rglob("*.py"), *(ROOT / "src/rung/search/gp").rglob("*.py")]
    sources += [Path(__file__).with_name(name) for name in ("drive.py", "methods.py", "tables.py")]
    of: dict[str, str] = {}
    for name, method in METHODS.items():
        if method.schedule is None:
            of[name] = peers.version(PEER)
            continue
        mine = [s for s in sources if _belongs(s, method.schedule)]
        of[name] = hashlib.sha256(b"".join(s.read_bytes() for s in sorted(mine))).hexdigest()[:8]
    return of


def _belongs(source: Path, schedule: str) -> bool:
    """Whether a method is made of it: its own file or folder (of `auto` the Gaussian processes too), and the loop."""
    of = {schedule, "fidelity", "gp"} if schedule == "auto" else {schedule, "fidelity"}
    return bool(of & {source.stem, source.parent.name})


def cells(seeds: int, methods: Sequence[str], tables: Sequence[Table]) -> Iterator[tuple[int, str, int, Table]]:
    """Everything that is to be run, seed by seed."""
    for seed in range(seeds):
        for workers in WORKERS:
            for name in methods:
                for table in tables:
                    yield seed, name, workers, table


def read(code: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """What was run; with `code` only by these versions. A torn line is left out."""
    found = []
    for line in JOURNAL.read_text().splitlines() if JOURNAL.exists() else []:
        try:
            run = json.loads(line)
        except ValueError:
            continue
        if code is None or code.get(run["method"]) == run["code"]:
            found.append(run)
    return found


def thinned(curve: Sequence[Sequence[float]]) -> list[list[float]]:
    """At most KEPT points, the last among them."""
    places = np.unique(np.linspace(0, len(curve) - 1, min(KEPT, len(curve))).astype(int)) if len(curve) else []
    return [[float(f"{x:.6g}") for x in curve[i]] for i in places]


def run_all(seeds: int, methods: Sequence[str], minutes: float) -> None:
    """Whatever is missing is run, until the time is up."""
    peers = Peers(ROOT / ".venvs")
    code, peer, end = code_of(peers), Peer(peers), time.monotonic() + 60 * minutes
    done = {(run["method"], run["table"], run["workers"], run["seed"]) for run in read(code)}
    JOURNAL.parent.mkdir(parents=True, exist_ok=True)
    with JOURNAL.open("a") as file:
        for seed, name, workers, table in cells(seeds, methods, every()):
            if (name, table.name, workers, seed) in done:
                continue
            if time.monotonic() > end:
                break
            found = run_one(table, name, workers, seed, peer)
            found["curve"] = thinned(found["curve"])
            found |= {"method": name, "code": code[name], "table": table.name, "workers": workers, "seed": seed}
            file.write(json.dumps(found) + "\n")
            file.flush()
    peer.close()


def main() -> int:
    """What was asked for has been run and reported."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so many, and report")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--report", action="store_true", help="only the page, of what there is")
    parser.add_argument("--out", default=str(ROOT / "docs" / "benchmarks"))
    options = parser.parse_args()
    if not options.report:
        run_all(options.seeds, options.methods.split(","), options.minutes)
    peers = Peers(ROOT / ".venvs")
    print(publish(read(code_of(peers)), every(), Path(options.out), peers))
    return 0


if __name__ == "__main__":
    sys.exit(main())
