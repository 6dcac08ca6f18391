"""What holds for every study with a schedule, whatever becomes of its trials, and whoever asks what of it, and when."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from properties import test_study_properties as studies
from rung.model import Budget, CheckpointSpec, RunSettings, ScheduleSpec, StudySpec
from rung.plugins import policy_for
from rung.study import events as ev
from rung.study import replay, snapshot
from rung.study.endings import spent
from rung.study.engine import Engine, Me
from rung.study.invariants import broken
from rung.study.state import State
from rung.testing.studies import World, digest, study_spec
from rung.testing.training import Program, falling, steps_of

Action = tuple[str, int]

TOP = 9
SCHEDULES = [
    ScheduleSpec(method="asha", resource="epoch", options={"type": "promotion", "max": TOP}),
    ScheduleSpec(method="asha", resource="epoch", options={"max": TOP}),
    ScheduleSpec(method="hyperband", resource="epoch", options={"type": "promotion", "max": TOP}),
    ScheduleSpec(method="hyperband", resource="epoch", options={"synchronous": True, "max": TOP}),
    ScheduleSpec(method="pbt", resource="epoch", options={"population": 4, "interval": 3, "max": TOP}),
    ScheduleSpec(
        method="pbt", resource="epoch", options={"population": 4, "interval": 3, "max": TOP, "type": "synchronous"}
    ),
    ScheduleSpec(method="adaptive", resource="epoch", options={"max": TOP}),
    ScheduleSpec(method="median", resource="epoch"),
]
PROGRAMS = st.builds(
    lambda stride, saves, heeds: Program(steps=TOP, stride=stride, saves=saves, heeds=heeds),
    st.sampled_from([1, 1, 2, 4]),
    st.sampled_from([1, 1, 0, 3]),
    st.booleans(),
)
CHECKPOINTS = st.builds(
    CheckpointSpec,
    study_best=st.integers(0, 2),
    trial_best=st.integers(0, 2),
    trial_latest=st.integers(0, 2),
    disk_bytes=st.sampled_from([None, 350, 1000]),
)
SPECS = st.builds(
    lambda schedule, checkpoint, retries: study_spec(
        budget=Budget(trials=9, max_failures=1000),
        schedule=schedule,
        checkpoint=checkpoint,
        run=RunSettings(workers=3, retries=retries),
    ),
    st.sampled_from(SCHEDULES),
    CHECKPOINTS,
    st.integers(0, 2),
)
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from([
            *["go on"] * 12, "turn", "kill", "lose", "crash", "fail", "stop trial", "pause trial", "unpause trial", "retry", "enqueue",
            "pause", "unpause", "lose checkpoint", "tell", "other",
        ]),
        st.integers(0, 12),
    ),
    min_size=5,
    max_size=60,
)  # fmt: skip


def act(world: World, program: Program, action: Action) -> World:
    """The world after this happened in it."""
    what, which = action
    running = world.running()
    chosen = running[which % len(running)] if running else None
    match what:
        case "go on" if chosen is not None:
            program.advance(world, chosen)
            if which % 3:
                world.turn()
        case "kill" if chosen is not None:
            world.exit(chosen, how="killed", code=None)
        case "lose" if chosen is not None:
            world.exit(chosen, how="lost" if which % 2 else "interrupted", code=None)
        case "fail" if chosen is not None:
            world.exit(chosen, code=1)
        case "pause trial":
            world.request(ev.TrialPauseRequested, trial=which)
        case "unpause trial":
            world.request(ev.TrialUnpauseRequested, trial=which)
        case "lose checkpoint" if world.state.shelf.saved:
            owner = sorted(world.state.shelf.saved)[which % len(world.state.shelf.saved)]
            made = world.state.shelf.saved[owner][-1].checkpoint
            world.fact(ev.CheckpointLost, owner=owner, attempt=made.attempt, name=made.name, why="test")
        case _:
            return studies.act(world, action)
    return world


def play(spec: StudySpec, program: Program, actions: list[Action], **options: Any) -> World:
    world = World(spec, workers=3, **options)
    world.turn()
    for action in actions:
        world = act(world, program, action)
        assert broken(world.state) == [], action
    return world


def left_alone(world: World, program: Program) -> World:
    """Nobody holds anything any more, and everything happens that can."""
    world.request(ev.UnpauseRequested)
    for number in range(len(world.state)):
        world.request(ev.TrialUnpauseRequested, trial=number)
    return program.run(world, limit=2000)


def deviations(world: World) -> list[str]:
    return [str(deviation) for deviation in replay.check(world.events, policy_for)]


@given(SPECS, PROGRAMS, ACTIONS, st.booleans())
@settings(max_examples=30, derandomize=True)
def test_whatever_happens_the_state_is_sound_and_every_decision_can_be_computed_again(
    spec: StudySpec, program: Program, actions: list[Action], deterministic: bool
) -> None:
    world = play(spec, program, actions, deterministic=deterministic)
    assert digest(replay.fold(world.events)) == digest(world.state)
    assert deviations(world) == []


@given(SPECS, PROGRAMS, ACTIONS, st.booleans())
@settings(max_examples=25, derandomize=True)
def test_a_study_that_is_left_alone_comes_to_its_end(
    spec: StudySpec, program: Program, actions: list[Action], deterministic: bool
) -> None:
    world = left_alone(play(spec, program, actions, deterministic=deterministic), program)
    assert world.state.switches.completed is not None
    assert world.state.live == {}
    assert world.state.shelf.borrowed == {}
    assert deviations(world) == []


@given(SPECS, ACTIONS, st.sampled_from([1, 2]), st.booleans())
@settings(max_examples=25, derandomize=True)
def test_a_resumed_trial_repeats_and_skips_no_step(
    spec: StudySpec, actions: list[Action], stride: float, heeds: bool
) -> None:
    """Every report is saved: whatever happens, all attempts of a trial together are one run from where it began."""
    program = Program(steps=TOP, stride=stride, heeds=heeds)
    kept = replace(spec, checkpoint=replace(spec.checkpoint, disk_bytes=None))
    world = left_alone(play(kept, program, [one for one in actions if one[0] != "lose checkpoint"]), program)
    at: dict[int, float] = {}
    reported = set()
    for event in world.events:
        if isinstance(event, ev.AttemptAssigned):
            begins = 0.0 if event.source is None else event.source.checkpoint.step
            assert event.trial not in reported or begins == at[event.trial], event
            at[event.trial] = begins
        elif isinstance(event, ev.TrialReported):
            reported.add(event.trial)
            assert event.reports[0].step == min(at[event.trial] + stride, TOP), event
            at[event.trial] = event.reports[0].step


@given(SPECS, PROGRAMS, ACTIONS)
@settings(max_examples=25, derandomize=True)
def test_no_more_trials_begin_than_the_budget_allows(spec: StudySpec, program: Program, actions: list[Action]) -> None:
    """Failed ones do not count, and what a user asks for comes on top."""
    world = left_alone(play(spec, program, actions), program)
    counts = world.state.counts
    wished = sum(isinstance(event, ev.TrialEnqueued | ev.RetryRequested) for event in world.events)
    assert spec.budget.trials is not None
    assert counts["complete"] + counts["pruned"] <= spec.budget.trials + wished


@given(st.sampled_from(SCHEDULES), st.lists(st.integers(0, 12), max_size=40), st.integers(20, 60), st.booleans())
@settings(max_examples=30, derandomize=True)
def test_a_cost_budget_is_exceeded_by_the_work_in_flight_at_the_most(
    schedule: ScheduleSpec, order: list[int], cost: int, heeds: bool
) -> None:
    """Each step costs 1: what running programs do before they hear of it, and nothing that begins afterwards."""

    def metrics(params: dict[str, Any], step: float) -> dict[str, Any]:
        return falling(params, step) | {"cost": step}

    if schedule.method == "adaptive":  # it wants to know how many trials there will be
        schedule = replace(schedule, options=schedule.options | {"trials": 1000})
    spec = study_spec(budget=Budget(cost=float(cost)), schedule=schedule, run=RunSettings(workers=3))
    world, program = World(spec, workers=3), Program(steps=TOP, heeds=heeds, metrics=metrics)
    choices = iter([*order, *([0] * 1000)])
    program.run(world, lambda running: running[next(choices) % len(running)])
    state = State.begin(world.events[0], seq=1)
    for seq, event in enumerate(world.events[1:], start=2):
        if isinstance(event, ev.TrialProposed | ev.AttemptAssigned | ev.TrialContinued):
            assert spent(state) < cost
        state.apply(seq, event)
    first = TOP if schedule.method == "pbt" else 1  # what a clone says first includes what its parent has cost
    assert spent(state) < cost + 3 * first
    assert world.state.switches.completed is not None
    reported = [steps for attempts in steps_of(world.events).values() for steps in attempts]
    assert sum(len(steps) for steps in reported) <= cost + 3


def following(events: list[ev.AnyEvent], free: int) -> tuple[bool, list[bytes]]:
    """Whether something follows for trials that run, and all that is decided next."""
    state = State.begin(events[0], seq=1)
    engine = Engine(state, policy_for(state), Me("test", 1))
    engine.fold(enumerate(events[1:], start=2))
    due = bool(engine.policy.due(state))
    found = engine.decide(at=0.0, free=free) or engine.propose(at=0.0, free=free)
    return due, [ev.encode(decision) for decision in found]


@given(SPECS, PROGRAMS, ACTIONS, st.integers(0, 100), st.integers(0, 3))
@settings(max_examples=30, derandomize=True)
def test_no_decision_depends_on_the_order_in_which_independent_trials_are_stored(
    spec: StudySpec, program: Program, actions: list[Action], place: int, free: int
) -> None:
    """Two reports of two trials from which nothing follows for either may as well have come the other way round."""
    events = play(spec, program, actions).events
    pairs = [
        k
        for k, (one, two) in enumerate(pairwise(events))
        if isinstance(one, ev.TrialReported | ev.TrialStarted) and isinstance(two, ev.TrialReported | ev.TrialStarted)
        and one.trial != two.trial
    ]  # fmt: skip
    if not pairs:
        return
    at = pairs[place % len(pairs)]
    plain, swapped = events[: at + 2], [*events[:at], events[at + 1], events[at]]
    (due, found), (due_too, found_too) = following(plain, free), following(swapped, free)
    if not due and not due_too:
        assert found == found_too


@given(SPECS, PROGRAMS, ACTIONS, st.integers(1, 200))
@settings(max_examples=25, derandomize=True)
def test_a_snapshot_taken_at_any_event_changes_nothing(
    spec: StudySpec, program: Program, actions: list[Action], place: int
) -> None:
    events = play(spec, program, actions).events
    cut = 1 + place % len(events)
    state = snapshot.load(snapshot.dump(replay.fold(events[:cut])))
    for seq, event in enumerate(events[cut:], start=cut + 1):
        state.apply(seq, event)
    assert snapshot.dump(state) == snapshot.dump(replay.fold(events))
    assert broken(state) == []


@given(st.sampled_from(SCHEDULES), st.lists(st.integers(0, 30), min_size=1, max_size=60), st.booleans())
@settings(max_examples=30, derandomize=True)
def test_two_runners_decide_at_once_and_nothing_is_lost_or_done_twice(
    schedule: ScheduleSpec, turns: list[int], heeds: bool
) -> None:
    """Each decides by what it knows, which is not all: what came second is dropped and computed again."""
    spec = study_spec(budget=Budget(trials=8, max_failures=1000), schedule=schedule, run=RunSettings(workers=4))
    one = World(spec, workers=2)
    two, program = one.joined(), Program(steps=TOP, heeds=heeds)
    for turn in [*turns, *range(2000)]:
        world = (one, two)[turn % 2]
        world.turn()
        if world.running():
            program.advance(world, world.running()[turn % len(world.running())])
        one.catch_up()
        if one.state.switches.completed is not None:
            break
    assert one.state.switches.completed is not None
    assert broken(one.state) == []
    for trial, attempts in steps_of(one.events).items():
        steps = [step for attempt in attempts for step in attempt]
        assert steps == sorted(set(steps)), trial
    assert deviations(one) == []
