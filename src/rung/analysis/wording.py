"""Values, durations and texts as one line of words: what tables, reasons and messages are made of."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from rung.model import to_wire

WIDEST_CELL = 60
WIDEST_WORDS = 2_000
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")  # ECMA-48, 5.4: colours and the like


def shown(value: Any, *, widest: int = WIDEST_CELL) -> str:
    """A value as a table shows it: a number with six digits, one line of at most `widest` characters."""
    if value is None:
        return ""
    if isinstance(value, float):
        return number(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = one_line(text)
    return text if len(text) <= widest else text[: widest - 1] + "…"


def number(value: float) -> str:
    """Six digits of it; what is not finite is spelt as in JSON."""
    return f"{value:.6g}" if math.isfinite(value) else str(to_wire(value))


def one_line(text: str) -> str:
    """The text without line breaks, colours and control characters: what a program said must not steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in _ESCAPES.sub("", text)).strip()


def seconds(amount: float | None) -> str:
    """A duration for people: `0.4s`, `12s`, `3m05s`, `2h10m`."""
    if amount is None or not math.isfinite(amount):
        return ""
    if amount < 10:
        return f"{amount:.1f}s"
    whole = round(amount)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def assigned(values: dict[str, Any]) -> str:
    """`lr=0.01 width=32`, for one line."""
    return " ".join(f"{name}={'null' if value is None else shown(value)}" for name, value in values.items())


def last_words(text: str) -> str:
    """The last line of a program's output that is not empty; "" where all are."""
    lines = (one_line(line) for line in reversed(text.splitlines()))
    return next((line for line in lines if line), "")


def last_line(text: str) -> str:
    """What a program said last is what it died of; the line that says how is the first."""
    lines = [one_line(line) for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and ":" in lines[0]:
        return f"{lines[0].partition(':')[0]}: {lines[-1]}"
    return lines[0] if lines else ""
