"""Trials whose program refused the configuration: they fail, count towards nothing, and another takes their place."""

from __future__ import annotations

import pytest

from rung.model import Budget, Reason, RunSettings, ScheduleSpec, SearchSpec
from rung.plugins import policy_for
from rung.study import events as ev
from rung.study.replay import check
from rung.study.settle import failing, failure_limit, settled
from rung.testing.studies import Folding, World, study_spec

WHY = "hidden must divide heads"


def refuses(world: World, number: int, *, how: str = "exited", code: int = 1) -> None:
    world.start(number)
    attempt = world.state.live[number].attempt
    world.fact(ev.TrialExited, trial=number, attempt=attempt, how=how, code=code, invalid=WHY)
    world.turn()


@pytest.mark.parametrize("how", ["exited", "timeout", "killed", "interrupted"])
@pytest.mark.parametrize("code", [0, 1, 143])
def test_it_fails_with_its_word_and_is_not_tried_again(how: str, code: int) -> None:
    world = World(study_spec(trials=2, run=RunSettings(retries=3)))
    world.turn()
    refuses(world, 0, how=how, code=code)
    trial = world.state.trial(0)
    assert (trial.state, trial.attempt, trial.error) == ("failed", 1, WHY)
    assert trial.reason == "its program says that its parameters are not valid"
    assert world.state.switches.failures == 0


def test_what_it_had_reported_is_void() -> None:
    world = World(study_spec(trials=1))
    world.turn()
    world.start(0)
    world.report(0, loss=0.1)
    world.fact(ev.TrialExited, trial=0, attempt=1, how="exited", code=0, invalid=WHY)
    world.turn()
    assert world.state.trial(0).value is None
    assert world.state.losses(0) is None
    assert world.state.switches.best < 0


def test_any_number_of_them_ends_nothing_and_the_budget_is_for_the_others() -> None:
    world = World(study_spec(trials=2, search=SearchSpec(method="random")))
    world.turn()
    for number in range(20):
        refuses(world, number)
    assert failure_limit(world.state) < 20
    assert failing(world.state) is None
    world.run()
    assert (world.state.counts["failed"], world.state.counts["complete"]) == (20, 2)
    completed = world.state.switches.completed
    assert completed is not None
    assert completed.state == "complete"


def test_one_that_was_told_to_end_ends_as_it_was_told() -> None:
    log = Folding(study_spec()).attached()
    number = log.started()
    log.reported(number, {"loss": 0.5})
    log.add(ev.TrialStopped, trial=number, attempt=1, reason=Reason(by="test", text="because"))
    log.add(ev.TrialExited, trial=number, attempt=1, how="exited", code=143, invalid=WHY)
    ((kind, fields),) = settled(log.state, {})
    assert kind is ev.TrialCompleted
    assert fields["state"] == "pruned"
    assert "invalid" not in fields


def test_brackets_take_its_results_back_and_begin_another() -> None:
    options = {"max": 9, "num_rungs": 2, "trials": 2, "divisor": 3, "max_concurrent_trials": 1}
    schedule = ScheduleSpec(method="adaptive", options=options)
    world = World(study_spec(trials=2, schedule=schedule, search=SearchSpec(method="random")))
    world.turn()
    world.start(0)
    world.saves(0, {"loss": 0.1}, step=3)
    world.fact(ev.TrialExited, trial=0, attempt=1, how="exited", code=1, invalid=WHY)
    world.turn()
    for number in (1, 2):
        world.start(number)
        world.saves(number, {"loss": 0.5 - number / 10}, step=3)
        world.saves(number, {"loss": 0.5 - number / 10}, step=9)
        world.exit(number)
        world.turn()
    assert [trial.state for trial in world.state.trials()] == ["failed", "complete", "complete"]
    assert world.state.switches.completed is not None
    assert list(check(world.events, policy_for)) == []


def test_the_log_keeps_it_and_logs_from_before_are_read() -> None:
    said = ev.TrialExited(at=1.0, trial=0, attempt=1, how="exited", code=1, invalid=WHY)
    assert ev.decode(ev.encode(said), seq=1) == said
    older = b'{"event":"TrialExited","at":1.0,"trial":0,"attempt":1,"how":"exited","code":1}'
    exited = ev.decode(older, seq=1)
    assert isinstance(exited, ev.TrialExited)
    assert exited.invalid is None
    assert b"invalid" not in ev.encode(exited)


@pytest.mark.parametrize("deterministic", [False, True])
def test_they_count_as_nothing_where_failed_trials_count(deterministic: bool) -> None:
    spec = study_spec(budget=Budget(trials=3, on_failure="continue"))
    world = World(spec, workers=2, deterministic=deterministic)
    world.turn()
    refuses(world, 0)
    world.start(1)
    world.exit(1, code=1)
    world.run()
    assert (len(world.state), world.state.counts["failed"], world.state.counts["complete"]) == (4, 2, 2)
    resumed = World.resumed(world)
    assert resumed.state.switches.refused == {0}


def test_one_that_is_tried_again_may_yet_be_complete() -> None:
    world = World(study_spec(budget=Budget(trials=1, on_failure="continue")))
    world.turn()
    refuses(world, 0)
    world.request(ev.RetryRequested, trial=0)
    world.run()
    assert world.state.trial(0).state == "complete"
    assert world.state.switches.refused == set()
