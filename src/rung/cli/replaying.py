"""`rung replay`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from rung.cli.options import format_options, no_more, open_study, place_options

if TYPE_CHECKING:
    from rung.api.handle import Handle


@click.command()
@click.argument("words", nargs=-1, metavar="[STUDY]")
@click.option("--check", is_flag=True, help="Compute every decision again and compare.")
@place_options
@format_options
def replay(words: tuple[str, ...], *, check: bool, store: str | None, directory: str | None, form: str) -> int:
    """Fold the whole log again and check its invariants. Exit code 1: something deviates."""
    handle, left = open_study(words, store=store, directory=directory)
    no_more(left)
    found = _replayed(handle, check=check)
    if form == "table":
        _print(found, check=check)
    else:
        from rung.cli.tables import print_rows

        print_rows(list(found), [list(found.values())], form=form, records=found)
    return 1 if found["deviations"] else 0


def _replayed(handle: Handle, *, check: bool) -> dict[str, Any]:
    from rung.plugins import policy_for
    from rung.study import events as ev
    from rung.study.invariants import broken
    from rung.study.replay import check as recomputed
    from rung.study.replay import fold

    begun = time.monotonic()
    events = [event for _, event in handle.story()]
    state = fold(events)
    deviations = [str(d) for d in recomputed(events, policy_for)] if check else list(broken(state))
    return {
        "name": handle.name,
        "events": len(events),
        "facts": sum(isinstance(event, ev.Fact) for event in events),
        "requests": sum(isinstance(event, ev.Request) for event in events),
        "decisions": state.decisions,
        "trials": len(state),
        "checked": check,
        "seconds": round(time.monotonic() - begun, 3),
        "deviations": deviations,
    }


def _print(found: dict[str, Any], *, check: bool) -> None:
    from rung.cli.tables import seconds

    click.echo(
        f"study {found['name']}: {found['events']} events ({found['facts']} facts, {found['requests']} requests, "
        f"{found['decisions']} decisions), {found['trials']} trials, folded in {seconds(found['seconds'])}"
    )
    for line in found["deviations"]:
        click.echo(line)
    if not found["deviations"]:
        click.echo("every decision comes out the same" if check else "every invariant holds")


COMMANDS = {"replay": replay}
