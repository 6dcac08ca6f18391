"""The scheduler of that name."""

from ...optimizer.schedulers._kinds import PopulationBasedTraining

__all__ = ["PopulationBasedTraining"]
