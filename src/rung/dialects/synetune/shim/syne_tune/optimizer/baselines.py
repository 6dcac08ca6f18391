"""The methods by their short names."""

from __future__ import annotations

from typing import Any

from .._missing import missing, refusal
from ..optimizer.schedulers import transfer_learning
from ..optimizer.schedulers._kinds import (
    FIFOScheduler,
    GeometricDifferentialEvolutionHyperbandScheduler,
    HyperbandScheduler,
    MedianStoppingRule,
    PopulationBasedTraining,
    SynchronousGeometricHyperbandScheduler,
)  # fmt: skip
from ..optimizer.schedulers.multiobjective import MOASHA

__all__ = [
    "ASHA", "ASHABORE", "ASHACQR", "BOHB", "BORE", "CQR", "DEHB", "EHVI", "KDE", "MOASHA", "MOBSTER", "MOREA", "NSGA2",
    "PASHA", "PBT", "REA", "TPE", "BOTorch", "BayesianOptimization", "BoTorch", "ConstrainedBayesianOptimization",
    "CostAwareCoarseBayesianOptimization", "CostAwareFineBayesianOptimization", "DyHPO", "GridSearch", "HyperTune",
    "MOLinearScalarizationBayesOpt", "MORandomScalarizationBayesOpt", "MedianStoppingRule", "RandomSearch",
    "SyncBOHB", "SyncHyperband", "SyncMOBSTER",
]  # fmt: skip


# ------------------------------------------------------------------------------------------------- full evaluations


class RandomSearch(FIFOScheduler):
    """Draws at random."""


class GridSearch(FIFOScheduler):
    """Goes through a grid: numeric domains are cut into `num_samples` points each (5)."""

    searcher_default = "grid"


class BayesianOptimization(FIFOScheduler):
    """A Gaussian process."""

    searcher_default = "bayesopt"


class BoTorch(FIFOScheduler):
    """A Gaussian process."""

    searcher_default = "botorch"


BOTorch = BoTorch


class KDE(FIFOScheduler):
    """Tree-structured Parzen estimators."""

    searcher_default = "kde"


class TPE(KDE):
    """The same under its other name."""


class BORE(FIFOScheduler):
    """A density ratio."""

    searcher_default = "bore"


class CQR(FIFOScheduler):
    """Conformal quantile regression."""

    searcher_default = "cqr"


class REA(FIFOScheduler):
    """Ageing evolution."""

    searcher_default = "regularized_evolution"

    def describe(self, given: dict[str, Any]) -> None:
        """Population 100, tournaments of 10, unless said otherwise."""
        super().describe({"population_size": 100, "sample_size": 10, **given})


class ConstrainedBayesianOptimization(FIFOScheduler):
    """A Gaussian process that keeps the metric `constraint_attr` at or below 0."""

    searcher_default = "bayesopt_constrained"

    def __init__(
        self, config_space: dict[str, Any], metric: str | None = None, constraint_attr: str | None = None,
        **keywords: Any,
    ) -> None:  # fmt: skip
        if not constraint_attr:
            raise TypeError("ConstrainedBayesianOptimization: constraint_attr is missing")
        super().__init__(config_space, metric, constraint_attr=constraint_attr, **keywords)


class CostAwareCoarseBayesianOptimization(FIFOScheduler):
    """A Gaussian process; costs are not weighed."""

    searcher_default = "bayesopt_cost"

    def __init__(
        self, config_space: dict[str, Any], metric: str | None = None, cost_attr: str | None = None, **keywords: Any
    ) -> None:
        super().__init__(config_space, metric, cost_attr=cost_attr, **keywords)


class CostAwareFineBayesianOptimization(CostAwareCoarseBayesianOptimization):
    """The same."""


# ------------------------------------------------------------------------------------------------ successive halving


class ASHA(HyperbandScheduler):
    """Asynchronous successive halving; `resource_attr` is the metric that counts up from 1."""

    def __init__(
        self, config_space: dict[str, Any], metric: str | None = None, resource_attr: str | None = None,
        max_t: float | None = None, **keywords: Any,
    ) -> None:  # fmt: skip
        super().__init__(config_space, metric, resource_attr=resource_attr, max_t=max_t, **keywords)


class MOBSTER(ASHA):
    """ASHA with a Gaussian process."""

    searcher_default = "bayesopt"


class HyperTune(ASHA):
    """Brackets of ASHA with a Gaussian process."""

    searcher_default = "hypertune"

    def describe(self, given: dict[str, Any]) -> None:
        """Brackets share the trials by Hyperband's rule."""
        super().describe(given)
        self.recipe.schedule = "hyperband"
        if given.get("brackets") is None:
            self.recipe.schedule_options.pop("brackets", None)
        self.note("how many trials each bracket gets is Hyperband's rule, not learned")


class DyHPO(ASHA):
    """What to start and what to continue, by a model of configuration and resource."""

    searcher_default, type_default = "dyhpo", "dyhpo"


class PASHA(ASHA):
    """ASHA by promotion."""

    type_default = "pasha"


class BOHB(ASHA):
    """ASHA with tree-structured Parzen estimators."""

    searcher_default = "kde"


class ASHABORE(ASHA):
    """ASHA with a density ratio."""

    searcher_default = "bore"


class ASHACQR(ASHA):
    """ASHA with quantile regression."""

    searcher_default = "cqr"


class SyncHyperband(SynchronousGeometricHyperbandScheduler):
    """Synchronous Hyperband."""

    def __init__(
        self, config_space: dict[str, Any], metric: str | None = None, resource_attr: str | None = None, **keywords: Any
    ) -> None:
        super().__init__(config_space, metric, resource_attr=resource_attr, **keywords)


class SyncBOHB(SyncHyperband):
    """The same with tree-structured Parzen estimators."""

    searcher_default = "kde"


class SyncMOBSTER(SyncHyperband):
    """The same with a Gaussian process."""

    searcher_default = "bayesopt"


class DEHB(GeometricDifferentialEvolutionHyperbandScheduler):
    """The same with differential evolution."""

    def __init__(
        self, config_space: dict[str, Any], metric: str | None = None, resource_attr: str | None = None, **keywords: Any
    ) -> None:
        super().__init__(config_space, metric, resource_attr=resource_attr, **keywords)


class PBT(PopulationBasedTraining):
    """Population based training."""


# -------------------------------------------------------------------------------------------------- several objectives


class NSGA2(FIFOScheduler):
    """NSGA-II."""

    def describe(self, given: dict[str, Any]) -> None:
        """NSGA-II proposes."""
        super().describe({**given, "population_size": None})
        self.recipe.search = "nsga2"
        if given.get("population_size") is not None:
            self.recipe.search_options = {"population": given["population_size"]}


class MOREA(NSGA2):
    """Evolution for several objectives."""

    def describe(self, given: dict[str, Any]) -> None:
        """NSGA-II takes its place."""
        super().describe(given)
        self.note("nsga2 proposes in place of ageing evolution by fronts")


class EHVI(BoTorch):
    """A Gaussian process that looks for the front."""


class MORandomScalarizationBayesOpt(BayesianOptimization):
    """A Gaussian process that looks for the front."""


class MOLinearScalarizationBayesOpt(BayesianOptimization):
    """A Gaussian process that looks for the front."""

    def describe(self, given: dict[str, Any]) -> None:
        """No weights."""
        super().describe(given)
        self.note("the whole front is looked for: scalarization weights are left out")


ASHACTS = refusal("ASHACTS", transfer_learning.WAY)
ZeroShotTransfer = refusal("ZeroShotTransfer", transfer_learning.WAY)
__getattr__ = missing(__name__)
