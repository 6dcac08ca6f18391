"""Rungs: at which resources trials are compared, and who of a rung earns more.

A *ladder* is what the study file says of them: levels below a *top*, which is the most resource that a trial gets.
Geometric levels are min, min eta, min eta^2, ... while below the top, computed with whole numbers where `min` and `eta`
are whole: a logarithm would fall one short for exact powers. With a fraction in `eta` they are rounded to whole
resources (halves to even) if `min` is whole.

A *rung* holds the results of one level. Which share of them goes on is said by its *cut*:

- `quantile`: a trial whose loss is at most the q-quantile of the rung, its own loss included, interpolated linearly;
  q = level / next level, so that every rung costs the same. The rule of Syne Tune.
- `count`: a trial among the floor(n / eta) best of n. Li et al. 2018 (arXiv:1810.05934), algorithm 2, line 14.

Where losses cannot be interpolated (several objectives; a trial that breaks a bound) the quantile is that of the places
0 to n - 1 in the rung's ranking. A trial without a usable number earns nothing beside others.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Literal

import msgspec

from rung.schedule.options import Options, exact
from rung.schedule.ranking import BROKEN, FEASIBLE, Line, Ranking, ranking

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.schedule.base import Contest, Progress

Cut = Literal["quantile", "count"]
MOST_LEVELS = 1000
LARGEST = 2**53  # above it neighbouring whole numbers are the same float


# ------------------------------------------------------------------------------------------------------------- ladders


class Ladder(msgspec.Struct, frozen=True, kw_only=True):
    """`levels`: ascending resources at which trials are compared, all below `top`. `top`: the most resource a trial
    gets, None: that is not known, and trials end by themselves. `eta`: one in so many goes on."""

    levels: tuple[float, ...]
    top: float | None
    eta: float

    @property
    def resources(self) -> tuple[float, ...]:
        """The levels, and the top if there is one."""
        return self.levels if self.top is None else (*self.levels, self.top)

    def after(self, rung: int) -> float | None:
        """The level that follows rung number `rung`, or the top."""
        return self.resources[rung + 1] if rung + 1 < len(self.resources) else None

    def above(self, resource: float) -> int:
        """The number of the first rung above `resource`; `len(levels)` when all are at or below it."""
        return bisect_right(self.levels, resource)

    def share(self, rung: int) -> float:
        """Which part of a rung goes on: its level by the next one, else 1/eta."""
        following = self.after(rung)
        return 1 / self.eta if following is None else self.levels[rung] / following


def ladder(contest: Contest, *, top_required: str = "") -> Ladder:
    """The ladder that the options `min` (1), `max`, `eta` (3), `levels` and `increment` describe.

    `top_required`: why the scheduler must know the most resource, in words that finish "... must be known". Raises
    `BadInput`.
    """
    options = Options(contest)
    eta = options.number("eta", 3, above=1)
    least = options.number("min", None, above=0)
    top = limit(contest)
    if top is None and (top_required or "increment" in options):
        why = top_required or "so that `increment` ends"
        raise options.error("max", f"how far a trial can go must be known, {why}: give `max`")
    named = [name for name in ("levels", "increment") if name in options]
    if len(named) == 2:
        raise options.error("increment", "has no meaning beside `levels`; leave one of them out")
    if "levels" in options:
        return Ladder(levels=_listed(options, least, top), top=top, eta=eta)
    least = 1 if least is None else least
    if top is not None and least >= top:
        name, other = ("min", f"below max ({top}), got {least}") if "min" in options else ("max", f"above 1, got {top}")
        raise options.error(name, f"must be {other}: no rung is left to compare trials at")
    steps = _counted(least, options.number("increment", None, above=0)) or _geometric(least, eta)
    return Ladder(levels=_below(options, steps, top), top=top, eta=eta)


def _listed(options: Options, least: float | None, top: float | None) -> tuple[float, ...]:
    levels = options.numbers("levels", (), above=0)
    if least is not None:
        raise options.error("min", "has no meaning beside `levels`, whose first is the least; leave one of them out")
    if top is not None and (levels[-1] > top or levels[0] == top):
        raise options.error("levels", f"must be below max ({top}), got {levels[-1]}")
    if len(levels) > MOST_LEVELS:
        raise options.error("levels", f"expected at most {MOST_LEVELS}, got {len(levels)}")
    return tuple(level for level in levels if level != top)


def _counted(least: float, increment: float | None) -> Iterator[float] | None:
    """The numbers least, least + increment, ...; None without an increment."""
    return None if increment is None else (exact(least + k * increment) for k in range(LARGEST))


def _geometric(least: float, eta: float) -> Iterator[float]:
    """The numbers least eta^k: exact if `eta` is whole, else as close as floats are; rounded if `least` is whole."""
    k = 0
    while True:
        level = Fraction(least) * Fraction(eta) ** k if isinstance(eta, int) else Fraction(least * eta**k)
        yield round(level) if isinstance(least, int) else exact(float(level))
        k += 1


def _below(options: Options, steps: Iterator[float], top: float | None) -> tuple[float, ...]:
    """The distinct steps below the top; without a top, as many as floats can tell apart and we keep at the most."""
    found: list[float] = []
    for level in islice(steps, MOST_LEVELS):
        if level >= (LARGEST if top is None else top):
            return tuple(found)
        if not found or level > found[-1]:
            found.append(level)
    if top is None:
        return tuple(found)
    name = "increment" if "increment" in options else "eta"
    raise options.error(name, f"makes more than {MOST_LEVELS} rungs below max ({top}); give a larger one")


_GENERIC = ("epochs", "max_epochs", "num_epochs", "n_epochs", "max_t")


def limit(contest: Contest) -> float | None:
    """The most resource that a trial gets: the option `max`, else a constant parameter that says so by its name.

    With the resource `batch` those are batch, batchs, batches, max_batch, max_batches, num_batches, n_batches; without
    a resource, or where it is the epoch, epochs, max_epochs, num_epochs, n_epochs; always max_t. None: nothing says so.
    Raises `BadInput` for a `max` that is no number above 0.
    """
    given = Options(contest).number("max", None, above=0, most=LARGEST)
    if given is not None or contest.space is None:
        return given
    constants = contest.space.constants
    for name in _names_of_limit(contest.schedule.resource):
        value = constants.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf:
            return exact(value)
    return None


def _names_of_limit(resource: str | None) -> Sequence[str]:
    if resource is None or resource in {"epoch", "epochs"}:
        return ("epoch", *_GENERIC) if resource else _GENERIC
    plurals = (resource, resource + "s", resource + "es")
    return (*plurals, *(prefix + name for prefix in ("max_", "num_", "n_") for name in plurals), "max_t")


# --------------------------------------------------------------------------------------------------------------- rungs


def result(progress: Progress) -> tuple[float, ...] | None:
    """What a report says of its trial, to be compared with others at its step: what each objective's `value:` picks
    from the reports so far. None when the report lacks an objective: it neither counts nor decides."""
    found = progress.so_far or progress.losses
    if not found or None in progress.losses or None in found:
        return None
    return tuple(math.inf if loss is None or loss != loss else loss for loss in found)


class Rung:
    """The results of one level, in order, and the cut through them.

    `index`: its number in the ladder. `level`: its resource. `share`: which part of it goes on by a quantile, about
    which part by count. `eta`: one in so many goes on by count. A result is kept whatever becomes of its trial.
    """

    def __init__(self, index: int, level: float, *, share: float, eta: float, objectives: int, cut: Cut) -> None:
        self.index, self.level, self.share, self.eta, self.cut = index, level, share, eta, cut
        self.ranking: Ranking = ranking(objectives)

    @classmethod
    def of(cls, ladder: Ladder, index: int, objectives: int, cut: Cut) -> Rung:
        """Rung number `index` of the ladder."""
        share = ladder.share(index) if cut == "quantile" else 1 / ladder.eta
        return cls(index, ladder.levels[index], share=share, eta=ladder.eta, objectives=objectives, cut=cut)

    def __len__(self) -> int:
        return len(self.ranking)

    def earns(self, number: int, *, least: int) -> bool:
        """Whether trial `number`, which is in the rung, is among those that go on. `least`: so many do at any rate, 1
        where they are on their way already, else 0 (below two results nothing can be said)."""
        count = len(self.ranking)
        if count < 2:
            return least >= count
        key = self.ranking.key(number)
        if key.tier not in {FEASIBLE, BROKEN}:
            return False
        if self.cut == "count":
            return self.ranking.place(number) < max(least, int(count // self.eta))
        threshold = self.threshold()
        if threshold is not None and key.tier == FEASIBLE:
            return key.value <= threshold
        return self.ranking.place(number) <= self.share * (count - 1)

    def threshold(self) -> float | None:
        """The loss that a trial must not exceed to go on: the quantile, or that of the last who does by count (None if
        nobody does). None with several objectives."""
        if not isinstance(self.ranking, Line):
            return None
        if self.cut == "quantile":
            return self.ranking.quantile(self.share)
        return self.ranking.loss_at(max(1, int(len(self) // self.eta)) - 1)
