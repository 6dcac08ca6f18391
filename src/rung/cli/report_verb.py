"""`rung report`, as the help knows it; the verb itself is dispatched before any of this is loaded (`main.py`)."""

from __future__ import annotations

import click


@click.command()
@click.argument("metrics", nargs=-1, metavar="NAME=VALUE...")
def report(metrics: tuple[str, ...]) -> int:
    """Report metrics from a shell script.

    Inside a trial the line counts as one report; outside a study it does no harm. The step is the metric `step` (or
    `epoch`, `iteration`) where one is given, else a count.

    Example:  rung report loss=0.31 epoch=4
    """
    from rung.inside import shell

    return shell.main(metrics)


COMMANDS = {"report": report}
