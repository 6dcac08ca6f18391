"""The arithmetic of Determined's adaptive search: which brackets, how many trials each, at what resource its rungs are.

Notation: L the resource of the last rung (`max`), d the divisor (eta), T the number of trials, r the rungs of one
bracket, R the most rungs of any. All of it is as that system computes it, in IEEE doubles cut off to integers: that
floor(log 1000 / log 10) is 2 is part of what makes two tournaments the same (elsewhere Rung's rungs are exact).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Mode = Literal["aggressive", "standard", "conservative"]
MODES: tuple[Mode, ...] = ("aggressive", "standard", "conservative")


@dataclass(frozen=True)
class Shape:
    """One bracket as planned. `units`: the resource of each rung, ascending. `trials` are begun, of which at most
    `concurrent` run at once (0: as many as the rule itself wants). `starts`: of synchronous halving, how many trials
    each rung takes."""

    units: tuple[int, ...]
    trials: int
    concurrent: int = 0
    starts: tuple[int, ...] = ()

    @property
    def rungs(self) -> int:
        """How many rungs it has."""
        return len(self.units)


# ------------------------------------------------------------------------------------------- asynchronous halving


def most_rungs(resource: int, trials: int, divisor: float, max_rungs: int) -> int:
    """R = min(max_rungs, floor(ln L / ln d) + 1, floor(ln T / ln d) + 1); `resource`, `trials` >= 1, `divisor` > 1."""
    return min(max_rungs, _float_log(resource, divisor) + 1, _float_log(trials, divisor) + 1)


def _float_log(value: float, base: float) -> int:
    return int(math.log(value) / math.log(base))


def bracket_rungs(mode: Mode, most: int) -> list[int]:
    """How many rungs each bracket has, descending: aggressive [R]; conservative R, ..., 1; standard the upper half."""
    least = {"aggressive": most, "standard": (most - 1) // 2 + 1, "conservative": 1}[mode]
    return list(range(most, least - 1, -1))


def bracket_trials(trials: int, divisor: float, rungs: Sequence[int]) -> list[int]:
    """How many of T trials each bracket gets: in proportion to d**(r-1) / r, at least 1, what is left to the first.

    Explicit `rungs` may make the sum exceed T, by the least of 1."""
    weights = [math.pow(divisor, r - 1) / r for r in rungs]
    total = sum(weights)
    shares = [max(int(weight / total * trials), 1) for weight in weights]
    shares[0] += max(trials - sum(shares), 0)
    return shares


def bracket_concurrency(concurrent: int, divisor: float, trials: Sequence[int]) -> list[int]:
    """How many trials of each bracket run at once; `concurrent` of 0 is no limit. `trials`: those of each bracket."""
    if concurrent == 0:
        return [max(trials[-1], int(divisor))] * len(trials)
    return even_shares(max(concurrent, len(trials)), len(trials))


def even_shares(total: int, parts: int) -> list[int]:
    """`total` in equal parts, what is left over one each to the first."""
    each, left = divmod(total, parts)
    return [each + (place < left) for place in range(parts)]


def rung_units(resource: int, divisor: float, rungs: int) -> tuple[int, ...]:
    """The resource of each rung, max(int(L / d**(r-1-i)), 1): the last is L; the first coincide where L is small."""
    return tuple(max(int(resource / math.pow(divisor, rungs - 1 - i)), 1) for i in range(rungs))


def asynchronous(
    resource: int, trials: int, divisor: float, rungs: Sequence[int], max_concurrent_trials: int
) -> list[Shape]:
    """The brackets of asynchronous halving with these numbers of rungs, most rungs first."""
    ordered = sorted(rungs, reverse=True)
    shares = bracket_trials(trials, divisor, ordered)
    places = bracket_concurrency(max_concurrent_trials, divisor, shares)
    return [
        Shape(rung_units(resource, divisor, r), share, place)
        for r, share, place in zip(ordered, shares, places, strict=True)
    ]


def first_trials(shape: Shape, divisor: float) -> int:
    """How many trials of a bracket are begun before anything is known."""
    if shape.concurrent > 0:
        return min(shape.concurrent, shape.trials)
    return max(min(int(math.pow(divisor, shape.rungs - 1)), shape.trials), 1)


# ------------------------------------------------------------------------------------------- synchronous halving


def apart(units: Sequence[int]) -> tuple[int, ...]:
    """The resources of rungs, each made at least one above the one before."""
    spread: list[int] = []
    for unit in units:
        spread.append(max(unit, spread[-1] + 1) if spread else unit)
    return tuple(spread)


def halving_by_trials(resource: int, trials: int, divisor: float, rungs: int) -> Shape:
    """A bracket of synchronous halving that begins `trials`: rung i takes max(int(trials / d**i), 1) of them."""
    starts = tuple(max(int(trials / math.pow(divisor, i)), 1) for i in range(rungs))
    return Shape(apart(rung_units(resource, divisor, rungs)), starts[0], starts=starts)


def halving_by_budget(resource: int, budget: float, divisor: float, rungs: int) -> Shape:
    """A bracket of synchronous halving that costs `budget` in all, in units of the resource: rung i would take
    d**(r-1-i) trials; these numbers are scaled so that the work they add up to is the budget."""
    units = rung_units(resource, divisor, rungs)
    planned = [max(int(math.pow(divisor, rungs - 1 - i)), 1) for i in range(rungs)]
    steps = [units[0], *(high - low for low, high in pairwise(units))]
    scale = budget / sum(step * count for step, count in zip(steps, planned, strict=True))
    starts = [int(scale * planned[0])]
    for count in planned[1:]:
        starts.append(max(min(int(scale * count), starts[-1]), 1))
    return Shape(apart(units), starts[0], starts=tuple(starts))


def synchronous(
    resource: int, divisor: float, rungs: Sequence[int], *, trials: int = 0, budget: int | None = None
) -> list[Shape]:
    """The brackets of synchronous halving with these numbers of rungs, most rungs first, all the same size: of
    `trials` together, or of a `budget` together."""
    ordered = sorted(rungs, reverse=True)
    if budget is not None:
        return [halving_by_budget(resource, budget // len(ordered), divisor, r) for r in ordered]
    shares = even_shares(trials, len(ordered))
    return [halving_by_trials(resource, share, divisor, r) for share, r in zip(shares, ordered, strict=True)]


# ------------------------------------------------------------------------------------------------------- preview


def expected_starts(shape: Shape, divisor: float) -> list[int]:
    """How many trials are expected at each rung of a bracket: one in d goes on, at least one."""
    if shape.starts:
        return list(shape.starts)
    found = [shape.trials]
    for _ in shape.units[1:]:
        found.append(max(int(found[-1] / divisor), 1))
    return found


def preview(shapes: Sequence[Shape], divisor: float) -> list[tuple[int, int]]:
    """(trials, resource) by resource: how many trials are expected to end where."""
    ends: Counter[int] = Counter()
    for shape in shapes:
        starts = expected_starts(shape, divisor)
        for unit, start, onward in zip(shape.units, starts, [*starts[1:], 0], strict=True):
            ends[unit] += start - onward
    return [(ends[unit], unit) for unit in sorted(ends) if ends[unit] > 0]
