"""Which checkpoints are kept, and which may go."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings

from properties.test_schedules import ACTIONS, PROGRAMS, SPECS, Action, act
from rung.model import Checkpoint, CheckpointSpec, Objective, Reason, Report, Source, StudySpec, from_wire
from rung.study import checkpoints, replay, snapshot
from rung.study import events as ev
from rung.study.checkpoints import BUDGET_AFTER, ENOUGH_TO_DROP, LARGE_BYTES, begin_from, droppable, left_over, needed
from rung.study.invariants import broken
from rung.study.state import State
from rung.study.transitions import FINAL
from rung.testing.studies import Folding, World, study_spec
from rung.testing.training import Program
from study.planned import SPEC, pause, planned

Begin = Callable[..., Folding]
MAXIMIZE = Objective(metric="loss", goal="maximize")
VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "determined_searcher.json"


def save(log: Folding, trial: int, loss: Any, *, size: int = 10) -> None:
    """The trial reports, and names a checkpoint."""
    live = log.state.live[trial]
    report = Report(live.step + 1, 0.0, {} if loss is None else {"loss": loss})
    name, place = f"{live.reports + 1}", live.reports + 1
    log.add(
        ev.TrialReported, trial=trial, attempt=live.attempt, reports=(report,), offsets={"reports.jsonl": place},
        channel="file", checkpoints=(Checkpoint(live.attempt, name, report.step, place, size),),
    )  # fmt: skip


def over(log: Folding, *losses: Any, size: int = 10) -> int:
    """The number of a new trial that saved at each of these losses (None: none was reported), and is over."""
    trial = log.started()
    for loss in losses:
        save(log, trial, loss, size=size)
    log.exited(trial)
    if log.state.live[trial].tracks:
        log.completed(trial, log.state.live[trial].tracks["loss"].last)
    else:
        log.completed(trial, state="failed", error="no value")
    return trial


def kept(log: Folding) -> dict[int, list[str]]:
    """The names of the checkpoints that there are."""
    return {trial: [one.checkpoint.name for one in saved] for trial, saved in log.state.shelf.saved.items()}


def drop(log: Folding) -> list[tuple[int, str]]:
    """What may go has gone."""
    dropped = droppable(log.state)
    if dropped:
        log.add(ev.CheckpointsDropped, dropped=dropped)
    return [(one.trial, one.name) for one in dropped]


def spec(**checkpoint: Any) -> StudySpec:
    return study_spec(trials=99, checkpoint=CheckpointSpec(**checkpoint))


# ------------------------------------------------------------------------------------------------ what is kept


def vectors() -> list[list[Any]]:
    return json.loads(VECTORS.read_text())["checkpoint_gc"]["rows"] if VECTORS.exists() else []


def test_the_vectors_are_there() -> None:
    if not VECTORS.exists():
        pytest.skip("the vectors determined_searcher.json are not beside this project")
    print(f"retention of Determined: {len(vectors())} rows, none deviates, none is skipped")
    assert len(vectors()) >= 11


@pytest.mark.parametrize("row", vectors(), ids=str)
def test_retention_is_determineds(begin: Begin, row: list[Any]) -> None:
    """Its two trials, whose checkpoints are numbered through; `>=n` is n there."""
    best, trial_best, trial_latest = (int(str(cell).removeprefix(">=")) for cell in row[:3])
    log = begin(spec(study_best=best, trial_best=trial_best, trial_latest=trial_latest))
    ids: dict[tuple[int, str], int] = {}
    found = json.loads(VECTORS.read_text())["checkpoint_gc"]["checkpoints"]
    for trial in (1, 2):
        mine = [one for one in found if one["trial"] == trial]
        number = over(log, *(one["val"] for one in mine))
        ids |= {(number, str(place)): one["id"] for place, one in enumerate(mine, start=1)}
    drop(log)
    left = {ids[trial, name] for trial, names in kept(log).items() for name in names}
    assert left == set(row[3])


def test_best_is_best_by_the_objective(begin: Begin) -> None:
    log = begin(study_spec(trials=9, checkpoint=CheckpointSpec(trial_best=1, trial_latest=0), objectives=(MAXIMIZE,)))
    over(log, 0.1, 0.9, 0.5)
    drop(log)
    assert kept(log) == {0: ["2"]}


@pytest.mark.parametrize("worst", ["NaN", "Infinity"])
def test_a_worst_value_is_best_of_nothing_better(begin: Begin, worst: Any) -> None:
    log = begin(spec(trial_best=1, trial_latest=0))
    over(log, worst, 3.0, worst)
    drop(log)
    assert kept(log) == {0: ["2"]}


def test_of_equal_ones_the_first_is_best(begin: Begin) -> None:
    log = begin(spec(study_best=1, trial_best=0, trial_latest=0))
    over(log, 0.5, 0.5)
    over(log, 0.5)
    drop(log)
    assert kept(log) == {0: ["1"]}


def test_a_trial_that_is_not_over_keeps_its_latest(begin: Begin) -> None:
    log = begin(spec(trial_best=0, trial_latest=0))
    trial = log.started()
    for loss in (0.1, 0.2, 0.3):
        save(log, trial, loss, size=LARGE_BYTES)
    assert drop(log) == [(0, "1"), (0, "2")]
    log.add(ev.TrialPaused, trial=trial, attempt=1, reason=Reason(by="test", text="held"))
    log.exited(trial, code=143)
    assert drop(log) == []
    log.add(ev.TrialContinued, trial=trial, attempt=1, to=None, reason=Reason(by="test", text="on"))
    assert drop(log) == []
    log.started(trial)
    log.exited(trial)
    assert drop(log) == []
    log.completed(trial, 0.3)
    assert drop(log) == [(0, "3")]
    assert kept(log) == {}


def test_a_final_trial_that_is_tried_again_needs_its_latest(begin: Begin) -> None:
    log = begin(spec(trial_best=0, trial_latest=0))
    trial = over(log, 0.1, 0.2, size=LARGE_BYTES)
    found = droppable(log.state)
    assert len(found) == 2
    log.add(ev.TrialRetried, trial=trial, attempt=1, reason=Reason(by="user", text="again"))
    assert [needed(log.state, one) for one in found] == [False, True]
    assert [one.name for one in droppable(log.state)] == ["1"]


def clone(log: Folding, parent: int) -> int:
    source = log.state.shelf.latest(parent)
    assert source is not None
    number = len(log.state)
    reason = Reason(by="test", text="a clone")
    log.add(ev.TrialProposed, trial=number, params=log.state.space.middle(), reason=reason, source=source)
    return number


def test_a_checkpoint_stays_until_the_clone_that_begins_from_it_has_its_own(begin: Begin) -> None:
    """Its program may be killed before it has saved anything: it begins there again, not where its parent is by then."""
    log = begin(spec(trial_best=0, trial_latest=0))
    parent = log.started()
    save(log, parent, 0.1, size=LARGE_BYTES)
    number = clone(log, parent)
    source = log.state.live[number].source
    save(log, parent, 0.1, size=LARGE_BYTES)
    assert drop(log) == []
    for attempt in (1, 2):
        log.add(ev.AttemptAssigned, trial=number, attempt=attempt, source=begin_from(log.state, number))
        assert log.state.live[number].source == source
        log.add(ev.TrialStarted, trial=number, attempt=attempt, pid=9, ticks=8, boot="boot", host="host")
        assert drop(log) == []
        if attempt == 1:
            log.exited(number, how="lost", code=None)
            log.add(ev.TrialRetried, trial=number, attempt=1, reason=Reason(by="runner", text="again"))
            assert drop(log) == []
    save(log, number, 0.1, size=LARGE_BYTES)
    assert drop(log) == [(parent, "1")]
    assert begin_from(log.state, number) == log.state.shelf.latest(number)


def test_a_clone_whose_checkpoint_is_lost_begins_where_its_parent_is_or_anew(begin: Begin) -> None:
    log = begin(spec())
    parent = over(log, 0.1)
    number = clone(log, parent)
    save(log, again := log.started(), 0.1)
    assert again != number
    log.add(ev.CheckpointLost, owner=parent, attempt=1, name="1", why="gone")
    assert begin_from(log.state, number) is None
    assert log.state.shelf.borrowed == {}


def test_a_clone_that_never_started_gives_its_checkpoint_back(begin: Begin) -> None:
    log = begin(spec(trial_best=0, trial_latest=0))
    parent = over(log, 0.1)
    number = clone(log, parent)
    assert log.state.shelf.due == {}
    log.add(ev.TrialCompleted, trial=number, attempt=0, state="failed", error="ended before it began")
    assert log.state.shelf.borrowed == {}
    assert drop(log) == [(parent, "1")]


def test_a_lost_checkpoint_is_none(begin: Begin) -> None:
    log = begin(spec(study_best=2, trial_latest=3))
    trial = log.started()
    for loss in (0.3, 0.2, 0.1):
        save(log, trial, loss)
    log.add(ev.CheckpointLost, owner=trial, attempt=1, name="3", why="half of it is missing")
    assert log.state.shelf.latest(trial) == Source(trial, Checkpoint(1, "2", 2.0, 2, 10))
    assert (log.state.shelf.bytes, len(log.state.shelf.ranked)) == (20, 2)
    log.add(ev.CheckpointLost, owner=trial, attempt=1, name="3", why="said twice")
    log.add(ev.CheckpointLost, owner=trial, attempt=7, name="1", why="there is none")
    assert kept(log) == {trial: ["1", "2"]}


# ------------------------------------------------------------------------------------------------ when it is said


def test_few_small_ones_wait_until_nothing_runs(begin: Begin) -> None:
    log = begin(spec(trial_best=0))
    other = log.started()
    trial = over(log, *[0.5] * ENOUGH_TO_DROP)
    assert droppable(log.state) == ()
    log.exited(other, code=1)
    log.completed(other, state="failed", error="x")
    assert len(droppable(log.state)) == ENOUGH_TO_DROP - 1
    assert [one.trial for one in droppable(log.state)] == [trial] * (ENOUGH_TO_DROP - 1)


@pytest.mark.parametrize(("count", "size"), [(ENOUGH_TO_DROP, 1), (1, LARGE_BYTES)])
def test_many_or_large_ones_go_at_once(begin: Begin, count: int, size: int) -> None:
    log = begin(spec(trial_best=0))
    log.started()
    over(log, *[0.5] * (count + 1), size=size)
    assert len(drop(log)) == count


# ------------------------------------------------------------------------------------------------ the disk


def test_beyond_the_disk_budget_the_worst_trials_go_first_and_a_trials_best_last(begin: Begin) -> None:
    log = begin(spec(trial_latest=9, disk_bytes=100))
    for losses in ((0.5, 0.4), (0.3, 0.9, 0.6), (0.1, 0.2)):
        over(log, *losses, size=10)
    running = log.started()
    save(log, running, 5.0, size=30)
    assert log.state.shelf.bytes == 100
    assert drop(log) == []
    save(log, running, 0.05, size=30)
    assert drop(log) == [(0, "1"), (0, "2"), (1, "2"), (1, "3")]
    assert log.state.shelf.bytes == 100 * BUDGET_AFTER
    save(log, running, 0.04, size=60)
    assert drop(log) == [(1, "1"), (2, "2"), (2, "1"), (3, "1")]


def test_what_must_stay_stays_though_the_disk_budget_is_exceeded(begin: Begin) -> None:
    log = begin(spec(disk_bytes=25))
    for _ in range(3):
        save(log, log.started(), 0.5, size=10)
    assert droppable(log.state) == ()
    assert log.state.shelf.bytes == 30


def test_where_all_must_stay_no_report_makes_anybody_look_for_more(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To look costs as much as there are checkpoints, and a disk budget may be exceeded for the whole of a study."""
    log = begin(spec(disk_bytes=25))
    trials = [log.started() for _ in range(3)]
    for trial in trials:
        save(log, trial, 0.5, size=10)
    looked: list[State] = []

    def worst_first(state: State) -> list[Any]:
        looked.append(state)
        return original(state)

    original = checkpoints._worst_first
    monkeypatch.setattr(checkpoints, "_worst_first", worst_first)
    assert (droppable(log.state), looked) == ((), [])
    save(log, trials[1], 0.4, size=10)
    assert [(one.trial, one.name) for one in droppable(log.state)] == [(1, "1")]
    assert looked == [log.state]
    assert broken(log.state) == []


def test_a_checkpoint_without_a_value_is_worse_than_any(begin: Begin) -> None:
    log = begin(spec(trial_latest=9, disk_bytes=39))
    over(log, 0.5, None, 0.9, 0.1)
    assert drop(log) == [(0, "2")]


# ------------------------------------------------------------------------------------------------ who says so


def test_a_drop_that_another_runners_clone_made_wrong_is_dropped() -> None:
    world = World(spec(trial_best=0, trial_latest=0), workers=1)
    world.turn()
    world.start(0)
    world.saves(0, {"loss": 0.5}, size=LARGE_BYTES)
    world.exit(0)
    world.decide(world.engine.decide(at=world.now, free=0))
    [mine] = world.engine.decide(at=world.now, free=0)
    assert isinstance(mine, ev.CheckpointsDropped)
    two = world.joined()
    source = two.state.shelf.latest(0)
    fields: dict[str, Any] = {"at": 0.0, "based_on": two.state.seq, "runner": two.runner, "epoch": two.lease.epoch}
    reason = Reason(by="pbt", text="a clone")
    two.decide([
        ev.TrialProposed(**fields, trial=1, params=two.state.space.middle(), reason=reason, source=source),
        ev.AttemptAssigned(**fields, trial=1, attempt=1, source=source),
    ])  # fmt: skip
    world.decide([mine])
    assert [event for event in world.events if isinstance(event, ev.CheckpointsDropped)] == []
    assert world.state.shelf.latest(0) == source


def test_a_clone_of_what_another_runner_has_dropped_is_dropped() -> None:
    world = World(spec(trial_best=0, trial_latest=0), workers=1)
    world.turn()
    world.start(0)
    world.saves(0, {"loss": 0.5}, size=LARGE_BYTES)
    source = world.state.shelf.latest(0)
    world.exit(0)
    world.decide(world.engine.decide(at=world.now, free=0))
    world.decide(world.engine.decide(at=world.now, free=0))
    assert world.state.shelf.saved == {}
    fields: dict[str, Any] = {"at": 0.0, "based_on": world.state.seq, "runner": "r", "epoch": 9}
    reason = Reason(by="pbt", text="a clone")
    decisions = [
        ev.TrialProposed(**fields, trial=1, params=world.state.space.middle(), reason=reason, source=source),
        ev.AttemptAssigned(**fields, trial=1, attempt=1, source=source),
    ]
    assert world.engine.legal(decisions) == []


def test_folders_that_may_be_left_are_those_that_were_dropped_last(begin: Begin) -> None:
    """A program that counts its steps anew may use a name again: what it names now is not left over."""
    log = begin(spec(trial_best=0))
    trial = log.started()
    for _ in range(2):
        save(log, trial, 0.5, size=LARGE_BYTES)
    assert drop(log) == [(0, "1")]
    assert [(one.trial, one.name) for one in left_over(log.state)] == [(0, "1")]
    report = Report(1.0, 0.0, {"loss": 0.5})
    log.add(
        ev.TrialReported, trial=trial, attempt=1, reports=(report,), offsets={"reports.jsonl": 3}, channel="file",
        checkpoints=(Checkpoint(1, "1", 1.0, 3, 10),),
    )  # fmt: skip
    assert list(left_over(log.state)) == []


def test_a_snapshot_of_the_state_holds_them(begin: Begin) -> None:
    log = begin(spec(study_best=1))
    over(log, 0.5, 0.25)
    save(log, log.started(), 0.1)
    again = snapshot.load(snapshot.dump(log.state))
    assert again.shelf == log.state.shelf
    assert broken(again) == []


# ------------------------------------------------------------------------------------------------ a slow twin


class Kept(NamedTuple):
    """A checkpoint that nobody has dropped, as the log tells of it."""

    trial: int
    attempt: int
    name: str
    bytes: int
    loss: float
    place: int


def shelf_of(events: Sequence[ev.AnyEvent]) -> list[Kept]:
    """All that there are, oldest first: the log is read from its beginning."""
    found: list[Kept] = []
    places = count()
    for event in events:
        if isinstance(event, ev.TrialReported):
            for one in event.checkpoints:
                wire = next(report.values.get("loss", math.nan) for report in event.reports if report.step == one.step)
                place = next(places)
                found.append(Kept(event.trial, one.attempt, one.name, one.bytes, from_wire(wire), place))
        elif isinstance(event, ev.CheckpointsDropped):
            gone = {(one.trial, one.attempt, one.name) for one in event.dropped}
            found = [one for one in found if one[:3] not in gone]
        elif isinstance(event, ev.CheckpointLost):
            found = [one for one in found if one[:3] != (event.owner, event.attempt, event.name)]
    return found


def borrowed(events: Sequence[ev.AnyEvent]) -> set[tuple[int, int, str]]:
    """What clones begin from that have not saved anything themselves."""
    found: dict[int, tuple[int, int, str]] = {}
    for event in events:
        if isinstance(event, ev.TrialProposed | ev.AttemptAssigned) and event.source is not None:
            made = event.source.checkpoint
            found[event.trial] = (event.source.trial, made.attempt, made.name)
        elif isinstance(event, ev.TrialCompleted) or (isinstance(event, ev.TrialReported) and event.checkpoints):
            found.pop(event.trial, None)
    return {which for trial, which in found.items() if which[0] != trial}


def must_stay(events: Sequence[ev.AnyEvent]) -> set[tuple[int, int, str]]:
    state, shelf = replay.fold(events), shelf_of(events)
    latest = {one.trial: one[:3] for one in shelf if state.phase(one.trial) not in FINAL}
    return set(latest.values()) | borrowed(events)


def policy_keeps(events: Sequence[ev.AnyEvent], policy: CheckpointSpec) -> set[tuple[int, int, str]]:
    shelf = shelf_of(events)
    valued = sorted((one for one in shelf if one.loss == one.loss), key=lambda one: (one.loss, one.trial, one.place))
    keep = {one[:3] for one in valued[: policy.study_best]}
    for trial in {one.trial for one in shelf}:
        mine = [one for one in shelf if one.trial == trial]
        keep |= {one[:3] for one in mine[len(mine) - policy.trial_latest :] if policy.trial_latest}
        keep |= {one[:3] for one in [one for one in valued if one.trial == trial][: policy.trial_best]}
    return keep


@given(SPECS, PROGRAMS, ACTIONS)
@settings(max_examples=50, derandomize=True)
def test_nothing_goes_that_is_needed_and_all_else_may(
    study: StudySpec, program: Program, actions: list[Action]
) -> None:
    """Against a twin that reads the whole log again for each decision."""
    world, policy = World(study, workers=3), study.checkpoint
    world.turn()
    for action in actions:
        world = act(world, program, action)
    events = world.events
    for place, event in enumerate(events):
        if isinstance(event, ev.CheckpointsDropped):
            before = events[:place]
            gone = {(one.trial, one.attempt, one.name) for one in event.dropped}
            assert gone <= {one[:3] for one in shelf_of(before)}
            assert not gone & must_stay(before)
            if policy.disk_bytes is None:
                assert not gone & policy_keeps(before, policy)
    shelf, stays = shelf_of(events), must_stay(events)
    assert sum(one.bytes for one in shelf) == world.state.shelf.bytes
    stays |= policy_keeps(events, policy)
    unneeded = [one for one in shelf if one[:3] not in stays]
    assert world.state.shelf.due == {
        trial: (len(mine), sum(one.bytes for one in mine))
        for trial in {one.trial for one in unneeded}
        if (mine := [one for one in unneeded if one.trial == trial])
    }
    world.turn()
    left = shelf_of(world.events)
    if policy.disk_bytes is not None and sum(one.bytes for one in left) > policy.disk_bytes:
        assert {one[:3] for one in left} == must_stay(world.events), "only what must stay exceeds the disk budget"


def test_a_study_that_holds_trials_leaves_no_more_than_its_policy_keeps() -> None:
    at = {(number, 3.0): pause(number) for number in range(4)}
    world = World(
        study_spec(trials=6, schedule=SPEC, checkpoint=CheckpointSpec(study_best=1)), workers=2,
        policies=planned(at, on={1: 9}, resource=3),
    )  # fmt: skip
    Program(heeds=True).run(world)
    assert world.state.switches.completed is not None
    assert {one[:3] for one in shelf_of(world.events)} == policy_keeps(world.events, world.state.spec.checkpoint)


def test_a_complete_trial_that_is_run_again_begins_anew(begin: Begin) -> None:
    log = begin(spec())
    number = over(log, 0.5, 0.4)
    log.add(ev.TrialRetried, trial=number, attempt=1, reason=Reason(by="user", text="retried"))
    assert begin_from(log.state, number) is None
    log.started(number)
    assert log.state.live[number].tracks == {}
    save(log, number, 0.3)
    log.exited(number, how="lost")
    log.add(ev.TrialRetried, trial=number, attempt=2, reason=Reason(by="runner", text="its machine is gone"))
    source = begin_from(log.state, number)
    assert source is not None
    assert source.checkpoint.attempt == 2, "what it has saved since counts"
