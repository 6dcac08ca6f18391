"""Which configurations are proposed, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest

from rung.model import Budget, Parameter, RunSettings, SearchSpec
from rung.study import events as ev
from rung.testing.studies import BEGIN, Ending, World, fails, study_spec, well_behaved

MakeWorld = Callable[..., World]

SMALL = (
    Parameter(name="a", type="choice", values=("x", "y")),
    Parameter(name="b", type="int", min=1, max=3),
)
GRID = [{"a": a, "b": b} for a in ("x", "y") for b in (1, 2, 3)]


def small(trials: int | None = 20, **fields: Any) -> Any:
    return study_spec(trials=trials, parameters=SMALL, **fields)


# ------------------------------------------------------------------------------------------------ first points


@pytest.mark.parametrize(("start", "first"), [("default", {"a": "x", "b": 3}), ("middle", {"a": "x", "b": 2})])
def test_the_first_point(make_world: MakeWorld, start: Literal["default", "middle"], first: dict[str, Any]) -> None:
    parameters = (SMALL[0], Parameter(name="b", type="int", min=1, max=3, default=3))
    world = make_world(study_spec(trials=3, parameters=parameters, start=start), workers=2).run()
    assert world.proposals[0] == first
    assert len(world.proposals) == 3


def test_first_points_in_their_order_and_each_once(make_world: MakeWorld) -> None:
    points = ({"b": 3}, {"a": "y", "b": 1}, {"b": 3}, {"a": "y", "b": "1"}, {"a": "y", "b": 2})
    world = make_world(small(trials=4, start=points), workers=3).run()
    assert world.proposals[:3] == [{"a": "x", "b": 3}, {"a": "y", "b": 1}, {"a": "y", "b": 2}]
    assert world.proposals[3] not in world.proposals[:3]
    texts = [event.reason.text for event in world.events if isinstance(event, ev.TrialProposed)]
    assert texts[:3] == ["first point 1 of 5", "first point 2 of 5", "first point 5 of 5"]


def test_no_more_first_points_than_the_budget_allows(make_world: MakeWorld) -> None:
    world = make_world(small(trials=2, start=tuple({"b": b} for b in (1, 2, 3))), workers=4).run()
    assert len(world.proposals) == 2


def test_first_points_are_not_served_again_after_a_resume(make_world: MakeWorld) -> None:
    world = make_world(small(trials=4, start=({"b": 1}, {"b": 2}, {"b": 3})))
    world.turn()
    world.end(0)
    world = world.resumed().run()
    assert [params["b"] for params in world.proposals[:3]] == [1, 2, 3]
    assert len(world.proposals) == 4


# ------------------------------------------------------------------------------------------------ enqueued ones


def test_enqueued_configurations_come_next_in_their_order(make_world: MakeWorld) -> None:
    world = make_world(small(trials=3))
    world.turn()
    world.request(ev.TrialEnqueued, params={"a": "y", "b": 3})
    world.request(ev.TrialEnqueued, params={"b": 1})
    world.run()
    assert world.proposals[1:] == [{"a": "y", "b": 3}, {"a": "x", "b": 1}]
    assert world.state.queue == {}


def test_enqueued_configurations_run_beyond_the_budget_and_although_they_ran_before(make_world: MakeWorld) -> None:
    world = make_world(small(trials=1)).run()
    done = world.proposals[0]
    world.request(ev.TrialEnqueued, params=done)
    world.run()
    assert world.proposals == [done, done]
    assert world.state.switches.completed is not None


def test_an_enqueued_configuration_is_not_proposed_again(make_world: MakeWorld) -> None:
    world = make_world(small(search=SearchSpec(method="grid")))
    world.request(ev.TrialEnqueued, params=GRID[1])
    world.run()
    assert world.proposals == [GRID[1], GRID[0], *GRID[2:]]


# ------------------------------------------------------------------------------------------------ no duplicates


@pytest.mark.parametrize("method", ["random", "grid", "sobol", "auto"])
@pytest.mark.parametrize("repeats", [1, 2])
def test_an_exhausted_space_ends_the_study_cleanly(make_world: MakeWorld, method: str, repeats: int) -> None:
    world = make_world(small(trials=100, search=SearchSpec(method=method, repeats=repeats)), workers=4).run(choose=max)
    completed = world.state.switches.completed
    assert completed is not None
    assert completed.state == "complete"
    assert "proposed" in completed.reason.text
    assert sorted(world.proposals, key=str) == sorted(GRID * repeats, key=str)


def test_failed_configurations_are_not_tried_twice(make_world: MakeWorld) -> None:
    budget = Budget(trials=4, max_failures=100)

    def every_other(trial: int, attempt: int, params: dict[str, Any]) -> Ending:
        return (well_behaved if trial % 2 else fails)(trial, attempt, params)

    world = make_world(small(budget=budget), behave=every_other).run()
    assert len({str(params) for params in world.proposals}) == len(world.proposals) == 6
    assert world.state.counts["complete"] == 3


def test_a_failed_trial_makes_room_for_another(make_world: MakeWorld) -> None:
    world = make_world(
        study_spec(trials=4), behave=lambda n, a, p: (fails if n in {0, 2, 5} else well_behaved)(n, a, p), workers=2
    )
    world.run(choose=max)
    assert world.state.counts | {"running": 0} == world.state.counts
    assert (world.state.counts["complete"], world.state.counts["failed"]) == (4, 3)


# ------------------------------------------------------------------------------------------------ switches


def test_a_paused_study_starts_nothing_and_settles_what_ends(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=4), workers=2)
    world.turn()
    world.request(ev.PauseRequested)
    world.end(0)
    world.turn()
    assert (world.state.counts["complete"], world.state.counts["running"]) == (1, 1)
    world.request(ev.UnpauseRequested)
    assert world.run().state.counts["complete"] == 4


def test_a_larger_budget_opens_a_finished_study(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=2)).run()
    world.request(ev.SpecChanged, changes=(), budget=Budget(trials=5))
    assert world.run().state.counts["complete"] == 5
    assert world.state.switches.completed is not None


@pytest.mark.parametrize("resume", [False, True])
def test_a_larger_budget_opens_a_deterministic_study(make_world: MakeWorld, *, resume: bool) -> None:
    world = make_world(study_spec(trials=3, run=RunSettings(workers=2)), workers=2, deterministic=True).run()
    world.request(ev.SpecChanged, changes=(), budget=Budget(trials=6))
    world = world.resumed() if resume else world
    assert world.run().state.counts["complete"] == 6


def test_a_smaller_budget_starts_nothing_more(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=10), workers=2)
    world.turn()
    world.end(0)
    world.turn()
    world.request(ev.SpecChanged, changes=(), budget=Budget(trials=2))
    world.run()
    assert len(world.proposals) == 3


def test_a_retried_trial_keeps_its_parameters(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=2), behave=lambda n, a, p: (fails if a == 1 else well_behaved)(n, a, p))
    world.turn()
    world.end(0)
    world.turn()
    world.request(ev.RetryRequested, trial=0)
    before = world.proposals[0]
    world.run()
    assert world.state.params(0) == before
    assert world.state.trial(0).state == "complete"


def test_a_complete_trial_that_fails_when_it_is_retried_makes_room_in_a_deterministic_study(
    make_world: MakeWorld,
) -> None:
    world = make_world(
        study_spec(trials=3), deterministic=True, behave=lambda n, a, p: (fails if a == 2 else well_behaved)(n, a, p)
    )
    world.run()
    world.request(ev.RetryRequested, trial=1)
    assert world.run().state.counts["complete"] == 3
    assert world.state.switches.completed is not None


# ------------------------------------------------------------------------------------------------ reasons


def test_a_value_told_of_no_trial_means_nothing(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=2))
    world.request(ev.TrialTold, trial=-1, values={"loss": 0.0})
    world.turn()
    world.end(0)
    world.turn()
    world.request(ev.TrialTold, trial=-1, values={"loss": 0.0})
    world.run()
    assert [trial.state for trial in world.state.trials()] == ["complete", "complete"]
    assert world.state.history["delta"].tolist() == [0, ~0, 1, ~1]


def test_each_proposal_says_who_and_why(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=3, start="default"))
    world.request(ev.TrialEnqueued, params={"lr": 0.1})
    world.run()
    reasons = [event.reason for event in world.events if isinstance(event, ev.TrialProposed)]
    assert [(reason.by, reason.text) for reason in reasons] == [
        ("enqueue", "enqueued by the user"),
        ("start", "the default configuration"),
        ("random", "a random draw from the space"),
    ]


def test_the_log_of_a_small_study(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=1)).run()
    assert [type(event).__name__ for event in world.events] == [
        "StudyCreated", "RunnerAttached", "TrialProposed", "AttemptAssigned", "TrialStarted", "TrialReported",
        "TrialReported", "TrialExited", "TrialCompleted", "StudyCompleted",
    ]  # fmt: skip
    assert [event.at for event in world.events] == [BEGIN + max(0, i) for i in (0, 1, 2, 2, 4, 5, 6, 7, 8, 9)]
