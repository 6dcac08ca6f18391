"""A value of a parsed text together with its place: asks for what is expected, and complains with the line."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from rung.dialects.durations import parse_duration
from rung.dialects.names import did_you_mean, shown
from rung.dialects.positions import Path, Positions, dotted
from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Collection

_WIDEST = 63  # bits: what a store's integer column holds


@dataclass(frozen=True)
class Value:
    """One value, its path from the root, and the positions of the whole text."""

    value: Any
    path: Path
    positions: Positions

    def error(self, message: str, *below: str | int) -> BadInput:
        """The error at this value, or at the path `below` it."""
        return self.positions.error((*self.path, *below), message)

    def spelt(self) -> str:
        """How the value was written, or its JSON."""
        return self.positions.texts.get(self.path) or shown(self.value)

    def expected(self, what: str) -> NoReturn:
        """Raises the error that this is not `what`."""
        raise self.error(f"expected {what}, got {self.spelt():.60}")

    def child(self, part: str | int) -> Value:
        """The item of that key or index."""
        return Value(self.value[part], (*self.path, part), self.positions)

    def tree(self, what: str = "a mapping") -> dict[str, Any]:
        """This mapping; every key is text."""
        if not isinstance(self.value, dict):
            self.expected(what)
        for key in self.value:
            if not isinstance(key, str):
                raise self.error(f"the key {shown(key)} is not text")
        return self.value

    def fields(self, known: Collection[str], what: str = "a mapping") -> dict[str, Value]:
        """The items of this mapping that are given (not null), all of whose keys are known."""
        tree = self.tree(what)
        for key in tree:
            if key not in known:
                raise self.error(f"unknown key `{dotted((key,))}`{did_you_mean(key, known)}", key)
        return self.items()

    def items(self) -> dict[str, Value]:
        """The items of this mapping that are given (not null)."""
        return {key: self.child(key) for key, item in self.tree().items() if item is not None}

    def elements(self, what: str) -> list[Value]:
        """The items of this list."""
        if not isinstance(self.value, (list, tuple)):
            self.expected(what)
        return [self.child(index) for index in range(len(self.value))]

    def text(self, what: str = "text") -> str:
        """This text, not empty."""
        if isinstance(self.value, str) and self.value.strip():
            return self.without_nul()
        if isinstance(self.value, str):
            self.expected(what)
        spelt = self.spelt()
        hint = "" if isinstance(self.value, (dict, list)) else f'; write "{spelt}" in quotes if it is meant as text'
        raise self.error(f"expected {what}, got {spelt}{hint}")

    def without_nul(self) -> str:
        """This text; no program, file or environment can be given a NUL character."""
        if "\0" in self.value:
            raise self.error("holds a NUL character")
        return str(self.value)

    def word(self, known: Collection[str], what: str) -> str:
        """This text, one of the known words."""
        listed = ", ".join(f"`{word}`" for word in known)
        if not isinstance(self.value, str):
            self.expected(f"one of {listed}")
        if self.value not in known:
            raise self.error(f"unknown {what} {shown(self.value)}{did_you_mean(self.value, known)}")
        return self.value

    def whole(self, at_least: int) -> int:
        """This whole number; `100.0` and `1e3` are whole too."""
        value = self.value
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
            self.expected(f"a whole number of at least {at_least}")
        if value.bit_length() > _WIDEST:
            self.expected("a number of at most 63 bits")
        return value

    def number(self, what: str = "a number") -> float:
        """This finite number as a float."""
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            self.expected(what)
        try:
            number = float(self.value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            self.expected(what)
        return number

    def amount(self) -> float:
        """This number, at least 0."""
        number = self.number("a number of at least 0")
        if number < 0:
            self.expected("a number of at least 0")
        return number

    def seconds(self, *, above: float) -> float:
        """The seconds of this duration, more than `above`."""
        what = "a duration such as 2h30m, 90s or a number of seconds"
        seconds = _seconds_or_none(self.value)
        if seconds is None or seconds <= above:
            self.expected(what)
        return seconds

    def size(self) -> int:
        """The bytes of this size, more than 0."""
        what = "a size such as 500MB, 20GB, 1.5TB or a number of bytes"
        found = _SIZE.fullmatch(self.value.strip()) if isinstance(self.value, str) else None
        if found is not None:
            size = float(found[1]) * _UNITS[found[2].upper()]
        elif isinstance(self.value, (int, float)) and not isinstance(self.value, bool):
            size = float(self.value)
        else:
            self.expected(what)
        if not 1 <= size < 2**63:
            self.expected(what)
        return int(size)


_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?i?b|[kmgt])", re.IGNORECASE)
_UNITS = {"B": 1} | {
    name: base**power
    for power, letter in enumerate("KMGT", start=1)
    for name, base in ((letter, 1000), (f"{letter}B", 1000), (f"{letter}IB", 1024))
}


def _seconds_or_none(value: Any) -> float | None:
    """The seconds that `value` says, None when it is no duration."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        return parse_duration(value)
    except (BadInput, OverflowError):
        return None
