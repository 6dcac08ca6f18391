"""What a searcher promises: it is a deterministic fold over what a study has seen (ARCHITECTURE rule 4).

`observe` is given every delta once, in the order of the log; `suggest` may depend on nothing but the searcher's state,
the number of the trial to propose, the trials without a result, and the generator it is given (derived from the
study's seed, the purpose and the number). Two searchers fed with the same deltas give the same suggestions.
Anything else that changes a suggestion goes into `memo`, which is logged on the proposal and comes back as a delta.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import msgspec

from rung.model import Budget, Objective, Outcome, SearchSpec
from rung.space import Space

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    import numpy as np


class Proposed(msgspec.Struct, frozen=True):
    """A delta: trial `number` was proposed (by this searcher, or enqueued by a user). `seconds`: what computing the
    proposal took; None where nobody measured it, and in a deterministic study."""

    number: int
    params: dict[str, Any]
    memo: dict[str, Any] | None = None
    seconds: float | None = None


class Result(msgspec.Struct, frozen=True):
    """A delta: trial `number` has ended. `losses` are the objectives to minimise (worst: +inf), `violations` by how
    much each outcome bound is broken (0: kept). A failed trial has no losses. `seconds`: how long the trial ran; None
    where it is not known, and in a deterministic study. `invalid`: it failed because its program refused the
    configuration."""

    number: int
    losses: tuple[float, ...] | None
    violations: tuple[float, ...] = ()
    steps: int = 0
    seconds: float | None = None
    invalid: bool = False


class Earlier(msgspec.Struct, frozen=True):
    """A delta: an evaluation of an earlier study (`--from`), matched to this space; it comes before all others.
    `source` counts the earlier studies from 0. `params` has every active parameter of this space."""

    source: int
    params: dict[str, Any]
    losses: tuple[float, ...]
    violations: tuple[float, ...] = ()


Delta = Proposed | Result | Earlier


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration to evaluate. `text` says why in one line; `data` the same for programs."""

    params: dict[str, Any]
    text: str
    phase: str | None = None
    memo: dict[str, Any] | None = None
    data: dict[str, Any] = {}


class Exhausted(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing is left to propose."""

    text: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What a searcher is told once. When the space of a running study is edited, a new searcher is made for the next
    `space_version` and shown all of the history that fits the new space; `Proposed` numbers then have gaps."""

    space: Space
    seed: int
    search: SearchSpec
    objectives: tuple[Objective, ...]
    outcomes: tuple[Outcome, ...] = ()
    budget: Budget
    workers: int = 1
    space_version: int = 1


class Searcher(Protocol):
    """The contract; `rung.testing.searchers.SearcherConformance` proves it for an implementation."""

    options: ClassVar[Mapping[str, Any]]
    """The options a study file may give it, with their defaults. Ours are made from `declared`, a mapping of their
    names to `model.MethodOption`, which says of each what it is."""

    def __init__(self, problem: Problem) -> None: ...

    def observe(self, deltas: Sequence[Delta]) -> None:
        """The deltas are part of the searcher's state."""
        ...

    def suggest(
        self, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | Exhausted:
        """A configuration for trial `number` that is not in `taken`. `pending`: trials without a result, ascending.
        The call changes no state."""
        ...

    def describe(self) -> str:
        """One sentence for `rung plan`: what it will do, and why."""
        ...
