"""How a domain draws: samplers that know a scale, and the quantiser around them.

A random state is anything with `uniform(low, high)`: Python's `random.Random`, or NumPy's old and new generators.
"""

from __future__ import annotations

import math
import random

TYPE_CHECKING = False  # importing typing costs every trial 3 ms
if TYPE_CHECKING:
    from typing import Any

_shared = random.Random()  # noqa: S311 - nothing secret is drawn
_BELOW_ONE = math.nextafter(1.0, 0.0)


def unit(random_state: Any) -> float:
    """A draw from [0, 1); of a generator of the process where none is given."""
    return min(float((random_state or _shared).uniform(0.0, 1.0)), _BELOW_ONE)


def between(low: float, high: float, random_state: Any) -> float:
    """A draw from [low, high]."""
    return min(max(low + (high - low) * unit(random_state), low), high)


class Sampler:
    """Draws from a domain; which scale it does so on is its class."""

    def draw(self, domain: Any, random_state: Any = None) -> Any:
        """One value of the domain."""
        raise NotImplementedError

    def sample(self, domain: Any, spec: Any = None, size: int = 1, random_state: Any = None) -> Any:
        """One value, or a list of `size` values where that is not 1. `spec` is not used."""
        drawn = [self.draw(domain, random_state) for _ in range(size)]
        return drawn[0] if size == 1 else drawn

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(type(self).__name__)


class BaseSampler(Sampler):
    """The sampler of a domain that was given none."""

    def __str__(self) -> str:
        return "Base"


class Uniform(Sampler):
    """All values have the same chance."""

    def __str__(self) -> str:
        return "Uniform"


class LogUniform(Sampler):
    """The logarithm is uniform. The base changes nothing; it is kept for the JSON form."""

    def __init__(self, base: float = math.e) -> None:
        if base <= 0:
            raise ValueError(f"the base of a logarithm must be above 0, got {base}")
        self.base = base

    def __str__(self) -> str:
        return "LogUniform"


class ReverseLogUniform(LogUniform):
    """The logarithm of the distance from 1 is uniform."""

    def __str__(self) -> str:
        return "ReverseLogUniform"


class Quantized(Sampler):
    """What another sampler draws, rounded to a multiple of `q`."""

    def __init__(self, sampler: Sampler, q: float) -> None:
        self.sampler = sampler
        self.q = q

    def get_sampler(self) -> Sampler:
        """The sampler whose draws are rounded."""
        return self.sampler

    def draw(self, domain: Any, random_state: Any = None) -> Any:
        """One value of the domain, a multiple of `q`."""
        raw = self.sampler.draw(domain, random_state)
        return domain.cast(min(max(round(raw / self.q) * self.q, domain.lower), domain.upper))
