from __future__ import annotations

import random
from typing import Any

import pytest

from rung.search.asktell import adapted
from rung.testing.searchers import Make, SearcherConformance


class Climber:
    """Moves one parameter of the best known configuration at a time."""

    def __init__(self, space: dict[str, dict[str, Any]], seed: int) -> None:
        self.space, self.random = space, random.Random(seed)
        self.best: dict[str, Any] | None = None
        self.loss: Any = float("inf")

    def ask(self) -> dict[str, Any]:
        drawn = {name: self.drawn(domain) for name, domain in self.space.items()}
        if self.best is not None and self.random.random() > 0.3:
            moved = self.random.choice(list(drawn))
            drawn = {name: drawn[name] if name == moved else self.best.get(name, drawn[name]) for name in drawn}
        for name, domain in self.space.items():
            if "times" in domain:
                drawn[name] = self.drawn(domain) * drawn[domain["times"]]
        return drawn

    def tell(self, params: dict[str, Any], loss: Any) -> None:
        loss = loss if isinstance(loss, float) else sum(loss)
        if loss < self.loss:
            self.best, self.loss = params, loss

    def drawn(self, domain: dict[str, Any]) -> Any:
        if domain["type"] in {"choice", "ordinal"}:
            return self.random.choice(domain["values"])
        if domain["type"] == "bool":
            return self.random.random() < 0.5
        if "min" not in domain:
            return self.random.gauss(0, 1) if domain["type"] == "normal" else self.random.lognormvariate(0, 0.5)
        if "count" in domain or domain["type"] == "int":
            steps = domain["count"] - 1 if "count" in domain else (domain["max"] - domain["min"]) // domain.get("step", 1)
            width = 1 / steps if "count" in domain else domain.get("step", 1)
            return domain["min"] + width * self.random.randint(0, steps)
        return self.random.uniform(domain["min"], domain["max"])


class TestClimber(SearcherConformance):
    @pytest.fixture
    def make(self) -> Make:
        return adapted(Climber)
