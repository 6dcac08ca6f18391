"""The global generators of random numbers, lent to a plug-in that draws from them."""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator


class Draws:
    """The global generators of Python and NumPy, as they are while the optimizer runs."""

    def __init__(self, seed: int) -> None:
        self._python: Any = random.Random(seed).getstate()  # noqa: S311 - no secret
        self._numpy: Any = np.random.RandomState(seed % 2**32).get_state()

    @contextlib.contextmanager
    def ours(self) -> Iterator[None]:
        """Inside the block they go on from where the last block left them; afterwards they are as before."""
        outside = random.getstate(), np.random.get_state()
        random.setstate(self._python)
        np.random.set_state(self._numpy)
        try:
            yield
        finally:
            self._python, self._numpy = random.getstate(), np.random.get_state()
            random.setstate(outside[0])
            np.random.set_state(outside[1])
