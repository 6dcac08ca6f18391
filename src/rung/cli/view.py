"""`rung view`: what a plot of the page shows, as a table, JSON or CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rung.cli.options import format_options, open_study, place_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.analysis.views import View


class ViewCommand(click.Command):
    """The help of this verb lists the views with their options, which are read from their functions."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The views, each with its options."""
        from rung.analysis.views import views

        with formatter.section("Views"):
            formatter.write_dl([(view.name, f"{view.about} ({_options(view)})") for view in views().values()])


def _options(view: View) -> str:
    return ", ".join(option.name for option in view.options)


@click.command(cls=ViewCommand)
@click.argument("words", nargs=-1, required=True, metavar="[STUDY] VIEW")
@click.option("--set", "settings", multiple=True, metavar="OPTION=VALUE", help="An option of the view (repeatable).")
@place_options
@format_options
def view(words: tuple[str, ...], *, store: str | None, directory: str | None, form: str,
         settings: tuple[str, ...]) -> None:  # fmt: skip
    """Show what a plot of the page shows: `rung view digits-1 history --set over=time`.

    As a table and as CSV: the marks; as JSON all of it, the same as REST and Python give.
    """
    from rung.analysis.views import find_view, plain, show
    from rung.cli.tables import print_json

    *place, name = words
    if len(place) > 1:
        raise click.UsageError(f"expected [STUDY] VIEW, got {' '.join(words)!r}", click.get_current_context())
    find_view(name)
    handle, _ = open_study(place, store=store, directory=directory)
    record = show(handle, name, **_given(settings))
    if form == "json":
        print_json(record)
    else:
        _print(plain(record), getattr(record, "MARKS", ()), form)


def _given(settings: tuple[str, ...]) -> dict[str, str]:
    """OPTION=VALUE words as a mapping; a value may be empty."""
    found: dict[str, str] = {}
    for word in settings:
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise click.UsageError(f"expected --set OPTION=VALUE, got {word!r}", click.get_current_context())
        if name in found:
            raise click.UsageError(f"--set {name} is given twice", click.get_current_context())
        found[name] = value
    return found


def _print(record: dict[str, Any], marks: Sequence[str], form: str) -> None:
    from rung.analysis.views.rows import rows_of
    from rung.cli.tables import print_rows, shown

    names, rows, beside = rows_of(record, marks)
    if form == "table":
        said = {name: shown(value) for name, value in beside.items()}
        width = max(map(len, said), default=0)
        click.echo("\n".join(f"{name.ljust(width)}  {text}".rstrip() for name, text in said.items()))
        click.echo()
    print_rows(names, rows, form=form)


COMMANDS = {"view": view}
