"""`main`: the command line of an experiment on this machine."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ...backend import LocalBackend
from ...stopping_criterion import StoppingCriterion
from ...tuner import Tuner
from ..baselines import MethodArguments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ...optimizer.scheduler import TrialScheduler
    from ..benchmark_definitions.common import RealBenchmarkDefinition

    Methods = Mapping[str, Callable[[MethodArguments], TrialScheduler]]
    Definitions = Callable[..., Mapping[str, RealBenchmarkDefinition]] | Mapping[str, RealBenchmarkDefinition]

_SEEDS = 2**31 - 1
_OPTIONS: tuple[tuple[str, type, Any, str], ...] = (
    ("experiment_tag", str, "experiment", "Begins the name of each experiment."),
    ("num_seeds", int, 1, "Seeds go up to this one, which is not run itself."),
    ("start_seed", int, 0, "The first seed."),
    ("method", str, None, "Only this method."),
    ("benchmark", str, None, "Only this benchmark."),
    ("n_workers", int, None, "Trials at once, instead of the definition's."),
    ("max_wallclock_time", float, None, "Seconds, instead of the definition's."),
    ("random_seed", int, 31415927, "From which the seeds of all searches follow."),
    ("num_gpus_per_trial", int, 1, "GPUs for each trial."),
    ("delete_checkpoints", int, 0, "1: no checkpoints are kept but those that are needed."),
    ("use_long_tuner_name_prefix", int, 1, "1: method and seed are part of the names."),
    ("verbose", int, 0, "Accepted, and changes nothing."),
    ("save_tuner", int, 0, "Accepted, and changes nothing: a study keeps itself."),
    ("max_size_data_for_model", int, None, "Accepted, and changes nothing."),
    ("scale_max_wallclock_time", int, 0, "1: with fewer workers than the definition's there is more time."),
    ("instance_type", str, None, "Accepted, and changes nothing: there is no cloud."),
    ("remote_tuning_metrics", int, 0, "Accepted, and changes nothing."),
)


def main(
    methods: Methods,
    benchmark_definitions: Definitions,
    extra_args: Sequence[dict[str, Any]] | None = None,
    map_method_args: Callable[..., dict[str, Any]] | None = None,
    extra_results: Any = None,  # noqa: ARG001 - its place counts
    use_transfer_learning: bool = False,
) -> None:
    """Every method with every seed has worked on every benchmark, those that the command line chooses."""
    if use_transfer_learning:
        raise NotImplementedError("use_transfer_learning is not covered: start from a study with `rung run --from`")
    options = _parsed(methods, extra_args or ())
    for benchmark_name, benchmark in _chosen(benchmark_definitions, options).items():
        for seed in range(options.start_seed, options.num_seeds):
            for method in [options.method] if options.method else list(methods):
                _run(methods, method, seed, benchmark_name, benchmark, options, extra_args or (), map_method_args)


def _parsed(methods: Methods, extra: Sequence[dict[str, Any]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name, kind, default, text in _OPTIONS:
        choices = sorted(methods) if name == "method" else None
        parser.add_argument(f"--{name}", type=kind, default=default, help=text, choices=choices)
    for each in extra:
        parser.add_argument(f"--{each['name']}", **{key: value for key, value in each.items() if key != "name"})
    return parser.parse_args()


def _chosen(definitions: Definitions, options: argparse.Namespace) -> Mapping[str, RealBenchmarkDefinition]:
    given = {"n_workers": options.n_workers, "max_wallclock_time": options.max_wallclock_time}
    given = {name: value for name, value in given.items() if value is not None}
    found = definitions(**given) if callable(definitions) else definitions
    if options.benchmark is None:
        return found
    if options.benchmark not in found:
        raise SystemExit(f"--benchmark: expected one of {', '.join(found)}, got {options.benchmark}")
    return {options.benchmark: found[options.benchmark]}


def _run(
    methods: Methods, method: str, seed: int, name: str, benchmark: RealBenchmarkDefinition,
    options: argparse.Namespace, extra: Sequence[dict[str, Any]], map_method_args: Callable[..., dict[str, Any]] | None,
) -> None:  # fmt: skip
    random_seed = (options.random_seed + seed) % _SEEDS
    kwargs: dict[str, Any] = {
        "config_space": benchmark.config_space, "metric": benchmark.metric, "mode": benchmark.mode,
        "random_seed": random_seed, "resource_attr": benchmark.resource_attr,
        "max_resource_attr": benchmark.max_resource_attr, "verbose": bool(options.verbose),
    }  # fmt: skip
    if benchmark.points_to_evaluate is not None:
        kwargs["scheduler_kwargs"] = {"points_to_evaluate": benchmark.points_to_evaluate}
    if map_method_args is not None:
        kwargs = map_method_args(options, method, kwargs)
    workers = benchmark.n_workers if options.n_workers is None else options.n_workers
    seconds = benchmark.max_wallclock_time if options.max_wallclock_time is None else options.max_wallclock_time
    if options.scale_max_wallclock_time and workers < benchmark.n_workers and options.max_wallclock_time is None:
        seconds = seconds * benchmark.n_workers / workers
    Tuner(
        trial_backend=LocalBackend(
            entry_point=str(benchmark.script),
            delete_checkpoints=bool(options.delete_checkpoints),
            num_gpus_per_trial=options.num_gpus_per_trial,
        ),
        scheduler=methods[method](MethodArguments(**kwargs)),
        stop_criterion=StoppingCriterion(
            max_wallclock_time=seconds, max_num_evaluations=benchmark.max_num_evaluations
        ),
        n_workers=workers,
        tuner_name=_tuner_name(options, method, seed),
        metadata={
            "seed": seed, "algorithm": method, "tag": options.experiment_tag, "benchmark": name,
            "random_seed": random_seed, "n_workers": workers, "max_wallclock_time": seconds,
            **{each["name"]: getattr(options, each["name"]) for each in extra},
        },
    ).run()  # fmt: skip


def _tuner_name(options: argparse.Namespace, method: str, seed: int) -> str:
    words = [options.experiment_tag, *([method, str(seed)] if options.use_long_tuner_name_prefix else [])]
    return "-".join("".join(c if c.isalnum() else "-" for c in word).strip("-") for word in words)
