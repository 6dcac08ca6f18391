"""Rows as a table, JSON or CSV. Tables are drawn only on a terminal; elsewhere they are plain aligned text."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING, Any

import click

from rung.analysis.wording import WIDEST_WORDS, assigned, number, one_line, seconds, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DRAWN_ROWS = 500  # a longer table is plain text: drawing takes a millisecond a row


def print_rows(names: Sequence[str], rows: Sequence[Sequence[Any]], *, form: str, records: Any = None) -> None:
    """The rows on stdout. As JSON: `records`, else one object a row."""
    if form == "json":
        print_json([dict(zip(names, row, strict=True)) for row in rows] if records is None else records)
    elif form == "csv":
        click.echo(csv_text(names, rows), nl=False)
    elif sys.stdout.isatty() and len(rows) <= DRAWN_ROWS:
        _draw(names, rows)
    else:
        click.echo(plain_text(names, rows))


def print_json(value: Any) -> None:
    """The value on stdout as strict JSON."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def csv_text(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A header and the rows as CSV (RFC 4180, but lines end with a newline alone)."""
    from rung.analysis.records import cell

    lines = _Lines()
    writer = csv.writer(lines)
    writer.writerow(names)
    writer.writerows([cell(value) for value in row] for row in rows)
    return "".join(lines.kept)


class _Lines:
    """Takes the rows of a CSV writer. Its own line end is left at \\r\\n, since it quotes only characters of that."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    def write(self, row: str) -> None:
        """One row, ended by a newline alone."""
        self.kept.append(row.removesuffix("\r\n") + "\n")


def plain_text(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Columns aligned by blanks; numbers to the right."""
    cells = [_cells(row) for row in rows]
    widths = [max([len(name), *(len(row[i]) for row in cells)]) for i, name in enumerate(names)]
    right = [_numeric(row[i] for row in rows) for i in range(len(names))]

    def line(words: Sequence[str]) -> str:
        placed = (w.rjust(n) if r else w.ljust(n) for w, n, r in zip(words, widths, right, strict=True))
        return "  ".join(placed).rstrip()

    return "\n".join([line(names), *map(line, cells)])


def _draw(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for i, name in enumerate(names):
        table.add_column(Text(name), justify="right" if _numeric(row[i] for row in rows) else "left")
    for row in rows:
        table.add_row(*(Text(text, style=STYLES.get(text, "")) for text in _cells(row)))
    Console().print(table)


STYLES = {"complete": "green", "failed": "red", "pruned": "yellow", "running": "cyan", "interrupted": "yellow"}


def _numeric(values: Iterable[Any]) -> bool:
    return all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values)


def _cells(row: Sequence[Any]) -> list[str]:
    """The last cell, which is the one for words, is shown whole."""
    return [shown(value) for value in row[:-1]] + [shown(value, widest=WIDEST_WORDS) for value in row[-1:]]


def local_time(iso: str | None) -> str:
    """A moment in the reader's own time zone, to the second."""
    from datetime import datetime

    if iso is None:
        return ""
    return datetime.fromisoformat(iso.replace("Z", "+00:00")).astimezone().strftime("%Y-%m-%d %H:%M:%S")


__all__ = [
    "STYLES", "assigned", "csv_text", "local_time", "number", "one_line", "plain_text", "print_json", "print_rows",
    "seconds", "shown",
]  # fmt: skip
