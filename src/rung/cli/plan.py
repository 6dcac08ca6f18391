"""`rung plan`: what `run` would do, from the very engine that would do it, without a store and without a trial."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rung.cli.options import find, format_options, place_options, say, store_at
from rung.cli.target import TargetCommand, resolved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.api.handle import Handle
    from rung.execute.base import Place
    from rung.model import Parameter, StudySpec
    from rung.runner.jobs import Launcher
    from rung.space import Space
    from rung.study import events as ev

FIRST = 10


@click.command("plan", cls=TargetCommand)
@click.option("--probe", type=click.IntRange(1), metavar="N", help="Run N trials, to estimate time and cost.")
@place_options
@format_options
@click.pass_obj
def show_plan(
    command_line: list[str], /, *, probe: int | None, store: str | None, directory: str | None, form: str, **given: Any
) -> None:
    """Say what `run` would do with the same words, and run nothing: the space and its size, how many trials, the first
    commands, what the linter says, who proposes and why."""
    from rung.api.creation import created_event
    from rung.api.targets import budgeted
    from rung.cli.advice import check_machine
    from rung.cli.drivers import hand_over, launcher_of
    from rung.model import BadInput

    launcher = launcher_of(given)
    if launcher is not None:
        if probe is not None:
            raise BadInput("cannot try trials of a launcher; `rung run -n N` runs some", place="--probe")
        hand_over(launcher, given, verb="plan", form=form, store=store, directory=directory, command_line=command_line)
    target = resolved(given)
    spec, chosen = budgeted(target.spec)
    check_machine(spec)
    places = find(directory, store)
    event = created_event(
        spec, runs=places.runs, cwd=Path.cwd(), command_line=command_line, surface="cli",
        deterministic=given["deterministic"],
    )  # fmt: skip
    from rung.api.warmstart import WarmStart, read_earlier

    names = given["warm_start"]
    earlier = read_earlier(store_at(places.store), names, event, place="--from") if names else WarmStart()
    for text in (*target.remarks, *earlier.lines):
        say(text)
    found = planned(event, earlier.facts)
    if probe is not None:
        found["probe"] = _probed(event, probe, found)
    print_plan(found, chosen, form)


def planned(event: ev.StudyCreated, earlier: Sequence[ev.EarlierStudyRead] = ()) -> dict[str, Any]:
    """The plan of a study to be (CONTRACT, section JSON), which begins with what `earlier` ones found."""
    from rung.analysis import effort
    from rung.analysis.records import whole
    from rung.analysis.trajectories import resource_name
    from rung.api.creation import check_startable, describe
    from rung.cli.advice import spec_warnings
    from rung.cli.endings import checkpoints_text, ending_text
    from rung.plugins import make_scheduler

    state = check_startable(event)
    spec, space = state.spec, state.space
    resource = spec.schedule.resource or "step"
    trials, scheduler = _trials(spec, space), make_scheduler(state)
    brackets = scheduler.brackets(trials)
    work = effort.work_of(brackets)
    return {
        "size": space.size,
        "trials": trials,
        "parameters": [_described(parameter, space) for parameter in spec.parameters],
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


def _described(parameter: Parameter, space: Space) -> dict[str, Any]:
    import msgspec

    from rung.analysis.records import wired

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


def _first(event: ev.StudyCreated, earlier: Sequence[ev.EarlierStudyRead]) -> list[dict[str, Any]]:
    """The first proposals and their commands, as they come while no trial has reported anything."""
    from rung.analysis.records import wired
    from rung.execute.base import Place
    from rung.plugins import launcher_for, policy_for
    from rung.runner.asking import Asking
    from rung.study.engine import Engine, Me
    from rung.study.seeds import trial_seed
    from rung.study.state import State

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
    from rung.dialects.base import NoProgram

    try:
        how = launch(spec, params, place)
    except NoProgram:
        return []
    return list(how.shown or how.argv)


def _probed(event: ev.StudyCreated, count: int, found: dict[str, Any]) -> dict[str, Any]:
    """How long `count` real trials took, and what that means for all."""
    from rung.analysis.effort import Work
    from rung.api.probe import estimate, probe
    from rung.cli.panel import Lines

    def watch(handle: Handle) -> Any:
        lines = Lines(handle)
        return lines.observe, lines.say

    work = None if found["work"] is None else Work(found["work"]["planned"], found["work"]["full"])
    return estimate(event.spec, probe(event, count, watch=watch), trials=found["trials"], work=work)


# ----------------------------------------------------------------------------------------------------------- for people


def print_plan(found: dict[str, Any], chosen: str | None, form: str) -> None:
    """The plan is on stdout, its warnings on stderr."""
    from rung.cli.tables import print_json, print_rows

    if form == "json":
        print_json({name: value for name, value in found.items() if name != "lines"})
    elif form == "csv":
        names = list(found["parameters"][0]) if found["parameters"] else ["name"]
        print_rows(names, [[p.get(name) for name in names] for p in found["parameters"]], form=form)
    else:
        click.echo("\n".join(_summary(found, chosen)))
        print_rows(["parameter", "type", "domain", "when"], [_domain_row(p) for p in found["parameters"]], form=form)
        click.echo("\nfirst commands:")
        alike = len({tuple(each["command"]) for each in found["first"]}) < len(found["first"])
        for each in found["first"]:
            click.echo(f"  {_command_line(each, named=alike)}")
        for text in found["warnings"]:
            say(f"warning: {text}")


def _summary(found: dict[str, Any], chosen: str | None) -> list[str]:
    size = "infinitely many configurations" if found["size"] is None else _count(found["size"], "configuration")
    trials = "as many trials as the budget allows" if found["trials"] is None else _count(found["trials"], "trial")
    lines = [("space", size), ("trials", chosen or trials), ("search", found["search"])]
    lines.append(("schedule", found["schedule"]))
    lines += [("rungs" if i == 0 else "", text) for i, text in enumerate(found["lines"])]
    if found["work"] is not None:
        lines.append(("work", _work(found["work"])))
    lines += [("keeps", found["checkpoints"]), ("ends", found["ends"])]
    if "probe" in found:
        lines += _probe_lines(found["probe"], found["resource"])
    return [*(f"{name:8} {text}" for name, text in lines), ""]


def _work(work: dict[str, Any]) -> str:
    planned, full = (f"{work[name]:,.10g}" for name in ("planned", "full"))
    return f"{planned} {work['unit']}, {100 * work['share']:.3g} % of the {full} without early stopping"


def _probe_lines(probe: dict[str, Any], resource: str) -> list[tuple[str, str]]:
    from rung.cli.tables import number, seconds

    if probe["seconds_each"] is None:
        return [("probe", f"no trial succeeded ({probe['failed']} failed)")]
    measured = f"{seconds(probe['seconds_each'])} a trial ({probe['trials']} tried)"
    if probe["seconds_per_unit"] is not None:
        each = f"{probe['seconds_per_unit']:.3g} s for each {resource}"
        measured += f": {seconds(probe['startup'])} to start and end, {each}"
    if probe["seconds_total"] is None:
        return [("probe", measured)]
    total = f"about {seconds(probe['seconds_total'])}"
    if probe["seconds_low"] is None:
        total += "; one trial does not say how much others differ"
    else:
        low, high = seconds(probe["seconds_low"]), seconds(probe["seconds_high"])
        total += f"; {low} to {high} if all were as the fastest or the slowest of those tried"
    more = [f"{number(probe['gpu_hours'])} GPU hours"] if "gpu_hours" in probe else []
    more += [f"cost {number(probe['cost'])}"] if "cost" in probe else []
    return [("probe", measured), ("time", ", ".join([total, *more]))]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _domain_row(parameter: dict[str, Any]) -> list[Any]:
    from rung.cli.tables import shown

    values, low, high = parameter["values"], parameter["min"], parameter["max"]
    if parameter["type"] == "constant":
        domain = shown(values[0])
    elif low is not None and high is not None:
        step = f", step {parameter['step']}" if parameter["step"] is not None else ""
        domain = f"{shown(low)} .. {shown(high)}{step}" + _scale(parameter)
    elif values is not None:
        domain = ", ".join(shown(value) for value in values)
    else:
        domain = f"mean {shown(parameter.get('mean'))}, sd {shown(parameter.get('sd'))}"
    return [parameter["name"], parameter["type"], domain, parameter["when"]]


def _scale(parameter: dict[str, Any]) -> str:
    return f", {parameter['scale']} scale" if parameter["scale"] not in {None, "linear"} else ""


def _command_line(each: dict[str, Any], *, named: bool) -> str:
    """The command; `named`: with the parameters, since they do not show in it."""
    import shlex

    from rung.cli.tables import assigned, one_line

    if not each["command"]:
        return assigned(each["params"])
    line = one_line(shlex.join(each["command"]))
    return f"{line}  # {assigned(each['params'])}" if named and each["params"] else line


COMMANDS = {"plan": show_plan}
