"""`rung why`: the log's own words. Nothing here decides or guesses; each decision carries its reason."""

from __future__ import annotations

import click

from rung.cli.options import format_options, one_trial, open_study, place_options

NAMES = ("seq", "at", "trial", "kind", "event", "by", "why")
SHOWN = ("after", "trial", "event", "by", "why")


@click.command("why")
@click.argument("words", nargs=-1, metavar="[STUDY] [TRIAL]")
@place_options
@format_options
def explain(words: tuple[str, ...], *, store: str | None, directory: str | None, form: str) -> None:
    """Say why each decision on a trial was taken, and what happened in between; without TRIAL on the whole study."""
    import msgspec

    from rung.analysis.records import wired
    from rung.analysis.stories import story
    from rung.cli.tables import print_rows

    handle, left = open_study(words, store=store, directory=directory)
    number = one_trial(left)
    found = list(story(handle.story(number), begun=handle.state.created.at, whole=number is None))
    if form == "table":
        print_rows(SHOWN, [[_offset(d.at), d.trial, d.event, d.by, d.why] for d in found], form=form)
    else:
        rows = [[getattr(one, name) for name in NAMES] for one in found]
        print_rows(NAMES, rows, form=form, records=[wired(msgspec.to_builtins(one)) for one in found])


def _offset(amount: float) -> str:
    """When, counted from the study's creation: `0.083s`, `2:05`, `1:02:05`."""
    if amount < 60:
        return f"{amount:.3f}s"
    whole = int(amount)
    hours = f"{whole // 3600}:" if whole >= 3600 else ""
    return f"{hours}{whole % 3600 // 60:0{2 if hours else 1}d}:{whole % 60:02d}"


COMMANDS = {"why": explain}
