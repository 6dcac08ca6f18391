"""Booleans on a command line."""

from __future__ import annotations

_TRUE = frozenset({"true", "t", "yes", "y", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "0"})


def parse_bool(val: str) -> bool:
    """The boolean that the text says, for `parser.add_argument(..., type=parse_bool)`. Raises `ValueError`."""
    word = str(val).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(f"expected true or false, got {val!r}")
    return word in _TRUE
