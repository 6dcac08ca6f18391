"""What a searcher knows of a study, as columns that grow: the rows that all model-based searchers compute with.

A row is a trial that was proposed, in the order of the proposals (`number` says which trial; an edited space leaves
gaps). Losses are to be minimised; +inf is worst, and is what a failed trial has.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from rung.search.base import Earlier, Proposed, Result
from rung.space.axes import Categories

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy.typing as npt

    from rung.search.base import Delta, Problem
    from rung.space import Space

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]
    Integers = npt.NDArray[np.int64]

Kind = Literal["continuous", "ordered", "categorical"]


class Column(NamedTuple):
    """What stands in one column of the unit rows. `size`: how many values it has (None: infinitely many); a discrete
    one stands at the centre of its value's bin, which for the i-th of k equal bins is (i + 0.5) / k."""

    kind: Kind
    size: int | None


def columns_of(space: Space) -> tuple[Column, ...]:
    """The columns of the space's unit rows."""
    return tuple(_column(axis) for axis in space.axes)


def _column(axis: Any) -> Column:
    if isinstance(axis, Categories):
        return Column("ordered" if axis.ordered or len(axis.table) == 2 else "categorical", axis.size)
    return Column("continuous" if axis.size is None else "ordered", axis.size)


class History:
    """The fold of a searcher's deltas into columns. Nothing in it depends on when it was read.

    `n` rows; `row` and `memos` by trial number; `columns` (d,) what the unit rows are made of; `objectives` m.
    """

    def __init__(self, problem: Problem) -> None:
        self.space = problem.space
        self.columns = columns_of(problem.space)
        self.objectives = max(1, len(problem.objectives))
        bounds = [o.at_most if o.at_most is not None else o.at_least for o in problem.outcomes]
        self._scales = np.array([abs(bound) if bound else 1.0 for bound in bounds], dtype=np.float64)
        self.n = 0
        self.row: dict[int, int] = {}
        self.memos: dict[int, dict[str, Any]] = {}
        self._unread: list[dict[str, Any]] = []  # configurations that have a row and wait to be encoded together
        self._units = np.empty((0, len(self.columns)))
        self._table = np.empty((0, 4))  # number, state, seconds, proposal seconds
        self._losses = np.empty((0, self.objectives))
        self._violations = np.empty((0, len(bounds)))
        self._ranking: list[tuple[float, float, int]] = []
        self._earlier: list[Earlier] = []
        self._earlier_read: tuple[Floats, Floats, Floats, Integers] | None = None

    def observe(self, deltas: Sequence[Delta]) -> None:
        """The deltas are in the columns."""
        for delta in deltas:
            if isinstance(delta, Proposed):
                self._propose(delta)
            elif isinstance(delta, Result):
                if delta.number in self.row:
                    self._settle(self.row[delta.number], delta)
            else:
                self._earlier.append(delta)
                self._earlier_read = None

    def _propose(self, delta: Proposed) -> None:
        if self.n == len(self._table):
            self._grow()
        self.row[delta.number] = self.n
        self._table[self.n] = delta.number, PENDING, math.nan, _known(delta.seconds)
        self._losses[self.n] = math.nan
        self._violations[self.n] = math.nan
        self._unread.append(delta.params)
        if delta.memo is not None:
            self.memos[delta.number] = delta.memo
        self.n += 1

    def _grow(self) -> None:
        room = max(64, 2 * len(self._table))
        for name in ("_table", "_units", "_losses", "_violations"):
            old: Floats = getattr(self, name)
            new = np.empty((room, old.shape[1]))
            new[: len(old)] = old
            setattr(self, name, new)

    def _settle(self, row: int, delta: Result) -> None:
        if self._table[row, 1] != PENDING:  # tried again by a user, or told another value
            self._ranking.pop(bisect_left(self._ranking, self._key(row)))
        self._table[row, 1] = FAILED if delta.losses is None else DONE
        self._table[row, 2] = _known(delta.seconds)
        self._losses[row] = [math.inf] * self.objectives if delta.losses is None else [_loss(x) for x in delta.losses]
        missing = [math.inf if delta.losses is None else 0.0] * len(self._scales)
        self._violations[row] = np.array(delta.violations or missing, dtype=np.float64) / self._scales
        insort(self._ranking, self._key(row))

    def _key(self, row: int) -> tuple[float, float, int]:
        """Feasible ones first, by their first loss; then the others, by how much they break."""
        return float(self._violations[row].sum()), float(self._losses[row, 0]), row

    # ------------------------------------------------------------------------------------------------------ reading

    @property
    def units(self) -> Floats:
        """(n, d) unit rows."""
        if self._unread:
            begin = self.n - len(self._unread)
            self._units[begin : self.n] = self.space.encode(self._unread)
            self._unread = []
        return self._units[: self.n]

    @property
    def losses(self) -> Floats:
        """(n, m) losses to minimise, NaN without a result, +inf for failed ones."""
        return self._losses[: self.n]

    @property
    def violations(self) -> Floats:
        """(n, k) by how much each outcome is broken, in units of its bound; 0 when kept."""
        return self._violations[: self.n]

    @property
    def numbers(self) -> Integers:
        """(n,) the trials' numbers, ascending."""
        return self._table[: self.n, 0].astype(np.int64)

    @property
    def done(self) -> Bools:
        """(n,) whether there is a result, failed ones included."""
        done: Bools = self._table[: self.n, 1] != PENDING
        return done

    @property
    def failed(self) -> Bools:
        """(n,) whether the trial has failed."""
        failed: Bools = self._table[: self.n, 1] == FAILED
        return failed

    @property
    def seconds(self) -> Floats:
        """(n,) how long each trial ran."""
        return self._table[: self.n, 2]

    @property
    def proposal_seconds(self) -> Floats:
        """(n,) what each proposal took."""
        return self._table[: self.n, 3]

    @property
    def results(self) -> int:
        """How many rows have a result."""
        return len(self._ranking)

    def ranking(self) -> Integers:
        """The rows with a result, best first: feasible ones by their first loss, then the others by how much they
        break; equals by row. Kept sorted as results come."""
        return np.fromiter((row for _, _, row in self._ranking), dtype=np.int64, count=len(self._ranking))

    def ranked(self, places: Sequence[int]) -> Integers:
        """The rows at these places of the ranking: a few of a long one cost no more than of a short one."""
        return np.array([self._ranking[place][2] for place in places], dtype=np.int64)

    def best(self) -> int | None:
        """The best row with a finite first loss, feasible where there is one; None while there is none."""
        row = self._ranking[0][2] if self._ranking else None
        return row if row is not None and math.isfinite(self._losses[row, 0]) else None

    def rows_of(self, numbers: Sequence[int]) -> Integers:
        """The rows of these trials; those that are not known here are left out."""
        return np.array([self.row[number] for number in numbers if number in self.row], dtype=np.int64)

    def near(self, row: Floats, numbers: Sequence[int]) -> bool:
        """Whether one of these trials is at nearly the same place as the unit row: NEAR in every column."""
        others = self.units[self.rows_of(numbers)]
        apart = np.abs(np.nan_to_num(others, nan=-1.0) - np.nan_to_num(row, nan=-1.0))
        return bool((apart < NEAR).all(axis=1).any())

    def earlier(self) -> tuple[Floats, Floats, Floats, Integers]:
        """Evaluations of earlier studies: (e, d) units, (e, m) losses, (e, k) violations, (e,) which study."""
        if self._earlier_read is None:
            found, kept = self._earlier, (0.0,) * len(self._scales)
            self._earlier_read = (
                self.space.encode([e.params for e in found]),
                np.array([[_loss(x) for x in e.losses] for e in found]).reshape(len(found), self.objectives),
                np.array([e.violations or kept for e in found]).reshape(len(found), len(kept)) / self._scales,
                np.array([e.source for e in found], dtype=np.int64),
            )
        return self._earlier_read


NEAR = 1e-3  # of a parameter's range: two workers that are closer than that in all of them learn the same
PENDING, DONE, FAILED = 0.0, 1.0, 2.0


def _known(seconds: float | None) -> float:
    return math.nan if seconds is None else seconds


def _loss(value: float) -> float:
    """NaN counts as worst; a target reached at -inf stays the best there is."""
    return math.inf if value != value else value
