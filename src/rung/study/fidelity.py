"""What a searcher is shown of trials that were not run to their end: every loss as if at the same rung.

Losses at different resources cannot be compared. So one rung counts: the highest that enough trials have come to
(Falkner et al. 2018, BOHB, section 4.2). A trial that has passed it is shown with its loss there; one that was held or
ended below it with what it had, moved by the median gain of the trials that came to both rungs. When a higher rung has
enough trials, all losses are told again.

A searcher needs to know nothing of this: it is told results, some of them more than once.
"""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

import msgspec

from rung.search.base import Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_NEEDED = 20
GAINS_LOOKED_AT = 256  # of the trials that came to both rungs, the latest


class Reached(msgspec.Struct, frozen=True):
    """Trial `result.number` has come to the rung with this index; the result says what it had there."""

    rung: int
    result: Result


class Concluded(msgspec.Struct, frozen=True):
    """A trial is over; `complete` when it was run to its end."""

    result: Result
    complete: bool


class Fidelity:
    """The fold of what trials had at each rung into results at one of them.

    `rungs`: how many there are; the index above them stands for a trial's end. `dimensions`: of the space, which says
    how many trials are enough to learn from.
    """

    def __init__(self, rungs: int, dimensions: int) -> None:
        self.enough = min(MOST_NEEDED, dimensions + 4)
        self.at: list[dict[int, Result]] = [{} for _ in range(rungs + 1)]
        self.current = 0
        self.highest: dict[int, int] = {}
        self.gains: list[tuple[float, ...]] = []  # from each rung to the current one, for each objective

    def reached(self, item: Reached) -> list[Result]:
        """What follows for the searcher from a trial that has come to a rung."""
        number = item.result.number
        before = self.highest.get(number, -1)
        for rung in range(before + 1, item.rung + 1):  # a step may have passed several
            self.at[rung][number] = item.result
        self.highest[number] = max(before, item.rung)
        return self._risen() or self._shown([number] if before < self.current or before < 0 else [])

    def concluded(self, item: Concluded) -> list[Result]:
        """What follows from a trial that is over. A failed one is shown as it is."""
        number, result = item.result.number, item.result
        if result.losses is None:
            self.highest.pop(number, None)
            return [result]
        if item.complete:
            self._corrected(result)
            return self.reached(Reached(len(self.at) - 1, result)) or self._shown([number])
        if number not in self.highest:  # ended below the lowest rung: all that is known of it
            return self.reached(Reached(0, result))
        return self._shown([number])

    def _corrected(self, result: Result) -> None:
        """A complete trial has another result, since a person said so or had it run again: it counts wherever the one
        before was all that was known."""
        ended = self.at[-1].get(result.number)
        for known in self.at:
            if ended is not None and known.get(result.number) is ended:
                known[result.number] = result

    def everything(self) -> list[Result]:
        """All that a searcher that begins now is to be told."""
        return self._shown(sorted(self.highest))

    def _risen(self) -> list[Result]:
        """A higher rung counts from now on, when one has enough trials: everything is told again."""
        for rung in range(len(self.at) - 1, self.current, -1):
            if len(self.at[rung]) >= self.enough:
                self.current = rung
                self.gains = [self._gain(lower) for lower in range(rung)]
                return self.everything()
        return []

    def _gain(self, lower: int) -> tuple[float, ...]:
        """The median difference to the current rung, for each objective; 0 where no trial has come to both."""
        above = self.at[self.current]
        both = [number for number in list(above)[-GAINS_LOOKED_AT:] if number in self.at[lower]]
        if not both:
            return ()
        pairs = [(self.at[lower][number].losses or (), above[number].losses or ()) for number in both]
        objectives = range(len(pairs[0][0]))
        return tuple(_median_gain((had[i], has[i]) for had, has in pairs) for i in objectives)

    def _shown(self, numbers: Iterable[int]) -> list[Result]:
        return [self._as_at_current(number) for number in numbers]

    def _as_at_current(self, number: int) -> Result:
        rung = self.highest[number]
        if rung >= self.current:
            return self.at[self.current][number]
        known = self.at[rung][number]
        gains: Sequence[float] = self.gains[rung] if rung < len(self.gains) else ()
        losses = known.losses or ()
        moved = tuple(loss + gain for loss, gain in zip(losses, gains or [0.0] * len(losses), strict=True))
        return msgspec.structs.replace(known, losses=moved)


def _median_gain(pairs: Iterable[tuple[float, float]]) -> float:
    gains = [has - had for had, has in pairs if math.isfinite(had) and math.isfinite(has)]
    return median(gains) if gains else 0.0


__all__ = ["Concluded", "Fidelity", "Reached"]
