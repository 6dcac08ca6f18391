from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.model import Budget, LogError, RunSettings
from rung.runner.log import open_state
from rung.store.base import Snapshot
from rung.study import events as ev
from rung.study import snapshot
from rung.study.invariants import broken
from rung.testing.studies import STUDY, World, digest, study_spec

MakeWorld = Callable[..., World]


def eventful() -> World:
    """A world in which something of everything happened and one trial still runs."""
    world = World(study_spec(trials=9), workers=3)
    world.turn()
    world.report(2, loss="NaN", acc=0.5)
    world.end(0)
    world.exit(1, code=1, tail="boom")
    world.turn()
    world.request(ev.RetryRequested, trial=0)
    world.request(ev.TrialEnqueued, params={"epochs": 30})
    world.request(ev.TrialEnqueued, params={"width": 8})
    world.turn()
    world.request(ev.TrialTold, trial=0, values={"loss": "Infinity"})
    world.end(world.running()[-1])
    world.turn()
    world.request(
        ev.SpecChanged, changes=(ev.Change("run.retries", 0, 2),), budget=Budget(trials=12), run=RunSettings(retries=2)
    )
    world.request(ev.TrialStopRequested, trial=world.running()[0])
    world.request(ev.PauseRequested)
    world.request(ev.NotesChanged, text="a study", tagged=("x", "y"))
    world.request(ev.NotesChanged, trial=1, archived=True)
    return world


def test_what_was_dumped_is_loaded(make_world: MakeWorld) -> None:
    state = eventful().state
    again = snapshot.load(snapshot.dump(state))
    assert digest(again) == digest(state)
    assert again.changes == state.changes
    assert again.notes == state.notes != {}
    assert again.superseded == state.superseded
    assert again.tweaked == state.tweaked
    assert snapshot.dump(again) == snapshot.dump(state)
    assert broken(again) == []


def test_an_empty_study() -> None:
    state = World(study_spec()).state
    assert digest(snapshot.load(snapshot.dump(state))) == digest(state)


def test_a_space_without_a_searched_parameter() -> None:
    state = World(study_spec(trials=1, parameters=())).run().state
    assert digest(snapshot.load(snapshot.dump(state))) == digest(state)


def test_the_copy_does_not_share_anything() -> None:
    state = eventful().state
    again = snapshot.load(snapshot.dump(state))
    before = digest(state)
    event = ev.TrialTold(at=0.0, trial=0, values={"loss": 4.0})
    again.apply(again.seq + 1, event)
    assert digest(state) == before != digest(again)


@pytest.mark.parametrize("body", [b"", b"\x00", b"garbage", b"\x80", msgspec.msgpack.encode({"created": 1})])
def test_bytes_that_are_no_snapshot(body: bytes) -> None:
    with pytest.raises(LogError, match="the snapshot cannot be read"):
        snapshot.load(body)


BODY = snapshot.dump(eventful().state)


@settings(deadline=None, derandomize=True)
@given(st.integers(0, len(BODY) - 1))
def test_a_snapshot_that_was_cut_off(length: int) -> None:
    with pytest.raises(LogError, match="the snapshot cannot be read"):
        snapshot.load(BODY[:length])


@settings(deadline=None, derandomize=True)
@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_a_snapshot_with_a_wrong_byte(place: int, change: int) -> None:
    """It may be a number of a column, which nothing can notice; whatever else it is, it is said as a `LogError`."""
    body = BODY[:place] + bytes([BODY[place] ^ change]) + BODY[place + 1 :]
    with contextlib.suppress(LogError):
        assert snapshot.load(body).seq >= 0


# ------------------------------------------------------------------------------------------------ in a store


def put(world: World, **fields: Any) -> None:
    state = world.state
    kept = Snapshot(state.seq, state.decisions, snapshot.FOLD_VERSION, snapshot.dump(state))
    world.store.put_snapshot(STUDY, msgspec.structs.replace(kept, **fields))


def test_a_state_is_opened_from_the_snapshot_and_what_came_after(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=4), workers=2)
    world.turn()
    lie = snapshot.load(snapshot.dump(world.state))
    lie.switches.enqueued = 99  # to see that it is used at all
    put(world, body=snapshot.dump(lie))
    world.run()
    opened = open_state(world.store, STUDY)
    assert opened.switches.enqueued == 99
    opened.switches.enqueued = 0
    assert digest(opened) == digest(world.state)


@pytest.mark.parametrize("fields", [{"version": "another"}, {"body": b"garbage"}, {"version": "0", "body": b""}])
def test_a_snapshot_that_is_not_ours_is_ignored(make_world: MakeWorld, fields: dict[str, Any]) -> None:
    world = make_world(study_spec(trials=4), workers=2).run()
    put(world, **fields)
    assert digest(open_state(world.store, STUDY)) == digest(world.state)


def test_a_runner_goes_on_from_a_snapshot_as_if_there_were_none(make_world: MakeWorld) -> None:
    with_snapshot, without = (make_world(study_spec(trials=6), workers=2) for _ in range(2))
    for world in (with_snapshot, without):
        world.turn()
        world.end(0)
        world.turn()
    with_snapshot.snapshot()
    found, expected = with_snapshot.resumed().run(), without.resumed().run()
    assert found.proposals == expected.proposals
    assert digest(found.state) == digest(expected.state)
