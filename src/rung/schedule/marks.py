"""Results of trials side by side at the same resource, though trials report at resources of their own.

*Marks* are resources at which results are compared: the whole numbers up to 128, so that epochs meet exactly; above,
64 a doubling, and below 1, 16 a doubling, so that there are no more however finely seconds or samples are reported. A
trial that reports past a mark gets the value there that lies on the line between its two reports: at a mark that it
reported at, that is what it reported.

Memory: 8 bytes a trial, objective and mark. Work a report: a bisection and a move within a sorted array for each mark
passed since the trial's report before.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, insort
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rung.schedule.ranking import BROKEN, FEASIBLE, UNKNOWN, key
from rung.schedule.reasons import MOST_NAMED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WHOLE = 128  # up to here the marks are the whole numbers
ABOVE, BELOW = WHOLE // 2, 16  # marks a doubling above it, and below 1
_FIRST = math.frexp(WHOLE)[1]
MOST_PASSED = 256  # marks that one report can fill: a trial that leaps further was not comparable in between


class Marks:
    """Which resources are marks. `interval`: all multiples of it; None: as above. Marks are numbered in order."""

    def __init__(self, interval: float | None = None) -> None:
        self.interval = interval

    def below(self, step: float) -> int:
        """The number of the last mark at or below `step` (above 0)."""
        if self.interval is not None:
            return math.floor(step / self.interval)
        if 1 <= step < WHOLE:
            return math.floor(step)
        fraction, exponent = math.frexp(step)  # step = fraction 2^exponent, 1/2 <= fraction < 1
        if step < 1:
            return exponent * BELOW + math.floor(fraction * 2 * BELOW) - 2 * BELOW + 1
        return WHOLE + (exponent - _FIRST) * ABOVE + math.floor(fraction * 2 * ABOVE) - ABOVE

    def at(self, mark: int) -> float:
        """Its resource."""
        if self.interval is not None:
            return mark * self.interval
        if 1 <= mark < WHOLE:
            return mark
        if mark < 1:
            exponent, part = divmod(mark + BELOW - 1, BELOW)
            return math.ldexp((BELOW + part) / (2 * BELOW), exponent)
        exponent, part = divmod(mark - WHOLE, ABOVE)
        return math.ldexp((ABOVE + part) / (2 * ABOVE), exponent + _FIRST)


class Point(NamedTuple):
    """What was known of a trial at its last report."""

    step: float
    losses: tuple[float, ...]


def between(before: Point, now: Point, step: float) -> tuple[float, ...]:
    """The losses on the line between two reports; worst while either of them is."""
    part = (step - before.step) / (now.step - before.step)
    return tuple(
        b if part >= 1 else math.inf if math.inf in (a, b) else a + (part * b - part * a)
        for a, b in zip(before.losses, now.losses, strict=True)
    )


def passed(marks: Marks, before: Point | None, now: Point) -> Iterator[tuple[int, tuple[float, ...]]]:
    """The marks between two reports, the later one included, with the losses there. A first report passes one, if there
    is one above 0."""
    last = marks.below(now.step)
    if before is None:
        if marks.at(last) > 0:
            yield last, now.losses
        return
    for mark in range(max(marks.below(before.step), last - MOST_PASSED) + 1, last + 1):
        yield mark, between(before, now, marks.at(mark))


class Column:
    """The results at one mark. A trial is added once."""

    def __init__(self, objectives: int) -> None:
        self.objectives = objectives
        self.feasible = array("d")  # one objective: sorted; several: row after row
        self.broken = array("d")  # violations, sorted
        self.unknown = 0
        self.best: list[tuple[int, float, int]] = []  # (tier, value, number) of the first few; one objective

    def __len__(self) -> int:
        return len(self.feasible) // self.objectives + len(self.broken) + self.unknown

    def add(self, number: int, losses: Sequence[float], violation: float) -> None:
        """One more result."""
        found = key(number, losses, violation)
        if found.tier == FEASIBLE and self.objectives > 1:
            self.feasible.extend(losses)
        elif found.tier == FEASIBLE:
            insort(self.feasible, found.value)
        elif found.tier == BROKEN:
            insort(self.broken, found.value)
        else:
            self.unknown += 1
        insort(self.best, found)
        del self.best[MOST_NAMED:]

    def quantile(self, share: float) -> float:
        """The quantile of the losses of one objective, linear between them; +inf where it lies with those that have no
        loss to compare with."""
        position = share * (len(self) - 1)  # of Hyndman and Fan 1996, definition 7
        below, above = math.floor(position), math.ceil(position)
        if above >= len(self.feasible):
            return math.inf
        part = position - below
        return self.feasible[below] + (part * self.feasible[above] - part * self.feasible[below])

    def ahead(self, losses: Sequence[float], violation: float) -> int:
        """How many are better: by one objective, or dominating by several; whoever breaks a bound loses to all that
        keep them, and to those that break them less."""
        found = key(0, losses, violation)
        count = len(self.feasible) // self.objectives
        if found.tier == UNKNOWN:
            return count + len(self.broken)
        if found.tier == BROKEN:
            return count + bisect_left(self.broken, found.value)
        if self.objectives == 1:
            return bisect_left(self.feasible, found.value)
        rows = np.frombuffer(self.feasible).reshape(-1, self.objectives)
        return int(((rows <= losses).all(axis=1) & (rows < losses).any(axis=1)).sum())

    def named(self, losses: Sequence[float], violation: float) -> list[int]:
        """The best few of those ahead, for the reason; none with several objectives."""
        found = key(-1, losses, violation)
        return [number for tier, value, number in self.best if (tier, value) < found[:2]]
