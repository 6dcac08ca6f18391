"""Small data for the tests of the folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rung.model import Parameter
from rung.search.gp.fit import Fixed, fixed_of
from rung.search.gp.inputs import Shape, inputs_of, shape_of
from rung.space import Space
from rung.space.scales import Floats

if TYPE_CHECKING:
    from rung.search.gp.inputs import Integers

CONDITIONAL = (
    Parameter(name="a", type="float", min=0, max=1),
    Parameter(name="b", type="float", min=0, max=1),
    Parameter(name="c", type="choice", values=("x", "y", "z")),
    Parameter(name="e", type="float", min=0, max=1, when="c == 'x'"),
    Parameter(name="g", type="choice", values=(1, 2, 3, 4), when="c == 'y'"),
    Parameter(name="i", type="int", min=0, max=9),
)
SMOOTH = (0, 1, 3, 5)


def rows_of(space: Space, n: int, seed: int = 0) -> Floats:
    """(n, d) unit rows of the space."""
    return space.snap(space.sample(np.random.default_rng(seed), n))[0]


def studied(n: int = 24, tasks: int = 2, seed: int = 0) -> tuple[Fixed, Floats, Floats]:
    """The rows of a fit on the conditional space, their y, and an h that is not the default."""
    rng = np.random.default_rng(seed)
    shape = shape_of(Space(CONDITIONAL), tasks)
    task: Integers = np.sort(np.arange(n) % (tasks + 1))
    fixed = fixed_of(shape, inputs_of(shape, rows_of(Space(CONDITIONAL), n, seed), task))
    h = fixed.prior.mean + 0.3 * rng.standard_normal(len(fixed.prior.mean))
    h[shape.lengths] = -3.0
    return fixed, rng.standard_normal(n), h


def slow_kernel(shape: Shape, h: Floats, rows: Floats, task: Integers) -> Floats:
    """The correlations of the rows, entry by entry."""
    n, w = len(rows), len(shape.warped)
    lengths, a, b = np.exp(h[: shape.lengths]), h[shape.lengths + 1 :][:w], h[shape.lengths + 1 + w :][:w]
    correlation = [1.0, *(1 / (1 + np.exp(-h[shape.lengths + 1 + 2 * w :])))]
    found = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            squared = 0.0
            for place, column in enumerate(shape.smooth):
                x, z = (0.5 if np.isnan(u) else u for u in (rows[i, column], rows[j, column]))
                if place in shape.warped:
                    k = list(shape.warped).index(place)
                    x, z = (1 - (1 - u ** np.exp(a[k])) ** np.exp(b[k]) for u in (x, z))
                squared += ((x - z) / lengths[place]) ** 2
            for k, column in enumerate(shape.groups):
                differ = np.isnan(rows[i, column]) != np.isnan(rows[j, column])
                squared += differ / lengths[len(shape.smooth) + k] ** 2
            for k, column in enumerate(shape.choices):
                one, two = rows[i, column], rows[j, column]
                same = one == two or (np.isnan(one) and np.isnan(two))
                squared += (not same) / lengths[shape.features + k] ** 2
            r = np.sqrt(5 * squared)
            found[i, j] = (1 + r + r * r / 3) * np.exp(-r)
            if task[i] != task[j]:
                found[i, j] *= correlation[task[i]] * correlation[task[j]]
    return found
