"""What holds for every study with a schedule, whatever becomes of its trials, and whoever asks what of it, and when."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rung.model import Budget, CheckpointSpec, RunSettings, ScheduleSpec, SearchSpec, StudySpec
from rung.plugins import policy_for
from rung.study import events as ev
from rung.study import replay, snapshot
from rung.study.invariants import broken
from rung.study.state import State
from rung.testing.studies import World, digest, study_spec
from rung.testing.training import Program, steps_of

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
        case "turn":
            world.turn()
        case "stop trial":
            world.request(ev.TrialStopRequested, trial=which)
        case "pause trial":
            world.request(ev.TrialPauseRequested, trial=which)
        case "unpause trial":
            world.request(ev.TrialUnpauseRequested, trial=which)
        case "retry":
            world.request(ev.RetryRequested, trial=which)
        case "enqueue":
            world.request(ev.TrialEnqueued, params={"width": 8 * (1 + which % 8)})
        case "pause":
            world.request(ev.PauseRequested)
        case "unpause":
            world.request(ev.UnpauseRequested)
        case "tell":
            world.request(ev.TrialTold, trial=which, values={"loss": which / 7})
        case "lose checkpoint" if world.state.shelf.saved:
            owner = sorted(world.state.shelf.saved)[which % len(world.state.shelf.saved)]
            made = world.state.shelf.saved[owner][-1].checkpoint
            world.fact(ev.CheckpointLost, owner=owner, attempt=made.attempt, name=made.name, why="test")
        case "crash":
            return world.resumed()
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
@settings(max_examples=80, deadline=None, derandomize=True)
def test_whatever_happens_the_state_is_sound_and_every_decision_can_be_computed_again(
    spec: StudySpec, program: Program, actions: list[Action], deterministic: bool
) -> None:
    world = play(spec, program, actions, deterministic=deterministic)
    assert digest(replay.fold(world.events)) == digest(world.state)
    assert deviations(world) == []
