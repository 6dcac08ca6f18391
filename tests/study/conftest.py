from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rung.model import StudySpec
from rung.plugins import policy_for
from rung.study import replay
from rung.study.invariants import broken
from rung.testing.studies import Folding, World, study_spec
from study.planned import SPEC, Make, planned


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


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes worlds with a planned schedule; at the end their states are sound and their decisions are computed again."""
    worlds: list[World] = []

    def world(*args: Any, trials: int | None = 1, workers: int = 1, **options: Any) -> World:
        plan = {name: options.pop(name) for name in ("on", "resource", "new") if name in options}
        fields = {name: options.pop(name) for name in ("budget", "run", "search", "checkpoint") if name in options}
        spec = study_spec(trials=trials, schedule=SPEC, **fields)
        worlds.append(World(spec, workers=workers, policies=planned(*args, **plan), **options))
        worlds[-1].turn()
        return worlds[-1]

    yield world
    for one in worlds:
        assert broken(replay.fold(one.events)) == []
        assert [str(deviation) for deviation in replay.check(one.events, one.policies)] == []
