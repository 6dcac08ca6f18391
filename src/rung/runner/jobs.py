"""From a trial to the job that an executor runs: its directory, command line, environment and time limit."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rung.execute.base import Cursor, Job, Launch, Place
from rung.execute.source import launched
from rung.inside import wire
from rung.model import StudySpec
from rung.space import template
from rung.space.expressions import metric_expression
from rung.study.seeds import trial_seed

if TYPE_CHECKING:
    from pathlib import Path

    from rung.study.state import Live, State

STEP_NAMES = ("step", "epoch", "iteration")


def attempt_directory(runs: Path, study: str, *, trial: int, attempt: int) -> Path:
    """`RUNS/STUDY/NNNNN/A`: short, and free of parameter values."""
    return runs / f"{study}/{trial:05d}/{attempt}"


def job_key(state: State, *, trial: int, attempt: int) -> str:
    """The token that marks a job's processes; unique among all studies."""
    return f"{state.created.uid}/{trial}/{attempt}"


Launcher = Callable[[StudySpec, dict[str, Any], Place], Launch]
"""How a trial of a spec with these parameters is started in that place. Pure: it only says, and reads no clock."""


def native(spec: StudySpec, params: dict[str, Any], place: Place) -> Launch:
    """Our own way: `function`, or the template `command`; nothing to start for an in-process objective."""
    if spec.function is not None:
        metrics = (o.metric for o in spec.objectives)
        argv = [sys.executable, "-m", "rung.inside.call", spec.function, *metrics]
    else:
        words = spec.command or ()
        if spec.run.inject != "args":  # only what is asked for by name goes on the command line
            words = tuple(word for word in words if word not in {"{rest}", "{params}"})
        argv = template.render(words, params)
    if spec.run.inject == "source":
        return launched(spec, argv, params, place)
    return Launch(argv=tuple(argv), env=_injected(spec.run.inject, params))


def job_for(state: State, live: Live, *, study: str, runs: Path, launch: Launcher = native) -> Job:
    """The job of a trial's current attempt."""
    params = state.space.full(state.params(live.number))
    spec = state.spec
    source = live.source
    directory = str(attempt_directory(runs, study, trial=live.number, attempt=live.attempt))
    resource = (spec.schedule.resource,) if spec.schedule.resource else ()
    place = Place(
        study=study, trial=live.number, attempt=live.attempt, seed=trial_seed(state.seed, live.number),
        directory=directory, cwd=spec.run.cwd, resource=live.told, resumed=source is not None,
    )  # fmt: skip
    how = launch(spec, params, place)
    return Job(
        key=job_key(state, trial=live.number, attempt=live.attempt),
        directory=directory,
        argv=how.argv,
        cwd=spec.run.cwd,
        env=_environment(state, live, place) | how.env,
        params=params,
        files=how.files,
        metrics=_metrics(spec),
        steps=tuple(dict.fromkeys(resource + STEP_NAMES)),  # a schedule that names its resource counts in that
        timeout_s=spec.run.timeout_s,
        grace_s=spec.run.grace_s,
        gpus=spec.run.gpus,
        cpus=spec.run.cpus,
        attempt=live.attempt,
        resource=live.told,
        begin=Cursor() if source is None else Cursor(reports=source.checkpoint.reports, step=source.checkpoint.step),
        resumed=source is not None,
    )


def _metrics(spec: StudySpec) -> tuple[str, ...]:
    """The metrics that the study declares; a step counts as one where the study stops by it."""
    declared = [o.metric for o in spec.objectives] + [o.metric for o in spec.outcomes]
    stop = () if spec.budget.stop is None else metric_expression(spec.budget.stop).names
    return tuple(dict.fromkeys([*declared, *(name for name in stop if name in STEP_NAMES)]))


def cursor_of(live: Live) -> Cursor:
    """How far the log says this attempt's reports were read."""
    return Cursor(offsets=dict(live.offsets), reports=live.reports, step=live.step, channel=live.channel)  # type: ignore[arg-type]


def _environment(state: State, live: Live, place: Place) -> dict[str, str]:
    environment = {
        "RUNG_STUDY": place.study,
        "RUNG_TRIAL": str(place.trial),
        "RUNG_ATTEMPT": str(place.attempt),
        "RUNG_SEED": str(place.seed),
        "RUNG_CHECKPOINT_DIR": f"{place.directory}/{wire.WORKING_COPY}",
    }
    if live.told is not None:
        environment[wire.RESOURCE] = str(int(live.told)) if live.told.is_integer() else repr(live.told)
    if state.spec.schedule.resource:
        environment[wire.RESOURCE_NAME] = state.spec.schedule.resource
    if state.spec.checkpoint.enabled is False:
        environment[wire.SNAPSHOTS_WANTED] = "0"
    if live.source is not None:
        environment[wire.REPORTS_BEFORE] = str(live.source.checkpoint.reports)
    return environment


def _injected(inject: str, params: dict[str, Any]) -> dict[str, str]:
    """With `inject: env` each parameter is an environment variable of its own name (dots become underscores)."""
    if inject != "env":
        return {}
    return {
        name.replace(".", "_"): value if isinstance(value, str) else json.dumps(value) for name, value in params.items()
    }
