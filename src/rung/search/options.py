"""The options of a searcher that are whole numbers, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.model import BadInput

if TYPE_CHECKING:
    from rung.search.base import Problem

MOST = 100_000  # of anything that is held in memory or gone through for one proposal


def whole_option(problem: Problem, name: str, default: int, *, least: int, most: int = MOST) -> int:
    """The whole number that the study gives as option `name` of its searcher. Raises `BadInput`."""
    value = problem.search.options.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise BadInput(f"expected a whole number of at least {least}, got {value!r}", key=f"search.{name}")
    if value > most:
        raise BadInput(f"expected a whole number of at most {most}, got {value!r}", key=f"search.{name}")
    return value
