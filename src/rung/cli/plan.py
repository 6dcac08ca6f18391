"""`rung plan`: what `run` would do, from the very engine that would do it, without a store and without a trial."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rung.cli.options import find, format_options, place_options, say, store_at
from rung.cli.target import TargetCommand, resolved

if TYPE_CHECKING:
    from rung.api.handle import Handle
    from rung.study import events as ev


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
    from rung.api.advice import check_machine
    from rung.api.creation import created_event
    from rung.api.planning import planned
    from rung.api.targets import budgeted
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
    from rung.api.planning import domain_text

    return [parameter["name"], parameter["type"], domain_text(parameter), parameter["when"]]


def _command_line(each: dict[str, Any], *, named: bool) -> str:
    """The command; `named`: with the parameters, since they do not show in it."""
    import shlex

    from rung.cli.tables import assigned, one_line

    if not each["command"]:
        return assigned(each["params"])
    line = one_line(shlex.join(each["command"]))
    return f"{line}  # {assigned(each['params'])}" if named and each["params"] else line


COMMANDS = {"plan": show_plan}
