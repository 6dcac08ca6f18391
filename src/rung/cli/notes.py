"""`rung note`: what people keep beside a study or a trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rung.cli.options import one_trial, open_study, place_options, say

if TYPE_CHECKING:
    from rung.study.live import Note


@click.command()
@click.argument("words", nargs=-1, metavar="[STUDY] [TRIAL]")
@click.option("--text", help="What to keep; '' takes it away.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="One tag more; may be given several times.")
@click.option("--untag", "untags", multiple=True, metavar="TAG", help="One tag less; may be given several times.")
@click.option("--archive/--unarchive", "archived", default=None, help="Leave it out of lists, or take it in again.")
@click.option("--json", "form", flag_value="json", default="table", help="Print what is kept as JSON.")
@place_options
def note(
    words: tuple[str, ...],
    *,
    text: str | None,
    tags: tuple[str, ...],
    untags: tuple[str, ...],
    archived: bool | None,
    form: str,
    store: str | None,
    directory: str | None,
) -> None:
    """Keep a note and tags beside a study, or with TRIAL beside that trial; without an option, print them.

    No search looks at them. An archived study is left out of `rung ls`; nothing of it is lost.
    """
    handle, left = open_study(words, store=store, directory=directory)
    number = one_trial(left)
    kept = handle.annotate(number, text=text, tag=tags, untag=untags, archived=archived)
    what = f"study {handle.name}" if number is None else f"trial {number} of study {handle.name}"
    _print(kept, what, form=form)


def _print(kept: Note, what: str, *, form: str) -> None:
    from rung.cli.tables import one_line, print_json

    if form == "json":
        print_json({"text": kept.text, "tags": list(kept.tags), "archived": kept.archived})
        return
    if not (kept.text or kept.tags or kept.archived):
        say(f"nothing is kept beside {what}: rung note --text or --tag")
    for line in kept.text.splitlines():
        click.echo(one_line(line))
    if kept.tags:
        click.echo(f"tags: {', '.join(map(one_line, kept.tags))}")
    if kept.archived:
        click.echo("archived")


COMMANDS = {"note": note}
