"""Trials that are held, go on, and are given up: who decides it, and what becomes of a program meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from rung.model import Budget, Checkpoint, CheckpointSpec, RunSettings, SearchSpec, Source
from rung.schedule import base as schedule
from rung.study import events as ev
from rung.study.policy import Combined
from rung.study.transitions import Phase
from rung.testing.training import Program, steps_of
from study.planned import WHY, Make, Planned, go_on, held, last, pause, plan, stop, trains

# ------------------------------------------------------------------------------------------------ held, and going on


def test_a_trial_is_held_and_goes_on_from_its_checkpoint(make: Make) -> None:
    world = make({(0, 2): pause(0)}, on={0: 5}, resource=2)
    assert world.state.live[0].resource == 2
    trains(world, 0, to=2)
    assert (world.state.phase(0), world.state.live[0].pause) == (Phase.PAUSING, WHY)
    world.exit(0, code=143)
    assert world.state.trial(0).state == "paused"
    assert world.free == 1
    world.turn()
    assigned = last(world, ev.AttemptAssigned)
    assert (assigned.attempt, assigned.resource) == (2, 5)
    assert assigned.source == Source(0, Checkpoint(1, "2", 2.0, 2, 10))
    assert world.state.live[0].step == 2
    trains(world, 0, to=5)
    world.exit(0)
    world.turn()
    assert steps_of(world.events) == {0: [[1, 2], [3, 4, 5]]}
    assert (world.state.trial(0).state, world.state.trial(0).steps) == ("complete", 5)


def test_without_a_checkpoint_it_begins_anew_and_the_schedule_sees_each_step_once(make: Make) -> None:
    world = make({(0, 2): pause(0)}, on={0: 4}, resource=2)
    trains(world, 0, to=2, saves=False)
    world.exit(0, code=143)
    world.turn()
    assert last(world, ev.AttemptAssigned).source is None
    trains(world, 0, to=4, saves=False)
    world.exit(0)
    world.turn()
    assert steps_of(world.events) == {0: [[1, 2], [1, 2, 3, 4]]}
    shown = [delta for delta in plan(world).seen if isinstance(delta, schedule.Progress)]
    assert [delta.step for delta in shown] == [1, 2, 3, 4]
    assert world.state.trial(0).value == 0.25


def test_a_running_trial_goes_on_without_a_pause(make: Make) -> None:
    world = make({(0, 2): go_on(0, 4)}, resource=2)
    trains(world, 0, to=4)
    live = world.state.live[0]
    assert (live.attempt, live.resource, live.told) == (1, 4, 2)
    assert [type(delta) for delta in plan(world).seen][-3:] == [schedule.Resumed, schedule.Progress, schedule.Progress]
    world.exit(0)
    world.turn()
    assert world.state.trial(0).state == "complete"


@pytest.mark.parametrize("to", [4.0, None])
def test_a_program_that_ended_where_it_was_told_to_is_started_again_when_it_may_go_on(
    make: Make, to: float | None
) -> None:
    """It was allowed more while it ran, and could not know."""
    world = make({(0, 2): go_on(0, to)}, resource=2)
    trains(world, 0, to=2)
    assert world.state.live[0].resource == to
    world.exit(0)
    world.turn()
    assert last(world, ev.TrialContinued).reason.text == "its program ended at 2, where it was told to; it may go on"
    assert (world.state.live[0].attempt, world.state.live[0].told) == (2, to)
    trains(world, 0, to=4)
    world.exit(0)
    world.turn()
    assert world.state.trial(0).state == "complete"
    assert steps_of(world.events) == {0: [[1, 2], [3, 4]]}


def test_a_program_that_was_told_no_bound_has_come_to_its_end(make: Make) -> None:
    world = make({(0, 2): go_on(0, 9)})
    trains(world, 0, to=2)
    world.exit(0)
    world.turn()
    assert world.state.trial(0).state == "complete"


@pytest.mark.parametrize(
    ("command", "state", "phase"),
    [
        (pause(0), "paused", Phase.PAUSED),
        (go_on(0, 4), "running", Phase.STARTING),
        (stop(0), "pruned", Phase.PRUNED),
        (stop(0, complete=True), "complete", Phase.COMPLETE),
        (None, "complete", Phase.COMPLETE),
    ],
)
def test_what_becomes_of_a_program_that_ends_at_its_bound_before_it_is_told(
    make: Make, command: Any, state: str, phase: Phase
) -> None:
    """Its last report and its exit are known at the same moment."""
    world = make({} if command is None else {(0, 2): command}, resource=2, new=None, trials=1)
    trains(world, 0, to=1)
    world.saves(0, {"loss": 0.5}, size=10)
    world.exit(0)
    world.decide(world.engine.decide(at=world.now, free=1))
    world.decide(world.engine.decide(at=world.now, free=1))
    assert (world.state.trial(0).state, world.state.phase(0)) == (state, phase)
    if state == "pruned":
        assert world.state.trial(0).reason == "as planned"
        assert world.state.trial(0).value == 0.5


@pytest.mark.parametrize(
    ("how", "code", "state"),
    [("exited", 1, "failed"), ("killed", None, "failed"), ("timeout", None, "failed"), ("lost", None, "running")],
)
def test_a_bad_end_at_the_bound_is_a_bad_end(make: Make, how: str, code: int | None, state: str) -> None:
    world = make({(0, 2): pause(0)}, resource=2)
    trains(world, 0, to=1)
    world.saves(0, {"loss": 0.5}, size=10)
    world.exit(0, how=how, code=code)
    world.turn()
    assert world.state.trial(0).state == state


@pytest.mark.parametrize(
    ("how", "code"), [("exited", 0), ("exited", 1), ("exited", 143), ("killed", None), ("lost", None), ("never", None)]
)
def test_however_the_program_of_a_pausing_trial_ends_the_trial_is_held(make: Make, how: str, code: int | None) -> None:
    world = make({(0, 2): pause(0)}, resource=2)
    trains(world, 0, to=2)
    world.exit(0, how=how, code=code)
    assert world.state.phase(0) is Phase.PAUSED
    assert [type(delta) for delta in plan(world).seen].count(schedule.Held) == 1


def test_what_a_pausing_trial_still_reports_counts(make: Make) -> None:
    world = make({(0, 2): pause(0)}, on={0: 9}, resource=2)
    trains(world, 0, to=2)
    world.saves(0, {"loss": 0.125}, size=10)
    world.exit(0, code=143)
    world.turn()
    assert world.state.live[0].source == Source(0, Checkpoint(1, "3", 3.0, 3, 10))
    trains(world, 0, to=4)
    assert steps_of(world.events) == {0: [[1, 2, 3], [4]]}


def test_a_trial_that_had_not_started_can_be_held(make: Make) -> None:
    world = make({(0, 1): pause(1)}, on={1: 3}, trials=2, workers=2, resource=3)
    trains(world, 0, to=1)
    assert world.state.phase(1) is Phase.PAUSING
    world.exit(1, how="never", code=None)
    assert world.state.phase(1) is Phase.PAUSED
    world.turn()
    assert (world.state.phase(1), world.state.live[1].attempt) == (Phase.STARTING, 2)


def test_the_time_that_a_trial_ran_is_that_of_all_its_attempts(make: Make) -> None:
    world = make({(0, 2): pause(0)}, on={0: 4}, resource=2)
    trains(world, 0, to=2)
    world.exit(0, code=143)
    first = float(world.state.table["ran"][0])
    assert world.state.trial(0).ended is None
    for _ in range(50):
        world.request(ev.PauseRequested)
        world.request(ev.UnpauseRequested)
    world.turn()
    trains(world, 0, to=4)
    world.exit(0)
    world.turn()
    started = [event.at for event in world.events if isinstance(event, ev.TrialStarted)]
    exited = [event.at for event in world.events if isinstance(event, ev.TrialExited)]
    assert first == exited[0] - started[0]
    assert float(world.state.table["ran"][0]) == first + exited[1] - started[1]
    trial = world.state.trial(0)
    assert (trial.started, trial.ended) == (started[0], exited[1])
    seconds = [delta.seconds for delta in plan(world).seen if isinstance(delta, schedule.Progress)]
    assert seconds == sorted(seconds)
    assert seconds[-1] < 25, "while it was held it did not run"


# ------------------------------------------------------------------------------------------------ given up


def test_paused_trials_are_given_up_when_the_budget_lets_nothing_begin(make: Make) -> None:
    world = held(make)
    world.turn()
    assert world.state.trial(0).state == "pruned"
    assert world.state.trial(0).value == 0.5
    assert world.state.trial(0).reason == (
        "as planned; then the study ended (1 trials begun, and none that is paused has earned more)"
    )
    assert world.state.switches.completed is not None


def test_a_paused_trial_is_not_given_up_while_others_run(make: Make) -> None:
    world = held(make, trials=2)
    world.turn()
    assert world.running() == [1]
    assert world.state.trial(0).state == "paused"
    trains(world, 1, to=2)
    world.exit(1)
    world.turn()
    assert [trial.state for trial in world.state.trials()] == ["pruned", "complete"]


def test_a_schedule_that_is_over_gives_its_paused_trials_up(make: Make) -> None:
    def new(plan: Planned) -> schedule.Next:
        over = any(isinstance(delta, schedule.Held) for delta in plan.seen)
        return schedule.Over("enough") if over else schedule.Ask(resource=2)

    world = held(make, trials=9, new=new)
    world.turn()
    assert world.state.trial(0).reason == "as planned; then the study ended (enough)"
    completed = world.state.switches.completed
    assert completed is not None
    assert (completed.state, len(world.state)) == ("complete", 1)


def test_a_schedule_that_holds_begins_nothing_until_something_happens(make: Make) -> None:
    """One that waits for what cannot come any more ends the study, with a word."""

    def new(plan: Planned) -> schedule.Next:
        return schedule.Hold() if plan.seen and not plan.held else schedule.Ask(resource=2)

    world = make({}, trials=9, workers=3, new=new, resource=2)
    assert world.running() == [0]
    trains(world, 0, to=2)
    assert world.running() == [0]
    world.exit(0)
    world.turn()
    completed = world.state.switches.completed
    assert completed is not None
    assert completed.reason.text == "plan waits for trials, and none is under way"


@pytest.mark.parametrize("now", [False, True])
def test_a_stopped_study_gives_its_paused_trials_up(make: Make, *, now: bool) -> None:
    world = held(make, trials=3)
    world.request(ev.StopRequested, now=now)
    world.turn()
    assert world.state.trial(0).state == "pruned"
    assert world.state.trial(0).reason == "the study was stopped"
    assert world.state.switches.completed is not None


@pytest.mark.parametrize(
    "budget", [Budget(target=0.9), Budget(stop="cost > 2"), Budget(patience=1), Budget(time_s=3.0), Budget(cost=2.0)]
)
def test_whatever_ends_a_study_gives_its_paused_trials_up(make: Make, budget: Budget) -> None:
    world = make({(0, 2): pause(0)}, budget=budget, resource=2, workers=2)
    trains(world, 0, to=2)
    world.exit(0, code=143)
    for number in (1, 2):
        world.turn()
        if number in world.state.live:
            world.start(number)
            world.report(number, loss=0.5, cost=3.0)
            world.exit(number)
    if budget.time_s is not None:
        world.fact(ev.TimeSpent, seconds=3.0)
    world.turn()
    for number in world.running():
        world.exit(number, code=143)
    world.turn()
    assert world.state.switches.completed is not None
    assert world.state.trial(0).state == "pruned"
    assert world.state.trial(0).value == 0.5


def test_a_program_that_ends_at_its_bound_while_the_study_ends_was_not_at_its_end(make: Make) -> None:
    """Whether it was to be held or to go on: it is pruned like one that was held before."""
    for command in (pause(0), go_on(0, 9)):
        world = make({(0, 2): command}, trials=3, resource=2)
        trains(world, 0, to=1)
        world.report(0, loss=0.5)
        world.request(ev.StopRequested)
        world.exit(0)
        world.turn()
        assert (world.state.trial(0).state, world.state.trial(0).value) == ("pruned", 0.5)


def test_a_user_ends_a_paused_trial_and_a_pausing_one(make: Make) -> None:
    world = held(make, trials=2)
    world.request(ev.TrialStopRequested, trial=0)
    world.turn()
    assert (world.state.trial(0).state, world.state.trial(0).reason) == ("pruned", "stopped by the user")
    world = make({(0, 2): pause(0)}, resource=2, trials=2)
    trains(world, 0, to=2)
    world.request(ev.TrialStopRequested, trial=0)
    world.turn()
    assert world.state.phase(0) is Phase.STOPPING
    world.exit(0, code=143)
    world.turn()
    assert (world.state.trial(0).state, world.state.trial(0).reason) == ("pruned", "stopped by the user")


def test_a_schedule_ends_a_trial_that_it_holds_and_one_that_waits(make: Make) -> None:
    world = make({(0, 2): pause(0), (1, 1): stop(0), (1, 2): stop(2)}, trials=9, workers=2, resource=2)
    trains(world, 0, to=2)
    world.exit(0, code=143)
    world.turn()
    trains(world, 1, to=1)
    assert world.state.trial(0).state == "pruned"
    world.exit(2, how="lost", code=None)
    world.workers = 1
    world.turn()
    assert world.state.phase(2) is Phase.WAITING
    trains(world, 1, to=2)
    assert (world.state.trial(2).state, world.state.trial(2).reason) == ("failed", "as planned")


def test_a_stop_that_follows_from_a_hold_is_not_lost(make: Make) -> None:
    """A program ended at its bound, was held there, and the schedule ends it as soon as it hears of it."""

    class Strict(Planned):
        def observe(self, deltas: Any) -> Any:
            found = super().observe(deltas)
            return found + [stop(delta.number) for delta in deltas if isinstance(delta, schedule.Held)]

    world = make({(0, 2): pause(0)}, resource=2)
    old = plan(world)
    policy = world.engine.policy
    assert isinstance(policy, Combined)
    policy.scheduler = Strict(old.contest, old.at, old.on, old.new)
    trains(world, 0, to=1)
    world.report(0, loss=0.5)
    world.exit(0)
    world.decide(world.engine.decide(at=world.now, free=1))
    assert world.state.phase(0) is Phase.PAUSED
    [ended] = world.engine.decide(at=world.now, free=1)
    assert isinstance(ended, ev.TrialCompleted)
    assert (ended.state, ended.reason) == ("pruned", WHY)


# ------------------------------------------------------------------------------------------------ tried again


def test_a_lost_attempt_goes_on_from_the_checkpoint_with_the_bound_it_had(make: Make) -> None:
    world = make({}, resource=7)
    trains(world, 0, to=3)
    world.report(0, loss=9.0)
    world.exit(0, how="lost", code=None)
    world.turn()
    live = world.state.live[0]
    assert (live.attempt, live.told, live.step, live.reports) == (2, 7, 3, 3)
    assert live.tracks["loss"].last == 9.0
    trains(world, 0, to=7)
    world.exit(0)
    world.turn()
    assert steps_of(world.events) == {0: [[1, 2, 3, 4], [4, 5, 6, 7]]}
    assert world.state.trial(0).value == pytest.approx(1 / 7)


def test_without_a_checkpoint_a_retry_forgets_what_was_reported(make: Make) -> None:
    world = make({}, resource=7)
    trains(world, 0, to=3, saves=False)
    world.exit(0, how="lost", code=None)
    world.turn()
    live = world.state.live[0]
    assert (live.tracks, live.step, live.reports) == ({}, 0, 0)


def test_a_trial_that_a_user_tries_again_from_its_last_checkpoint_has_what_it_had_there(make: Make) -> None:
    """It may end at once: all of its steps are done."""
    world = make({})
    trains(world, 0, to=3)
    world.request(ev.TrialStopRequested, trial=0)
    world.turn()
    world.exit(0, code=143)
    world.turn()
    world.request(ev.RetryRequested, trial=0)
    world.turn()
    assert world.state.live[0].source == Source(0, Checkpoint(1, "3", 3.0, 3, 10))
    assert world.state.live[0].tracks["loss"].last == pytest.approx(1 / 3)
    world.start(0)
    world.exit(0)
    world.turn()
    assert world.state.trial(0).state == "complete"
    assert world.state.trial(0).value == pytest.approx(1 / 3)


def test_a_held_trial_whose_checkpoint_is_lost_begins_at_the_one_before_or_anew(make: Make) -> None:
    world = make({(0, 2): pause(0)}, on={0: 5}, resource=2, checkpoint=CheckpointSpec(trial_latest=2))
    trains(world, 0, to=2)
    world.exit(0, code=143)
    world.turn()
    for attempt, begins in ((2, 2.0), (3, 1.0), (4, None)):
        live = world.state.live[0]
        source = live.source
        assert (live.attempt, None if source is None else source.checkpoint.step) == (attempt, begins)
        if source is not None:
            name, made = source.checkpoint.name, source.checkpoint.attempt
            world.fact(ev.CheckpointLost, owner=0, attempt=made, name=name, why="it is not there any more")
            world.exit(0, how="never", code=None)
            world.turn()
    assert world.state.live[0].told == 5
    assert world.state.shelf.bytes == 0


# ------------------------------------------------------------------------------------------------ in order


@pytest.mark.parametrize("search", [SearchSpec(method="random", batch=2), SearchSpec(method="random", lag=2)])
@pytest.mark.parametrize("workers", [1, 3])
def test_proposals_that_count_in_order_do_not_wait_for_held_trials(
    make: Make, search: SearchSpec, workers: int
) -> None:
    """Every other trial is held for good, one goes on later: its result is let in when it comes."""
    at = {(number, 2.0): pause(number) for number in (0, 2, 4)}
    world = make(
        at, on={2: 4}, trials=6, workers=workers, search=search, resource=2, deterministic=search.lag is not None
    )
    Program(steps=4, heeds=True).run(world, choose=max)
    assert world.state.switches.completed is not None
    assert world.state.counts["pruned"] == 2
    assert world.state.counts["complete"] == 4
    assert world.state.trial(2).state == "complete"


def test_a_failed_attempt_of_a_held_trial_makes_room_for_another(make: Make) -> None:
    """A batch whose held trial went on and failed: the study still evaluates as many as it was to."""
    world = make(
        {(0, 2): pause(0)}, on={0: 4}, trials=2, resource=2, search=SearchSpec(method="random", batch=2),
        run=RunSettings(retries=0),
    )  # fmt: skip
    program = Program(steps=4, heeds=True)
    while world.state.trial(0).state != "paused":
        program.advance(world, 0)
        world.decide(world.engine.decide(at=world.now, free=0))
    world.turn()
    world.exit(0, code=1)
    program.run(world)
    assert world.state.counts["failed"] == 1
    assert world.state.counts["complete"] == 2
