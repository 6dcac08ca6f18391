"""Rung: a hyperparameter tuner whose studies survive anything.

Names are loaded when they are first used: inside a trial `import rung` costs a few milliseconds (ARCHITECTURE rule 14).
"""

from __future__ import annotations

TYPE_CHECKING = False  # not `typing.TYPE_CHECKING`: importing typing costs 3 ms at the start of every trial
if TYPE_CHECKING:
    from rung.api.asktell import Study
    from rung.api.inprocess import load, tune
    from rung.api.simulating import simulate
    from rung.inside.session import checkpoint_dir, params, report, should_stop, trial
    from rung.model import RungError
    from rung.space.constructors import (
        choice,
        finrange,
        logfinrange,
        lognormal,
        lograndint,
        loguniform,
        normal,
        ordinal,
        randint,
        reverseloguniform,
        uniform,
    )

__version__ = "0.1.0"

_HOMES = {
    "rung.inside.session": ("params", "report", "trial", "should_stop", "checkpoint_dir"),
    "rung.api.inprocess": ("tune", "load"),
    "rung.api.simulating": ("simulate",),
    "rung.api.asktell": ("Study",),
    "rung.model": ("RungError",),
    "rung.space.constructors": (
        "uniform", "loguniform", "reverseloguniform", "randint", "lograndint", "choice", "ordinal", "finrange",
        "logfinrange", "normal", "lognormal",
    ),
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "RungError",
    "Study",
    "checkpoint_dir",
    "choice",
    "finrange",
    "load",
    "logfinrange",
    "lognormal",
    "lograndint",
    "loguniform",
    "normal",
    "ordinal",
    "params",
    "randint",
    "report",
    "reverseloguniform",
    "should_stop",
    "simulate",
    "trial",
    "tune",
    "uniform",
]


def __getattr__(name: str) -> object:
    """The public name, loaded now."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'rung' has no attribute {name!r}")
    import importlib

    found = globals()[name] = getattr(importlib.import_module(home), name)
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
