"""`rung checkpoint list` and `rung checkpoint export`: what trials saved, and copies of the best of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rung.cli.options import format_options, no_more, open_study, place_options, say, trial_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.api.checkpoints import Kept


@click.group()
def checkpoint() -> None:
    """List the checkpoints that a study keeps, or copy out the best."""


@checkpoint.command("list")
@click.argument("words", nargs=-1, metavar="[STUDY] [TRIAL]...")
@place_options
@format_options
def list_(words: tuple[str, ...], *, store: str | None, directory: str | None, form: str) -> None:
    """List the checkpoints of a study, or of single trials."""
    from rung.api.checkpoints import kept
    from rung.api.endings import size
    from rung.cli.tables import print_rows

    handle, left = open_study(words, store=store, directory=directory)
    found = list(kept(handle, trial_numbers(left)))
    metrics = [objective.metric for objective in handle.state.spec.objectives]
    names = ["trial", "state", "step", *metrics, "bytes", "kept as", "folder"]
    rows = [
        [
            one.trial, one.state, int(one.step) if one.step.is_integer() else one.step,
            *(one.values.get(metric) for metric in metrics), one.bytes if form != "table" else size(one.bytes),
            " and ".join(word for word, is_so in (("best", one.best), ("latest", one.latest)) if is_so), one.folder,
        ]
        for one in found
    ]  # fmt: skip
    if form == "table" and not found:
        say(f"study {handle.name} keeps no checkpoint")
        return
    print_rows(names, rows, form=form, records=_records(found))
    gone = dict.fromkeys(one.trial for one in found if not Path(one.folder).is_dir())
    if gone:
        trials = f"trial{'s' * (len(gone) > 1)} {', '.join(map(str, gone))}"
        say(f"not all folders of {trials} are there: removed, on another machine, or simulated")


def _records(found: Sequence[Kept]) -> list[Any]:
    import msgspec

    from rung.inside.wire import to_wire

    return [to_wire(msgspec.to_builtins(one)) for one in found]


@checkpoint.command()
@click.argument("words", nargs=-1, metavar="[STUDY]")
@click.option("--top", type=click.IntRange(1), default=1, metavar="N", help="Of the N best trials [1].")
@click.option("--to", "target", type=click.Path(path_type=Path), metavar="FOLDER", help="Where to [STUDY-checkpoints].")
@place_options
def export(words: tuple[str, ...], *, store: str | None, directory: str | None, top: int, target: Path | None) -> int:
    """Copy out the best checkpoint of each of the best trials, with parameters and metrics beside it."""
    from rung.api.checkpoints import export as copied

    handle, left = open_study(words, store=store, directory=directory)
    no_more(left)
    found = copied(handle, target or Path(f"{handle.name}-checkpoints"), top=top)
    for folder in found.folders:
        click.echo(str(folder))
    for text in found.lost:
        say(f"rung: {text}")
    there = len(found.folders) + len(found.lost)
    if there < top:
        say(f"only {there} trial{'s' * (there != 1)} of study {handle.name} have a value and a checkpoint")
    return 1 if found.lost else 0


COMMANDS = {"checkpoint": checkpoint}
