"""`rung run` and `rung resume`: a runner in this process, watched on stderr."""

from __future__ import annotations

import contextlib
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rung.cli.options import find, no_more, open_study, place_flags, place_options, say, store_at
from rung.cli.target import TargetCommand, resolved
from rung.cli.winners import print_best

if TYPE_CHECKING:
    from rung.api.creation import Opened
    from rung.api.handle import Handle

ENDED = {"interrupted": 130, "terminated": 143, "hangup": 129}
json_option = click.option("--json", "form", flag_value="json", default="table", help="Print the best as JSON.")


@click.command(cls=TargetCommand, epilog="A script gets `--NAME=VALUE` for each parameter; `rung run -h` lists all.")
@place_options
@json_option
@click.pass_obj
def run(command_line: list[str], /, *, store: str | None, directory: str | None, form: str, **given: Any) -> int:
    """Run a study; its best configuration is printed at the end.

    TARGET is a script (train.py, or any executable), a study file (.yaml, .json, .toml), module:function,
    file.py:function, or a command after `--` with {NAME} placeholders. Options come before TARGET. After a script the
    ARGS go to it unchanged; after a study file `--NAME RANGE` sets a parameter of the file.

    \b
    rung run -p lr=loguniform(1e-5,0.1) -p width=8:8:64 -m loss -n 50 -w 2 train.py --epochs 10
    rung run -p x=uniform(0,1) -m y -- ./simulate {x}
    rung run study.yaml --trials 200
    """
    from rung.cli.drivers import hand_over, launcher_of

    launcher = launcher_of(given)
    if launcher is not None:
        hand_over(launcher, given, verb="run", form=form, store=store, directory=directory, command_line=command_line)
    opened, workers = _open(command_line, store, directory, given)
    return carry_on(opened, workers=workers, form=form, flags=place_flags(directory, store))


def carry_on(opened: Opened, *, workers: int, form: str, flags: str) -> int:
    """The study that was made or found has been worked on until it was over, or was before; returns the exit code. A
    number of `workers` other than the study's own is this runner's, whatever the study's is changed to."""
    if opened.how == "finished":
        _say_finished(opened.handle, flags)
        for change in opened.changes:
            say(f"that was another search: {change.path} was {change.old}, is {change.new} (another --name runs it)")
        _catch_up(opened.handle)
        return _printed(opened.handle, form)
    for change in opened.changes:
        say(f"changed {change.path}: {change.old} -> {change.new}")
    own = workers if workers != opened.handle.state.spec.run.workers else None
    return work(opened.handle, workers=own, form=form, flags=flags)


@click.command()
@click.argument("words", nargs=-1, metavar="[STUDY]")
@click.option("-w", "--workers", type=click.IntRange(1), metavar="N",
              help="How many trials run at once here [as many as the study says].")  # fmt: skip
@place_options
@json_option
def resume(words: tuple[str, ...], *, workers: int | None, store: str | None, directory: str | None, form: str) -> int:
    """Attach a runner to a study, from where it stands: after an interruption, or beside other runners."""
    handle, left = open_study(words, store=store, directory=directory)
    no_more(left)
    flags = place_flags(directory, store)
    if handle.state.switches.completed is not None:
        _say_finished(handle, flags)
        _catch_up(handle)
        return _printed(handle, form)
    return work(handle, workers=workers, form=form, flags=flags)


def _open(
    command_line: list[str], store: str | None, directory: str | None, given: dict[str, Any]
) -> tuple[Opened, int]:
    """The study, made or found, and how many workers the command line wants. Nothing is written for a bad one."""
    from rung.api.advice import check_machine, check_program, spec_warnings
    from rung.api.creation import create_or_continue, created_event
    from rung.api.targets import budgeted

    target = resolved(given)
    spec, chosen = budgeted(target.spec)
    check_machine(spec)
    check_program(spec)
    places = find(directory, store)
    event = created_event(
        spec, runs=places.runs, cwd=Path.cwd(), command_line=command_line, surface="cli",
        deterministic=given["deterministic"],
    )  # fmt: skip
    found = spec_warnings(spec)
    store_ = store_at(places.store)
    if spec.run.mirrors:
        from rung.api.mirroring import check_new

        check_new(event, store_)
    opened = create_or_continue(store_, event, stem=target.stem, warm_start=given["warm_start"])
    if opened.how == "created":
        say(f"study {opened.handle.name}" + (f": {chosen}" if chosen else ""))
        for text in found:
            say(f"warning: {text}")
        for text in target.remarks:
            say(text)
    for text in opened.notes:
        say(text)
    return opened, spec.run.workers


def work(handle: Handle, *, workers: int | None, form: str, flags: str) -> int:
    """A runner has worked on the study until it was over or a signal came; returns the exit code. `workers` None: as
    many as the study says, whatever that is changed to."""
    from rung.api.attachment import attach
    from rung.cli.panel import Lines, Panel, watched
    from rung.inside.call import TargetError
    from rung.model import BadInput

    view = Panel(handle) if watched() else Lines(handle)
    try:
        with view:
            why = attach(handle, workers=workers, observe=view.observe, say=view.say)
    except TargetError as error:
        raise BadInput(str(error)) from None
    handle.refresh()
    if why in ENDED:
        with contextlib.suppress(OSError):  # after a hangup there is no terminal to say it on
            _say_interrupted(handle, why, flags)
        return ENDED[why]
    say_over(handle)
    code = _printed(handle, form)
    _say_further(handle, flags)
    return code


def _catch_up(handle: Handle) -> None:
    """Mirrors that were away when the study ended hold all of it now."""
    if handle.state.spec.run.mirrors:
        from rung.api.mirroring import catch_up
        from rung.api.places import runs_directory

        catch_up(handle, runs=runs_directory(handle), say=say)


def _printed(handle: Handle, form: str) -> int:
    """The best is on stdout; the exit code says how the study ended."""
    code = print_best(handle, form=form)
    completed = handle.state.switches.completed
    return 3 if completed is not None and completed.state == "failed" else code


def _say_finished(handle: Handle, flags: str) -> None:
    say_over(handle)
    state, name = handle.state, handle.name
    trials, size = state.spec.budget.trials, state.space.size
    evaluated = state.counts["complete"] + state.counts["pruned"]
    if trials is not None and evaluated >= trials and (size is None or size > trials):
        edit = f"rung edit {name} --set budget.trials={2 * trials}{flags}"
        if "simulated" in state.created.provenance:
            say(f"for more trials: {edit}, then rung simulate as before, with --name {name} --trials {2 * trials}")
        else:
            say(f"for more trials: {edit} && rung resume {name}{flags}")


def say_over(handle: Handle) -> None:
    """How the study ended is on stderr."""
    from rung.cli.panel import counted
    from rung.cli.tables import seconds

    completed = handle.state.switches.completed
    assert completed is not None
    took = seconds(handle.state.switches.elapsed)
    say(f"study {handle.name} is {completed.state} ({completed.reason.text}): {counted(handle.state)} in {took}")
    lacking = any("ModuleNotFoundError" in error for error in handle.state.errors.values())
    if completed.state == "failed" and lacking and handle.state.spec.program is None:  # else its dialect knows which
        program = (handle.state.spec.command or (sys.executable,))[0]
        say(f"the trials ran with {shutil.which(program) or program}: is that the Python that has the module?")


def _say_further(handle: Handle, flags: str) -> None:
    best = handle.best()
    name = handle.name
    last = f"rung why {name} {best[0].number}" if best else f"rung logs {name}"
    say(f"look further: rung trials {name}{flags} | rung show {name}{flags} | {last}{flags}")


def _say_interrupted(handle: Handle, why: str, flags: str) -> None:
    from rung.cli.panel import counted

    say(f"study {handle.name} is {why}: {counted(handle.state)}")
    say(f"go on with: rung resume {handle.name}{flags}")


COMMANDS = {"run": run, "resume": resume}
