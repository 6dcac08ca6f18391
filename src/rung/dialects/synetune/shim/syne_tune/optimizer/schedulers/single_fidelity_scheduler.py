"""Full evaluations, one or several objectives (2026)."""

from ...optimizer.schedulers.single_objective_scheduler import SingleFidelityScheduler

__all__ = ["SingleFidelityScheduler"]
