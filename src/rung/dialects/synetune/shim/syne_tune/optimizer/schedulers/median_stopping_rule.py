"""The scheduler of that name."""

from ...optimizer.schedulers._kinds import MedianStoppingRule

__all__ = ["MedianStoppingRule"]
