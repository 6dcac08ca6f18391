"""Small objectives with a known minimum, for tests of searchers and of whole studies."""

from __future__ import annotations

import json
import math
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def sphere(params: Mapping[str, float]) -> float:
    """The sum of squares; 0 at the origin."""
    return math.fsum(value * value for value in params.values())


def branin(params: Mapping[str, float]) -> float:
    """Branin's function of `x` in -5..10 and `y` in 0..15; its three minima are 0.397887 (Dixon & Szegő 1978)."""
    x, y = params["x"], params["y"]
    bowl = y - 5.1 * x * x / (4 * math.pi**2) + 5 * x / math.pi - 6
    return bowl * bowl + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def rough(params: Mapping[str, Any]) -> float:
    """A number in 0..1 that is a function of the parameters, whatever their types, and of nothing else."""
    return zlib.crc32(json.dumps(params, sort_keys=True).encode()) / 2**32
