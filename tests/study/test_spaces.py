"""Editing the space of a study: old trials stay what they were, and the search goes on with what fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from rung.model import Budget, Parameter, RunSettings, SearchSpec, StudySpec
from rung.plugins import policy_for
from rung.runner.log import open_state
from rung.space import SpaceError
from rung.study import events as ev
from rung.study import replay, snapshot
from rung.study.spaces import revised
from rung.testing.studies import PARAMETERS, STUDY, Folding, World, diary_policy, digest, study_spec

MakeWorld = Callable[..., World]
Begin = Callable[..., Folding]

WIDTH, OPT = PARAMETERS[1], PARAMETERS[2]
SMALL = (
    Parameter(name="a", type="choice", values=("x", "y")),
    Parameter(name="b", type="int", min=1, max=3),
)


def but(parameter: Parameter, **fields: Any) -> Parameter:
    return msgspec.structs.replace(parameter, **fields)


def edit(world: World, *parameters: Parameter, constraints: tuple[str, ...] | None = None) -> None:
    world.request(ev.SpecChanged, changes=(), parameters=parameters or None, constraints=constraints)


def versions(world: World) -> list[int | None]:
    return [e.reason.space_version for e in world.events if isinstance(e, ev.TrialProposed)]


def seen(world: World) -> list[str]:
    """What the diary that proposed the last trial had seen."""
    return [e.reason.text for e in world.events if isinstance(e, ev.TrialProposed)][-1].split("; ")


# ------------------------------------------------------------------------------------------------ the fold


def test_old_trials_stay_what_they_were(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=4)).run()
    before = [trial.params for trial in world.state.trials()]
    edit(world, but(OPT, values=("lion", "adam")), but(WIDTH, min=1, max=9, step=1))
    world.request(ev.SpecChanged, changes=(), budget=Budget(trials=8))
    world.run()
    assert [trial.params for trial in world.state.trials()][:4] == before
    assert versions(world) == [1] * 4 + [2] * 4
    assert {trial.params["opt"] for trial in list(world.state.trials())[4:]} <= {"lion", "adam"}
    assert world.state.space.values("opt") == ["lion", "adam"]
    assert len(world.state.spaces) == 2
    assert world.state.spec.parameters == world.state.space.parameters


def test_a_snapshot_holds_every_version(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=6), workers=2)
    world.turn()
    world.end(0)
    edit(world, but(OPT, values=("adam",)), constraints=("width < 64",))
    world.turn()
    edit(world, but(WIDTH, max=32))
    state = snapshot.load(snapshot.dump(world.state))
    assert digest(state) == digest(world.state)
    assert [space.parameters for space in state.spaces.versions] == [s.parameters for s in world.state.spaces.versions]
    assert state.spaces.since == world.state.spaces.since
    assert snapshot.dump(state) == snapshot.dump(world.state)
    assert state.spec == world.state.spec
    world.run()


@pytest.mark.parametrize(
    "parameter",
    [
        Parameter(name="new", type="bool"),
        Parameter(name="width", type="float", min=8, max=64),
        Parameter(name="epochs", type="constant", value=4),
        Parameter(name="epochs", type="int", min=1, max=4),
        Parameter(name="opt", type="constant", value="sgd"),
        Parameter(name="width", type="int", min=9, max=8),
    ],
)
def test_an_edit_that_makes_it_another_search_changes_nothing(begin: Begin, parameter: Parameter) -> None:
    """Who writes it checks first; in a log of another's making it is a wish that cannot be granted."""
    log = begin()
    log.done(0.5)
    before = digest(log.state)
    spec = log.state.spec
    log.add(ev.SpecChanged, changes=(), parameters=(parameter,), budget=Budget(trials=99))
    assert log.state.spec == spec
    assert (len(log.state.spaces), log.state.changes) == (1, [])
    assert digest(log.state) != before  # only the sequence number
    log.state.seq -= 1
    assert digest(log.state) == before


def test_refusals_name_the_parameter_and_the_way_on() -> None:
    spec = study_spec()
    with pytest.raises(SpaceError, match=r"parameters\.new: cannot be added.*--from"):
        revised(spec, [Parameter(name="new", type="bool")], None)
    with pytest.raises(SpaceError, match=r"parameters\.width\.type: cannot become float"):
        revised(spec, [Parameter(name="width", type="float", min=0, max=1)], None)
    with pytest.raises(SpaceError, match=r"parameters\.epochs: is a constant"):
        revised(spec, [but(PARAMETERS[4], value=9)], None)
    assert revised(spec, None, ["lr < 1"]).constraints == ("lr < 1",)


def test_edits_of_two_people_to_different_parameters_are_both_in_force(begin: Begin) -> None:
    log = begin()
    log.add(ev.SpecChanged, changes=(), parameters=(but(WIDTH, max=32),))
    log.add(ev.SpecChanged, changes=(), parameters=(but(OPT, values=("adam",)),))
    log.add(ev.SpecChanged, changes=(), parameters=(but(WIDTH, max=16),))  # of the same one the last
    assert [log.state.space.values(name) for name in ("width", "opt")] == [[8, 16], ["adam"]]
    assert len(log.state.changes) == 3


# ------------------------------------------------------------------------------------------------ enqueued, first points


def test_what_was_enqueued_and_does_not_fit_any_more_does_not_run(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=2))
    world.request(ev.TrialEnqueued, params={"width": 64, "opt": "adam"})
    world.request(ev.TrialEnqueued, params={"width": 16, "opt": "adam"})
    edit(world, but(WIDTH, max=32))
    assert [params["width"] for params in world.state.queue.values()] == [16]
    world.run()
    assert world.proposals[0]["width"] == 16


def test_a_parameter_that_the_edit_makes_active_takes_its_default_in_what_was_enqueued(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=1))
    world.request(ev.TrialEnqueued, params={"opt": "adam"})
    edit(world, but(PARAMETERS[3], when=None, default=0.5))
    world.run()
    assert (world.proposals[0]["opt"], world.proposals[0]["momentum"]) == ("adam", 0.5)


def test_first_points_that_do_not_fit_any_more_are_passed_over(make_world: MakeWorld) -> None:
    points = tuple({"a": "x", "b": b} for b in (1, 3, 2))
    world = make_world(study_spec(trials=4, parameters=SMALL, start=points))
    world.turn()
    edit(world, but(SMALL[1], max=2))
    world.run()
    assert world.proposals[:2] == [{"a": "x", "b": 1}, {"a": "x", "b": 2}]
    assert [params["b"] for params in world.proposals].count(3) == 0


def test_a_default_that_breaks_an_edited_constraint_is_passed_over(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=2, parameters=SMALL, start="default"))
    edit(world, constraints=("b >= 3",))
    world.run()
    assert [params["b"] for params in world.proposals] == [3, 3]


# ------------------------------------------------------------------------------------------------ the searcher


def test_the_searcher_is_shown_all_that_fits(make_world: MakeWorld) -> None:
    world = World(study_spec(trials=9), workers=2, policies=diary_policy, seed=3)
    for number in range(5):
        world.turn()
        world.end(number)
    world.turn()
    edit(world, but(WIDTH, max=32))
    fits = [n for n, params in enumerate(world.proposals) if params["width"] <= 32]
    assert 0 < len(fits) < len(world.proposals)
    world.end(world.running()[0])
    world.turn()
    known = [int(entry.split()[1]) for entry in seen(world) if entry.startswith("proposed")]
    assert known == fits
    results = {int(entry.split()[1]) for entry in seen(world) if entry.startswith("result")}
    assert results == {n for n in fits if n not in world.state.live}
    assert versions(world)[-1] == 2
    assert [str(d) for d in replay.check(world.events, diary_policy)] == []


@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize("keep", [False, True], ids=["log", "snapshot"])
def test_after_a_resume_it_knows_the_same(make_world: MakeWorld, *, deterministic: bool, keep: bool) -> None:
    """Whether the searcher lived through the edit or was made after it, its next proposals are the same."""
    found = []
    for resume in (False, True):
        world = World(
            study_spec(trials=12, search=SearchSpec(method="random", lag=2)), workers=2, policies=diary_policy,
            deterministic=deterministic,
        )  # fmt: skip
        for _ in range(3):
            world.turn()
            world.end(world.running()[0])
        edit(world, but(WIDTH, min=16, step=4), but(OPT, values=("adam", "sgd", "lion")))
        world.end(world.running()[0])
        if resume:
            if keep:
                world.snapshot()
            world = world.resumed()
        world.run()
        assert [str(d) for d in replay.check(world.events, diary_policy)] == []
        found.append(world.proposals)
    assert found[0] == found[1]
    assert len(found[0]) == 12


def test_a_wider_space_opens_a_study_that_had_proposed_all_of_it(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=50, parameters=SMALL, search=SearchSpec(method="grid"))).run()
    assert len(world.proposals) == 6
    edit(world, but(SMALL[1], max=4))
    assert world.state.switches.completed is None
    world.run()
    assert world.proposals[6:] == [{"a": "x", "b": 4}, {"a": "y", "b": 4}]
    assert world.state.switches.completed is not None


@pytest.mark.parametrize("why", ["budget", "user"])
def test_a_study_that_is_over_for_another_reason_stays_over(make_world: MakeWorld, why: str) -> None:
    world = make_world(study_spec(trials=2 if why == "budget" else 9))
    if why == "user":
        world.turn()
        world.request(ev.StopRequested)
    world.run()
    edit(world, but(WIDTH, max=128))
    world.run()
    assert world.state.switches.completed is not None
    assert world.state.switches.completed.reason.by == why


def test_an_end_that_was_computed_before_the_edit_does_not_hold(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=50, parameters=SMALL, search=SearchSpec(method="grid")))
    while len(world.proposals) < 6 or world.running():
        world.turn()
        if not world.running():
            break
        world.end(world.running()[0])
        if len(world.proposals) == 6 and not world.running():
            break
    world.decide(world.engine.decide(at=world.now, free=1))
    question = world.engine.question(free=1)
    assert question is not None
    answered = question.answer()
    edit(world, but(SMALL[0], values=("x", "y", "z")))
    world.decide(world.engine.legal(world.engine.conclude(question, answered, at=world.now)))
    assert world.state.switches.completed is None
    world.run()
    assert len(world.proposals) == 9


def test_a_proposal_for_the_old_space_is_computed_again_when_it_does_not_fit(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=3, parameters=SMALL, search=SearchSpec(method="grid")))
    question = world.engine.question(free=1)
    assert question is not None
    answered = question.answer()
    edit(world, but(SMALL[0], values=("y",)))
    late = world.engine.conclude(question, answered, at=world.now)
    assert world.engine.legal(late) == []
    world.run()
    assert [params["a"] for params in world.proposals] == ["y", "y", "y"]
    assert versions(world) == [2, 2, 2]


def test_a_proposal_for_the_old_space_that_fits_stands(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=3, parameters=SMALL, search=SearchSpec(method="grid")))
    question = world.engine.question(free=1)
    assert question is not None
    answered = question.answer()
    edit(world, but(SMALL[0], values=("x", "z")))
    late = world.engine.conclude(question, answered, at=world.now)
    assert len(world.engine.legal(late)) == len(late) == 2
    world.decide(late)
    world.run()
    assert versions(world) == [1, 2, 2]
    assert len({str(params) for params in world.proposals}) == 3  # what is taken was rebuilt with it


def test_a_proposal_that_was_logged_right_after_the_edit_is_a_trial_of_its_own_version(make_world: MakeWorld) -> None:
    """An edit is a request: it can come between what a runner read and what it wrote."""
    world = make_world(study_spec(trials=3, parameters=SMALL, search=SearchSpec(method="grid")))
    question = world.engine.question(free=1)
    assert question is not None
    answered = question.answer()
    edit(world, but(SMALL[0], values=("y",)))
    world.decide(world.engine.conclude(question, answered, at=world.now))  # not sifted by `legal`
    world.run()
    assert world.proposals[0] == {"a": "x", "b": 1}
    assert versions(world) == [1, 2, 2]
    assert world.state.trial(0).state == "complete"
    assert digest(open_state(world.store, STUDY)) == digest(world.state)


def test_a_space_narrowed_to_one_point(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=9, parameters=SMALL), workers=2)
    world.turn()
    edit(world, but(SMALL[0], values=("y",)), but(SMALL[1], min=2, max=2))
    world.run()
    assert all(params == {"a": "y", "b": 2} for params in world.proposals[2:])
    assert len(world.proposals) <= 3


def test_a_trial_that_left_the_space_and_is_tried_again(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=4, parameters=SMALL, search=SearchSpec(method="grid")))
    world.turn()
    world.end(0)
    world.turn()
    edit(world, but(SMALL[0], values=("y",)))
    world.request(ev.RetryRequested, trial=0)
    world.request(ev.TrialTold, trial=0, values={"loss": -1.0})
    world.run()
    assert world.state.trial(0).params == {"a": "x", "b": 1}
    assert world.state.trial(0).attempt == 2


@pytest.mark.parametrize("method", ["random", "grid", "sobol", "auto"])
@pytest.mark.parametrize("deterministic", [False, True])
def test_every_searcher_goes_on(make_world: MakeWorld, method: str, *, deterministic: bool) -> None:
    spec = study_spec(trials=14, parameters=(WIDTH, OPT), search=SearchSpec(method=method), run=RunSettings(workers=2))
    world = make_world(spec, workers=2, deterministic=deterministic)
    for _ in range(3):
        world.turn()
        world.end(world.running()[0])
    edit(world, but(WIDTH, min=4, step=4), but(OPT, values=("adam", "lion")))
    for _ in range(3):
        world.turn()
        world.end(world.running()[0])
    edit(world, but(OPT, values=("lion", "sgd", "adam")), constraints=("width != 8",))
    world.run()
    assert world.state.counts["complete"] == 14
    assert all(params["width"] != 8 for params, v in zip(world.proposals, versions(world), strict=True) if v == 3)
    assert [str(d) for d in replay.check(world.events, policy_for)] == []


def spec_of(world: World) -> StudySpec:
    return world.state.spec


def test_the_study_that_was_created_is_not_forgotten(make_world: MakeWorld) -> None:
    world = make_world()
    edit(world, but(WIDTH, max=8))
    assert world.state.created.spec.parameters == PARAMETERS
    assert spec_of(world).parameters[1].max == 8
    world.run()
