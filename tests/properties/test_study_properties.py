"""What holds for every study, whatever its trials do and whoever asks what of it, and when."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rung.model import Budget, RunSettings, SearchSpec, StudySpec
from rung.plugins import policy_for
from rung.study import events as ev
from rung.study import replay, snapshot
from rung.study.engine import PolicyFactory
from rung.study.invariants import broken
from rung.testing.functions import rough
from rung.testing.studies import PARAMETERS, Ending, World, diary_policy, digest, fails, study_spec, well_behaved

Action = tuple[str, int]

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from([
            "end", "end", "end", "end", "report", "turn", "stop trial", "retry", "enqueue", "pause", "unpause", "tell", "grow",
            "stop", "crash", "other", "edit", "note",
        ]),
        st.integers(0, 12),
    ),
    max_size=25,
)  # fmt: skip


LR, WIDTH, OPT, MOMENTUM = PARAMETERS[:4]
EDITS: list[dict[str, Any]] = [
    {"parameters": (replace(LR, max=1.0),)},
    {"parameters": (replace(LR, min=1e-3, max=1e-2, scale="linear"),)},
    {"parameters": (replace(WIDTH, min=4, max=16, step=4),)},
    {"parameters": (replace(WIDTH, min=32, max=32, step=None),)},
    {"parameters": (replace(OPT, values=("adam", "lion", "sgd")),)},
    {"parameters": (replace(OPT, values=("adam",)), replace(WIDTH, default=64))},
    {"parameters": (replace(MOMENTUM, when=None),)},
    {"parameters": (replace(MOMENTUM, when="opt == 'adam' or width > 16"),)},
    {"constraints": ("width <= 32 or opt == 'adam'",)},
    {"constraints": ()},
    {"constraints": ("depth < 3",), "run": RunSettings(retries=1)},  # refused: there is no depth
    {"parameters": PARAMETERS, "constraints": (), "budget": Budget(trials=9)},
]
NOTES: list[dict[str, Any]] = [
    {"text": "odd", "tagged": ("a", "b")},
    {"text": "", "untagged": ("a",), "archived": True},
    {"tagged": ("b", "b"), "untagged": ("b",), "archived": False},
]


def moody(trial: int, attempt: int, params: dict[str, Any]) -> Ending:
    """Fails, is lost or killed, reports nothing or NaN, or does well: a function of its parameters and attempt."""
    mood = int(rough({**params, "attempt": attempt}) * 10)
    endings = {
        0: fails(trial, attempt, params),
        1: Ending(how="lost", code=None),
        2: Ending(reports=({"loss": "NaN"},)),
        3: Ending(reports=({"other": 1.0},)),
        4: Ending(how="killed", code=None),
        5: Ending(how="never", code=None),
    }
    return endings.get(mood) or well_behaved(trial, attempt, params)


def act(world: World, action: Action) -> World:
    """The world after somebody did something in it."""
    what, which = action
    running = world.running()
    if what in {"end", "report"} and not running:
        return world
    match what:
        case "end":
            world.end(running[which % len(running)])
        case "report":
            world.report(running[which % len(running)], loss=float(which), acc="Infinity")
        case "turn":
            world.turn()
        case "stop trial":
            world.request(ev.TrialStopRequested, trial=which)
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
        case "grow":
            world.request(ev.SpecChanged, changes=(), budget=Budget(trials=6 + which))
        case "stop":
            world.request(ev.StopRequested, now=which % 2 == 0)
        case "edit":
            world.request(ev.SpecChanged, changes=(), **EDITS[which % len(EDITS)])
        case "note":
            world.request(ev.NotesChanged, trial=which - 1 if which else None, **NOTES[which % len(NOTES)])
        case "crash":
            return world.resumed()
        case _:
            world.catch_up()
    return world


def play(
    spec: StudySpec, actions: list[Action], *, deterministic: bool = False, policies: PolicyFactory = policy_for
) -> World:
    world = World(spec, workers=3, behave=moody, deterministic=deterministic, policies=policies)
    for action in actions:
        world = act(world, action)
    return world


SPECS = st.builds(
    lambda method, trials, retries: study_spec(
        trials=trials, search=SearchSpec(method=method), run=RunSettings(workers=3, retries=retries)
    ),
    st.sampled_from(["random", "auto"]),
    st.sampled_from([None, 1, 6]),
    st.integers(0, 2),
)


@given(SPECS, ACTIONS, st.booleans())
@settings(max_examples=30, deadline=None, derandomize=True)
def test_whatever_happens_the_state_is_sound_and_every_decision_can_be_computed_again(
    spec: StudySpec, actions: list[Action], deterministic: bool
) -> None:
    world = play(spec, actions, deterministic=deterministic)
    events = world.events
    assert broken(world.state) == []
    assert digest(replay.fold(events)) == digest(world.state)
    assert [str(deviation) for deviation in replay.check(events, policy_for)] == []


@given(SPECS, ACTIONS, ACTIONS, st.booleans(), st.sampled_from([policy_for, diary_policy]))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_going_on_from_a_snapshot_is_going_on(
    spec: StudySpec, before: list[Action], after: list[Action], deterministic: bool, policies: PolicyFactory
) -> None:
    """Equal states and equal decisions, wherever the snapshot was taken."""
    finals = []
    for keep in (False, True):
        world = play(spec, before, deterministic=deterministic, policies=policies)
        if keep:
            world.snapshot()
        world = world.resumed()
        for action in after:
            if action[0] != "crash":
                world = act(world, action)
        finals.append(world)
    plain, kept = finals
    assert [ev.encode(event) for event in kept.events] == [ev.encode(event) for event in plain.events]
    assert digest(snapshot.load(snapshot.dump(kept.state))) == digest(plain.state)


@given(
    st.lists(st.tuples(st.sampled_from(["end", "turn", "edit", "crash", "enqueue"]), st.integers(0, 12)), max_size=20),
    st.booleans(),
    st.sampled_from([None, 3]),
)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_whatever_is_edited_old_trials_stay_and_new_ones_are_in_the_space_of_their_version(
    actions: list[Action], deterministic: bool, batch: int | None
) -> None:
    spec = study_spec(trials=9, search=SearchSpec(method="random", batch=batch))
    world = World(spec, workers=3, behave=moody, deterministic=deterministic)
    for action in actions:
        before = [trial.params for trial in world.state.trials()]
        world = act(world, action)
        assert [trial.params for trial in world.state.trials()][: len(before)] == before
    for event in world.events:
        if isinstance(event, ev.TrialProposed):
            version = event.reason.space_version
            assert version is not None
            assert world.state.spaces.versions[version - 1].check(event.params) == event.params
    assert digest(replay.fold(world.events)) == digest(snapshot.load(snapshot.dump(world.state)))
    assert [str(deviation) for deviation in replay.check(world.events, policy_for)] == []


@given(SPECS, ACTIONS)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_a_study_that_is_left_alone_comes_to_its_end(spec: StudySpec, actions: list[Action]) -> None:
    world = play(spec, actions)
    world.request(ev.UnpauseRequested)
    if world.state.spec.budget.trials is None:
        world.request(ev.SpecChanged, changes=(), budget=Budget(trials=8))
    world.run(limit=200)
    completed = world.state.switches.completed
    assert completed is not None
    assert world.state.live == {}
    assert world.state.retries_wanted == set()
    if completed.reason.by not in {"user", "failures"}:  # a study that is stopped or given up starts nothing more
        assert world.state.queue == {}


@given(
    st.lists(st.integers(0, 100), max_size=30),
    st.integers(1, 4),
    st.integers(4, 6),
    st.booleans(),
    st.sampled_from([policy_for, diary_policy]),
)
@settings(max_examples=30, deadline=None, derandomize=True)
def test_a_deterministic_study_proposes_the_same_in_any_order_and_with_any_number_of_workers(
    order: list[int], workers: int, lag: int, first_points: bool, policies: PolicyFactory
) -> None:
    """Trials fail by themselves, and each such failure makes room for one more: the same one in every order."""
    spec = study_spec(
        budget=Budget(trials=7, max_failures=1000),
        search=SearchSpec(method="sobol", lag=lag),
        start=({"width": 8}, {"width": 16}) if first_points else "random",
    )

    def sometimes(trial: int, attempt: int, params: dict[str, Any]) -> Ending:
        return (fails if trial in {2, 6, 7} else well_behaved)(trial, attempt, params)

    def study(workers: int) -> World:
        return World(spec, workers=workers, behave=sometimes, deterministic=True, policies=policies)

    expected = study(1).run()
    choices = iter([*order, *([0] * 100)])
    found = study(workers).run(choose=lambda running: running[next(choices) % len(running)])
    assert found.proposals == expected.proposals
    assert len(found.proposals) == 10
    assert [trial.value for trial in found.state.trials()] == [trial.value for trial in expected.state.trials()]


@given(st.lists(st.integers(0, 100), max_size=30), st.integers(1, 4))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_in_a_deterministic_study_proposal_k_sees_the_results_below_k_minus_lag(order: list[int], lag: int) -> None:
    spec = study_spec(trials=9, search=SearchSpec(method="random", lag=lag))
    choices = iter([*order, *([0] * 100)])
    world = World(spec, workers=lag, deterministic=True, policies=diary_policy)
    world.run(choose=lambda running: running[next(choices) % len(running)])
    texts = [event.reason.text for event in world.events if isinstance(event, ev.TrialProposed)]
    assert len(texts) == 9
    for number, text in enumerate(texts):
        seen = [int(entry.split()[1]) for entry in text.split("; ") if entry.startswith("result")]
        assert seen == list(range(max(0, number - lag)))
