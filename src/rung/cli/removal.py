"""`rung rm`."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click

from rung.cli.options import open_study, place_flags, place_options, say

if TYPE_CHECKING:
    from pathlib import Path

    from rung.api.handle import Handle


@click.command()
@click.argument("study", metavar="STUDY")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@place_options
def rm(study: str, *, yes: bool, store: str | None, directory: str | None) -> int:
    """Remove a study from the store, and its folder of trials. Asks on a terminal. There is no way back."""
    if study.isdigit():
        raise click.UsageError(f"expected the name of a study, got {study!r}", click.get_current_context())
    handle, _ = open_study((study,), store=store, directory=directory)
    _refuse_running(handle, place_flags(directory, store))
    folder = study_folder(handle)
    if not yes and sys.stdin.isatty():
        with_folder = f" and {folder}" if folder is not None else ""
        if not click.confirm(f"remove study {handle.name} ({len(handle.state)} trials){with_folder}?", err=True):
            return 1
    handle.store.delete(handle.name)
    if folder is not None:
        shutil.rmtree(folder)
    say(f"removed study {handle.name}" + (f" and {folder}" if folder is not None else ""))
    return 0


def _refuse_running(handle: Handle, flags: str) -> None:
    """A study that somebody works on stays: its trials would write on into a study that is gone."""
    from rung.runner.identity import start_ticks

    remedy = f"end it first: rung stop {handle.name} --now{flags}"
    if handle.status() in {"running", "paused"}:
        raise click.ClickException(f"a runner is attached to study {handle.name}; {remedy}")
    from rung.runner.identity import boot_id, host

    here = (host(), boot_id())
    for live in handle.state.live.values():
        if live.pid and live.exit is None and (live.host, live.boot) == here and start_ticks(live.pid) == live.ticks:
            raise click.ClickException(f"trial {live.number} of study {handle.name} still runs; {remedy}")


def study_folder(handle: Handle) -> Path | None:
    """The folder of the study's trials, if it is a real directory where the study says that its trials write."""
    from rung.api.attachment import runs_directory

    runs = runs_directory(handle)
    folder = runs / handle.name
    inside = folder.parent == runs and handle.name not in {"", ".", ".."}
    return folder if inside and folder.is_dir() and not folder.is_symlink() else None


COMMANDS = {"rm": rm}
