"""What it takes to begin: commands and imports as whole processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bench.claims import Claim
from bench.measure import run_process
from bench.rows.base import Row, Side, Sizes
from bench.workshop import Workshop

if TYPE_CHECKING:
    from bench.journal import Values

Argv = Callable[[Workshop], list[str]]


def _started(argv: Argv) -> Side:
    def side(shop: Workshop, sizes: Sizes) -> Values:
        del sizes
        with shop.folder() as folder:
            finished = run_process(argv(shop), cwd=folder, env={"RUNG_TRIAL_DIR": str(folder)})
            return {"ms": 1e3 * finished.wall_s, "cpu_ms": 1e3 * finished.cpu_s}

    return side


def _peer_python(shop: Workshop) -> str:
    return str(shop.peers.python("syne-tune"))


STARTUP = Row(
    name="startup",
    title="Start-up",
    sides={
        "python": _started(lambda shop: [str(shop.python), "-c", "pass"]),
        "import rung": _started(lambda shop: [str(shop.python), "-c", "import rung"]),
        "rung.report": _started(lambda shop: [str(shop.python), "-c", "import rung; rung.report(loss=1)"]),
        "syne-tune's python": _started(lambda shop: [_peer_python(shop), "-c", "pass"]),
        "import syne_tune": _started(lambda shop: [_peer_python(shop), "-c", "import syne_tune"]),
        "rung --help": _started(lambda shop: [str(shop.rung), "--help"]),
        "optuna --help": _started(lambda shop: [str(shop.peers.program("optuna", "optuna")), "--help"]),
        "rung report x=1": _started(lambda shop: [str(shop.rung), "report", "x=1"]),
    },
    claims=(
        Claim(what="`rung --help`", metric="ms", unit="ms", side="rung --help", kind="reading", goal=100.0),
        Claim(
            what="`rung --help`", metric="ms", unit="ms", side="rung --help", peer="optuna --help",
            peer_name="`optuna --help`",
        ),
        Claim(
            what="`import rung` over bare Python", metric="ms", unit="ms", side="import rung", kind="more",
            peer="python", peer_name="`python -c pass`", goal=15.0,
        ),
        Claim(
            what="`import syne_tune` over bare Python (the same for Syne Tune)", metric="ms", unit="ms",
            side="import syne_tune", kind="more", peer="syne-tune's python", peer_name="`python -c pass`",
        ),
        Claim(
            what="`import rung; rung.report(loss=1)` over bare Python", metric="ms", unit="ms", side="rung.report",
            kind="more", peer="python", peer_name="`python -c pass`",
        ),
        Claim(
            what="`rung report x=1` in a shell script", metric="ms", unit="ms", side="rung report x=1", kind="more",
            peer="python", peer_name="`python -c pass`",
        ),
    ),
    how="Whole processes, from their start to their end, each tuner in the environment it is installed in.",
    limits=(
        "`rung --help` is the import of click and of what it imports in turn; `import rung` loads nothing of ours "
        "but a table of names, and a report adds the module that writes the line. In a shell script each report is "
        "a Python start."
    ),
    sizes={},
    quick={},
    rounds=25,
    quick_rounds=3,
    needs=("optuna", "syne-tune"),
)  # fmt: skip
