"""A searcher of one's own, in one file: a (1+1) evolution strategy with the one-fifth rule, as a class with `ask` and
`tell`. Run it from this folder:

    rung run --search ./mine.py --seed 1 -p x=uniform(-2,2) -p y=uniform(-2,2) -m loss -n 60 -- ./rosenbrock.sh {x} {y}
"""

from __future__ import annotations

import random
from typing import Any


class OnePlusOne:
    """One parent; each child is the parent, moved a little; the better one stays."""

    def __init__(self, space: dict[str, dict[str, Any]], seed: int, step: float = 0.3) -> None:
        self.space, self.step, self.random = space, step, random.Random(seed)
        self.parent: dict[str, Any] = {}
        self.best = float("inf")

    def ask(self) -> dict[str, Any]:
        """A configuration to evaluate."""
        return {name: self._moved(name, domain) for name, domain in self.space.items()}

    def tell(self, params: dict[str, Any], loss: float) -> None:
        """What came of it: better, and it is the parent of the next one, with a larger step (Rechenberg's rule)."""
        better = loss < self.best
        self.step *= 1.5 if better else 1.5**-0.25
        if better:
            self.parent, self.best = params, loss

    def _moved(self, name: str, domain: dict[str, Any]) -> Any:
        low, high = domain["min"], domain["max"]
        if name not in self.parent:
            return self.random.uniform(low, high)
        moved = self.parent[name] + self.random.gauss(0, self.step * (high - low))
        return min(max(moved, low), high)
