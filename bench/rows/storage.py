"""Ask and tell through a store on disk, and how often each side flushes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bench.claims import Claim
from bench.measure import run_process
from bench.rows.base import Row, Sizes
from bench.workshop import SIDES, Workshop

if TYPE_CHECKING:
    from pathlib import Path

    from bench.journal import Values

_CALLS = "fsync,fdatasync,msync,sync_file_range"


def rung(shop: Workshop, sizes: Sizes) -> Values:
    """`rung.Study` with random search in SQLite."""
    with shop.folder() as folder:
        found: Values = shop.side("rung_ask_tell.py", folder, sizes["trials"], folder=folder)
        return found


def sqlite(shop: Workshop, sizes: Sizes) -> Values:
    """Optuna's random sampler and its SQLite storage."""
    return _optuna(shop, sizes["sqlite_trials"], "sqlite")


def journal(shop: Workshop, sizes: Sizes) -> Values:
    """Optuna's random sampler and its journal file."""
    return _optuna(shop, sizes["trials"], "journal")


def _optuna(shop: Workshop, trials: int, kind: str) -> Values:
    with shop.folder() as folder:
        found: Values = shop.side("optuna_ask_tell.py", folder, trials, kind, folder=folder, peer="optuna")
        return found


def floor(shop: Workshop, sizes: Sizes) -> Values:
    """Half a kilobyte appended and flushed: what the disk takes for one flush."""
    with shop.folder() as folder:
        found: Values = shop.side("flush_floor.py", folder, sizes["trials"], folder=folder)
        return found


def _flushes(shop: Workshop, python: Path, script: str, kind: str, sizes: Sizes) -> Values:
    """Flushing system calls for each trial: those of a longer run less those of a run without any."""
    counts = []
    for trials in (0, sizes["traced"]):
        with shop.folder() as folder:
            side = [str(python), str(SIDES / script), str(folder), str(trials), kind]
            run_process(
                ["strace", "-f", "-qq", "-e", f"trace={_CALLS}", "-o", str(folder / "trace"), *side], cwd=folder
            )
            counts.append(len(re.findall(r"(?:sync|sync_file_range)\(", (folder / "trace").read_text())))
    return {"flushes_per_trial": (counts[1] - counts[0]) / sizes["traced"]}


def rung_flushes(shop: Workshop, sizes: Sizes) -> Values:
    """Rung's flushes."""
    return _flushes(shop, shop.python, "rung_ask_tell.py", "", sizes)


def sqlite_flushes(shop: Workshop, sizes: Sizes) -> Values:
    """Those of Optuna's SQLite storage."""
    return _flushes(shop, shop.peers.python("optuna"), "optuna_ask_tell.py", "sqlite", sizes)


def journal_flushes(shop: Workshop, sizes: Sizes) -> Values:
    """Those of Optuna's journal file."""
    return _flushes(shop, shop.peers.python("optuna"), "optuna_ask_tell.py", "journal", sizes)


STORAGE = Row(
    name="storage",
    title="Durable ask and tell, 10 parameters",
    sides={"rung": rung, "optuna-sqlite": sqlite, "optuna-journal": journal, "flush": floor},
    claims=(
        Claim(
            what="durable ask and tell", metric="ms_per_trial", unit="ms a trial", peer="optuna-sqlite",
            peer_name="Optuna, SQLite", goal=20.0, least=True,
        ),
        Claim(
            what="the same", metric="ms_per_trial", unit="ms a trial", peer="optuna-journal",
            peer_name="Optuna, journal file", goal=3.0, least=True,
        ),
        Claim(
            what="the same, in single flushes of this disk", metric="ms_per_trial", unit="ms a trial",
            kind="times as much", peer="flush", peer_metric="ms", peer_name="one flushed append of 512 bytes",
        ),
    ),
    how=(
        "`Study(store=\"sqlite:///…\", name=…)` with random search against Optuna's `RandomSampler` with "
        "`RDBStorage` on SQLite and with `JournalFileBackend`, each as its package sets it up, one process, ten "
        "parameters, an objective that does nothing; fewer trials for the slowest side, its time given per trial. "
        "All three flush every write to the disk before they go on: Rung at each commit of SQLite's write-ahead "
        "log (`synchronous=FULL`), Optuna's SQLite with a rollback journal at SQLite's default (also `FULL`), its "
        "journal file with an `fsync` an entry."
    ),
    limits=(
        "the flushes of the disk: one for the proposal, one for what was told, one for the outcome. The rest is "
        "the fold of five events, drawing and encoding the configuration, and SQLite's own work. Where flushes "
        "are slow the ratio nears the ratio of their numbers, below."
    ),
    sizes={"trials": 1000, "sqlite_trials": 300},
    quick={"trials": 50, "sqlite_trials": 20},
    rounds=5,
    needs=("optuna",),
)  # fmt: skip

FLUSHES = Row(
    name="flushes",
    title="Flushes to the disk for one durable ask and tell",
    sides={"rung": rung_flushes, "optuna-sqlite": sqlite_flushes, "optuna-journal": journal_flushes},
    claims=(
        Claim(
            what="flushes for one ask and tell", metric="flushes_per_trial", unit="a trial", peer="optuna-sqlite",
            peer_name="Optuna, SQLite", word="times fewer",
        ),
        Claim(
            what="the same", metric="flushes_per_trial", unit="a trial", peer="optuna-journal",
            peer_name="Optuna, journal file", word="times fewer",
        ),
    ),
    how="`fsync`, `fdatasync`, `msync` and `sync_file_range` counted by `strace` in the runs of the row above.",
    limits=(
        "telling writes its facts and their outcome in two commits; one would do."
    ),
    sizes={"traced": 100},
    quick={"traced": 10},
    rounds=1,
    quick_rounds=1,
    needs=("optuna",),
    programs=("strace",),
)  # fmt: skip
