"""Searchers as objects, for schedulers that take one."""

from __future__ import annotations

from typing import Any

from ...._missing import missing


class BaseSearcher:
    """A searcher by its name. Its keywords are those of the scheduler; here only the first points count."""

    searcher_name = ""

    def __init__(
        self, config_space: dict[str, Any] | None = None, metric: Any = None,
        points_to_evaluate: list[dict[str, Any]] | None = None, random_seed: int | None = None, **others: Any,
    ) -> None:  # fmt: skip
        self.points_to_evaluate, self.random_seed, self.options = points_to_evaluate, random_seed, others


class RandomSearcher(BaseSearcher):
    """Draws at random."""

    searcher_name = "random"


class GridSearcher(BaseSearcher):
    """Goes through a grid."""

    searcher_name = "grid"


class KernelDensityEstimator(BaseSearcher):
    """Tree-structured Parzen estimators."""

    searcher_name = "kde"


class MultiFidelityKernelDensityEstimator(KernelDensityEstimator):
    """The same under successive halving."""


class RegularizedEvolution(BaseSearcher):
    """Ageing evolution."""

    searcher_name = "regularized_evolution"


class Bore(BaseSearcher):
    """A density ratio."""

    searcher_name = "bore"


class MultiFidelityBore(Bore):
    """The same under successive halving."""


class BoTorchSearcher(BaseSearcher):
    """A Gaussian process."""

    searcher_name = "botorch"


BotorchSearcher = BoTorchSearcher


class GPFIFOSearcher(BaseSearcher):
    """A Gaussian process."""

    searcher_name = "bayesopt"


class GPMultiFidelitySearcher(GPFIFOSearcher):
    """The same under successive halving."""


class SurrogateSearcher(BaseSearcher):
    """Quantile regression."""

    searcher_name = "cqr"


ConformalQuantileRegression = CQR = SurrogateSearcher
__getattr__ = missing(__name__)
