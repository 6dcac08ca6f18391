from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rung.model import StudySpec
from rung.plugins import policy_for
from rung.study import replay
from rung.study.invariants import broken
from rung.testing.studies import Folding, World, study_spec


@pytest.fixture
def make_world() -> Iterator[Callable[..., World]]:
    """Makes worlds whose states must be sound, and whose decisions must be computable again, when the test is over."""
    worlds: list[World] = []

    def make(spec: StudySpec | None = None, **options: Any) -> World:
        worlds.append(World(spec or study_spec(), **options))
        return worlds[-1]

    yield make
    for world in worlds:
        events = world.events
        assert broken(replay.fold(events)) == []
        assert [str(deviation) for deviation in replay.check(events, policy_for)] == []


@pytest.fixture
def begin() -> Iterator[Callable[..., Folding]]:
    """Begins states whose invariants must hold when the test is over."""
    foldings: list[Folding] = []

    def make(spec: StudySpec | None = None, **options: Any) -> Folding:
        foldings.append(Folding(spec or study_spec(), **options))
        return foldings[-1]

    yield make
    for folding in foldings:
        assert broken(folding.state) == []
