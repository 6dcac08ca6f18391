"""Finding a configuration that was not proposed yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    import numpy as np

    from rung.space import Space

DRAWS = 200  # after so many draws that were all taken, a finite space is nearly used up: list what is left
DRAWS_INFINITE = 20_000
LISTED = 1_000_000  # a finite space larger than this is not listed


class FirstFree:
    """The first candidate of a fixed sequence that is not taken.

    What is taken only grows, so the place found last time is a safe place to go on from: the answer is the same as
    that of a search from the beginning.
    """

    def __init__(self, candidates: Iterable[dict[str, Any]]) -> None:
        self._candidates: Iterator[dict[str, Any]] = iter(candidates)
        self._current: dict[str, Any] | None = next(self._candidates, None)

    def find(self, taken: Container[Mapping[str, Any]]) -> dict[str, Any] | None:
        """The candidate, or None when all are taken."""
        while self._current is not None and self._current in taken:
            self._current = next(self._candidates, None)
        return self._current


def draw(space: Space, taken: Container[Mapping[str, Any]], rng: np.random.Generator) -> dict[str, Any] | None:
    """A random configuration that is not taken; None when there is none."""
    finite = space.size is not None
    for _ in range(DRAWS if finite else DRAWS_INFINITE):
        params = space.decode(space.sample(rng, 1))[0]
        if params not in taken:
            return params
    if not finite or (space.size or 0) > LISTED:
        return None
    left = [params for params in space.grid() if params not in taken]
    return left[int(rng.integers(len(left)))] if left else None
