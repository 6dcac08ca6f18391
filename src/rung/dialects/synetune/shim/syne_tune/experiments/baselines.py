"""What a method of an experiment is told, and the keyword arguments that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..optimizer.scheduler import TrialScheduler

    MethodDefinitions = dict[str, Callable[["MethodArguments"], TrialScheduler]]


@dataclass
class MethodArguments:
    """The tuning problem, the seed, and what the command line says of the method. `scheduler_kwargs` go to the
    scheduler as they are."""

    config_space: dict[str, Any]
    metric: str | list[str]
    mode: str | list[str]
    random_seed: int
    resource_attr: str | None = None
    max_resource_attr: str | None = None
    verbose: bool = False
    scheduler_kwargs: dict[str, Any] | None = None
    transfer_learning_evaluations: dict[str, Any] | None = None
    use_surrogates: bool = False
    num_brackets: int | None = None
    num_samples: int = 50
    fcnet_ordinal: str | None = None


def default_arguments(args: MethodArguments, extra_args: dict[str, Any] | None = None) -> dict[str, Any]:
    """The keyword arguments of a scheduler; those of `extra_args` go before."""
    found: dict[str, Any] = {
        "config_space": args.config_space, "metric": args.metric, "mode": args.mode, "random_seed": args.random_seed,
        "max_resource_attr": args.max_resource_attr, "resource_attr": args.resource_attr,
        **(args.scheduler_kwargs or {}),
    }  # fmt: skip
    return {**found, **(extra_args or {})}


def search_options(args: MethodArguments) -> dict[str, Any]:
    """What goes to the searcher."""
    return {"debug_log": args.verbose}
