"""Reading and appending with a place in the log, between others who do the same."""

from __future__ import annotations

from typing import TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.model import Conflict, Fenced, LogError, Reason, UnknownStudy
from rung.plugins import policy_for
from rung.runner import log as log_module
from rung.runner.log import Log, entry, open_engine, open_state, read, write_snapshot
from rung.store.base import LeaseOwner, Snapshot
from rung.store.memory import MemoryStore
from rung.study import events as ev
from rung.study import snapshot
from rung.study.engine import Me
from rung.testing.studies import BEGIN, STUDY, World, digest, study_spec

Kind = TypeVar("Kind")


def fresh() -> MemoryStore:
    store = MemoryStore()
    store.create(STUDY, [entry(ev.StudyCreated(at=BEGIN, uid="u", spec=study_spec(), seed=1))], at=BEGIN)
    return store


def pause(at: float) -> ev.PauseRequested:
    return ev.PauseRequested(at=at)


def spent(at: float) -> ev.TimeSpent:
    return ev.TimeSpent(at=at, seconds=at)


def over(at: float) -> ev.StudyCompleted:
    return ev.StudyCompleted(
        at=at, based_on=1, runner="r", epoch=1, state="failed", reason=Reason(by="user", text="enough")
    )


def times(found: list[tuple[int, ev.AnyEvent]]) -> list[tuple[int, float]]:
    return [(seq, event.at) for seq, event in found]


def test_an_append_gives_back_what_was_written() -> None:
    log = Log(fresh(), STUDY, seq=1)
    assert times(log.append_facts([spent(2), spent(3)])) == [(2, 2), (3, 3)]
    assert log.tail() == []


def test_what_others_wrote_in_between_comes_first() -> None:
    store = fresh()
    log = Log(store, STUDY, seq=1)
    store.append(STUDY, [entry(pause(2))])
    assert times(log.append_facts([spent(3)])) == [(2, 2), (3, 3)]
    store.append(STUDY, [entry(pause(4))])
    assert times(log.tail()) == [(4, 4)]
    assert log.tail() == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3)), max_size=20))
def test_each_sees_the_whole_log_once_and_in_order(steps: list[tuple[str, int]]) -> None:
    """Two who append, and one who only reads."""
    store = fresh()
    logs = {name: Log(store, STUDY, seq=1) for name in "abc"}
    seen: dict[str, list[tuple[int, ev.AnyEvent]]] = {name: [] for name in "abc"}
    for i, (name, count) in enumerate(steps):
        if name == "c":
            seen[name] += logs[name].tail()
        else:
            seen[name] += logs[name].append_facts([spent(10 * i + k) for k in range(count)])
    for name, log in logs.items():
        seen[name] += log.tail()
        assert seen[name] == list(read(store, STUDY, after=1))
        assert [seq for seq, _ in seen[name]] == list(range(2, len(seen[name]) + 2))


def test_a_decision_on_an_old_state_is_refused_and_changes_nothing() -> None:
    store = fresh()
    log, other = Log(store, STUDY, seq=1), Log(store, STUDY, seq=1)
    other.append_decisions([over(2)], after=0)
    with pytest.raises(Conflict):
        log.append_decisions([over(3)], after=0)
    assert times(log.tail()) == [(2, 2)]


def test_an_old_lease_appends_nothing() -> None:
    store = fresh()
    lease = store.acquire(STUDY, LeaseOwner("r", "host", "boot", 1, 1))
    log = Log(store, STUDY, seq=1, lease=lease)
    log.append_facts([spent(2)])
    store.release(lease)
    with pytest.raises(Fenced):
        log.append_facts([spent(3)])
    assert store.position(STUDY).seq == 2


def test_a_log_is_read_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    store = fresh()
    Log(store, STUDY, seq=1).append_facts([spent(i) for i in range(2, 12)])
    for page in (1, 3, 10, 11, 12):
        monkeypatch.setattr(log_module, "PAGE", page)
        assert [seq for seq, _ in read(store, STUDY)] == list(range(1, 12))


def test_one_trials_story_is_read_alone() -> None:
    world = World(study_spec(trials=3)).run()
    story = [event for _, event in read(world.store, STUDY, trial=1)]
    assert {getattr(event, "trial", None) for event in story} == {1}
    assert len(story) == sum(getattr(event, "trial", None) == 1 for event in world.events)


def test_a_study_without_events_is_unknown() -> None:
    store = MemoryStore()
    store.create(STUDY, [], at=1.0)
    with pytest.raises(UnknownStudy):
        open_state(store, STUDY)


def test_an_entry_of_a_newer_rung_names_its_place() -> None:
    store = fresh()
    store.append(STUDY, [msgspec.structs.replace(entry(pause(2)), body=b'{"event":"TrialTeleported","at":1}')])
    with pytest.raises(LogError, match="entry 2 of the log cannot be read"):
        open_state(store, STUDY)


def test_opening_by_the_snapshot_gives_the_state_that_folding_gives() -> None:
    world = World(study_spec(trials=6), workers=2)
    for _ in range(3):
        world.turn()
        world.end(world.running()[0])
    world.snapshot()
    world.run()
    assert world.store.snapshot(STUDY) is not None
    assert digest(open_state(world.store, STUDY)) == digest(world.state)


@pytest.mark.parametrize(
    "kept",
    [
        Snapshot(10**6, 5, "another fold", b"{}"),
        Snapshot(10**6, 5, snapshot.FOLD_VERSION, b"torn"),
    ],
)
def test_a_snapshot_that_cannot_be_used_is_ignored(kept: Snapshot) -> None:
    world = World(study_spec(trials=3)).run()
    world.store.put_snapshot(STUDY, kept)
    assert digest(open_state(world.store, STUDY)) == digest(world.state)


@pytest.mark.parametrize("deterministic", [False, True])
def test_an_engine_opened_late_decides_as_one_that_saw_it_all(deterministic: bool) -> None:
    world = World(study_spec(trials=8), workers=2, deterministic=deterministic)
    world.turn()
    world.end(world.running()[1])
    write_snapshot(world.store, STUDY, world.state)
    late = open_engine(world.store, STUDY, policy_for, Me("late", 9))
    assert digest(late.state) == digest(world.state)
    for engine in (late, world.engine):
        for decision in engine.decide(at=0.0, free=1):
            assert isinstance(decision, ev.TrialCompleted)
    assert [type(d) for d in late.decide(at=0.0, free=1)] == [type(d) for d in world.engine.decide(at=0.0, free=1)]
