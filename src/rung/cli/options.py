"""Options that several verbs share, and what STUDY and TRIAL on a command line mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rung.api.handle import Handle
    from rung.api.places import Places
    from rung.store.base import Store

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("table", "json", "csv")


def place_options(verb: F) -> F:
    """The verb takes `--store` and `--dir`, passed on as one `Places`, its argument `places`."""
    options = (
        click.option("--store", metavar="URL", help="Where studies are kept [RUNG_STORE; sqlite:///runs/rung.db]."),
        click.option("--dir", "directory", metavar="DIR", help="Where trials write [RUNG_DIR; ./runs]."),
    )
    for option in reversed(options):
        verb = option(verb)
    return verb


def format_options(verb: F) -> F:
    """The verb takes `--format` and `--json`, passed on as `form`: table, json or csv."""
    verb = click.option("--json", "form", flag_value="json", help="Short for --format json.")(verb)
    return click.option("--format", "form", type=click.Choice(FORMATS), default="table", help="[table]")(verb)


def find(directory: str | None, store: str | None) -> Places:
    """The places that flags, environment and the user's file name."""
    from rung.api.places import find_places

    return find_places(store=store, directory=directory)


def store_at(url: str) -> Store:
    """The store at that address; it is closed when the verb is done. Raises `BadInput`, `StoreUnusable`."""
    from rung.plugins import open_store

    opened = open_store(url)
    click.get_current_context().call_on_close(opened.close)
    return opened


def open_study(words: Sequence[str], *, store: str | None, directory: str | None) -> tuple[Handle, list[str]]:
    """The study that the first word names, else the newest, and the words left: the first one is no study where it is
    a bare number or holds `=`."""
    from rung.api.handle import Handle, newest

    opened = store_at(find(directory, store).store)
    if words and not words[0].isdigit() and "=" not in words[0]:
        return Handle(opened, words[0]), list(words[1:])
    return Handle(opened, newest(opened)), list(words)


def trial_numbers(words: Sequence[str]) -> list[int]:
    """The words as trial numbers, each once."""
    for word in words:
        if not word.isdigit():
            raise click.UsageError(f"expected the number of a trial, got {word!r}", click.get_current_context())
    return list(dict.fromkeys(int(word) for word in words))


def one_trial(words: Sequence[str]) -> int | None:
    """The one trial number that the words give, or None without any."""
    numbers = trial_numbers(words)
    if len(numbers) > 1:
        raise click.UsageError(f"expected one trial, got {' '.join(words)}", click.get_current_context())
    return numbers[0] if numbers else None


def no_more(words: Sequence[str]) -> None:
    """Raises a usage error where words are left over."""
    if words:
        raise click.UsageError(f"unexpected {' '.join(words)!r}", click.get_current_context())


def assignments(words: Sequence[str]) -> dict[str, str]:
    """NAME=VALUE words as a mapping."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise click.UsageError(f"expected NAME=VALUE, got {word!r}", click.get_current_context())
        if name in found:
            raise click.UsageError(f"{name} is given twice", click.get_current_context())
        found[name] = value
    if not found:
        raise click.UsageError("expected at least one NAME=VALUE", click.get_current_context())
    return found


def say(text: str) -> None:
    """The text is on stderr."""
    click.echo(text, err=True)


def place_flags(directory: str | None, store: str | None) -> str:
    """The flags that lead to the same study again, to be put after another verb; empty where none is needed."""
    import shlex

    given = {"--store": store, "--dir": directory}
    return "".join(f" {flag} {shlex.quote(value)}" for flag, value in given.items() if value is not None)
