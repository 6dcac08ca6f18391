"""A view's record as rows, for a terminal and for CSV: whatever the view, by the shape of its record.

The marks of a record are the lists that its type names in `MARKS`; else those as long as its list `number`, and beside
them what objects hold for each of these (an axis with its values); else its longest lists of one length, or its longest
list of objects. Each object may hold columns of its own (a curve with its points): then each point is a row that
repeats what the object says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Table = tuple[list[str], list[list[Any]]]


class Rows(NamedTuple):
    """`names` of the columns, the rows, and what the record says beside its marks."""

    names: list[str]
    rows: list[list[Any]]
    beside: dict[str, Any]


def rows_of(record: dict[str, Any], marks: Sequence[str] = ()) -> Rows:
    """The marks of a record (`plain`); `marks`: which lists these are, where its type says so."""
    beside = {name: value for name, value in record.items() if not isinstance(value, list | dict)}
    if marks or isinstance(record.get("number"), list):
        length = len(record[marks[0] if marks else "number"])
        named = [(name, record[name]) for name in marks] if marks else _flat(record, length)
        return Rows(*_side_by_side([*named, *_of_objects(record, length)]), beside)
    tables = [_columns(record)]
    tables += [_objects(value) for value in record.values() if _is_objects(value)]
    return Rows(*max(tables, key=lambda table: len(table[1])), beside)  # the first of the longest


def _is_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _flat(record: dict[str, Any], length: int) -> list[tuple[str, list[Any]]]:
    """The lists of that length which hold neither lists nor objects."""
    return [
        (name, value)
        for name, value in record.items()
        if isinstance(value, list) and len(value) == length and not any(isinstance(item, list | dict) for item in value)
    ]


def _of_objects(record: dict[str, Any], length: int) -> Iterator[tuple[str, list[Any]]]:
    """What objects of the record hold for each mark, under the names of these objects."""
    for value in record.values():
        for item in value if _is_objects(value) else []:
            label = item.get("name") or item.get("metric") or (item.get("axis") or {}).get("name")
            if isinstance(label, str):
                yield from ((label, column) for _, column in _flat(item, length)[:1])


def _side_by_side(columns: list[tuple[str, list[Any]]]) -> Table:
    names = [name for name, _ in columns]
    return names, [list(row) for row in zip(*(values for _, values in columns), strict=True)]


def _columns(record: dict[str, Any], repeated: tuple[str, ...] = ()) -> Table:
    """The longest lists of one length; `repeated` are said again in each row."""
    lists = {name: value for name, value in record.items() if isinstance(value, list) and not _is_objects(value)}
    if not lists:
        return [], []
    found = _flat(record, max(map(len, lists.values())))
    names, rows = _side_by_side(found)
    said = [record[name] for name in repeated]
    return [*repeated, *names], [[*said, *row] for row in rows]


def _objects(found: list[dict[str, Any]]) -> Table:
    """A row an object; where objects hold columns, a row for each of their places."""
    own = tuple(dict.fromkeys(n for item in found for n, value in item.items() if not isinstance(value, list | dict)))
    tables = [_columns({**dict.fromkeys(own), **item}, own) for item in found]
    names = next((names for names, rows in tables if rows), [])
    if not names:
        return list(own), [[item.get(name) for name in own] for item in found]
    return names, [row for had, rows in tables if had == names for row in rows]
