"""The tuners by name, each with the environment and the adapter that it runs in.

Rung's searchers need no entry: `rung:NAME`, `rung:module:Class`, and either with options, `rung:tpe?{"gamma": 0.1}`.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

TUNERS = Path(__file__).with_name("tuners")


class Method(NamedTuple):
    """`peer` is an environment of `bench.peers` (None: Rung's own). `seeds`: how many runs a problem its cost allows
    (None: as many as asked for). `revision` goes up when the adapter's results change."""

    name: str
    title: str
    script: str
    words: tuple[str, ...] = ()
    peer: str | None = None
    seeds: int | None = None
    revision: int = 1

    @property
    def ours(self) -> bool:
        """Whether its results depend on Rung's code."""
        return self.script == "with_rung.py"


_KNOWN = (
    Method("random", "random", "with_random.py"),
    Method("optuna:tpe", "Optuna TPE", "with_optuna.py", ("tpe",), "optuna-full"),
    Method("hyperopt", "hyperopt", "with_hyperopt.py", (), "hyperopt"),
    Method("nevergrad", "Nevergrad NGOpt", "with_nevergrad.py", (), "nevergrad"),
    Method("synetune:cqr", "Syne Tune CQR", "with_synetune.py", (), "syne-tune-cqr", seeds=2),
    Method("optuna:gp", "Optuna GPSampler", "with_optuna.py", ("gp",), "optuna-full", seeds=5),
    Method("smac", "SMAC3", "with_smac.py", (), "smac", seeds=5),
    Method("hebo", "HEBO", "with_hebo.py", (), "hebo", seeds=1),
)
PEERS = {method.name: method for method in _KNOWN}


def method(name: str) -> Method:
    """The method of that name. Raises `KeyError` with the names there are."""
    if name.startswith("rung:"):
        return Method(name, name.replace("rung:", "Rung ", 1), "with_rung.py", (name.removeprefix("rung:"),))
    if name not in PEERS:
        raise KeyError(f"no method {name!r}: there are {', '.join(PEERS)} and rung:NAME")
    return PEERS[name]
