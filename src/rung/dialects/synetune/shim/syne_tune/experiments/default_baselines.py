"""The methods by their short names, for experiments: each takes `MethodArguments`, and further keywords."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .._missing import missing
from ..optimizer import baselines
from .baselines import default_arguments

if TYPE_CHECKING:
    from ..optimizer.scheduler import TrialScheduler
    from .baselines import MethodArguments


def _made(name: str, method_arguments: MethodArguments, **keywords: Any) -> TrialScheduler:
    """The scheduler of that name."""
    made: TrialScheduler = getattr(baselines, name)(**default_arguments(method_arguments, keywords))
    return made


RandomSearch, GridSearch, BayesianOptimization, KDE, BORE, BoTorch, REA, CQR, ASHA, MOBSTER, HyperTune, BOHB, DyHPO = (
    partial(_made, name)
    for name in (
        "RandomSearch", "GridSearch", "BayesianOptimization", "KDE", "BORE", "BoTorch", "REA", "CQR", "ASHA",
        "MOBSTER", "HyperTune", "BOHB", "DyHPO",
    )
)  # fmt: skip
PASHA, ASHABORE, ASHACQR, SyncHyperband, SyncBOHB, SyncMOBSTER, DEHB, NSGA2, MOREA, ConstrainedBayesianOptimization = (
    partial(_made, name)
    for name in (
        "PASHA", "ASHABORE", "ASHACQR", "SyncHyperband", "SyncBOHB", "SyncMOBSTER", "DEHB", "NSGA2", "MOREA",
        "ConstrainedBayesianOptimization",
    )
)  # fmt: skip
MORandomScalarizationBayesOpt = partial(_made, "MORandomScalarizationBayesOpt")
__getattr__ = missing(__name__)
