"""The first rows, before a model knows anything: a Latin hypercube, the most spread out of several.

Each column's range is cut into as many equal parts as there are rows and each part is used once (McKay, Beckman &
Conover 1979), so a discrete column meets its values equally often; of some such designs the one is taken whose closest
rows are furthest apart (Morris & Mitchell 1995).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rung.search.gp.kernel import distances

if TYPE_CHECKING:
    from rung.space import Space
    from rung.space.scales import Floats

DESIGNS = 64
STREAM = 0x6B0  # tells this use of the study's seed from others


def design(space: Space, seed: int, n: int) -> Floats:
    """(n, d) unit rows, a function of its arguments; those that break a constraint are replaced by random ones."""
    rng = np.random.default_rng((seed, STREAM))
    designs = [_hypercube(rng, n, len(space.names)) for _ in range(DESIGNS)]
    best = designs[int(np.argmax([_closest(rows) for rows in designs]))]
    rows, kept = space.snap(best)
    rows[~kept] = space.sample(rng, int((~kept).sum()))
    return rows


def _hypercube(rng: np.random.Generator, n: int, d: int) -> Floats:
    cells = np.argsort(rng.random((d, n)), axis=1).T
    return np.asarray((cells + rng.random((n, d))) / n)


def _closest(rows: Floats) -> float:
    apart = distances(rows, rows) + np.diag(np.full(len(rows), np.inf))
    return float(apart.min(initial=np.inf))
