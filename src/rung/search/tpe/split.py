"""Which trials stand for the good density, which for the bad one, and with what weight.

Good are the best of the results: feasible ones first, then by how much they break the bounds (Watanabe & Hutter 2023,
"c-TPE"); several objectives by non-dominated rank, the front that is cut by crowding (Ozaki et al. 2022, MOTPE). The
rest is bad. Evaluations of earlier studies are split among themselves and count less the more is known.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rung.search import pareto
from rung.search.base import Earlier, Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.search.base import Delta
    from rung.search.history import Floats, History, Integers

GOOD_SHARE = 0.1  # of the results, and
MOST_GOOD = 25  # no more than so many
MOST_BAD = 128  # of a longer history, evenly over the ranking: what a proposal costs is bounded
EARLIER = 0.5  # weight of an earlier study's evaluation, until HALF results are in; then it falls
HALF = 10


class Group(NamedTuple):
    """Unit rows (n, d) and their weights (n,)."""

    units: Floats
    weights: Floats


class Ranking:
    """The results of a history, best first. The order of several objectives is kept until another result comes."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._order: Integers | None = None
        self._earlier: tuple[Floats, Floats] | None = None

    def observe(self, deltas: Sequence[Delta]) -> None:
        """The history has seen these deltas."""
        if any(isinstance(delta, Result) for delta in deltas):
            self._order = None
        if any(isinstance(delta, Earlier) for delta in deltas):
            self._earlier = None

    def part(self, begin: int, end: int | None = None, most: int | None = None) -> Integers:
        """Rows of the history from place `begin` up to `end`; at most `most` of them, evenly spread."""
        places = np.arange(self.history.results)[begin:end]
        places = places if most is None else spaced(places, most)
        if self.history.objectives == 1:
            return self.history.ranked(places.tolist())
        if self._order is None:
            rows = np.flatnonzero(self.history.done)
            self._order = rows[best_first(self.history.losses[rows], self.history.violations[rows])]
        return self._order[places]

    def earlier(self) -> tuple[Floats, Floats]:
        """Unit rows of the good and of the bad evaluations of earlier studies."""
        if self._earlier is None:
            self._earlier = _split_earlier(self.history)
        return self._earlier


def best_first(losses: Floats, violations: Floats) -> Integers:
    """(n,) the order of results: by constrained domination, then within a front by crowding (far apart first)."""
    front = pareto.ranks(losses, violations)
    cut = int(np.sort(front)[min(good_count(len(front)), len(front)) - 1]) if len(front) else 0
    spread = np.zeros(len(front))
    spread[front == cut] = pareto.crowding(losses[front == cut])
    return np.lexsort((-spread, front))


def good_count(results: int) -> int:
    """How many of so many results are good."""
    return min(math.ceil(GOOD_SHARE * results), MOST_GOOD)


def split(ranking: Ranking) -> tuple[Group, Group]:
    """The good and the bad group. A result that is no number is never good."""
    history = ranking.history
    count = good_count(history.results)
    best = ranking.part(0, count)
    usable = np.isfinite(history.losses[best]).all(axis=1)
    rest = np.concatenate([best[~usable], ranking.part(count, most=MOST_BAD)])
    good, bad = (Group(history.units[rows], np.ones(len(rows))) for rows in (best[usable], rest))
    if not len(history.earlier()[0]):
        return good, bad
    weight = EARLIER * HALF / max(HALF, history.results)
    earlier_good, earlier_bad = (Group(units, np.full(len(units), weight)) for units in ranking.earlier())
    return joined(good, earlier_good), joined(bad, earlier_bad)


def joined(one: Group, two: Group) -> Group:
    """Both groups as one."""
    return Group(np.concatenate([one.units, two.units]), np.concatenate([one.weights, two.weights]))


def _split_earlier(history: History) -> tuple[Floats, Floats]:
    """Unit rows of the good and of the bad evaluations, each study split by itself: their losses do not compare."""
    units, losses, violations, source = history.earlier()
    good: list[Integers] = []
    bad: list[Integers] = []
    for study in np.unique(source):
        rows = np.flatnonzero(source == study)
        rows = rows[best_first(losses[rows], violations[rows])]
        count = good_count(len(rows))
        usable = np.isfinite(losses[rows[:count]]).all(axis=1)
        good.append(rows[:count][usable])
        bad.append(spaced(np.concatenate([rows[:count][~usable], rows[count:]]), MOST_BAD))
    return units[np.concatenate(good)], units[np.concatenate(bad)]


def spaced(rows: Integers, most: int) -> Integers:
    """At most so many of them, evenly spread, both ends included."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]
