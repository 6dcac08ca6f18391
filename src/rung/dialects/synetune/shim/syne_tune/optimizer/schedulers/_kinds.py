"""The schedulers: full evaluations, successive halving in its forms, the median rule, populations."""

from __future__ import annotations

import math
from typing import Any

from ...optimizer._searchers import counterpart, searcher_name
from ...optimizer.scheduler import TrialScheduler

_SEARCHER_KEYS = frozenset(
    {
        "searcher",
        "constraint_attr",
        "cost_attr",
        "num_samples",
        "shuffle_config",
        "population_size",
        "sample_size",
        "num_init_random",
    }
)
_RUNG_KEYS = frozenset({"grace_period", "reduction_factor", "rung_increment", "rung_levels", "brackets"})
_TYPES = {  # of HyperbandScheduler: Rung's schedule and its type, and how it differs
    "stopping": ("asha", "stopping", ""),
    "promotion": ("asha", "promotion", ""),
    "cost_promotion": ("asha", "promotion", "cost_promotion: what an evaluation costs is not weighed"),
    "pasha": ("asha", "promotion", "pasha: max_t is known from the beginning and does not grow"),
    "rush_stopping": ("asha", "stopping", "rush_stopping: the first points set no thresholds of their own"),
    "rush_promotion": ("asha", "promotion", "rush_promotion: the first points set no thresholds of their own"),
    "dyhpo": ("auto", "", "dyhpo: Rung's freeze-thaw schedule `auto` decides what to start and what to continue"),
}


class FIFOScheduler(TrialScheduler):
    """Each trial runs to its own end."""

    takes = _SEARCHER_KEYS
    searcher_default = "random"

    def describe(self, given: dict[str, Any]) -> None:
        """The searcher."""
        searcher = given.pop("searcher", None) or self.searcher_default
        self.takes_over(searcher)
        name = searcher_name(searcher)
        found = counterpart(name)
        self.recipe.search = found.method
        if found.note:
            self.note(found.note)
        if given.get("cost_attr") is not None and "cost" not in found.note:
            self.note("cost_attr is left out: what an evaluation costs is not weighed")
        if given.get("constraint_attr") is not None:
            self.recipe.limits[given["constraint_attr"]] = 0.0
        if name == "grid":
            self.recipe.grid = dict(given.get("num_samples") or {})
            self.recipe.shuffled = bool(given.get("shuffle_config", True))
            self.points_to_evaluate = self.points_to_evaluate or []
        if found.method == "gp" and given.get("num_init_random") is not None:
            self.recipe.search_options["initial"] = given["num_init_random"]
        for theirs, ours in (("population_size", "population"), ("sample_size", "tournament")):
            if found.method == "evolution" and given.get(theirs) is not None:
                self.recipe.search_options[ours] = given[theirs]

    def takes_over(self, searcher: object) -> None:
        """What a searcher object was given counts where the scheduler itself was not."""
        if self.points_to_evaluate is None:
            self.points_to_evaluate = getattr(searcher, "points_to_evaluate", None)
        if self.random_seed is None:
            self.random_seed = getattr(searcher, "random_seed", None)


class HyperbandScheduler(FIFOScheduler):
    """Asynchronous successive halving, by stopping or by promotion."""

    takes = _SEARCHER_KEYS | _RUNG_KEYS | {"type"}
    type_default = "stopping"

    def describe(self, given: dict[str, Any]) -> None:
        """The searcher, and the rungs."""
        kind = given.pop("type", None) or self.type_default
        if kind not in _TYPES:
            raise NotImplementedError(f"type={kind!r} is not covered: take one of {', '.join(_TYPES)}")
        super().describe(given)
        self.recipe.schedule, ours, note = _TYPES[kind]
        if note:
            self.note(note)
        options = rungs(given, self.max_t, default=None if kind == "dyhpo" else 1)
        if self.recipe.schedule == "auto":
            options = {name: value for name, value in options.items() if name in {"min", "max"}}
        else:
            options.update(type=ours, cut="quantile")
        self.recipe.schedule_options = options
        self.recipe.resource = self.resource_attr or "epoch"


def rungs(given: dict[str, Any], top: float | None, *, default: int | None = 1) -> dict[str, Any]:
    """The rungs in Rung's words."""
    levels, increment = given.get("rung_levels"), given.get("rung_increment")
    options: dict[str, Any] = {} if top is None else {"max": top}
    if levels is not None:
        options["levels"] = [level for level in levels if top is None or level < top]
    elif increment is not None:
        options.update(min=given.get("grace_period", 1), increment=increment)
    else:
        options.update(min=given.get("grace_period", 1), eta=given.get("reduction_factor") or 3)
    brackets = given.get("brackets", default)
    return options if brackets is None else {**options, "brackets": brackets}


class SynchronousGeometricHyperbandScheduler(FIFOScheduler):
    """Synchronous Hyperband: a rung is decided when all of it is known."""

    takes = _SEARCHER_KEYS | _RUNG_KEYS | {"max_resource_level"}

    def describe(self, given: dict[str, Any]) -> None:
        """The searcher, and brackets that wait."""
        super().describe(given)
        top = given.get("max_resource_level") or self.max_t
        if top is None:
            raise ValueError(f"{type(self).__name__}: max_resource_level or max_resource_attr is missing")
        self.recipe.schedule = "hyperband"
        self.recipe.schedule_options = {**rungs(given, top, default=None), "synchronous": True}
        self.recipe.resource = self.resource_attr or "epoch"


class GeometricDifferentialEvolutionHyperbandScheduler(SynchronousGeometricHyperbandScheduler):
    """The same, with differential evolution."""

    def describe(self, given: dict[str, Any]) -> None:
        """Differential evolution proposes."""
        super().describe(given)
        self.recipe.search = "de"


class PopulationBasedTraining(FIFOScheduler):
    """The worst of a population go on as changed copies of the best."""

    takes = _SEARCHER_KEYS | {
        "population_size", "perturbation_interval", "quantile_fraction", "resample_probability", "custom_explore_fn",
        "checkpoint",
    }  # fmt: skip

    def __init__(self, config_space: dict[str, Any], custom_explore_fn: Any = None, **keywords: Any) -> None:
        if isinstance(custom_explore_fn, str):  # the 2026 edition has the metric in this place
            custom_explore_fn, keywords["metric"] = None, custom_explore_fn
        if custom_explore_fn is not None:
            raise NotImplementedError("custom_explore_fn is not covered: values are multiplied by 0.8, 1.2, or drawn")
        super().__init__(config_space, **{"max_t": 100, **keywords})

    def describe(self, given: dict[str, Any]) -> None:
        """The population."""
        size = given.pop("population_size", None) or 4
        super().describe(given)
        wanted = {
            "interval": given.get("perturbation_interval") or 60,
            "quantile": max(
                given.get("quantile_fraction") or 0.25, math.ceil(1000 / size) / 1000
            ),  # at least one member
            "resample": given.get("resample_probability"),
            "max": self.max_t,
        }
        self.recipe.schedule = "pbt"
        self.recipe.schedule_options = {
            "population": size, **{name: value for name, value in wanted.items() if value is not None},
        }  # fmt: skip
        self.recipe.resource = self.resource_attr or "time_total_s"


class MedianStoppingRule(TrialScheduler):
    """Another scheduler's search, with trials ended whose results are worse than the median of the others."""

    def __init__(
        self, scheduler: TrialScheduler, resource_attr: str | None = None, running_average: bool = True,
        metric: str | None = None, grace_time: int | None = 1, grace_population: int = 5, rank_cutoff: float = 0.5,
        random_seed: int | None = None, time_attr: str | None = None,
    ) -> None:  # fmt: skip
        vars(self).update(vars(scheduler))
        if scheduler.recipe.schedule != "none":
            raise NotImplementedError("MedianStoppingRule around a scheduler that stops trials itself is not covered")
        resource = resource_attr or time_attr or scheduler.resource_attr
        options: dict[str, Any] = {"population": grace_population, "grace": grace_time or 0}
        if rank_cutoff == 0.5:
            schedule, options["average"] = "median", running_average
        else:
            schedule, options["percentile"] = "percentile", 100 * rank_cutoff
            self.note("rank_cutoff: values are compared at equal steps, without running averages")
        self.recipe.schedule, self.recipe.schedule_options, self.recipe.resource = schedule, options, resource
        if random_seed is not None:
            self.random_seed = random_seed
