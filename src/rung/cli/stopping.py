"""`rung stop`. Where no runner is attached that would obey, this process winds up what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rung.cli.options import open_study, place_flags, place_options, say, trial_numbers
from rung.model import FINAL_STATES, BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.api.handle import Handle


@click.command()
@click.argument("study", metavar="STUDY")
@click.argument("trials", nargs=-1, metavar="[TRIAL]...")
@click.option("--now", is_flag=True, help="End the running trials too.")
@place_options
def stop(study: str, trials: tuple[str, ...], *, now: bool, store: str | None, directory: str | None) -> int:
    """End a study after its running trials, or at once; or end single trials of it."""
    handle, _ = _study(study, store, directory)
    numbers = trial_numbers(trials)
    if numbers:
        return _stop_trials(handle, numbers)
    if handle.state.switches.completed is not None:
        say(f"study {handle.name} is over already ({handle.state.switches.completed.state})")
        return 0
    handle.stop(now=now)
    handle.refresh()
    if handle.status() != "interrupted":
        say(f"study {handle.name} ends" + (" now" if now else " after its running trials"))
        return 0
    return _wind_up(handle, place_flags(directory, store))


def _study(name: str, store: str | None, directory: str | None) -> tuple[Handle, list[str]]:
    if name.isdigit():
        raise click.UsageError(f"expected the name of a study, got {name!r}", click.get_current_context())
    return open_study((name,), store=store, directory=directory)


def _wind_up(handle: Handle, flags: str) -> int:
    """No runner is attached: this one ends what is left, starts nothing, and closes the study."""
    from rung.api.attachment import attach
    from rung.cli.panel import Lines, counted
    from rung.cli.run_verbs import ENDED

    if not handle.state.spec.runs_something:
        say(f"study {handle.name} ends when the Python program that made it asks for its next trial")
        return 0
    lines = Lines(handle)
    why = attach(handle, workers=0, observe=lines.observe, say=lines.say)
    handle.refresh()
    if why in ENDED:
        say(f"go on with: rung stop {handle.name}{flags}")
        return ENDED[why]
    say(f"study {handle.name} is over: {counted(handle.state)}")
    return 0


def _stop_trials(handle: Handle, numbers: Sequence[int]) -> int:
    for number in numbers:
        if handle.trial(number).state in FINAL_STATES:
            raise BadInput(f"trial {number} is over already ({handle.trial(number).state})")
    for number in numbers:
        handle.stop_trial(number)
    handle.refresh()
    words = ", ".join(str(number) for number in numbers)
    if handle.status() != "interrupted":
        say(f"study {handle.name} ends trial {words}")
    else:
        _end_alone(handle, numbers)
    return 0


def _end_alone(handle: Handle, numbers: Sequence[int]) -> None:
    """No runner is attached: this one ends the trials and leaves the others as they are, to be adopted."""
    from rung.api.attachment import attach
    from rung.cli.panel import Lines
    from rung.study.transitions import FINAL

    lines = Lines(handle)
    attach(
        handle, workers=0, observe=lines.observe, say=lines.say,
        until=lambda state: all(state.phase(number) in FINAL for number in numbers),
    )  # fmt: skip


COMMANDS = {"stop": stop}
