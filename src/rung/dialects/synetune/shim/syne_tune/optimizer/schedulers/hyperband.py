"""The scheduler of that name."""

from ...optimizer.schedulers._kinds import HyperbandScheduler

__all__ = ["HyperbandScheduler"]
