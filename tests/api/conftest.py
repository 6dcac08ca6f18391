from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rung.api.handle import Handle
from rung.plugins import open_store, policy_for
from rung.runner.log import read
from rung.study import replay
from rung.study.invariants import broken
from rung.testing.studies import STUDY, World, study_spec


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory to work in, with nothing set by a user."""
    monkeypatch.chdir(tmp_path)
    for name in ("RUNG_STORE", "RUNG_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


@pytest.fixture
def sound() -> Callable[[str, str], None]:
    """Checks a study in a store: a sound state, and decisions that can be computed again."""

    def check(url: str, name: str) -> None:
        store = open_store(url)
        try:
            assert broken(Handle(store, name).state) == []
            events = [event for _, event in read(store, name)]
            assert [str(deviation) for deviation in replay.check(events, policy_for)] == []
        finally:
            store.close()

    return check


@pytest.fixture
def world() -> World:
    """Two trials are complete, one runs, its runner is attached."""
    world = World(study_spec(trials=4), workers=1)
    for number in range(2):
        world.turn()
        world.end(number)
    world.turn()
    return world


@pytest.fixture
def handle(world: World) -> Handle:
    """That study."""
    return Handle(world.store, STUDY)
