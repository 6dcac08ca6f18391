"""What a searcher is shown: the same whether it lived through the study or was made for a snapshot of it."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any, ClassVar

import msgspec
import numpy as np
import pytest

from rung.model import Parameter, SearchSpec
from rung.schedule.base import Contest
from rung.schedule.none import RunToTheEnd
from rung.search.base import Delta, Earlier, Exhausted, Problem, Proposed, Result, Suggestion
from rung.study import events as ev
from rung.study import replay, snapshot
from rung.study.policy import Combined, Policy
from rung.study.state import State
from rung.testing.studies import BEGIN, PARAMETERS, World, fails, study_spec, well_behaved

LR, WIDTH, OPT = PARAMETERS[:3]
OLD = ev.EarlierStudyRead(
    at=BEGIN, source=0, study="old", uid="u", total=5,
    params=({"lr": 1e-3, "width": 64}, {"lr": 1e-2, "opt": "adam", "momentum": 0.5}, {"lr": 5.0}),
    losses=((0.5,), ("Infinity",), (0.25,)), violations=((0.0,), (2.0,), (0.0,)),
)  # fmt: skip


class Recorder:
    """A searcher that keeps what it is shown; its memo says for which version of the space it was made."""

    options: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.seen: list[Delta] = []

    def observe(self, deltas: Sequence[Delta]) -> None:
        self.seen += deltas

    def suggest(
        self, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | Exhausted:
        params = self.problem.space.decode(self.problem.space.sample(rng))[0]
        memo = {"version": self.problem.space_version}
        return Suggestion(params=params, text="recorded", memo=memo, data={"pending": list(pending)})

    def describe(self) -> str:
        return "a recorder"


def recording(state: State) -> Policy:
    """The usual policy with a `Recorder`."""
    spec = state.created.spec

    def make(state: State) -> Recorder:
        return Recorder(
            Problem(
                space=state.space, seed=state.seed, search=spec.search, objectives=spec.objectives,
                outcomes=spec.outcomes, budget=spec.budget, space_version=len(state.spaces),
            )
        )  # fmt: skip

    contest = Contest(schedule=spec.schedule, objectives=spec.objectives, seed=state.seed)
    policy = Combined(state, make, RunToTheEnd(contest))
    policy.catch_up(state)
    return policy


def seen(policy: Policy) -> list[Delta]:
    assert isinstance(policy, Combined)
    searcher = policy.guard.searcher
    assert isinstance(searcher, Recorder)
    return searcher.seen


def turn(world: World, seconds: float) -> None:
    """As `World.turn`, with a clock that says how long each proposal took."""
    clock = iter(range(1000))
    while decisions := (
        world.engine.decide(at=world.now, free=world.free)
        or world.engine.propose(at=world.now, free=world.free, watch=lambda: next(clock) * seconds)
    ):
        world.decide(decisions)


def edit(world: World, **fields: Any) -> None:
    world.request(ev.SpecChanged, changes=(), **fields)


def world(**fields: Any) -> World:
    """A study with an edit, a failure, a retried and a told trial, one that was enqueued, and two that run."""
    search = SearchSpec(method="random", lag=3)
    made = World(
        study_spec(trials=9, search=search), workers=3, seed=5, policies=recording, earlier=[OLD],
        behave=lambda n, a, p: (fails if n == 1 else well_behaved)(n, a, p), **fields,
    )  # fmt: skip
    turn(made, 0.5)
    for number in (1, 0):
        made.end(number)
        turn(made, 0.25)
    made.request(ev.RetryRequested, trial=0)
    made.request(ev.TrialEnqueued, params={"width": 16})
    made.request(ev.TrialTold, trial=1, values={"loss": 3.0})
    for number in (2, 3, 4):  # the retry takes the first place, the enqueued one the second
        made.end(number)
        turn(made, 2.0)
    return made


# ------------------------------------------------------------------------------------------------ durations


def test_a_proposal_and_a_result_say_how_long_they_took() -> None:
    found = seen(world().engine.policy)
    proposed = {delta.number: delta.seconds for delta in found if isinstance(delta, Proposed)}
    assert proposed[0] == proposed[1] == proposed[2] == 0.5
    assert [proposed[number] for number in (3, 4, 5, 6)] == [0.25, 0.25, None, 2.0]  # 5 was enqueued: nobody asked
    results = [delta.seconds for delta in found if isinstance(delta, Result) and delta.number in {0, 2}]
    assert results == [3.0, 3.0]  # two reports and an exit after the start, a second each


def test_a_deterministic_study_does_not_show_what_varies_from_run_to_run() -> None:
    made = world(deterministic=True)
    assert {d.seconds for d in seen(made.engine.policy) if isinstance(d, Proposed | Result)} == {None}
    logged = {event.seconds for event in made.events if isinstance(event, ev.TrialProposed)}
    assert 0.5 in logged
    assert [str(d) for d in replay.check(made.events, recording)] == []


def test_decisions_are_compared_without_how_long_they_took() -> None:
    events = world().events
    slower = [
        msgspec.structs.replace(event, seconds=77.0) if isinstance(event, ev.TrialProposed) else event
        for event in events
    ]
    assert [str(d) for d in replay.check(slower, recording)] == []


@pytest.mark.parametrize(("seconds", "kept"), [(0.25, 0.25), (1.23456789e-3, 0.001235), (0.0, None), (None, None)])
def test_durations_are_kept_to_the_microsecond(seconds: float | None, kept: float | None) -> None:
    made = World(study_spec(), policies=recording)
    question = made.engine.question(free=1)
    assert question is not None
    proposed = made.engine.conclude(question, question.answer(), at=made.now, seconds=seconds)[0]
    assert isinstance(proposed, ev.TrialProposed)
    assert proposed.seconds == kept


# ------------------------------------------------------------------------------------------------ the same in any way


@pytest.mark.parametrize(
    "edits",
    [
        (),
        ({"parameters": (msgspec.structs.replace(WIDTH, max=32),)},),
        (
            {"parameters": (msgspec.structs.replace(OPT, values=("lion", "adam")),)},
            {"parameters": (msgspec.structs.replace(LR, max=10.0),), "constraints": ("width <= 48",)},
        ),
    ],
    ids=["unedited", "edited", "edited twice"],
)
def test_who_is_made_for_a_snapshot_is_shown_what_the_others_have_seen(edits: tuple[dict[str, Any], ...]) -> None:
    made = world()
    for fields in edits:
        edit(made, **fields)
        made.end(made.running()[0])
        turn(made, 0.75)
    expected = seen(made.engine.policy)
    assert any(isinstance(delta, Result) and delta.seconds for delta in expected)
    assert seen(recording(made.state)) == expected
    assert seen(recording(snapshot.load(snapshot.dump(made.state)))) == expected
    assert seen(recording(replay.fold(made.events))) == expected


def test_trials_that_do_not_fit_are_left_out_and_the_others_re_encoded() -> None:
    made = world()
    before = made.state.params_of(range(len(made.state)))
    edit(
        made, parameters=(msgspec.structs.replace(WIDTH, max=32), msgspec.structs.replace(OPT, values=("adam", "sgd")))
    )
    fits = [number for number, params in enumerate(before) if params["width"] <= 32]
    assert 0 < len(fits) < len(before)
    proposed = [delta for delta in seen(made.engine.policy) if isinstance(delta, Proposed)]
    assert [delta.number for delta in proposed] == fits
    assert [delta.params for delta in proposed] == [before[number] for number in fits]
    assert {delta.memo is None for delta in proposed} == {True}  # memos were another searcher's
    made.end(made.running()[0])
    turn(made, 1.0)
    assert {d.number for d in seen(made.engine.policy) if isinstance(d, Result)} <= set(fits) | {len(before)}
    newest = [delta for delta in seen(made.engine.policy) if isinstance(delta, Proposed)][-1]
    assert newest.memo == {"version": 2}
    assert made.state.params_of(range(len(before))) == before


def test_a_trial_that_was_left_out_may_come_back() -> None:
    made = world()
    numbers = [delta.number for delta in seen(made.engine.policy) if isinstance(delta, Proposed)]
    edit(made, parameters=(msgspec.structs.replace(WIDTH, max=8),))
    assert len(seen(made.engine.policy)) < len(numbers)
    edit(made, parameters=(WIDTH,))
    assert [delta.number for delta in seen(made.engine.policy) if isinstance(delta, Proposed)] == numbers


def test_what_is_pending_is_told_of_trials_that_fit_only() -> None:
    made = world()
    running = made.running()
    edit(made, parameters=(msgspec.structs.replace(WIDTH, max=32),))
    made.workers = 4
    turn(made, 1.0)
    last = [event for event in made.events if isinstance(event, ev.TrialProposed)][-1]
    fits = [n for n in running if made.state.params(n)["width"] <= 32]
    assert last.reason.data == {"pending": fits}


# ------------------------------------------------------------------------------------------------ earlier studies


def test_earlier_trials_come_first_and_are_matched_again_after_an_edit() -> None:
    made = world()
    found = [delta for delta in seen(made.engine.policy) if isinstance(delta, Earlier)]
    assert seen(made.engine.policy)[: len(found)] == found
    middle = {"width": 40, "opt": "sgd", "momentum": 0.45}
    assert found == [
        Earlier(0, {"lr": 1e-3, **middle, "width": 64}, (0.5,), (0.0,)),
        Earlier(0, {"lr": 1e-2, "width": 40, "opt": "adam"}, (float("inf"),), (2.0,)),  # no momentum with adam
    ]
    edit(made, parameters=(msgspec.structs.replace(LR, max=10.0), msgspec.structs.replace(WIDTH, max=32, default=24)))
    found = [delta for delta in seen(made.engine.policy) if isinstance(delta, Earlier)]
    assert [(delta.params["lr"], delta.params["width"]) for delta in found] == [(1e-2, 24), (5.0, 24)]


def test_a_deterministic_study_shows_them_too() -> None:
    made = world(deterministic=True)
    assert sum(isinstance(delta, Earlier) for delta in seen(made.engine.policy)) == 2
    assert sum(isinstance(delta, Earlier) for delta in seen(made.resumed().engine.policy)) == 2


def test_a_space_that_is_nothing_of_the_earlier_one() -> None:
    made = World(
        study_spec(parameters=(Parameter(name="z", type="float", min=0, max=1),)), policies=recording, earlier=[OLD]
    )
    assert seen(made.engine.policy) == []
    assert made.run().state.counts["complete"] == 4
