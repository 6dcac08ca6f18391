"""Full evaluations, one objective, a searcher by name or as an object (2026)."""

from __future__ import annotations

from ...optimizer.schedulers._kinds import FIFOScheduler


class SingleObjectiveScheduler(FIFOScheduler):
    """Each trial runs to its own end."""


class SingleFidelityScheduler(FIFOScheduler):
    """Each trial runs to its own end; several objectives are allowed."""
