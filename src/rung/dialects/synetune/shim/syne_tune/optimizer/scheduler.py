"""What all schedulers are here: a description of a search, which Rung carries out."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..config_space import Domain

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_RESOURCE = ("epochs", "max_t", "max_epochs")  # keys of a space that say how far a trial goes
_NO_MEANING = frozenset(
    {
        "debug_log", "search_options", "searcher_kwargs", "log", "do_snapshots", "register_pending_myopic",
        "rung_system_kwargs", "rung_system_per_bracket", "early_checkpoint_removal_kwargs", "max_size_data_for_model",
        "max_size_top_fraction", "opt_nstarts", "opt_maxiter", "opt_warmstart", "opt_verbose", "opt_skip_init_length",
        "opt_skip_period", "opt_skip_num_max_resource", "opt_debug_writer", "gp_base_kernel", "gp_resource_kernel",
        "acq_function", "acq_function_kwargs", "input_warping", "boxcox_transform", "num_init_random",
        "num_init_candidates", "num_fantasy_samples", "no_fantasizing", "initial_scoring", "skip_local_optimization",
        "transfer_learning_task_attr", "resource_acq", "model", "gp_fit_options", "num_samples", "metrics", "metric",
        "num_min_data_points", "top_n_percent", "min_bandwidth", "bandwidth_factor", "num_candidates", "gamma",
        "random_fraction", "classifier", "mcmc_iterations", "acq_maxiter", "update_frequency", "max_fit_samples",
        "max_surrogate_samples", "surrogate_kwargs", "probability_sh", "search_no_fantasizing", "prior_kwargs",
        "input_warping_bounds", "hypertune_distribution_num_samples", "separate_noise_variances", "issm_gamma_one",
        "num_bracket_samples", "normalize_targets", "num_max_observations", "trial_timeout", "epsilon",
        "max_resource_level", "keep_size_ratio", "sample_size", "population_size", "max_resource_attr",
    }
)  # fmt: skip


class SchedulerDecision:
    """The words for what becomes of a trial that reported."""

    CONTINUE = "CONTINUE"
    PAUSE = "PAUSE"
    STOP = "STOP"


@dataclass
class Recipe:
    """A search in Rung's words: who proposes, who stops, in which resource, from which first points.

    `grid`: how many points each numeric domain is cut into, None: the space as it is. `limits`: metrics that must be at
    most so much. `notes`: lines that say what is done in another way.
    """

    search: str = "random"
    search_options: dict[str, Any] = field(default_factory=dict)
    schedule: str = "none"
    schedule_options: dict[str, Any] = field(default_factory=dict)
    resource: str | None = None
    grid: dict[str, int] | None = None
    shuffled: bool = False
    limits: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class TrialScheduler:
    """What a tuner needs to know of a search.

    The names of both editions are taken: `metric` and `mode`, or `metrics` and `do_minimize`; `resource_attr` or
    `time_attr`. A keyword that is known and has no counterpart is said and left out; any other is a `TypeError`.
    """

    takes: frozenset[str] = frozenset()
    """Further keywords that the class uses."""

    def __init__(
        self,
        config_space: dict[str, Any],
        metric: str | list[str] | None = None,
        mode: str | list[str] | None = None,
        *,
        metrics: list[str] | None = None,
        do_minimize: bool | None = None,
        points_to_evaluate: list[dict[str, Any]] | None = None,
        random_seed: int | None = None,
        resource_attr: str | None = None,
        time_attr: str | None = None,
        max_resource_attr: str | None = None,
        max_t: float | None = None,
        **others: Any,
    ) -> None:
        names = metrics if metric is None else metric
        if not names:
            raise TypeError(f"{type(self).__name__}: metric is missing: the name under which trials report it")
        self.config_space = dict(config_space)
        self.metrics = [names] if isinstance(names, str) else list(names)
        self.modes = _modes(mode, do_minimize, len(self.metrics))
        self.random_seed, self.max_resource_attr = random_seed, max_resource_attr
        self.resource_attr = resource_attr or time_attr
        self.max_t = _top(config_space, max_t, max_resource_attr)
        given = _flat(others)
        later = given.pop("points_to_evaluate", None)
        self.points_to_evaluate = later if points_to_evaluate is None else points_to_evaluate
        used = {name: given.pop(name) for name in list(given) if name in self.takes}
        self.recipe = Recipe(resource=self.resource_attr)
        self._leave_out(given, others)
        self.describe(used)

    def describe(self, given: dict[str, Any]) -> None:
        """The recipe says what the class stands for, with the keywords of `takes` that were given."""

    def note(self, text: str) -> None:
        """The tuner will say so before it starts."""
        self.recipe.notes.append(f"{type(self).__name__}: {text}")

    def _leave_out(self, given: dict[str, Any], others: Mapping[str, Any]) -> None:
        if given.pop("allow_duplicates", False):
            self.note("no configuration is evaluated twice (allow_duplicates is left out)")
        if given.pop("restrict_configurations", None) is not None:
            raise NotImplementedError(
                f"{type(self).__name__}: restrict_configurations is not covered: use choice() or finrange() domains, "
                "or a study file with `constraints`"
            )
        unknown = [name for name in given if name not in _NO_MEANING and name in others]
        if unknown:
            raise TypeError(
                f"{type(self).__name__}: {', '.join(unknown)} is not covered; docs/migrate/synetune.md lists what is"
            )
        left = sorted(name for name, value in given.items() if value is not None and name != "debug_log")
        if left:
            self.note(f"left out, since Rung's searchers have no such setting: {', '.join(left)}")

    # What tuners and callbacks of both editions ask.

    def metric_names(self) -> list[str]:
        """The objectives."""
        return list(self.metrics)

    def metric_mode(self) -> str | list[str]:
        """`min` or `max`; a list where the objectives differ."""
        return self.modes[0] if len(set(self.modes)) == 1 else list(self.modes)

    def metric_modes(self) -> list[str]:
        """`min` or `max` for each objective."""
        return list(self.modes)

    def metadata(self) -> dict[str, Any]:
        """What is kept beside the results."""
        return {
            "metric_names": self.metric_names(),
            "metric_mode": self.metric_mode(),
            "scheduler_name": type(self).__name__,
        }


def _modes(mode: str | list[str] | None, do_minimize: bool | None, count: int) -> list[str]:
    if mode is None:
        mode = "max" if do_minimize is False else "min"
    modes = [mode] * count if isinstance(mode, str) else list(mode)
    if len(modes) != count:
        raise ValueError(f"mode: expected one for each of {count} metrics, got {mode!r}")
    for each in modes:
        if each not in {"min", "max"}:
            raise ValueError(f"mode: expected min or max, got {each!r}")
    return modes


def _top(space: Mapping[str, Any], max_t: float | None, attribute: str | None) -> float | None:
    """How far a trial can go: as given, by the constant `attribute`, or by one that is named so."""
    if max_t is not None:
        return max_t
    for name in _MAX_RESOURCE if attribute is None else (attribute,):
        value = space.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool | Domain):
            return value
    return None


def _flat(others: Mapping[str, Any]) -> dict[str, Any]:
    """Keywords with those of `search_options` and `searcher_kwargs`, which are meant for the searcher."""
    flat = {name: value for name, value in others.items() if name not in {"search_options", "searcher_kwargs"}}
    for name in ("search_options", "searcher_kwargs"):
        flat = {**(others.get(name) or {}), **flat}
    return flat


def warn(text: str) -> None:
    """The line is on stderr."""
    sys.stderr.write(f"syne_tune: {text}\n")
