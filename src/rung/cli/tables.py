"""Rows as a table, JSON or CSV. Tables are drawn only on a terminal; elsewhere they are plain aligned text."""

from __future__ import annotations

import csv
import json
import math
import sys
from typing import TYPE_CHECKING, Any

import click

from rung.model import to_wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DRAWN_ROWS = 500  # a longer table is plain text: drawing takes a millisecond a row
WIDEST_CELL = 60
WIDEST_WORDS = 2_000


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


def shown(value: Any, *, widest: int = WIDEST_CELL) -> str:
    """A value as a table shows it: a number with six digits, one line of at most `widest` characters."""
    if value is None:
        return ""
    if isinstance(value, float):
        return number(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = one_line(text)
    return text if len(text) <= widest else text[: widest - 1] + "…"


def number(value: float) -> str:
    """Six digits of it; what is not finite is spelt as in JSON."""
    return f"{value:.6g}" if math.isfinite(value) else str(to_wire(value))


def one_line(text: str) -> str:
    """The text without line breaks and control characters: what a program said must not steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text).strip()


def seconds(amount: float | None) -> str:
    """A duration for people: `0.4s`, `12s`, `3m05s`, `2h10m`."""
    if amount is None or not math.isfinite(amount):
        return ""
    if amount < 10:
        return f"{amount:.1f}s"
    whole = round(amount)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def assigned(values: dict[str, Any]) -> str:
    """`lr=0.01 width=32`, for one line."""
    return " ".join(f"{name}={'null' if value is None else shown(value)}" for name, value in values.items())


def local_time(iso: str | None) -> str:
    """A moment in the reader's own time zone, to the second."""
    from datetime import datetime

    if iso is None:
        return ""
    return datetime.fromisoformat(iso.replace("Z", "+00:00")).astimezone().strftime("%Y-%m-%d %H:%M:%S")
