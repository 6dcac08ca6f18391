"""Made-up results for the space of `ten`: the same points and losses on every side."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

from ten import CHOICES, FLOATS, INTS, LOGS

if TYPE_CHECKING:
    from collections.abc import Mapping


def points(count: int) -> list[dict[str, Any]]:
    """So many random configurations."""
    rng = random.Random(0)
    return [
        {name: rng.uniform(*bounds) for name, bounds in FLOATS.items()}
        | {name: math.exp(rng.uniform(*map(math.log, bounds))) for name, bounds in LOGS.items()}
        | {name: rng.randint(*bounds) for name, bounds in INTS.items()}
        | {name: rng.choice(values) for name, values in CHOICES.items()}
        for _ in range(count)
    ]


def loss(params: Mapping[str, Any]) -> float:
    """A bowl whose bottom is nowhere special; one choice is worse than the others."""
    far = sum((params[name] - 1.3) ** 2 for name in FLOATS)
    far += sum((math.log10(params[name]) + 3) ** 2 for name in LOGS)
    far += sum((math.log(params[name] / high) + 1) ** 2 for name, (_, high) in INTS.items())
    return float(far + (params["kind"] == "tanh"))
