"""The options of a scheduler, checked: what the user wrote in the study file, as values that a rule can rely on.

Every method takes the option's name and its default, and raises `BadInput` with the key `schedule.NAME` that says what
is wrong and what would be right. An option that is absent, or null, has its default.

    options = Options(contest)
    eta = options.number("eta", 3, above=1)
    kind = options.word("type", "stopping", ("stopping", "promotion"))
"""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

from rung.model import BadInput, MethodOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.schedule.base import Contest

Default = TypeVar("Default")
MAX = MethodOption(
    None, "How far a trial can go; empty: a constant parameter that is named like the resource", "number"
)
GRACE = MethodOption(0, "No trial is ended below this resource")
INTERVAL = MethodOption(None, "Trials are compared at its multiples only; empty: at every report", "number")
METRIC = MethodOption(None, "Which objective's metric is looked at; empty: the first", "text")


class Options:
    """What `contest.schedule.options` holds."""

    def __init__(self, contest: Contest) -> None:
        self._given = contest.schedule.options

    def __contains__(self, name: str) -> bool:
        """Whether the user wrote it, and not as null."""
        return self._given.get(name) is not None

    def number(
        self,
        name: str,
        default: Default,
        *,
        above: float | None = None,
        below: float | None = None,
        least: float | None = None,
        most: float | None = None,
    ) -> float | Default:
        """A finite number, above, below, at least, at most these bounds. One without a fraction comes as an int, so
        that products of it are exact."""
        if name not in self:
            return default
        value = self._given[name]
        allowed = _allowed(above, below, least, most)
        if not _is_number(value) or not _within(value, above, below, least, most):
            raise self.error(name, f"expected a number{allowed}, got {value!r}")
        return exact(value)

    def whole(self, name: str, default: Default, *, least: int = 1, most: int | None = None) -> int | Default:
        """A whole number within these bounds, both included."""
        if name not in self:
            return default
        value = self._given[name]
        if not _is_number(value) or value != int(value) or not _within(value, None, None, least, most):
            raise self.error(name, f"expected a whole number{_allowed(None, None, least, most)}, got {value!r}")
        return int(value)

    def flag(self, name: str, default: Default) -> bool | Default:
        """True or false."""
        if name not in self:
            return default
        value = self._given[name]
        if not isinstance(value, bool):
            raise self.error(name, f"expected true or false, got {value!r}")
        return value

    def word(self, name: str, default: Default, words: Sequence[str]) -> str | Default:
        """One of these words."""
        if name not in self:
            return default
        value = self._given[name]
        if not isinstance(value, str) or value not in words:
            raise self.error(name, f"expected {' or '.join(words)}, got {value!r}")
        return value

    def numbers(self, name: str, default: Default, *, above: float | None = None) -> tuple[float, ...] | Default:
        """A list of one or more finite numbers, each above this bound, ascending, none twice."""
        if name not in self:
            return default
        value = self._given[name]
        allowed = _allowed(above, None, None, None)
        if not isinstance(value, list | tuple) or not value:
            raise self.error(name, f"expected a list of numbers{allowed}, got {value!r}")
        for item in value:
            if not _is_number(item) or not _within(item, above, None, None, None):
                raise self.error(name, f"expected numbers{allowed}, got {item!r}")
        for low, high in pairwise(value):
            if low >= high:
                raise self.error(name, f"expected ascending numbers, got {high!r} after {low!r}")
        return tuple(exact(item) for item in value)

    def error(self, name: str, message: str) -> BadInput:
        """The error that this option makes, to be raised."""
        return BadInput(message, key=f"schedule.{name}")


def exact(value: float) -> float:
    """`value`, as an int when it is whole."""
    return int(value) if value == int(value) else value


def _is_number(value: Any) -> bool:
    """Whether it is a number that a float can hold: not NaN, and no integer of hundreds of digits either."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _within(value: float, above: float | None, below: float | None, least: float | None, most: float | None) -> bool:
    return (
        (above is None or value > above)
        and (below is None or value < below)
        and (least is None or value >= least)
        and (most is None or value <= most)
    )


def _allowed(above: float | None, below: float | None, least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f" from {least} to {most}"
    bounds = {"above": above, "below": below, "of at least": least, "of at most": most}
    return " and".join(f" {word} {bound}" for word, bound in bounds.items() if bound is not None)
