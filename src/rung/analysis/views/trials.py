"""The trial table as a view: rows, filtered, sorted and cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from rung.analysis import trialtable
from rung.analysis.filtering import matching

if TYPE_CHECKING:
    from rung.analysis.views import Readable


class TrialTable(msgspec.Struct, frozen=True, kw_only=True):
    """`rows`: trials as `rung trials --json` shows them, out of `total` that match, of all that there are."""

    total: int
    of: int
    rows: list[dict[str, Any]]


def trials(
    study: Readable,
    *,
    where: Annotated[str, msgspec.Meta(description="Only trials that this filter expression holds for.")] = "",
    sort: Annotated[
        str, msgspec.Meta(description="A column; `-` before it turns the order round. `value` is best first.")
    ] = "",
    offset: Annotated[int, msgspec.Meta(ge=0, description="So many are left out at the beginning.")] = 0,
    limit: Annotated[int | None, msgspec.Meta(ge=0, description="At most so many; default: all.")] = None,
) -> TrialTable:
    """The trials themselves."""
    state = study.state
    numbers = trialtable.order(state, sort, matching(state, where))
    end = len(numbers) if limit is None else offset + limit
    chosen = numbers[offset:end].tolist()
    return TrialTable(total=len(numbers), of=len(state), rows=trialtable.rows(state, chosen))
