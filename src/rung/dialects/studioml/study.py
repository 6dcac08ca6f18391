"""What a command line of `studio run` describes, as a study."""

from __future__ import annotations

import random
import zlib
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from rung.dialects.durations import parse_duration
from rung.dialects.studioml.experiment import EXIT_STATUS, FITNESS
from rung.dialects.studioml.ranges import PluginRange, grid_values, odd_start, plugin_range
from rung.model import (
    BadInput,
    Budget,
    Objective,
    Parameter,
    Program,
    RunSettings,
    ScheduleSpec,
    SearchSpec,
    StudySpec,
)
from rung.space import template
from rung.space.validation import check_name

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "studioml"
GRID = "grid"
CMAES = "cmaes"
OPTIMIZER = {
    "cmaes_config": {"popsize": 100, "sigma0": 0.25, "load_best_only": False},
    "load_checkpoint_file": None,
    "visualization": False,
    "result_dir": ".",
    "checkpoint_interval": 0,
    "termination_criterion": {
        "generation": 5, "fitness": 999, "skip_gen_thres": 1.0, "skip_gen_timeout": 30,
    },
}  # fmt: skip
"""The section `optimizer` of StudioML's configuration, with its defaults."""


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder that every experiment gets a copy of, under `tag`. `mutable`: what the script writes there is
    kept with the experiment."""

    path: str
    tag: str
    mutable: bool = False


class Flags(msgspec.Struct, frozen=True, kw_only=True):
    """The flags of `studio run` that a study is made of, as text, and the script with its arguments. `command`: what
    runs the script; `source`: its text; `seed`: of the search; `trials`: how many at most."""

    script: str
    arguments: tuple[str, ...] = ()
    command: tuple[str, ...]
    source: str = ""
    hyperparams: tuple[str, ...] = ()
    metric: str | None = None
    optimizer: str = GRID
    workers: int = 1
    max_duration: str | None = None
    lifetime: str | None = None
    experiment: str | None = None
    name: str | None = None
    gpus: float = 0.0
    cpus: float = 0.0
    capture: tuple[Artifact, ...] = ()
    reuse: tuple[Artifact, ...] = ()
    executor: str = "local"
    seed: int | None = None
    trials: int | None = None
    section: Mapping[str, Any] = msgspec.field(default_factory=lambda: OPTIMIZER)


class Described(msgspec.Struct, frozen=True):
    """The study, and what is to be said of it."""

    spec: StudySpec
    remarks: tuple[str, ...] = ()


def study_of(flags: Flags) -> Described:
    """The study that the flags describe. Raises `BadInput` naming the flag."""
    remarks: list[str] = []
    arrays: dict[str, int] = {}
    start: Any = "random"
    ranges: list[PluginRange] = []
    pairs = _pairs(flags.hyperparams)
    if flags.optimizer == GRID:
        parameters = [_grid_parameter(name, text, remarks) for name, text in pairs]
        search = SearchSpec(method=GRID, seed=flags.seed)
    else:
        ranges = _plugin_ranges(pairs, flags.optimizer)
        parameters = [parameter for one in ranges for parameter in one.parameters()]
        arrays = {one.name: one.array_length for one in ranges if one.array_length is not None}
        search = _search(flags, ranges)
        start = "random" if search.method.endswith(".py") else _start(ranges, flags)
    objective = objective_of(flags, remarks)
    settings = {
        "script": flags.script, "at": flags.command.index(flags.script) if flags.script in flags.command else None,
        "arrays": arrays,
        "experiment": flags.experiment, "reports_exit": objective.metric == EXIT_STATUS,
        "capture": [msgspec.to_builtins(one) for one in flags.capture],
        "reuse": [msgspec.to_builtins(one) for one in flags.reuse],
    }  # fmt: skip
    spec = StudySpec(
        name=flags.name,
        command=tuple(template.escaped(word) for word in (*flags.command, *flags.arguments)),
        program=Program(dialect=NAME, settings=settings),
        parameters=tuple(parameters),
        objectives=(objective,),
        start=start,
        search=search,
        schedule=ScheduleSpec(),
        budget=_budget(flags, parameters),
        run=RunSettings(
            workers=flags.workers, gpus=flags.gpus, cpus=flags.cpus, executor=flags.executor, inject="source",
            timeout_s=_seconds(flags.max_duration, "--max-duration"),
        ),
    )  # fmt: skip
    return Described(spec, tuple(remarks))


def _pairs(texts: Sequence[str]) -> list[tuple[str, str]]:
    """Name and range of each `--hyperparam`."""
    pairs: list[tuple[str, str]] = []
    for text in texts:
        name, equals, range_text = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise BadInput(f"expected NAME=RANGE, such as lr=0.01:0.01:0.1, got {text!r}", place="--hyperparam")
        try:
            check_name(name)
        except BadInput as error:
            raise BadInput(error.message, place="--hyperparam", key=name) from None
        if name in dict(pairs):
            raise BadInput("is given twice; give it once", place="--hyperparam", key=name)
        pairs.append((name, range_text))
    return pairs


def _grid_parameter(name: str, text: str, remarks: list[str]) -> Parameter:
    try:
        values = grid_values(text)
    except BadInput as error:
        raise BadInput(error.message, place="--hyperparam", key=name) from None
    if not values:
        raise BadInput(f"{text} holds no value: its end comes before its start", place="--hyperparam", key=name)
    odd = odd_start(text)
    if odd is not None:
        remarks.append(f"--hyperparam: {name}: `{odd}` is no number: the range begins at 0")
    if len(values) == 1:
        return Parameter(name=name, type="constant", value=values[0])
    return Parameter(name=name, type="ordinal" if _ascending(values) else "choice", values=tuple(values))


def _ascending(values: Sequence[Any]) -> bool:
    numbers = [value for value in values if not isinstance(value, str)]
    return len(numbers) == len(values) and all(a < b for a, b in pairwise(values))


def _plugin_ranges(pairs: Sequence[tuple[str, str]], optimizer: str) -> list[PluginRange]:
    if not pairs:
        raise BadInput(f"the optimizer {optimizer} has nothing to search: give --hyperparam NAME=MIN:MAX")
    found: list[PluginRange] = []
    for name, text in pairs:
        index = sum(one.array_length or 1 for one in found)
        try:
            found.append(plugin_range(name, text, optimizer, index=index))
        except BadInput as error:
            raise BadInput(error.message, place="--hyperparam", key=name) from None
    return found


def _search(flags: Flags, ranges: Sequence[PluginRange]) -> SearchSpec:
    options: dict[str, Any] = {}
    batch = None
    if flags.optimizer.endswith(".py"):
        options = {"hyperparameters": [msgspec.to_builtins(one) for one in ranges], "config": dict(flags.section)}
        batch = 1  # the next generation comes when all of this one is told; more at once where its size is known
    elif flags.optimizer == CMAES and flags.section["cmaes_config"] != OPTIMIZER["cmaes_config"]:
        options = {"population": flags.section["cmaes_config"].get("popsize")}
    return SearchSpec(method=flags.optimizer, seed=flags.seed, batch=batch, options=options)


def _start(ranges: Sequence[PluginRange], flags: Flags) -> Any:
    """Where the search begins: in the middle, but for what is to begin at random."""
    if all(one.rand_init for one in ranges):
        return "random"
    if not any(one.rand_init or one.unbounded for one in ranges):
        return "middle"
    # The same command line begins at the same place, so that it goes on with a study instead of being another one.
    draws = random.Random(zlib.crc32(repr((flags.seed, flags.hyperparams)).encode()))  # noqa: S311 - no secret
    point: dict[str, float] = {}
    for one in ranges:
        for parameter in one.parameters():
            value = one.actual(draws.uniform(one.min_range, one.max_range)) if one.rand_init else one.middle
            if parameter.min is not None and parameter.max is not None:
                value = min(max(value, parameter.min), parameter.max)
            if parameter.type != "constant":
                point[parameter.name] = value
    return (point,)


def objective_of(flags: Flags, remarks: list[str]) -> Objective:
    """What is best: `--metric`, else the printed fitness, else nothing but the end of the script."""
    if flags.metric:
        return _metric(flags.metric, remarks)
    if flags.optimizer != GRID or f"{FITNESS}:" in flags.source.lower():
        return Objective(metric=FITNESS, goal="maximize")
    remarks.append("no --metric NAME[:min|:max] is given: the experiments run, and none is better than another")
    return Objective(metric=EXIT_STATUS)


def _metric(text: str, remarks: list[str]) -> Objective:
    name, _, suffix = text.rpartition(":")
    if suffix in {"min", "max"} and name:
        return Objective(metric=name, goal="minimize" if suffix == "min" else "maximize", value=suffix)  # type: ignore[arg-type]
    name = name if name and suffix in {"", "final", "last"} else text
    if name == FITNESS:
        return Objective(metric=name, goal="maximize")
    remarks.append(f"--metric {name}: the last value counts, and the smallest is best ({name}:max for the largest)")
    return Objective(metric=name)


def _budget(flags: Flags, parameters: Sequence[Parameter]) -> Budget:
    """As many trials as the grid has, or as StudioML's criterion of termination allows its own optimizer."""
    time_s = _seconds(flags.lifetime, "--lifetime")
    trials, target = flags.trials, None
    if flags.optimizer == GRID:
        size = 1
        for parameter in parameters:
            size *= len(parameter.values or (None,))
        trials = size if trials is None else min(size, trials)
    elif not flags.optimizer.endswith(".py"):
        ends = flags.section["termination_criterion"]
        trials = trials or int(ends["generation"]) * int(flags.section["cmaes_config"]["popsize"])
        target = float(ends["fitness"]) if flags.metric is None else None
    return Budget(trials=trials, time_s=time_s, target=target)


def _seconds(text: str | None, flag: str) -> float | None:
    if text is None:
        return None
    try:
        seconds = parse_duration(text)
    except BadInput as error:
        raise BadInput(error.message, place=flag) from None
    if seconds <= 0:
        raise BadInput(f"must be above 0, got {text!r}", place=flag)
    return seconds


def artifact(text: str, *, mutable: bool, home: str) -> Artifact:
    """What `--capture PATH:TAG` says; without TAG it is called as the file is. Raises `BadInput`."""
    path, colon, tag = text.rpartition(":")
    if not colon:
        path, tag = text, text.rstrip("/").rpartition("/")[2]
    if not path or not is_tag(tag):
        raise BadInput(f"expected PATH:TAG, with a name for the tag, got {text!r}", place="--capture")
    return Artifact(path=home + path[1:] if path == "~" or path.startswith("~/") else path, tag=tag, mutable=mutable)


def is_tag(text: str) -> bool:
    """Whether an artifact can be called so: it is a name in a folder."""
    return bool(text) and text.isprintable() and "/" not in text and not text.startswith(".")


def optimizer_section(tree: Any, *, place: str) -> Mapping[str, Any]:
    """The section `optimizer` of a configuration file over StudioML's defaults. Raises `BadInput`."""
    found = {} if tree is None else tree
    if not isinstance(found, dict) or not isinstance(found.get("optimizer") or {}, dict):
        raise BadInput("expected a mapping, with a mapping under `optimizer`", place=place)
    given = found.get("optimizer") or {}
    merged = {key: {**value, **(given.get(key) or {})} if isinstance(value, dict) else given.get(key, value)
              for key, value in OPTIMIZER.items()} | {k: v for k, v in given.items() if k not in OPTIMIZER}  # fmt: skip
    for part, field in (("termination_criterion", "generation"), ("termination_criterion", "fitness"),
                        ("cmaes_config", "popsize")):  # fmt: skip
        number = merged[part][field]
        if isinstance(number, bool) or not isinstance(number, int | float) or number <= 0:
            raise BadInput(f"expected a number above 0, got {number!r}", place=place, key=f"optimizer.{part}.{field}")
    return merged
