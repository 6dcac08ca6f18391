"""`rung rm`."""

from __future__ import annotations

import sys

import click

from rung.cli.options import open_study, place_flags, place_options, say


@click.command()
@click.argument("study", metavar="STUDY")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@place_options
def rm(study: str, *, yes: bool, store: str | None, directory: str | None) -> int:
    """Remove a study from the store, and its folder of trials. Asks on a terminal. There is no way back."""
    if study.isdigit():
        raise click.UsageError(f"expected the name of a study, got {study!r}", click.get_current_context())
    from rung.api.removal import check_removable, remove, study_folder

    handle, _ = open_study((study,), store=store, directory=directory)
    check_removable(handle, remedy=f"end it first: rung stop {handle.name} --now{place_flags(directory, store)}")
    folder = study_folder(handle)
    if not yes and sys.stdin.isatty():
        with_folder = f" and {folder}" if folder is not None else ""
        if not click.confirm(f"remove study {handle.name} ({len(handle.state)} trials){with_folder}?", err=True):
            return 1
    remove(handle)
    say(f"removed study {handle.name}" + (f" and {folder}" if folder is not None else ""))
    return 0


COMMANDS = {"rm": rm}
