"""`rung plan`: what `run` would do, from the very engine that would do it, without a store and without a trial."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rung.cli.options import find, format_options, place_options, say, store_at
from rung.cli.target import TargetCommand, resolved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.model import Parameter, StudySpec
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

    spec, chosen = budgeted(resolved(given).spec)
    check_machine(spec)
    places = find(directory, store)
    event = created_event(
        spec, runs=places.runs, cwd=Path.cwd(), command_line=command_line, surface="cli",
        deterministic=given["deterministic"],
    )  # fmt: skip
    from rung.api.warmstart import WarmStart, read_earlier

    names = given["warm_start"]
    earlier = read_earlier(store_at(places.store), names, event, place="--from") if names else WarmStart()
    for text in earlier.lines:
        say(text)
    found = planned(event, earlier.facts)
    if probe is not None:
        found["probe"] = _probed(event, probe, trials=found["trials"])
    _print(found, chosen, form)


def planned(event: ev.StudyCreated, earlier: Sequence[ev.EarlierStudyRead] = ()) -> dict[str, Any]:
    """The plan of a study to be (CONTRACT, section JSON), which begins with what `earlier` ones found."""
    from rung.api.creation import check_startable, describe
    from rung.cli.advice import spec_warnings

    state = check_startable(event)
    spec, space = state.spec, state.space
    return {
        "size": space.size,
        "trials": _trials(spec, space),
        "parameters": [_described(parameter, space) for parameter in spec.parameters],
        "brackets": [],
        "first": _first(event, earlier),
        "search": describe(event) + _batches(spec),
        "warnings": spec_warnings(spec),
    }


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
    from rung.plugins import policy_for
    from rung.runner.asking import Asking
    from rung.runner.jobs import command
    from rung.study.engine import Engine, Me
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
    trials = [state.trial(number).params for number in range(len(state))]
    return [{"params": wired(params), "command": list(command(state, params))} for params in trials]


def _probed(event: ev.StudyCreated, count: int, *, trials: int | None) -> dict[str, Any]:
    """How long `count` real trials took, in a store that is gone afterwards, and what that means for all."""
    import msgspec

    from rung.analysis.records import duration
    from rung.api.attachment import attach
    from rung.api.creation import create
    from rung.cli.panel import Lines

    spec = event.spec
    budget = msgspec.structs.replace(spec.budget, trials=count, target=None)
    with tempfile.TemporaryDirectory(prefix="rung-probe-") as folder:
        small = msgspec.structs.replace(
            event, spec=msgspec.structs.replace(spec, name=None, budget=budget),
            provenance={**event.provenance, "runs": folder},
        )  # fmt: skip
        handle = create(store_at(f"sqlite:///{folder}/rung.db"), small, stem="probe")
        lines = Lines(handle)
        why = attach(handle, workers=spec.run.workers, observe=lines.observe, say=lines.say)
        handle.refresh()
        if why != "done":
            raise KeyboardInterrupt
        found = [t for t in handle.state.trials() if t.state in {"complete", "pruned"}]
        took = [d for t in found if (d := duration(t)) is not None]
        failed = handle.state.counts["failed"]
    return _estimate(spec, took, failed=failed, trials=trials)


def _estimate(spec: StudySpec, took: list[float], *, failed: int, trials: int | None) -> dict[str, Any]:
    each = sum(took) / len(took) if took else None
    total = None if each is None or trials is None else each * trials / min(spec.run.workers, trials)
    if total is not None and spec.budget.time_s is not None:
        total = min(total, spec.budget.time_s)
    found: dict[str, Any] = {"trials": len(took), "failed": failed, "seconds_each": each, "seconds_total": total}
    if spec.run.gpus and each is not None and trials is not None:
        found["gpu_hours"] = each * trials * spec.run.gpus / 3600
    return found


# ----------------------------------------------------------------------------------------------------------- for people


def _print(found: dict[str, Any], chosen: str | None, form: str) -> None:
    from rung.cli.tables import print_json, print_rows

    if form == "json":
        print_json(found)
    elif form == "csv":
        names = list(found["parameters"][0]) if found["parameters"] else ["name"]
        print_rows(names, [[p.get(name) for name in names] for p in found["parameters"]], form=form)
    else:
        click.echo("\n".join(_summary(found, chosen)))
        print_rows(["parameter", "type", "domain", "when"], [_domain_row(p) for p in found["parameters"]], form=form)
        click.echo("\nfirst commands:")
        for each in found["first"]:
            click.echo(f"  {_command_line(each)}")
        for text in found["warnings"]:
            say(f"warning: {text}")


def _summary(found: dict[str, Any], chosen: str | None) -> list[str]:
    from rung.cli.tables import number, seconds

    size = "infinitely many configurations" if found["size"] is None else _count(found["size"], "configuration")
    trials = "as many trials as the time allows" if found["trials"] is None else _count(found["trials"], "trial")
    lines = [f"space    {size}", f"trials   {chosen or trials}", f"search   {found['search']}"]
    probe = found.get("probe")
    if probe is not None and probe["seconds_each"] is None:
        lines.append(f"probe    no trial succeeded ({probe['failed']} failed)")
    elif probe is not None:
        gpu = f", {number(probe['gpu_hours'])} GPU hours" if "gpu_hours" in probe else ""
        total = f", about {seconds(probe['seconds_total'])} in all" if probe["seconds_total"] is not None else ""
        lines.append(f"probe    {seconds(probe['seconds_each'])} a trial ({probe['trials']} tried){total}{gpu}")
    return [*lines, ""]


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


def _command_line(each: dict[str, Any]) -> str:
    import shlex

    from rung.cli.tables import assigned, one_line

    return one_line(shlex.join(each["command"])) if each["command"] else assigned(each["params"])


COMMANDS = {"plan": show_plan}
