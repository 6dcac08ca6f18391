"""What a row of the table says about its figures, and whether it meets its goal.

Four kinds: how many times the peer takes as much (`TimesFaster`), how many times as much as the peer (`TimesAsMuch`),
by how much more than the peer (`More`), and a plain reading (`Reading`). Comparisons go round by round.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from bench.measure import Spread, interval, pairwise_difference, pairwise_ratio, spread

Column = Callable[[str, str], list[float]]  # (side, metric) -> the figure in each round
Kind = Literal["times faster", "times as much", "more", "reading"]


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table. `goal` bounds the compared figure: from below if `least`, else from above."""

    what: str
    metric: str
    unit: str
    kind: Kind = "times faster"
    side: str = "rung"
    peer: str | None = None
    peer_metric: str | None = None
    peer_name: str | None = None
    goal: float | None = None
    least: bool = False
    rate: bool = False  # a greater figure of the metric is better
    word: str = "times faster"  # after the figure of a comparison


class Verdict(msgspec.Struct, frozen=True):
    """A claim with its numbers. `figure` is what the goal is about; `met` is None without a goal."""

    claim: Claim
    rung: Spread
    peer: Spread | None
    figure: Spread
    met: bool | None
    rounds: int

    @property
    def certain(self) -> bool:
        """Whether the whole interval lies on the same side of the goal."""
        goal = self.claim.goal
        return goal is None or not self.figure.low < goal < self.figure.high


def judge(claim: Claim, column: Column) -> Verdict:
    """The claim with its numbers from the rounds that `column` gives."""
    ours = column(claim.side, claim.metric)
    theirs = column(claim.peer, claim.peer_metric or claim.metric) if claim.peer is not None else None
    figure = _figure(claim, ours, theirs)
    met = None
    if claim.goal is not None:
        met = figure.median >= claim.goal if claim.least else figure.median <= claim.goal
    return Verdict(claim, spread(ours), None if theirs is None else spread(theirs), figure, met, len(ours))


def _figure(claim: Claim, ours: list[float], theirs: list[float] | None) -> Spread:
    if claim.kind == "reading" or theirs is None:
        return interval(ours)
    if claim.kind == "more":
        return pairwise_difference(ours, theirs)
    if claim.kind == "times as much" or claim.rate:
        return pairwise_ratio(ours, theirs)
    return pairwise_ratio(theirs, ours)
