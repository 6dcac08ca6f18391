"""Opening a large study: with a fresh snapshot, with one as old as it can be, and without any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.claims import Claim
from bench.measure import code_version, run_process
from bench.rows.base import Row, Side, Sizes
from bench.workshop import HERE, Workshop

if TYPE_CHECKING:
    from pathlib import Path

    from bench.journal import Values

_PACKAGE = HERE.parent / "src" / "rung"
_NAME = "large"


def _study(shop: Workshop, sizes: Sizes, snapshot: float) -> str:
    """The URL of a store with the large study, made when it is first asked for."""
    stem = f"large-{sizes['trials']}-{sizes['reports']}-{snapshot:g}-"
    home = shop.kept(stem + code_version(_PACKAGE))
    shop.discard(stem, but=home)
    url, made = f"sqlite:///{home}/rung.db", home / "made"
    if not made.exists():
        for old in home.iterdir():
            old.unlink()
        arguments = [url, str(sizes["trials"]), str(sizes["reports"]), str(snapshot)]
        run_process([str(shop.python), str(HERE / "make_study.py"), *arguments], cwd=home)
        made.touch()
    return url


def _opened(snapshot: float, source: str) -> Side:
    def side(shop: Workshop, sizes: Sizes) -> Values:
        url = _study(shop, sizes, snapshot)
        with shop.folder() as folder:
            found: Values = shop.side("rung_open.py", url, _NAME, source, folder=folder)
            if found["trials"] != sizes["trials"]:
                raise RuntimeError(f"expected {sizes['trials']} trials, got {found['trials']}")
            return found

    return side


def _command(*verb: str) -> Side:
    def side(shop: Workshop, sizes: Sizes) -> Values:
        url = _study(shop, sizes, 1.0)
        with shop.folder() as folder:
            finished = run_process([str(shop.rung), *verb, "--store", url], cwd=folder, stdout=folder / "said")
            return {"seconds": finished.wall_s, "bytes": float((folder / "said").stat().st_size)}

    return side


def _optuna_study(shop: Workshop, trials: int, reports: int) -> Path:
    home = shop.kept(f"optuna-{trials}-{reports}-{shop.peers.version('optuna')}")
    if not (home / "made").exists():
        (home / "optuna.db").unlink(missing_ok=True)
        shop.time_side("optuna_make.py", home, trials, reports, folder=home, peer="optuna")
        (home / "made").touch()
    return home


def optuna(shop: Workshop, sizes: Sizes) -> Values:
    """A study a tenth as large, in Optuna's SQLite storage."""
    home = _optuna_study(shop, sizes["peer_trials"], sizes["reports"])
    with shop.folder() as folder:
        found: Values = shop.side("optuna_open.py", home, folder=folder, peer="optuna")
        return found


OPENING = Row(
    name="opening",
    title="Opening a study of 100,000 trials with 10 reports each",
    sides={
        "fresh": _opened(1.0, "snapshot"),
        "stale": _opened(0.97, "snapshot"),
        "log": _opened(1.0, "log"),
        "rung trials": _command("trials", _NAME, "--json"),
        "rung ls": _command("ls"),
        "optuna": optuna,
    },
    claims=(
        Claim(
            what="from a snapshot that a runner left", metric="seconds", unit="s", side="fresh", kind="reading",
            goal=1.0,
        ),
        Claim(what="the same: memory", metric="peak_mb", unit="MB at most", side="fresh", kind="reading", goal=250.0),
        Claim(
            what="from a snapshot as old as it gets while a runner works", metric="seconds", unit="s", side="stale",
            kind="reading", goal=1.0,
        ),
        Claim(what="the same: memory", metric="peak_mb", unit="MB at most", side="stale", kind="reading", goal=250.0),
        Claim(what="without a snapshot", metric="seconds", unit="s", side="log", kind="reading"),
        Claim(what="the same: memory", metric="peak_mb", unit="MB at most", side="log", kind="reading", goal=250.0),
        Claim(
            what="`rung trials --json`, the whole command", metric="seconds", unit="s", side="rung trials",
            kind="reading",
        ),
        Claim(what="`rung ls`, the whole command", metric="seconds", unit="s", side="rung ls", kind="reading"),
        Claim(
            what="from a snapshot, all trials; Optuna: a tenth as many", metric="seconds", unit="s", side="fresh",
            peer="optuna", peer_name="Optuna, SQLite, 10,000 trials",
        ),
    ),
    how=(
        "The log is made by `bench/make_study.py` with Rung's own event encoders: each report is an event of its own, "
        "which is the log at its longest. Opened by `rung.runner.log.open_state`, as every verb and every runner does; "
        "memory is the most that the whole process held. While a runner works, its snapshot is at most 3 % of the "
        "log behind; when it ends it leaves a fresh one. Optuna: `load_study(…).trials` of a tenth of the trials, "
        "SQLite, made with `add_trials`."
    ),
    limits=(
        "with a snapshot, reading its one value from SQLite; with an old one or none, the fold of the events that "
        "it lacks, of which decoding is the smaller part and the checks of each transition the larger. A runner "
        "also shows the searcher all results anew, one object each. `rung trials --json` decodes and encodes every "
        "trial as an object of its own."
    ),
    sizes={"trials": 100_000, "reports": 10, "peer_trials": 10_000},
    quick={"trials": 1_000, "reports": 10, "peer_trials": 100},
    rounds=3,
    quick_rounds=1,
    needs=("optuna",),
)  # fmt: skip
