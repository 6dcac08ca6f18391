"""What one ask and tell costs as trials add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.claims import Claim
from bench.rows.base import Row, Sizes

if TYPE_CHECKING:
    from bench.journal import Values
    from bench.workshop import Workshop

_SMALL, _MIDDLE, _LARGE = "at_small", "at_middle", "at_large"


def _named(found: Values, known: list[int]) -> Values:
    """Figures by place, not by number of trials: the claims hold for any size."""
    return {place: found[f"us_at_{count}"] for place, count in zip((_SMALL, _MIDDLE, _LARGE), known, strict=False)}


def _with_growth(found: Values) -> Values:
    return found | {f"growth_{place}": found[place] / found[_SMALL] for place in found if place != _SMALL}


def rung(shop: Workshop, sizes: Sizes) -> Values:
    """`rung.Study` in memory, random search."""
    known = [sizes["small"], sizes["middle"], sizes["large"]]
    with shop.folder() as folder:
        found = shop.side("rung_scaling.py", sizes["window"], *known, folder=folder)
        return _with_growth(_named(found, known))


def optuna(shop: Workshop, sizes: Sizes) -> Values:
    """Optuna's random sampler in memory."""
    known = [sizes["small"], sizes["middle"]]
    with shop.folder() as folder:
        found = shop.side("optuna_scaling.py", sizes["window"], *known, folder=folder, peer="optuna")
        return _with_growth(_named(found, known))


SCALING = Row(
    name="scaling",
    title="Ask and tell as trials add up (random search, in memory)",
    sides={"rung": rung, "optuna": optuna},
    claims=(
        Claim(
            what="ask and tell, 10 parameters, 1,000 trials known", metric=_SMALL, unit="µs a trial", peer="optuna",
            peer_name="Optuna, in memory",
        ),
        Claim(
            what="the same, 10,000 known", metric=_MIDDLE, unit="µs a trial", peer="optuna",
            peer_name="Optuna, in memory",
        ),
        Claim(what="the same, 100,000 known", metric=_LARGE, unit="µs a trial", kind="reading"),
        Claim(
            what="cost with 10,000 known over cost with 1,000", metric=f"growth_{_MIDDLE}", unit="times",
            kind="reading", goal=3.0,
        ),
        Claim(
            what="cost with 100,000 known over cost with 1,000", metric=f"growth_{_LARGE}", unit="times",
            kind="reading", goal=3.0,
        ),
    ),
    how=(
        "`Study` with random search in memory, one process; each figure is the mean over the trials that follow. "
        "Optuna: `RandomSampler`, in memory, up to 10,000 trials."
    ),
    limits=(
        "nothing that grows: five events encoded, decoded and folded, a generator seeded for each number, and "
        "single configurations drawn and encoded by functions made for many at once."
    ),
    sizes={"small": 1_000, "middle": 10_000, "large": 100_000, "window": 1_000},
    quick={"small": 100, "middle": 500, "large": 1_000, "window": 50},
    rounds=3,
    quick_rounds=1,
    needs=("optuna",),
)  # fmt: skip
