"""Results in the order of the trials: what a proposal sees, and what it waits for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.model import Budget, RunSettings, SearchSpec
from rung.study import events as ev
from rung.study import replay
from rung.testing.studies import Ending, World, diary_policy, digest, fails, study_spec, well_behaved

MakeWorld = Callable[..., World]


def batched(size: int, trials: int = 9, **fields: Any) -> Any:
    return study_spec(trials=trials, search=SearchSpec(method="random", batch=size), **fields)


def seen(world: World) -> list[list[int]]:
    """The results that each proposal of a diary had seen."""
    texts = [event.reason.text for event in world.events if isinstance(event, ev.TrialProposed)]
    return [[int(e.split()[1]) for e in text.split("; ") if e.startswith("result")] for text in texts]


@pytest.mark.parametrize("deterministic", [False, True])
def test_a_batch_waits_for_every_result_of_the_one_before(make_world: MakeWorld, *, deterministic: bool) -> None:
    world = make_world(batched(3), workers=5, deterministic=deterministic)
    world.turn()
    assert world.running() == [0, 1, 2]
    for number in (2, 0):
        world.end(number)
        world.turn()
    assert len(world.proposals) == 3
    world.end(1)
    world.turn()
    assert world.running() == [3, 4, 5]
    world.run(choose=max)
    assert world.state.counts["complete"] == 9


def test_fewer_workers_than_a_batch_has_trials(make_world: MakeWorld) -> None:
    world = make_world(batched(4), workers=1).run()
    assert len(world.proposals) == 9


def test_a_batch_is_made_from_the_batches_before_it_alone() -> None:
    world = World(batched(3), workers=2, policies=diary_policy).run(choose=max)
    assert seen(world) == [list(range(k // 3 * 3)) for k in range(9)]
    assert [str(d) for d in replay.check(world.events, diary_policy)] == []


def test_a_failed_trial_is_a_result_and_makes_room_for_another(make_world: MakeWorld) -> None:
    def behave(trial: int, attempt: int, params: dict[str, Any]) -> Ending:
        return (fails if trial in {1, 8} else well_behaved)(trial, attempt, params)

    world = make_world(batched(3), workers=3, behave=behave).run(choose=max)
    assert (world.state.counts["complete"], world.state.counts["failed"]) == (9, 2)


def test_a_failed_trial_makes_no_room_where_it_counts(make_world: MakeWorld) -> None:
    def behave(trial: int, attempt: int, params: dict[str, Any]) -> Ending:
        return (fails if trial == 1 else well_behaved)(trial, attempt, params)

    spec = study_spec(search=SearchSpec(method="random", batch=3), budget=Budget(trials=4, on_failure="continue"))
    world = make_world(spec, workers=3, behave=behave).run()
    assert (world.state.counts["complete"], world.state.counts["failed"]) == (3, 1)


def test_a_trial_with_another_attempt_is_waited_for(make_world: MakeWorld) -> None:
    def behave(trial: int, attempt: int, params: dict[str, Any]) -> Ending:
        return (fails if (trial, attempt) == (0, 1) else well_behaved)(trial, attempt, params)

    world = make_world(batched(2, run=RunSettings(retries=1)), workers=2, behave=behave)
    world.turn()
    world.end(0)
    world.end(1)
    world.turn()
    assert world.running() == [0]
    assert len(world.proposals) == 2
    assert world.run().state.counts["complete"] == 9


def test_what_a_user_enqueued_does_not_wait(make_world: MakeWorld) -> None:
    world = make_world(batched(2), workers=4)
    world.turn()
    world.request(ev.TrialEnqueued, params={"width": 8})
    world.turn()
    assert world.running() == [0, 1, 2]
    assert world.run().state.counts["complete"] == 9


def test_the_budget_of_a_batched_study_grows(make_world: MakeWorld) -> None:
    world = make_world(batched(4, trials=6), workers=4).run()
    world.request(ev.SpecChanged, changes=(), budget=Budget(trials=11))
    world = world.resumed().run()
    assert world.state.counts["complete"] == 11


def test_a_batched_study_is_resumed_as_if_nothing_had_been() -> None:
    found = []
    for crash in (False, True):
        world = World(batched(3), workers=3, policies=diary_policy)
        world.turn()
        world.end(1)
        if crash:
            world.snapshot()
            world = world.resumed()
        found.append(world.run().proposals)
    assert found[0] == found[1]


@given(st.lists(st.integers(0, 100), max_size=30), st.integers(1, 5), st.integers(1, 5), st.booleans())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_what_is_proposed_does_not_depend_on_which_trial_was_faster(
    order: list[int], workers: int, batch: int, deterministic: bool
) -> None:
    """Whatever order results come in, and however many workers there are; some of the trials fail."""
    spec = batched(batch, trials=8, budget=Budget(trials=8, max_failures=99))

    def behave(trial: int, attempt: int, params: dict[str, Any]) -> Ending:
        return (fails if trial in {2, 7} else well_behaved)(trial, attempt, params)

    def study(workers: int) -> World:
        return World(spec, workers=workers, behave=behave, deterministic=deterministic, policies=diary_policy)

    choices = iter([*order, *([0] * 100)])
    found = study(workers).run(choose=lambda running: running[next(choices) % len(running)])
    expected = study(1).run()
    assert found.proposals == expected.proposals
    assert len(found.proposals) == 10
    assert [t.value for t in found.state.trials()] == [t.value for t in expected.state.trials()]
    for number, results in enumerate(seen(found)[:8]):
        assert results == list(range(number // batch * batch))
    assert digest(replay.fold(found.events)) == digest(found.state)
