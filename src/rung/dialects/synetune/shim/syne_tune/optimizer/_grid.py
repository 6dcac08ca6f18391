"""A space cut into a grid: numeric domains become so many points, evenly spaced on their scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..config_space import Domain, Float, Integer, is_log_space, is_reverse_log_space, ordinal

if TYPE_CHECKING:
    from collections.abc import Mapping

POINTS = 5


def gridded(space: Mapping[str, Any], counts: Mapping[str, int]) -> dict[str, Any]:
    """The space with each float and integer domain replaced by `counts` points (5 where none are said), those in the
    middle of equal parts of the scale. Raises `ValueError` for a count below 1."""
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"num_samples: {name} needs 1 point or more, got {count}")
    return {
        name: ordinal(_points(value, counts.get(name, POINTS)), kind="equal")
        if isinstance(value, Float | Integer)
        else value
        for name, value in space.items()
    }


def _points(domain: Any, count: int) -> list[Any]:
    low, high = domain.lower, domain.upper
    whole = isinstance(domain, Integer)
    if low == high:
        return [low]
    if whole:
        count = min(count, high - low + 1)
        if count == high - low + 1:
            return list(range(low, high + 1))
        low, high = low - 0.5, high + 0.5  # so that each end has as much room as the others
    there, back = _scale(domain)
    first, last = there(low), there(high)
    found = [back(first + (i + 0.5) / count * (last - first)) for i in range(count)]
    if whole:
        found = [min(max(round(value), domain.lower), domain.upper) for value in found]
    return list(dict.fromkeys(found))


def _scale(domain: Domain) -> tuple[Any, Any]:
    if is_log_space(domain):
        return math.log, math.exp
    if is_reverse_log_space(domain):
        return (lambda x: -math.log1p(-x)), (lambda y: -math.expm1(-y))
    return float, float
