"""`rung pause`, `unpause`, `retry`, `enqueue`, `tell`, `edit`: requests, which whoever runs the study obeys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rung.cli.options import assignments, open_study, place_flags, place_options, say, trial_numbers
from rung.model import FINAL_STATES, BadInput

if TYPE_CHECKING:
    from rung.api.handle import Handle
    from rung.model import Parameter


@click.command()
@click.argument("words", nargs=-1, metavar="[STUDY] [TRIAL]...")
@place_options
def pause(words: tuple[str, ...], *, store: str | None, directory: str | None) -> None:
    """Start no new trials, while the running ones go on; with TRIAL, hold these trials."""
    handle, left = open_study(words, store=store, directory=directory)
    numbers, flags = trial_numbers(left), place_flags(directory, store)
    for number in numbers:
        handle.pause_trial(number)
    if numbers:
        again = f"rung unpause {handle.name} {' '.join(map(str, numbers))}{flags}"
        say(f"study {handle.name}: {_trials(numbers)} held; again: {again}")
        return
    handle.pause()
    say(f"study {handle.name} starts no new trials; again: rung unpause {handle.name}{flags}")


@click.command()
@click.argument("words", nargs=-1, metavar="[STUDY] [TRIAL]...")
@place_options
def unpause(words: tuple[str, ...], *, store: str | None, directory: str | None) -> None:
    """Start trials again; with TRIAL, let these trials go on."""
    handle, left = open_study(words, store=store, directory=directory)
    numbers, flags = trial_numbers(left), place_flags(directory, store)
    for number in numbers:
        handle.unpause_trial(number)
    if not numbers:
        handle.unpause()
    what = (
        f"{_trials(numbers)} of study {handle.name} let go on"
        if numbers
        else f"study {handle.name} starts trials again"
    )
    say(f"{what}{_if_alone(handle, flags)}")


def _listed(numbers: list[int]) -> str:
    return " ".join(map(str, numbers))


def _trials(numbers: list[int]) -> str:
    return f"trial {numbers[0]} is" if len(numbers) == 1 else f"{len(numbers)} trials are"


@click.command()
@click.argument("words", nargs=-1, metavar="[STUDY] [TRIAL]...")
@place_options
def retry(words: tuple[str, ...], *, store: str | None, directory: str | None) -> None:
    """Run trials again, each as another attempt; without TRIAL all failed ones."""
    handle, left = open_study(words, store=store, directory=directory)
    numbers = trial_numbers(left) or [t.number for t in handle.state.trials() if t.state == "failed"]
    if not numbers:
        raise click.ClickException(f"study {handle.name} has no failed trial; name the trial to run again")
    for number in numbers:
        _refuse_open(handle, number)
    for number in numbers:
        handle.retry_trial(number)
    what = f"trial {numbers[0]} runs" if len(numbers) == 1 else f"{len(numbers)} trials run"
    say(f"{what} again in study {handle.name}{_if_alone(handle, place_flags(directory, store))}")


def _refuse_open(handle: Handle, number: int) -> None:
    """All trials named are looked at before the first is asked for: a wrong one changes nothing."""
    state = handle.trial(number).state
    if state not in FINAL_STATES:
        raise BadInput(f"trial {number} is not over ({state}): only a trial that ended can be retried")


@click.command()
@click.argument("words", nargs=-1, metavar="[STUDY] NAME=VALUE...")
@place_options
def enqueue(words: tuple[str, ...], *, store: str | None, directory: str | None) -> None:
    """Evaluate this configuration next; what is left open takes its default or middle."""
    handle, left = open_study(words, store=store, directory=directory)
    parameters = {parameter.name: parameter for parameter in handle.state.spec.parameters}
    given = {name: _value(parameters.get(name), text) for name, text in assignments(left).items()}
    from rung.cli.tables import assigned

    checked = handle.enqueue(given)
    say(f"enqueued in study {handle.name}: {assigned(checked)}{_if_alone(handle, place_flags(directory, store))}")


def _value(parameter: Parameter | None, text: str) -> Any:
    """A constant's new value as a RANGE means it; the text itself for a domain, which knows what it can hold."""
    if parameter is None or parameter.type != "constant":
        return text
    from rung.space import parse_range

    found = parse_range(parameter.name, text)
    return found.value if found.type == "constant" else text


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, metavar="[STUDY] TRIAL METRIC=VALUE...", type=click.UNPROCESSED)
@place_options
def tell(words: tuple[str, ...], *, store: str | None, directory: str | None) -> None:
    """Give a trial its values, whatever it reported."""
    handle, left = open_study(words, store=store, directory=directory)
    if not left or not left[0].isdigit():
        raise click.UsageError("expected the number of a trial before METRIC=VALUE", click.get_current_context())
    values = {name: _number(name, text) for name, text in assignments(left[1:]).items()}
    handle.tell(int(left[0]), values)
    said = ", ".join(f"{name} {value:g}" for name, value in values.items())
    say(f"trial {left[0]} of study {handle.name} has {said}{_if_alone(handle, place_flags(directory, store))}")


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise click.UsageError(f"{name} must be a number, got {text!r}", click.get_current_context()) from None


@click.command()
@click.argument("study", metavar="STUDY")
@click.option("--set", "settings", multiple=True, required=True, metavar="KEY.PATH=VALUE",
              help="Such as budget.trials=200, run.timeout=1h or parameters.lr.max=1.")  # fmt: skip
@place_options
def edit(study: str, *, settings: tuple[str, ...], store: str | None, directory: str | None) -> None:
    """Change budget, run settings and space of a study, running or over; a larger budget opens it again.

    Of the space: bounds, choices, scales, defaults, conditions, constraints, such as parameters.lr.max=1. Trials that
    do not fit any more stay; the search goes on without them.
    """
    from rung.cli.tables import shown

    handle, _ = open_study((study,), store=store, directory=directory)
    versions, queued = len(handle.state.spaces), len(handle.state.queue)
    changes = handle.edit([_setting(text) for text in settings])
    for change in changes:
        say(f"{change.path}: {shown(change.old) or 'not set'} -> {shown(change.new) or 'not set'}")
    if len(handle.state.spaces) > versions:
        _say_what_fits(handle, dropped=queued - len(handle.state.queue))
    if changes:
        say(f"study {handle.name} is changed{_if_alone(handle, place_flags(directory, store))}")
    else:
        say(f"study {handle.name} has these settings already")


def _say_what_fits(handle: Handle, *, dropped: int) -> None:
    from rung.api.edits import left_out, points_outside

    state = handle.state
    outside, points = left_out(state), points_outside(state)
    if outside:
        say(f"{outside} of {len(state)} trials {_are(outside)} outside of the edited space: the search goes on without")
    for count, what in ((dropped, "enqueued configuration"), (points, "first point")):
        if count > 0:
            say(f"{count} {what}{'s' * (count != 1)} {_are(count)} outside of the edited space and will not run")


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _setting(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not path or not equals:
        raise click.BadParameter(f"expected KEY.PATH=VALUE, got {text!r}", param_hint="--set")
    return path, value


def _if_alone(handle: Handle, flags: str) -> str:
    """What to do where no runner is attached that would obey."""
    handle.refresh()
    return f"; no runner is attached: rung resume {handle.name}{flags}" if handle.status() == "interrupted" else ""


COMMANDS = {"pause": pause, "unpause": unpause, "retry": retry, "enqueue": enqueue, "tell": tell, "edit": edit}
