"""What a study would do, from the very engine that would do it, without a store and without a trial."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from rung.analysis import effort
from rung.analysis.records import whole, wired
from rung.analysis.trajectories import resource_name
from rung.analysis.wording import shown
from rung.api.advice import spec_warnings
from rung.api.creation import check_startable, describe
from rung.api.endings import checkpoints_text, ending_text
from rung.dialects.base import NoProgram
from rung.execute.base import Place
from rung.plugins import launcher_for, make_scheduler, policy_for
from rung.runner.asking import Asking
from rung.study.engine import Engine, Me
from rung.study.seeds import trial_seed
from rung.study.state import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.model import Parameter, StudySpec
    from rung.runner.jobs import Launcher
    from rung.space import Space
    from rung.study import events as ev

FIRST = 10


def planned(event: ev.StudyCreated, earlier: Sequence[ev.EarlierStudyRead] = ()) -> dict[str, Any]:
    """The plan of a study to be (CONTRACT, section JSON), which begins with what `earlier` ones found."""
    state = check_startable(event)
    spec, space = state.spec, state.space
    resource = spec.schedule.resource or "step"
    trials, scheduler = _trials(spec, space), make_scheduler(state)
    brackets = scheduler.brackets(trials)
    work = effort.work_of(brackets)
    return {
        "size": space.size,
        "trials": trials,
        "parameters": [described(parameter, space) for parameter in spec.parameters],
        "brackets": effort.bracket_records(brackets),
        "lines": effort.bracket_lines(brackets, resource),
        "resource": resource,
        "work": None if work is None else {
            "unit": resource_name(spec), "planned": whole(work.planned), "full": whole(work.full),
            "share": work.planned / work.full,
        },
        "first": _first(event, earlier),
        "search": describe(event) + _batches(spec),
        "schedule": scheduler.describe(),
        "checkpoints": checkpoints_text(spec),
        "ends": ending_text(spec),
        "warnings": spec_warnings(spec),
    }  # fmt: skip


def _batches(spec: StudySpec) -> str:
    batch = spec.search.batch
    return "" if batch is None else f"; {batch} at a time, from all results of the batches before"


def _trials(spec: StudySpec, space: Space) -> int | None:
    """How many will run: the budget, or the whole space where that is smaller."""
    limits = [] if spec.budget.trials is None else [spec.budget.trials]
    if space.size is not None and space.size_exact:
        limits.append(space.size * spec.search.repeats)
    return min(limits, default=None)


def described(parameter: Parameter, space: Space) -> dict[str, Any]:
    """A parameter of that space, as JSON."""
    numeric = parameter.type in {"float", "int", "normal", "lognormal"}
    fields = {
        "name": parameter.name,
        "type": parameter.type,
        "min": parameter.min,
        "max": parameter.max,
        "scale": parameter.scale if numeric else None,
        "step": parameter.step,
        "values": space.values(parameter.name),
        "default": None if parameter.default is msgspec.UNSET else parameter.default,
        "when": parameter.when,
    }
    more = {"mean": parameter.mean, "sd": parameter.sd, "times": parameter.times}
    found: dict[str, Any] = wired(fields | {name: value for name, value in more.items() if value is not None})
    return found


def domain_text(parameter: dict[str, Any]) -> str:
    """The domain of a parameter as `described`, in a few words."""
    values, low, high = parameter["values"], parameter["min"], parameter["max"]
    if parameter["type"] == "constant":
        return shown(values[0])
    if low is not None and high is not None:
        step = f", step {parameter['step']}" if parameter["step"] is not None else ""
        return f"{shown(low)} .. {shown(high)}{step}" + _scale(parameter)
    if values is not None:
        return ", ".join(shown(value) for value in values)
    return f"mean {shown(parameter.get('mean'))}, sd {shown(parameter.get('sd'))}"


def _scale(parameter: dict[str, Any]) -> str:
    return f", {parameter['scale']} scale" if parameter["scale"] not in {None, "linear"} else ""


def _first(event: ev.StudyCreated, earlier: Sequence[ev.EarlierStudyRead]) -> list[dict[str, Any]]:
    """The first proposals and their commands, as they come while no trial has reported anything."""
    state = State.begin(event, seq=1)
    engine = Engine(state, policy_for(state), Me("plan", 0))
    engine.fold(enumerate(earlier, start=2))
    ask = Asking()
    while len(state) < FIRST:
        question = engine.question(free=len(state) + 1)
        decisions = [] if question is None else engine.conclude(question, ask(question.answer), at=event.at)
        if not decisions:
            break
        engine.fold(enumerate(decisions, start=state.seq + 1))  # type: ignore[arg-type]
    launch, spec = launcher_for(state.spec), state.spec
    found = []
    for number in range(len(state)):
        params = state.space.full(state.params(number))
        place = Place(
            study=spec.name or "", trial=number, attempt=1, seed=trial_seed(state.seed, number),
            directory="$RUNG_TRIAL_DIR", cwd=spec.run.cwd,
        )  # fmt: skip
        found.append({"params": wired(state.trial(number).params), "command": _shown(launch, spec, params, place)})
    return found


def _shown(launch: Launcher, spec: StudySpec, params: dict[str, Any], place: Place) -> list[str]:
    """The command as the user knows it; none where the file of another tuner names no program, which may yet come."""
    try:
        how = launch(spec, params, place)
    except NoProgram:
        return []
    return list(how.shown or how.argv)
