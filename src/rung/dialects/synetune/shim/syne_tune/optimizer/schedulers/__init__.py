"""Schedulers."""

from ..._missing import missing, refusal
from ...optimizer.schedulers._kinds import (
    FIFOScheduler,
    GeometricDifferentialEvolutionHyperbandScheduler,
    HyperbandScheduler,
    MedianStoppingRule,
    PopulationBasedTraining,
    SynchronousGeometricHyperbandScheduler,
)  # fmt: skip
from ...optimizer.schedulers.multiobjective import MOASHA, LinearScalarizedScheduler
from ...optimizer.schedulers.transfer_learning import RUSHScheduler

__all__ = [
    "MOASHA", "FIFOScheduler", "GeometricDifferentialEvolutionHyperbandScheduler", "HyperbandScheduler",
    "LinearScalarizedScheduler", "MedianStoppingRule", "PopulationBasedTraining", "RUSHScheduler", "RayTuneScheduler",
    "SMACScheduler", "SynchronousGeometricHyperbandScheduler",
]  # fmt: skip

RayTuneScheduler = refusal("RayTuneScheduler", "take one of Syne Tune's own schedulers")
SMACScheduler = refusal("SMACScheduler", "take BayesianOptimization, or `rung run --search tpe launch.py`")
__getattr__ = missing(__name__)
