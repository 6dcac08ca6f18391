"""Brackets: which part of the trials begins at which rung, and how many are planned to reach each of the next.

Hyperband (Li et al. 2017, arXiv:1603.06560, algorithm 1) runs successive halving with several first rungs, since nobody
knows how early a result can be trusted. Bracket b begins at rung b of K + 1 resources, the top included; of its trials
n_i = ceil((K + 1) eta^(K - b - i) / (K - b + 1)) reach its resource i, so that each bracket costs about the same
(lines 2 and 6, with the halves rounded up as Syne Tune does).
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from rung.schedule.base import Bracket, Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.schedule.rungs import Ladder

NOMINAL = 5  # rungs that are shown where nothing says how many there will be
MOST_HALVINGS = 12  # of the trials that are shown where nothing says how many there will be


def sizes(ladder: Ladder, bracket: int) -> tuple[int, ...]:
    """How many trials reach each resource of the bracket, from its first rung to the top. Exact: no logarithms."""
    count = len(ladder.resources)  # K + 1
    halvings = count - 1 - bracket
    return tuple(ceil(count * Fraction(ladder.eta) ** (halvings - i) / (halvings + 1)) for i in range(halvings + 1))


def geometry(ladder: Ladder, brackets: int) -> list[tuple[Level, ...]]:
    """The rungs of each bracket, the top included, with their sizes."""
    return [
        tuple(Level(n, resource) for n, resource in zip(sizes(ladder, b), ladder.resources[b:], strict=True))
        for b in range(brackets)
    ]


class Allocation:
    """Which bracket the next trial joins, so that each gets its part of the trials at any time: the one with the
    largest weight / (trials + 1), which is the method of D'Hondt; ties: the bracket with the lower rungs."""

    def __init__(self, weights: Sequence[int]) -> None:
        self.weights = list(weights)
        self.counts = [0] * len(weights)

    def next(self) -> int:
        """The number of the bracket."""
        return min(range(len(self.weights)), key=lambda b: (Fraction(self.counts[b] + 1, self.weights[b]), b))

    def add(self, bracket: int) -> None:
        """A trial has joined it."""
        self.counts[bracket] += 1


def allocated(weights: Sequence[int], trials: int) -> list[int]:
    """How many of `trials` each bracket gets from an `Allocation`, without asking it so often: nobody gets less than
    the whole part of his quota."""
    found = Allocation(weights)
    found.counts = [floor(Fraction(trials * weight, sum(weights))) for weight in weights]
    while sum(found.counts) < trials:
        found.add(found.next())
    return found.counts


def halved(ladder: Ladder, bracket: int, trials: int) -> Bracket:
    """A bracket of successive halving that `trials` begin: one in eta reaches the next rung, one at least. Where there
    is no top, the rungs up to the first that only one reaches."""
    levels, left = list[Level](), trials
    for resource in ladder.resources[bracket:]:
        levels.append(Level(left, resource))
        if ladder.top is None and left <= 1:
            break
        left = min(left, max(1, floor(left / ladder.eta)))
    return Bracket(trials, tuple(levels))


def asynchronous(ladder: Ladder, weights: Sequence[int], trials: int | None) -> list[Bracket]:
    """The brackets of `trials` that are allocated by `weights`; for None so many that one is left at the end."""
    if trials is not None:
        return [halved(ladder, b, n) for b, n in enumerate(allocated(weights, trials))]
    return [halved(ladder, b, _nominal(ladder, b)) for b in range(len(weights))]


def _nominal(ladder: Ladder, bracket: int) -> int:
    most = NOMINAL - 1 if ladder.top is None else MOST_HALVINGS
    halvings = min(len(ladder.resources) - 1 - bracket, most)
    return ceil(Fraction(ladder.eta) ** halvings)
