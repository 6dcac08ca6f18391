"""A launcher's tuning as a study: metrics, space, search, schedule and limits in, `StudySpec` out."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import msgspec

from rung.model import (
    BadInput,
    Budget,
    CheckpointSpec,
    Objective,
    Outcome,
    Parameter,
    Program,
    RunSettings,
    ScheduleSpec,
    SearchSpec,
    StudySpec,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_TUNER_NAME = re.compile(r"[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62}")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_ENDS_ONLY = frozenset({"none", "asha", "hyperband", "median", "percentile"})  # and never holds one, by `stopping`
_GOALS = {"min": "minimize", "max": "maximize"}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a stopping criterion says that a study's budget can keep: each limit None where it says nothing. `low` and
    `high`: values of metrics that end the study once a trial reports them, or better."""

    seconds: float | None = None
    started: int | None = None
    completed: int | None = None
    finished: int | None = None
    low: dict[str, float] = {}
    high: dict[str, float] = {}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a launcher asks for. `points`: first configurations, whole; `limits`: of its criterion, None where that is
    a function. `program`: how a trial is started, None for a function of the launcher's own process. `waits`: running
    trials are waited for at the end, so the time is no limit of the budget, which ends them."""

    name: str
    parameters: tuple[Parameter, ...]
    metrics: tuple[str, ...]
    modes: tuple[str, ...]
    search: str
    search_options: dict[str, Any]
    schedule: str
    schedule_options: dict[str, Any]
    resource: str | None
    points: tuple[dict[str, Any], ...]
    seed: int | None
    at_most: dict[str, float]
    workers: int
    gpus: float
    max_failures: int
    cwd: str
    keep_checkpoints: bool = True
    limits: Limits | None = None
    program: dict[str, Any] | None = None
    waits: bool = False


def check_name(name: str) -> str:
    """The name as it is. Raises `BadInput` for one that Syne Tune would refuse."""
    if not _TUNER_NAME.fullmatch(name):
        raise BadInput(
            f"expected letters and digits, single or more dashes between them, at most 63, got {name!r}",
            key="tuner_name",
        )
    return name


def study_spec(wanted: Wanted) -> StudySpec:
    """The study. Raises `BadInput` for limits that cannot be."""
    limits = wanted.limits or Limits()
    return StudySpec(
        name=wanted.name,
        program=None if wanted.program is None else Program(dialect="synetune", settings=wanted.program),
        parameters=wanted.parameters,
        objectives=tuple(
            Objective(metric=metric, goal=_GOALS[mode], value="best")  # type: ignore[arg-type]
            for metric, mode in zip(wanted.metrics, wanted.modes, strict=True)
        ),
        outcomes=tuple(Outcome(metric=name, at_most=most) for name, most in wanted.at_most.items()),
        start=wanted.points or "random",
        search=SearchSpec(method=wanted.search, seed=wanted.seed, options=wanted.search_options),
        schedule=ScheduleSpec(method=wanted.schedule, resource=wanted.resource, options=wanted.schedule_options),
        checkpoint=CheckpointSpec() if wanted.keep_checkpoints else CheckpointSpec(trial_best=0, trial_latest=0),
        budget=Budget(
            trials=trial_limit(_checked(limits), wanted.schedule, wanted.schedule_options, 0),
            time_s=None if wanted.waits else _above_zero("max_wallclock_time", limits.seconds),
            max_failures=wanted.max_failures,
            stop=stop_expression(limits.low, limits.high),
        ),
        run=RunSettings(workers=wanted.workers, gpus=wanted.gpus, cwd=wanted.cwd),
    )


def _checked(limits: Limits) -> Limits:
    for name, value in (("started", limits.started), ("completed", limits.completed), ("finished", limits.finished)):
        if value is not None and value < 1:
            raise BadInput(f"must be 1 or more, got {value}", key=f"max_num_trials_{name}")
    return limits


def _above_zero(name: str, value: float | None) -> float | None:
    if value is not None and not (math.isfinite(value) and value > 0):
        if value == math.inf:
            return None
        raise BadInput(f"must be above 0, got {value}", key=name)
    return value


def stop_expression(low: Mapping[str, float], high: Mapping[str, float]) -> str | None:
    """The budget's `stop`: true once a metric of `low` is at or below its value, or one of `high` at or above."""
    parts = [f"{_quoted(name)} <= {value!r}" for name, value in low.items()]
    parts += [f"{_quoted(name)} >= {value!r}" for name, value in high.items()]
    return " or ".join(parts) or None


def _quoted(name: str) -> str:
    return name if _IDENTIFIER.fullmatch(name) and name not in {"and", "or", "not", "in"} else f"`{name}`"


def trial_limit(limits: Limits | None, schedule: str, options: Mapping[str, Any], failed: int) -> int | None:
    """How many trials may be evaluated when so many have failed, at least 0; None without such a limit.

    A failed trial was started and is finished, so one less is left; it is not completed, so another takes its place.
    How many must begin for so many to complete is not known where a schedule ends trials; for so many to finish, where
    it holds them.
    """
    if limits is None:
        return None
    left = {"started": -failed, "completed": 0, "finished": -failed}
    counts = [getattr(limits, name) for name in left]
    known = [
        count + left[name]
        for name, count in zip(left, counts, strict=True)
        if count is not None and name in counted_by_trials(schedule, options)
    ]
    return max(0, min(known)) if known else None


def counted_by_trials(schedule: str, options: Mapping[str, Any]) -> frozenset[str]:
    """Which of the limits on trials are kept by how many begin."""
    if schedule == "none":
        return frozenset({"started", "completed", "finished"})
    holds = schedule not in _ENDS_ONLY or options.get("type", "stopping") != "stopping" or options.get("synchronous")
    return frozenset({"started"} if holds else {"started", "finished"})


def gpu_share(devices: int, workers: int, each: int) -> float:
    """Devices a trial: `each` of them, or its share where `workers` of them would need more than there are."""
    if devices == 0 or each <= 0:
        return 0.0
    if each > 1 or workers * each <= devices:
        return float(min(each, devices))
    return max(0.01, math.floor(100 * devices / workers) / 100)


def with_budget(spec: StudySpec, budget: Budget, trials: int | None) -> StudySpec:
    """The study with another budget, of so many trials where that is known."""
    budget = budget if trials is None else msgspec.structs.replace(budget, trials=trials)
    return msgspec.structs.replace(spec, budget=budget)


def single(spec: StudySpec, parameters: tuple[Parameter, ...]) -> StudySpec:
    """A study without a name of one trial with these constants, started as those of `spec` are."""
    return msgspec.structs.replace(
        spec,
        name=None,
        parameters=parameters,
        start="random",
        search=SearchSpec(method="random"),
        schedule=ScheduleSpec(resource=spec.schedule.resource),
        budget=Budget(trials=1),
        run=msgspec.structs.replace(spec.run, workers=1),
    )
