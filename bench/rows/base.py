"""What a row is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from bench.claims import Claim
from bench.journal import Values
from bench.workshop import Workshop

Sizes = Mapping[str, int]
Side = Callable[[Workshop, Sizes], Values]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row: its sides take turns for `rounds` rounds at `sizes` (`quick_rounds` and `quick` in a quick run).

    `how` says what is done, `limits` what Rung's figure is made of now, from a profile; neither holds a figure.
    """

    name: str
    title: str
    sides: dict[str, Side]
    claims: tuple[Claim, ...]
    how: str
    limits: str
    sizes: dict[str, int]
    quick: dict[str, int]
    rounds: int = 5
    quick_rounds: int = 2
    needs: tuple[str, ...] = ()  # peers
    programs: tuple[str, ...] = ()  # programs of the system without which the row is left out
