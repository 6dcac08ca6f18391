"""Durations as people write them: `2h30m`, `1.5d`, `90s`, `500ms`, or a plain number of seconds."""

from __future__ import annotations

import math
import re

from rung.model import BadInput

_UNITS = {"w": 604_800.0, "d": 86_400.0, "h": 3_600.0, "m": 60.0, "min": 60.0, "s": 1.0, "ms": 0.001}
_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_PART = re.compile(rf"\s*({_NUMBER})\s*(min|ms|[wdhms])\s*", re.ASCII)
_PLAIN = re.compile(rf"\s*{_NUMBER}\s*", re.ASCII)
_LONGEST_EXACT = 10**9


def parse_duration(text: str | float) -> float:
    """The seconds that `text` says, finite and at least 0. Units: `w d h m s ms`; a bare number is in seconds.

    Raises:
        BadInput: it is no duration. The message names no place.
    """
    seconds = _seconds_of(text) if isinstance(text, str) else float(text)
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        raise BadInput(f"expected a duration such as 2h30m, 90s or a number of seconds, got {text!r:.60}")
    return seconds


def _seconds_of(text: str) -> float | None:
    if _PLAIN.fullmatch(text):
        return float(text)
    total, at = 0.0, 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            return None
        total += float(part[1]) * _UNITS[part[2]]
        at = part.end()
    return total if at else None


def format_duration(seconds: float) -> str:
    """`seconds` as text that `parse_duration` reads back exactly: `2h30m` when it is whole, else `0.25s`."""
    if seconds != int(seconds) or not 0 < seconds < _LONGEST_EXACT:
        return f"{seconds!r}s"
    rest, parts = int(seconds), []
    for unit in ("d", "h", "m", "s"):
        amount, rest = divmod(rest, int(_UNITS[unit]))
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts)
