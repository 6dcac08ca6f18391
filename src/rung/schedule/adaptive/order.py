"""The results of one rung in their order, where a tie is decided by what came first: the newer one or the older one.

`rung.schedule.ranking` breaks ties by the trial's number; Determined's rules break them by arrival, and that shows:
with equal results throughout, the stopping rule keeps all and the promotion rule one in d.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import NamedTuple, Protocol

from rung.schedule.ranking import UNKNOWN, Fronts, key


class Mark(NamedTuple):
    """A result. `tier` and `value` sort it (`rung.schedule.ranking`): feasible ones first, by their loss, then those
    that break a bound, then those of which nothing is known."""

    tier: int
    value: float
    losses: tuple[float, ...] = ()
    violation: float = 0.0

    @classmethod
    def of(cls, losses: tuple[float, ...], violation: float = 0.0) -> Mark:
        """The mark of a report with these losses (worst: +inf)."""
        found = key(0, losses, violation)
        return cls(found.tier, found.value, losses, violation)


WORST = Mark(UNKNOWN, 0.0, (), math.inf)
"""What a failed trial counts as."""


class Order(Protocol):
    """The trials of a rung, best first; a place counts from 0."""

    def __len__(self) -> int: ...

    def insert(self, trial: int, mark: Mark) -> int:
        """The trial takes part; its place."""
        ...

    def place(self, trial: int, mark: Mark) -> int:
        """Where the trial stands, which made `mark`."""
        ...

    def at(self, place: int) -> int:
        """Who stands there."""
        ...

    def best(self, count: int) -> list[int]:
        """The first `count` trials."""
        ...

    def remove(self, trial: int, mark: Mark) -> None:
        """The trial never took part."""
        ...


class Arrivals:
    """The order for one objective. `newest_first`: a result stands in front of its equals, else behind them."""

    def __init__(self, *, newest_first: bool) -> None:
        self._find = bisect_left if newest_first else bisect_right
        self._keys: list[tuple[int, float]] = []
        self._trials: list[int] = []

    def __len__(self) -> int:
        return len(self._keys)

    def insert(self, trial: int, mark: Mark) -> int:
        """One binary search, and the move of two lists."""
        place = self._find(self._keys, mark[:2])
        self._keys.insert(place, mark[:2])
        self._trials.insert(place, trial)
        return place

    def place(self, trial: int, mark: Mark) -> int:
        """It is among those with equal marks."""
        return self._trials.index(trial, bisect_left(self._keys, mark[:2]), bisect_right(self._keys, mark[:2]))

    def at(self, place: int) -> int:
        """Who stands there."""
        return self._trials[place]

    def best(self, count: int) -> list[int]:
        """The first of the list."""
        return self._trials[:count]

    def remove(self, trial: int, mark: Mark) -> None:
        """The trial leaves."""
        place = self.place(trial, mark)
        del self._keys[place], self._trials[place]


class ByFronts:
    """The order for several objectives: non-dominated fronts, then crowding, then the trial's number."""

    def __init__(self, objectives: int) -> None:
        self._objectives = objectives
        self._marks: dict[int, Mark] = {}
        self._fronts = Fronts(objectives)

    def __len__(self) -> int:
        return len(self._marks)

    def insert(self, trial: int, mark: Mark) -> int:
        """The fronts are brought up to date; the trial's place."""
        self._marks[trial] = mark
        self._add(trial, mark)
        return self._fronts.place(trial)

    def _add(self, trial: int, mark: Mark) -> None:
        losses = mark.losses if len(mark.losses) == self._objectives else (math.inf,) * self._objectives
        self._fronts.add(trial, losses, mark.violation)

    def place(self, trial: int, mark: Mark) -> int:
        """Where it stands now: newcomers change who is lonely in a front."""
        return self._fronts.place(trial)

    def at(self, place: int) -> int:
        """Who stands there now."""
        return self._fronts.best(place + 1)[place]

    def best(self, count: int) -> list[int]:
        """From front to front."""
        return self._fronts.best(count)

    def remove(self, trial: int, mark: Mark) -> None:
        """All others are sorted in again; an invalid trial is rare."""
        del self._marks[trial]
        self._fronts = Fronts(self._objectives)
        for other, found in self._marks.items():
            self._add(other, found)
