"""Many ascents at once: a projected quasi-Newton method in a box, all starts evaluated together.

One evaluation of the acquisition for twenty rows costs hardly more than for one, so the starts advance side by side:
in each round every start either takes the step it tried or tries a shorter one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rung.space.scales import Floats

Objective = Callable[["Floats"], "tuple[Floats, Floats]"]
"""(s, d) points to (s,) values and (s, d) gradients."""

SUFFICIENT = 1e-4  # Armijo's share of the ascent that the gradient promises (Nocedal & Wright 2006, eq. 3.4)
SHORTER = 0.25
FIRST_STEP = 1 / 6  # of the reach, while the curvature is not known


def ascend(
    function: Objective,
    starts: Floats,
    low: Floats,
    high: Floats,
    rounds: int,
    *,
    reach: float = 0.3,
    enough: float = 0.0,
) -> tuple[Floats, Floats]:
    """Local maxima (s, d) near the `starts` within `low` <= x <= `high` (s, d), and their values.

    BFGS on the inverse Hessian of each start (Nocedal & Wright 2006, eq. 6.17), on the coordinates that no bound holds;
    no step changes a coordinate by more than `reach`. It ends when each start has taken a step that gained less than
    `enough`, after `rounds` evaluations at the latest. (L-BFGS-B does the same for one start; what it costs beside the
    function is a multiple of this, as its small triangular systems wake all threads of the linear algebra library.)
    """
    x = np.clip(starts, low, high)
    value, gradient = function(x)
    inverse, step, settled = np.tile(np.eye(x.shape[1]), (len(x), 1, 1)), np.ones(len(x)), np.zeros(len(x), dtype=bool)
    direction = _direction(inverse, gradient, x, low, high, reach, first=True)
    for _ in range(rounds):
        tried = np.clip(x + step[:, None] * direction, low, high)
        moved = tried - x
        if settled.all() or not np.abs(moved).max(initial=0.0) > 1e-12:
            break
        new_value, new_gradient = function(tried)
        taken = new_value >= value + SUFFICIENT * np.einsum("ij,ij->i", gradient, moved)
        settled |= taken & (new_value - value < enough)
        inverse[taken] = _update(inverse[taken], moved[taken], (gradient - new_gradient)[taken])
        x[taken], value[taken], gradient[taken] = tried[taken], new_value[taken], new_gradient[taken]
        step = np.where(taken, 1.0, step * SHORTER)
        fresh = _direction(inverse, gradient, x, low, high, reach)
        direction = np.where(taken[:, None], fresh, direction)
    return x, value


def _direction(
    inverse: Floats, gradient: Floats, x: Floats, low: Floats, high: Floats, reach: float, *, first: bool = False
) -> Floats:
    """Uphill, with the coordinates left out that a bound holds; where BFGS leads downhill, along the gradient."""
    held = ((x <= low) & (gradient < 0)) | ((x >= high) & (gradient > 0))
    free = np.where(held, 0.0, gradient)
    newton = np.where(held, 0.0, np.einsum("sij,sj->si", inverse, free))
    blind = (np.einsum("ij,ij->i", newton, free) <= 0) | first
    found = np.where(blind[:, None], free, newton)
    longest = np.maximum(np.abs(found).max(axis=1, initial=0.0), 1e-300)
    scale = np.where(blind, FIRST_STEP * reach / longest, np.minimum(1.0, reach / longest))
    return np.asarray(found * scale[:, None])


def _update(inverse: Floats, moved: Floats, change: Floats) -> Floats:
    """The inverse Hessian of minus the function after a step `moved` that changed its gradient by -`change`."""
    curvature = np.einsum("ij,ij->i", moved, change)
    square = np.einsum("ij,ij->i", change, change)
    good = curvature > 1e-12 * np.sqrt(square * np.einsum("ij,ij->i", moved, moved)) + 1e-300
    rho = np.where(good, 1.0 / np.where(good, curvature, 1.0), 0.0)
    untouched = (inverse == np.eye(inverse.shape[1])).all(axis=(1, 2)) & good
    size = np.where(untouched, curvature / np.where(square > 0, square, 1.0), 1.0)  # eq. 6.20
    inverse = inverse * size[:, None, None]
    across = np.einsum("sij,sj->si", inverse, change)
    bend = 1.0 + rho * np.einsum("si,si->s", across, change)
    cross = np.einsum("si,sj->sij", moved, across)
    new = inverse + (rho * bend)[:, None, None] * np.einsum("si,sj->sij", moved, moved)
    new -= rho[:, None, None] * (cross + cross.transpose(0, 2, 1))
    return np.where(good[:, None, None], new, inverse)
