"""The scheduler of that name."""

from ...optimizer.schedulers._kinds import FIFOScheduler

__all__ = ["FIFOScheduler"]
