"""Which of Rung's searchers each of theirs is carried out by."""

from __future__ import annotations

from typing import NamedTuple


class Counterpart(NamedTuple):
    """Rung's method; `note` says how it differs, "" where it is the same kind of method."""

    method: str
    note: str = ""


SEARCHERS: dict[str, Counterpart] = {
    "random": Counterpart("random"),
    "random_search": Counterpart("random"),
    "grid": Counterpart("grid"),
    "kde": Counterpart("tpe"),
    "tpe": Counterpart("tpe"),
    "bore": Counterpart("tpe", "tpe proposes: it too judges by a ratio of densities, estimated with kernels"),
    "cqr": Counterpart("gp", "gp proposes: a Gaussian process in place of quantile regression"),
    "botorch": Counterpart("gp"),
    "bayesopt": Counterpart("gp"),
    "bayesopt_constrained": Counterpart("gp"),
    "bayesopt_cost": Counterpart("gp", "gp proposes, and does not weigh what an evaluation costs"),
    "hypertune": Counterpart("gp"),
    "dyhpo": Counterpart("gp"),
    "regularized_evolution": Counterpart("evolution"),
    "smac": Counterpart("tpe", "tpe proposes in place of random forests"),
}


def counterpart(name: str) -> Counterpart:
    """Rung's searcher for this name. Raises `NotImplementedError` naming those that there are."""
    if name not in SEARCHERS:
        raise NotImplementedError(f"the searcher {name!r} is not covered: take one of {', '.join(SEARCHERS)}")
    return SEARCHERS[name]


def searcher_name(searcher: object) -> str:
    """The name of a searcher that was given as text, as an object of ours, or as its class's name."""
    if isinstance(searcher, str):
        return searcher
    found = getattr(searcher, "searcher_name", None)
    if isinstance(found, str):
        return found
    raise NotImplementedError(
        f"a searcher of your own ({type(searcher).__name__}) is not covered: write it as a Rung plug-in and start "
        "with `rung run --search ./mine.py launch.py` (docs/plugins.md)"
    )
