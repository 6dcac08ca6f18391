"""A scrambled Sobol sequence: points that fill the space more evenly than random ones.

Source: Sobol 1967, direction numbers of Joe & Kuo 2008, scrambling of Matousek 1998; all from `scipy.stats.qmc`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rung.model import BadInput
from rung.search.base import Delta, Exhausted, Problem, Suggestion
from rung.search.novelty import FirstFree, draw

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from rung.space import Space

LENGTH = 2**20  # points of one sequence
DIMENSIONS = 21201  # what the direction numbers reach


class Sobol:
    """The points of one scrambled sequence, in order; those that the space refuses or that are taken are skipped."""

    options: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, problem: Problem) -> None:
        self.space = problem.space
        if len(self.space.names) > DIMENSIONS:
            raise BadInput(f"sobol knows at most {DIMENSIONS} parameters; use search: random")
        self._first_free = FirstFree(_points(self.space, problem.seed))

    def observe(self, deltas: Sequence[Delta]) -> None:
        """Nothing: the sequence is fixed by the seed, and what was proposed is in `taken`."""

    def suggest(
        self, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | Exhausted:
        """The first point of the sequence that was not proposed; a random one where the sequence has no more."""
        del number, pending
        params = self._first_free.find(taken)
        if params is not None:
            return Suggestion(params=params, text="the next point of a scrambled Sobol sequence")
        params = draw(self.space, taken, rng)
        if params is None:
            return Exhausted(text="every configuration of the space has been proposed")
        return Suggestion(params=params, text="a random draw: the Sobol sequence has no further new point")

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        return "sobol: the points of a scrambled Sobol sequence, spread more evenly than random ones"


def _points(space: Space, seed: int) -> Iterator[dict[str, Any]]:
    """The configurations of the sequence; of a finite space each one once, which ends soon after all were met."""
    from scipy.stats import qmc  # takes over half a second to import: only studies that use it pay

    engine = qmc.Sobol(max(1, len(space.names)), scramble=True, rng=np.random.default_rng((seed, 0x50B01)))
    size, met = space.size, set[bytes]()
    misses, limit = 0, 64 * (size or LENGTH)
    block = 64
    for _ in range(LENGTH // block):
        for params in space.decode(engine.random(block)[:, : len(space.names)]):
            misses += 1
            if space.allows(params) and (size is None or not _seen(met, space.fingerprint(params))):
                misses = 0
                yield params
            if misses > limit or len(met) == size:
                return


def _seen(met: set[bytes], key: bytes) -> bool:
    """Whether `key` was met before; now it was."""
    before = len(met)
    met.add(key)
    return len(met) == before
