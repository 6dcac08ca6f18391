"""The order of the trials in one rung: by their loss, or by several; who breaks a bound stands behind who breaks none.

The order depends on the set of what was added only, never on when it was added.

1. Feasible trials whose losses are all finite. One objective: by the loss. Several: by non-dominated front, within a
   front by crowding distance, the lonely first (Deb et al. 2002, "A Fast and Elitist Multiobjective Genetic Algorithm:
   NSGA-II", sections III-A and III-B).
2. Trials that break a bound, by how much they break in sum.
3. Trials with a loss of +inf (not a number, or infinite), or that break a bound by +inf: nothing is known for them.

Ties: the older trial, which is the one with the lower number, stands in front.

Cost with n trials: for one objective O(log n) comparisons a call and the move of a list of n (10,000: microseconds).
For m objectives an addition costs O(n m) elementary steps of numpy at the worst, in as many array operations as fronts
change; `place` costs O(f log f) for a front of f and remembers it until that front changes. With
10,000 random trials in one rung an addition and its place take two milliseconds together.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

FEASIBLE, BROKEN, UNKNOWN = 0, 1, 2


class Key(NamedTuple):
    """What one trial is sorted by. `value`: a feasible trial's loss, a broken one's violation, else 0."""

    tier: int
    value: float
    number: int


def key(number: int, losses: Sequence[float], violation: float = 0.0) -> Key:
    """The key of a trial with one objective; with several, `value` is 0 for all feasible ones."""
    if violation == math.inf or not all(map(math.isfinite, losses)):
        return Key(UNKNOWN, 0.0, number)
    if violation > 0:
        return Key(BROKEN, violation, number)
    return Key(FEASIBLE, losses[0] if len(losses) == 1 else 0.0, number)


class Ranking(Protocol):
    """An order of trials, the best first. Trials may be *marked*, for instance as ready to be promoted."""

    def add(self, number: int, losses: Sequence[float], violation: float = 0.0) -> None:
        """The trial takes part; one that did already has these losses from now on, and no mark."""
        ...

    def __contains__(self, number: object) -> bool: ...

    def __len__(self) -> int: ...

    def key(self, number: int) -> Key:
        """What the trial is sorted by (with several objectives: before their fronts are looked at)."""
        ...

    def place(self, number: int) -> int:
        """How many stand in front of the trial."""
        ...

    def best(self, count: int) -> list[int]:
        """The numbers of the first `count` trials, best first."""
        ...

    def mark(self, number: int) -> None:
        """The trial is marked."""
        ...

    def unmark(self, number: int) -> None:
        """The trial is not marked any more, if it was."""
        ...

    def first_marked(self) -> int | None:
        """The best of the trials that are marked."""
        ...


def ranking(objectives: int) -> Ranking:
    """An empty ranking for so many objectives."""
    return Line() if objectives == 1 else Fronts(objectives)


class Line:
    """The ranking for one objective: a sorted list."""

    def __init__(self) -> None:
        self.keys: list[Key] = []
        self._key_of: dict[int, Key] = {}
        self._marked: list[Key] = []

    def add(self, number: int, losses: Sequence[float], violation: float = 0.0) -> None:
        """The trial is in its place."""
        self.drop(number)
        self._key_of[number] = found = key(number, losses, violation)
        insort(self.keys, found)

    def drop(self, number: int) -> None:
        """The trial takes no part any more, if it did."""
        found = self._key_of.pop(number, None)
        if found is not None:
            del self.keys[bisect_left(self.keys, found)]
            _remove(self._marked, found)

    def __contains__(self, number: object) -> bool:
        return number in self._key_of

    def __len__(self) -> int:
        return len(self.keys)

    def key(self, number: int) -> Key:
        """Its tier and its loss or violation."""
        return self._key_of[number]

    def place(self, number: int) -> int:
        """How many stand in front of the trial."""
        return bisect_left(self.keys, self._key_of[number])

    def best(self, count: int) -> list[int]:
        """The first of the list."""
        return [found.number for found in self.keys[:count]]

    def loss_at(self, place: int) -> float | None:
        """The loss of the trial at this place; +inf if it has none to compare with, None if nobody is there."""
        if not 0 <= place < len(self.keys):
            return None
        return self.keys[place].value if self.keys[place].tier == FEASIBLE else math.inf

    def quantile(self, share: float) -> float | None:
        """The `share`-quantile of the losses, interpolated linearly as `numpy.quantile` does, to the last bit; those
        that have no loss to compare with count as +inf. None if nobody is there."""
        position = share * (len(self.keys) - 1)  # of Hyndman and Fan 1996, definition 7
        below = math.floor(position)
        low, high, part = self.loss_at(below), self.loss_at(below + 1), position - below
        if low is None or high is None or part == 0 or high == math.inf:
            return high if part > 0 else low
        return high - (high - low) * (1 - part) if part >= 0.5 else low + (high - low) * part

    def mark(self, number: int) -> None:
        """The trial is in the list of the marked ones too."""
        found = self._key_of[number]
        at = bisect_left(self._marked, found)
        if self._marked[at : at + 1] != [found]:
            self._marked.insert(at, found)

    def unmark(self, number: int) -> None:
        """It is not, any more."""
        if number in self._key_of:
            _remove(self._marked, self._key_of[number])

    def first_marked(self) -> int | None:
        """The first in that list."""
        return self._marked[0].number if self._marked else None


def _remove(keys: list[Key], found: Key) -> None:
    at = bisect_left(keys, found)
    if keys[at : at + 1] == [found]:
        del keys[at]


class Front:
    """One non-dominated front: `losses` (f, m) of the trials `numbers`, in no particular order."""

    def __init__(self, numbers: list[int], losses: np.ndarray) -> None:
        self.numbers, self.losses = numbers, losses
        self._order: list[int] | None = None

    def order(self) -> list[int]:
        """The numbers, those with the largest crowding distance first, then the oldest."""
        if self._order is None:
            found = crowding(self.losses)
            self._order = [self.numbers[i] for i in np.lexsort((np.array(self.numbers), -found))]
        return self._order


class Fronts:
    """The ranking for several objectives: fronts, kept while trials come in one by one.

    A newcomer belongs to the first front that holds nobody who dominates it; as every member of a front is dominated by
    a member of each front before, that front is bisected. Those of it whom the newcomer dominates move on by one front
    together, and drive on whom they dominate there (Li et al. 2017, "Efficient Nondomination Level Update Method").
    """

    def __init__(self, objectives: int) -> None:
        self.objectives = objectives
        self.fronts: list[Front] = []
        self._losses: dict[int, np.ndarray] = {}  # of the feasible ones
        self._behind = Line()
        self._marked: set[int] = set()

    def add(self, number: int, losses: Sequence[float], violation: float = 0.0) -> None:
        """The trial is in its front, or behind all fronts."""
        if number in self:
            self._drop(number)
        if key(number, losses, violation).tier != FEASIBLE:
            self._behind.add(number, losses, violation)
            return
        row = np.array(losses, dtype=np.float64)
        self._losses[number] = row
        self._settle([number], row[np.newaxis], self._front_for(row))

    def _drop(self, number: int) -> None:
        """A trial that is given other losses leaves; all that stood behind it is sorted in again. This is rare."""
        self._marked.discard(number)
        self._behind.drop(number)
        if self._losses.pop(number, None) is not None:
            kept, self.fronts = self._losses, []
            for other, row in kept.items():
                self._settle([other], row[np.newaxis], self._front_for(row))

    def _front_for(self, row: np.ndarray) -> int:
        low, high = 0, len(self.fronts)
        while low < high:
            middle = (low + high) // 2
            if _dominated(row[np.newaxis], self.fronts[middle].losses)[0]:
                low = middle + 1
            else:
                high = middle
        return low

    def _settle(self, numbers: list[int], rows: np.ndarray, at: int) -> None:
        """`numbers`, none of which dominates another, join the front `at`; whom they dominate moves on."""
        while numbers and at < len(self.fronts):
            front = self.fronts[at]
            gone = _dominated(front.losses, rows)
            if gone.all():  # the whole front is one further behind, and so are all that follow
                break
            moving = [n for n, moves in zip(front.numbers, gone, strict=True) if moves]
            staying = [n for n, moves in zip(front.numbers, gone, strict=True) if not moves]
            self.fronts[at] = Front(staying + numbers, np.concatenate([front.losses[~gone], rows]))
            numbers, rows, at = moving, front.losses[gone], at + 1
        if numbers:
            self.fronts.insert(at, Front(numbers, rows))

    def __contains__(self, number: object) -> bool:
        return number in self._losses or number in self._behind

    def __len__(self) -> int:
        return len(self._losses) + len(self._behind)

    def key(self, number: int) -> Key:
        """Its tier, and its violation if it breaks a bound."""
        return Key(FEASIBLE, 0.0, number) if number in self._losses else self._behind.key(number)

    def place(self, number: int) -> int:
        """The sizes of the fronts before its own, and its place by crowding in that one."""
        if number not in self._losses:
            return len(self._losses) + self._behind.place(number)
        at = self._front_for(self._losses[number])
        return sum(len(front.numbers) for front in self.fronts[:at]) + self.fronts[at].order().index(number)

    def best(self, count: int) -> list[int]:
        """From front to front, then those behind."""
        found: list[int] = []
        for front in self.fronts:
            if len(found) >= count:
                break
            found += front.order()
        return (found if len(found) >= count else found + self._behind.best(count - len(found)))[:count]

    def mark(self, number: int) -> None:
        """The trial is marked."""
        self._marked.add(number)
        if number in self._behind:
            self._behind.mark(number)

    def unmark(self, number: int) -> None:
        """It is not, any more."""
        self._marked.discard(number)
        self._behind.unmark(number)

    def first_marked(self) -> int | None:
        """The first one in the first front that has any."""
        if not self._marked:
            return None
        for front in self.fronts:
            if not self._marked.isdisjoint(front.numbers):
                return next(number for number in front.order() if number in self._marked)
        return self._behind.first_marked()


def _dominated(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n,) which of `rows` (n, m) any of `others` (k, m) dominates: nowhere worse, and somewhere better."""
    found = np.zeros(len(rows), dtype=bool)
    # One pass over the shorter of the two, so that memory stays at O(n + k).
    if len(others) <= len(rows):
        for other in others:
            found |= (other <= rows).all(axis=1) & (other < rows).any(axis=1)
    else:
        for i, row in enumerate(rows):
            found[i] = bool(((others <= row).all(axis=1) & (others < row).any(axis=1)).any())
    return found


def crowding(losses: np.ndarray) -> np.ndarray:
    """(n,) crowding distance of each row of a front (n, m) of finite losses (Deb et al. 2002, section III-B): the sum
    over objectives of the distance between its neighbours, by the range of the front; +inf for the outermost values.
    Equal rows get equal distances."""
    distance = np.zeros(len(losses))
    for column in losses.T:
        values, place = np.unique(column, return_inverse=True)
        gaps = np.full(len(values), np.inf)
        if len(values) > 2:
            # Divided before they are subtracted: a range beyond the largest float is none of our concern then.
            scaled = values / max(abs(values[0]), abs(values[-1]))
            gaps[1:-1] = (scaled[2:] - scaled[:-2]) / (scaled[-1] - scaled[0])
        distance += gaps[place.reshape(-1)]
    return distance
