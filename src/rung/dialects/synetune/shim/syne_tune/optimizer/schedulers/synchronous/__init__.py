"""Synchronous Hyperband."""

from ...._missing import missing
from ....optimizer.schedulers._kinds import (
    GeometricDifferentialEvolutionHyperbandScheduler,
    SynchronousGeometricHyperbandScheduler,
)  # fmt: skip

__all__ = ["GeometricDifferentialEvolutionHyperbandScheduler", "SynchronousGeometricHyperbandScheduler"]
__getattr__ = missing(__name__)
