"""The trials of a study: pages of rows, CSV, and columns as raw bytes."""

from __future__ import annotations

import itertools
from typing import Annotated, Any

import msgspec
import numpy as np
from litestar import Response, get
from litestar.datastructures import State as Shared
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter
from litestar.response import Stream

from rung.analysis import packing, trialcsv, trialtable
from rung.analysis.filtering import matching
from rung.analysis.trialtable import ColumnInfo
from rung.analysis.views.still import still
from rung.server.deltas import TrialRow
from rung.server.site import Site
from rung.study.state import State

Where = Annotated[
    str,
    Parameter(
        query="where",
        description="A filter expression, such as `lr < 0.01 and state == 'complete'`; empty: all trials.",
    ),
]
Sort = Annotated[
    str,
    Parameter(
        query="sort",
        description="A column; `-` before it turns the order round. `value` begins with the best. Trials without it "
        "come last.",
    ),
]
Names = Annotated[str, Parameter(description="Columns, with commas between them; empty: the usual ones.")]
Offset = Annotated[int, Parameter(query="offset", ge=0, le=2**31 - 1)]
Limit = Annotated[
    int | None, Parameter(query="limit", ge=0, le=2**31 - 1, description="At most so many; default: all.")
]
MARKS = 2_000_000
MANY = 1_000  # rows that take so long that the study must not stand still meanwhile


class TrialPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows of a table of `total` that match, of all trials that there are, as of event `seq`."""

    total: int
    of: int
    seq: int
    rows: list[TrialRow]


class ColumnList(msgspec.Struct, frozen=True, kw_only=True):
    """The columns that there are, in the order in which a table shows them."""

    seq: int
    columns: list[ColumnInfo]


def _octets(description: str) -> Any:
    kind = "application/octet-stream"
    return {200: ResponseSpec(data_container=bytes, media_type=kind, description=description, generate_examples=False)}


@get("/api/studies/{study:str}/trials", sync_to_thread=True)
def list_trials(
    state: Shared, study: str, where: Where = "", sort: Sort = "", offset: Offset = 0, limit: Limit = None
) -> TrialPage:
    """Rows of the trial table."""
    site: Site = state.site
    many = limit is None or limit > MANY
    with site.study(study).read() as handle:
        known = still(handle.state) if many else handle.state
        found = None if many else _page(known, where, sort, offset, limit)
    return _page(known, where, sort, offset, limit) if found is None else found


def _page(state: State, where: str, sort: str, offset: int, limit: int | None) -> TrialPage:
    numbers = trialtable.order(state, sort, matching(state, where) if where.strip() else None)
    end = len(numbers) if limit is None else offset + limit
    rows = trialtable.rows(state, numbers[offset:end].tolist())
    return TrialPage(total=len(numbers), of=len(state), seq=state.seq, rows=msgspec.convert(rows, list[TrialRow]))


@get(
    "/api/studies/{study:str}/trials.csv",
    sync_to_thread=True,
    responses={
        200: ResponseSpec(
            data_container=str, media_type="text/csv", description="A line a trial.", generate_examples=False
        )
    },
)
def trials_csv(state: Shared, study: str, where: Where = "", sort: Sort = "", columns: Names = "") -> Stream:
    """The trials as CSV, a line each; without `columns` those of `rung export`."""
    site: Site = state.site
    with site.study(study).read() as handle:
        known = handle.state
        numbers = trialtable.order(known, sort, matching(known, where) if where.strip() else None)
        lines = trialcsv.csv_lines(known, numbers, trialtable.listed(known, columns))
        first = next(lines)  # what is read of the study is read now
    name = "".join(char if char.isascii() and (char.isalnum() or char in "-_.") else "_" for char in study)
    return Stream(
        itertools.chain([first], lines),
        media_type="text/csv",
        headers={"content-disposition": f'attachment; filename="{name}.csv"'},
    )


@get("/api/studies/{study:str}/columnlist", sync_to_thread=True)
def column_list(state: Shared, study: str) -> ColumnList:
    """The columns that can be shown, sorted by and filtered with."""
    site: Site = state.site
    with site.study(study).read() as handle:
        return ColumnList(seq=handle.state.seq, columns=trialtable.available(handle.state))


@get(
    "/api/studies/{study:str}/columns",
    sync_to_thread=True,
    responses=_octets("The columns in the format RUNGCOL1: a JSON header, then raw little-endian arrays."),
)
def columns(
    state: Shared,
    study: str,
    names: Names = "",
    where: Where = "",
    sort: Sort = "",
    marks: Annotated[
        int | None,
        Parameter(query="marks", ge=1, le=MARKS, description="At most so many rows, the best and the extremes kept."),
    ] = None,
) -> Response[bytes]:
    """Columns of trials as raw bytes, for plots."""
    site: Site = state.site
    with site.study(study).read() as handle:
        wanted = trialtable.listed(handle.state, names)
        found = packing.packed(handle.state, wanted, where=where, sort=sort, marks=marks)
    return Response(found, media_type="application/octet-stream")


@get(
    "/api/studies/{study:str}/mask",
    sync_to_thread=True,
    responses=_octets("Bit i, the lowest of each byte first, says whether trial i matches."),
)
def mask(state: Shared, study: str, where: Where = "") -> Response[bytes]:
    """Which trials a filter expression holds for. The headers say of how many trials, as of which event."""
    site: Site = state.site
    with site.study(study).read() as handle:
        found = matching(handle.state, where)
        headers = {"x-rung-seq": str(handle.state.seq), "x-rung-of": str(len(found)),
                   "x-rung-matching": str(int(np.count_nonzero(found)))}  # fmt: skip
    return Response(packing.mask_bits(found), media_type="application/octet-stream", headers=headers)


HANDLERS: tuple[Any, ...] = (list_trials, trials_csv, column_list, columns, mask)
