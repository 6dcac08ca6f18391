"""New configurations that are worth a look: drawn from the whole space, and around the best ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from rung.space import Space
    from rung.space.scales import Floats

ANYWHERE, NEARBY = 192, 96
WIDTHS = (0.2, 0.05)  # of the steps away from a good configuration, in unit rows
CHANGED = 0.5  # how likely one parameter is changed, at least one is
NEAR = 1e-6  # unit rows that differ by no more are the same configuration


def anywhere(space: Space, rng: np.random.Generator) -> Floats:
    """(m, d) unit rows, spread over the space."""
    return _snapped(space, space.sample(rng, ANYWHERE))


def around(space: Space, rng: np.random.Generator, centres: Floats) -> Floats:
    """(m, d) unit rows near `centres` (k, d), a few parameters changed in each."""
    if not len(centres):
        return centres
    middle = centres[np.arange(NEARBY) % len(centres)]
    middle = np.where(np.isnan(middle), rng.random(middle.shape), middle)  # inactive now, perhaps active then
    d = middle.shape[1]
    changed = rng.random(middle.shape) < max(CHANGED, 1 / d)
    changed[np.arange(NEARBY), rng.integers(d, size=NEARBY)] = True
    width = np.asarray(WIDTHS)[np.arange(NEARBY) // len(centres) % len(WIDTHS)]
    moved = middle + changed * width[:, None] * rng.standard_normal(middle.shape)
    # A choice has no neighbours: what is drawn for it is drawn from all its values.
    unordered = np.array([axis_has_no_order(space, name) for name in space.names])
    moved = np.where(unordered & changed, rng.random(middle.shape), moved)
    return _snapped(space, np.clip(moved, 0.0, 1.0))


def axis_has_no_order(space: Space, name: str) -> bool:
    """Whether neighbouring values of the parameter have nothing in common."""
    return next(p.type for p in space.parameters if p.name == name) in {"choice", "bool"}


def _snapped(space: Space, rows: Floats) -> Floats:
    found, kept = space.snap(rows)
    return np.asarray(found[kept])


def unknown(rows: Floats, known: Sequence[Floats]) -> npt.NDArray[np.bool_]:
    """(m,) which of the rows are none of the known ones (n, d), and none that stands before them."""
    found = np.ones(len(rows), dtype=bool)
    _, first = np.unique(np.nan_to_num(rows, nan=-1.0).round(9), axis=0, return_index=True)
    found[np.setdiff1d(np.arange(len(rows)), first)] = False
    if len(known):
        there = np.nan_to_num(np.array(known), nan=-1.0)
        gaps = np.abs(np.nan_to_num(rows, nan=-1.0)[:, None, :] - there[None, :, :]).max(axis=2)
        found &= gaps.min(axis=1) > NEAR
    return found
