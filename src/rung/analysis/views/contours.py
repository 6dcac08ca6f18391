"""An objective over two parameters: a grid of what it is about everywhere, and the trials on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import numpy as np

from rung.analysis.dimensions import Dimension, ParameterAxis, dimensions
from rung.analysis.surfaces import Side, Surface, bandwidth, surface
from rung.analysis.views import Marks, Where  # noqa: TC001 - the options are read at run time
from rung.analysis.views.importance import leading
from rung.analysis.views.judged import Judged, Pruned, Whose, judged, sampled
from rung.analysis.views.marks import codes, loss_of, state_names
from rung.analysis.views.slices import edges, has_few_values
from rung.model import BadInput, TrialState

if TYPE_CHECKING:
    from rung.analysis.views import Readable
    from rung.analysis.views.marks import Integers

MOST_CELLS = 40


class GridAxis(msgspec.Struct, frozen=True, kw_only=True):
    """One side of the grid. `edges`: where the cells end, one more than there are cells; `centres`: their middles along
    the scale. Of categories the cells are their indices, and the edges lie half between them."""

    axis: ParameterAxis
    edges: list[float]
    centres: list[float]


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """A cell of the grid: its place (`grid[row][column]`), where its middle is, and its value."""

    row: int
    column: int
    x: float
    y: float
    value: float


class Contour(msgspec.Struct, frozen=True, kw_only=True):
    """`grid[row][column]`: the metric about the middle of the cell, by rows of `y` and columns of `x`, fitted to the
    trials around it; null where there is none near. `count`: trials in each cell; `best`: the cell of the best value.
    `number`, `state`, `mark_x`, `mark_y`, `value`: the trials themselves, `shown` of `of`, the best always among them.
    `inactive`: trials without one of the two; `unusable`: trials without a finite value. `note`: why there is no grid,
    else empty."""

    metric: str
    goal: Literal["minimize", "maximize"] | float
    x: GridAxis | None
    y: GridAxis | None
    grid: list[list[float | None]]
    count: list[list[int]]
    best: Cell | None
    number: list[int]
    state: list[TrialState]
    mark_x: list[float]
    mark_y: list[float]
    value: list[float]
    shown: int
    of: int
    inactive: int
    unusable: int
    note: str


def contour(
    study: Readable,
    *,
    x: Annotated[str | None, msgspec.Meta(description="A parameter; the one that explains most.")] = None,
    y: Annotated[str | None, msgspec.Meta(description="Another one; that which explains most of the rest.")] = None,
    objective: Whose = None,
    cells: Annotated[int, msgspec.Meta(description="Cells on each side of a number.", ge=2, le=MOST_CELLS)] = 24,
    pruned: Pruned = True,
    where: Where = "",
    marks: Marks = 1_000,
) -> Contour:
    """The objective over two parameters. In each cell a paraboloid is fitted to the trials around it, nearer ones
    counting more; of categories only those in the very row or column count."""
    state = study.state
    if x is not None and x == y:
        raise BadInput(f"expected two parameters, got {x!r} twice", key="y")
    every = judged(state, objective=objective, where=where, pruned=pruned)
    first, second = _chosen(study, every, x, y)
    if first is None or second is None:
        return _empty(every, "two parameters that vary are needed" if len(every.rows) else "no trial has a value yet")
    there = ~(np.isnan(first.units[every.rows]) | np.isnan(second.units[every.rows]))
    both = every.some(np.flatnonzero(there))
    found = sampled(both, marks, seed=state.seed)
    columns, rows = _side(first, both.rows, cells), _side(second, both.rows, cells)
    drawn = surface(rows, columns, both.values)
    across, up = _axis(first, cells), _axis(second, cells)
    return Contour(
        metric=every.objective.metric, goal=every.objective.goal, x=across, y=up,
        grid=[[None if value != value else _digits(value) for value in row] for row in drawn.value.tolist()],
        count=drawn.trials.tolist(), best=_best(drawn, every, across, up), number=found.rows.tolist(),
        state=state_names(codes(state)[found.rows].tolist()), mark_x=first.numbers[found.rows].tolist(),
        mark_y=second.numbers[found.rows].tolist(), value=found.values.tolist(), shown=len(found.rows),
        of=len(both.rows), inactive=len(every.rows) - len(both.rows), unusable=every.unusable,
        note="" if len(both.rows) else "no trial has both parameters and a value",
    )  # fmt: skip


def _chosen(study: Readable, every: Judged, x: str | None, y: str | None) -> tuple[Dimension | None, Dimension | None]:
    """The two parameters; those not named are the ones that explain most of what is left."""
    state = study.state
    named = dimensions(state, [name for name in (x, y) if name is not None])
    if x is not None and y is not None:
        return named[0], named[1]
    given = {name for name in (x, y) if name is not None}
    ranked = iter([name for name in leading(state, every) if name not in given])
    names = [name if name is not None else next(ranked, None) for name in (x, y)]
    first, second = (None if name is None else dimensions(state, [name])[0] for name in names)
    return first, second


def _side(one: Dimension, rows: Integers, cells: int) -> Side:
    ends, _ = edges(one, cells)
    place = one.units[rows]
    cell = np.clip(np.searchsorted(ends, place, side="right") - 1, 0, len(ends) - 2)
    width = 0.0 if one.axis.kind == "category" else bandwidth(place, len(ends) - 1)
    return Side(cell, place, (ends[1:] + ends[:-1]) / 2, width)


def _axis(one: Dimension, cells: int) -> GridAxis:
    units, ends = edges(one, cells)
    if one.axis.kind == "category":
        middles = np.arange(len(ends) - 1, dtype=np.float64)
        ends = ends - 0.5
    elif has_few_values(one, cells):
        middles = (ends[1:] + ends[:-1]) / 2
    else:
        middles = one.points((units[1:] + units[:-1]) / 2)
    return GridAxis(axis=one.axis, edges=ends.tolist(), centres=middles.tolist())


def _best(drawn: Surface, every: Judged, across: GridAxis, up: GridAxis) -> Cell | None:
    """Among the cells that hold a trial: elsewhere the fit is a guess."""
    losses = loss_of(every.objective, np.where(drawn.trials > 0, drawn.value, np.nan))
    if not np.isfinite(losses).any():
        return None
    row, column = (int(place) for place in np.unravel_index(int(losses.argmin()), losses.shape))
    return Cell(
        row=row,
        column=column,
        x=across.centres[column],
        y=up.centres[row],
        value=_digits(float(drawn.value[row, column])),
    )


def _digits(value: float) -> float:
    """With six digits: a fit has no more."""
    return float(f"{value:.6g}")


def _empty(every: Judged, note: str) -> Contour:
    return Contour(
        metric=every.objective.metric, goal=every.objective.goal, x=None, y=None, grid=[], count=[], best=None,
        number=[], state=[], mark_x=[], mark_y=[], value=[], shown=0, of=0, inactive=0,
        unusable=every.unusable, note=note,
    )  # fmt: skip
