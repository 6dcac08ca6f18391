"""Lengths of training: `{batches: 100}`, `{records: N}`, `{epochs: N}`, or a bare number."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from rung.dialects.determined.settings import Units
    from rung.dialects.values import Value

UNITS = ("batches", "records", "epochs")
ONE_UNIT = 'a length object must have one attribute named "batches", "records", or "epochs"'


class Length(NamedTuple):
    """So many units; None: whatever the program counts in."""

    amount: int
    units: Units | None


def read_length(value: Value, *, least: int = 1, bare: bool = True) -> Length:
    """The length that is written here. `bare`: whether it may be a number without a unit. Raises `BadInput`."""
    if bare and not isinstance(value.value, dict):
        return Length(value.whole(least), None)
    tree = value.tree(f"a length such as {{batches: 100}}{', or a number' if bare else ''}")
    given = [key for key in tree if tree[key] is not None]
    if len(given) != 1 or given[0] not in UNITS:
        raise value.error(ONE_UNIT)
    return Length(value.child(given[0]).whole(least), cast("Units", given[0]))
