"""When a study has had enough: cost, patience, an expression over metrics, and too little to expect."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from rung.model import Budget, Objective, Reason, Report, RunSettings, SearchSpec, WireNumber
from rung.plugins import policy_for
from rung.search.base import Exhausted, Suggestion
from rung.study import events as ev
from rung.study import replay, snapshot
from rung.study.endings import enough, spent
from rung.study.invariants import broken
from rung.study.settle import closing_reason, settled
from rung.study.state import State
from rung.testing.studies import BEGIN, Diary, Ending, Folding, World, searching_with, study_spec

Begin = Callable[..., Folding]
MakeWorld = Callable[..., World]


def drain(log: Folding, trial: int, *several: dict[str, WireNumber]) -> None:
    """These reports come together."""
    log.reported(trial, *several)


def said(state: State) -> str | None:
    reason = enough(state)
    return None if reason is None else reason.text


# ------------------------------------------------------------------------------------------------ cost


def test_the_cost_is_what_trials_report(begin: Begin) -> None:
    log = begin(study_spec(budget=Budget(cost=10.0)))
    one, two = log.started(), log.started()
    drain(log, one, {"cost": 1.0}, {"cost": 2.5}, {"loss": 1.0})
    drain(log, two, {"cost": 4})
    assert spent(log.state) == 6.5
    assert said(log.state) is None
    drain(log, one, {"cost": 6.0})
    assert said(log.state) == "the cost budget of 10 is used up"
    reason = closing_reason(log.state)
    assert reason is not None
    assert (reason.by, reason.phase) == ("budget", "now")
    assert {kind for kind, _ in settled(log.state, {})} == {ev.TrialStopped}


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", -5.0, 0.0])
def test_a_cost_that_is_none_counts_nothing(begin: Begin, value: WireNumber) -> None:
    log = begin(study_spec(budget=Budget(cost=1.0)))
    drain(log, log.started(), {"cost": value})
    assert spent(log.state) == 0


def test_a_program_that_counts_from_nothing_again_is_not_paid_twice(begin: Begin) -> None:
    log = begin(study_spec(budget=Budget(cost=100.0)))
    trial = log.started()
    drain(log, trial, {"cost": 3.0})
    log.exited(trial, how="lost", code=None)
    log.add(ev.TrialRetried, trial=trial, attempt=1, reason=Reason(by="runner", text="again"))
    log.started(trial)
    drain(log, trial, {"cost": 1.0}, {"cost": 5.0})
    assert spent(log.state) == 5.0
    log.exited(trial, code=1)
    log.completed(trial, state="failed", error="x")
    log.add(ev.TrialRetried, trial=trial, attempt=2, reason=Reason(by="user", text="again"))
    log.started(trial)
    drain(log, trial, {"cost": 2.0})
    assert spent(log.state) == 7.0  # what a user wants to have done again is new work


def test_what_has_been_spent_is_known_without_looking_at_all_that_runs(begin: Begin) -> None:
    log = begin(study_spec(trials=99, budget=Budget(trials=99, cost=1e9), run=RunSettings(price=3600.0))).attached()
    numbers = [log.started() for _ in range(9)]
    log.exited(numbers[2])
    log.completed(numbers[2], 1.0)
    drain(log, numbers[3], {"cost": 0.5}, {"cost": 0.75})
    assert sorted(log.state.tally.priced) == [n for n in numbers if n not in {2, 3}]
    assert broken(log.state) == []
    log.state.active = _Untouched(log.state.active)
    last = log.state.switches.last_at
    running = sum(last - (log.state.live[n].started or 0.0) for n in numbers if n not in {2, 3})
    assert spent(log.state) == pytest.approx(log.state.tally.cost + running)


class _Untouched(set[int]):
    def __iter__(self) -> Iterator[int]:
        raise AssertionError("all that run are looked at")


def test_by_price_every_attempt_costs_its_time_and_a_running_one_what_it_has_run(begin: Begin) -> None:
    log = begin(study_spec(budget=Budget(cost=10.0), run=RunSettings(price=3600.0))).attached()
    trial = log.started()
    began = log.state.live[trial].started
    assert began is not None
    log.add(ev.TrialReported, at=began + 4, trial=trial, attempt=1, reports=(), offsets={}, channel="none")
    assert spent(log.state) == 4.0
    log.add(ev.TrialExited, at=began + 6, trial=trial, attempt=1, how="lost")
    assert spent(log.state) == 6.0
    log.add(ev.TrialRetried, at=began + 8, trial=trial, attempt=1, reason=Reason(by="runner", text="again"))
    log.add(ev.AttemptAssigned, at=began + 50, trial=trial, attempt=2)
    assert spent(log.state) == 6.0  # nothing runs yet
    log.add(ev.TrialStarted, at=began + 51, trial=trial, attempt=2, pid=9, ticks=8, boot="boot", host="host")
    log.add(ev.TrialReported, at=began + 54, trial=trial, attempt=2, reports=(), offsets={}, channel="none")
    assert spent(log.state) == 9.0
    assert said(log.state) is None
    log.add(ev.TrialExited, at=began + 55, trial=trial, attempt=2, how="exited", code=0)
    assert said(log.state) == "the cost budget of 10 is used up"


def test_what_a_trial_says_of_its_cost_counts_and_not_its_time(begin: Begin) -> None:
    log = begin(study_spec(budget=Budget(cost=10.0), run=RunSettings(price=3600.0))).attached()
    trial = log.started()
    drain(log, trial, {"cost": 0.5})
    for _ in range(20):
        log.add(ev.PauseRequested)
    log.exited(trial)
    assert spent(log.state) == 0.5


# ------------------------------------------------------------------------------------------------ patience


def test_patience_counts_trials_with_a_value_that_were_no_better(begin: Begin) -> None:
    log = begin(study_spec(trials=99, budget=Budget(trials=99, patience=3)))
    log.done(1.0)
    log.done(1.0)
    log.failed()
    log.done(2.0)
    assert said(log.state) is None
    log.done(0.5)
    assert log.state.tally.stale == 0
    for _ in range(2):
        log.done(0.75)
    pruned = log.started()
    drain(log, pruned, {"loss": 0.9})
    log.add(ev.TrialStopped, trial=pruned, attempt=1, reason=Reason(by="median", text="no"))
    log.exited(pruned, code=143)
    log.completed(pruned, 0.9, state="pruned")
    assert said(log.state) == "the last 3 trials were no better than trial 4"
    reason = closing_reason(log.state)
    assert reason is not None
    assert reason.phase == "drain"


def test_patience_lets_running_trials_finish(make_world: MakeWorld) -> None:
    spec = study_spec(budget=Budget(trials=50, patience=2))
    world = make_world(spec, workers=3, behave=lambda *_: Ending(reports=({"loss": 1.0},)))
    world.run()
    assert len(world.state) == 5  # the first, two that were no better, and two that ran meanwhile
    completed = world.state.switches.completed
    assert completed is not None
    assert completed.reason.text == "the last 4 trials were no better than trial 0"


# ------------------------------------------------------------------------------------------------ an expression


STOP = study_spec(budget=Budget(trials=20, stop="accuracy >= 0.99"))


@pytest.mark.parametrize(
    ("text", "values", "met"),
    [
        ("accuracy >= 0.99", {"accuracy": 0.99}, True),
        ("accuracy >= 0.99", {"accuracy": 0.98}, False),
        ("accuracy >= 0.99", {"loss": 0.1}, False),
        ("accuracy >= 0.99", {"accuracy": "NaN"}, False),
        ("accuracy >= 0.99", {"accuracy": "Infinity"}, True),
        ("loss / size < 2", {"loss": 1.0, "size": 1.0}, True),
        ("loss / size < 2", {"loss": 1.0, "size": 0.0}, False),
        ("loss < 1 and size < 2", {"loss": 0.5}, False),
        ("loss < 1 or size < 2", {"loss": 0.5}, True),
        ("not size < 2", {"loss": 0.5}, False),
        ("loss ** size > 2", {"loss": 1e300, "size": 1e300}, False),
    ],
)
def test_the_stop_expression(begin: Begin, text: str, values: dict[str, WireNumber], *, met: bool) -> None:
    log = begin(study_spec(budget=Budget(stop=text)))
    trial = log.started()
    drain(log, trial, values)
    assert (said(log.state) is not None) is met
    assert log.state.tally.met == (trial if met else -1)


def test_each_report_is_looked_at_by_itself_however_many_come_together(begin: Begin) -> None:
    together, apart = begin(STOP), begin(STOP)
    values: list[dict[str, WireNumber]] = [{"accuracy": 0.5}, {"accuracy": 0.995}, {"accuracy": 0.7}]
    for log in (together, apart):
        log.started()
    drain(together, 0, *values)
    for one in values:
        drain(apart, 0, one)
    assert together.state.tally == apart.state.tally
    assert said(together.state) == "accuracy >= 0.99 holds for trial 0"


def test_metrics_of_different_reports_are_taken_together(begin: Begin) -> None:
    log = begin(study_spec(budget=Budget(stop="loss < 1 and size < 2")))
    drain(log, log.started(), {"loss": 0.5}, {"size": 1.0})
    assert log.state.tally.met == 0


def test_the_trial_that_meets_it_is_complete_and_the_others_are_ended(make_world: MakeWorld) -> None:
    world = make_world(STOP, workers=3)
    world.turn()
    for number in range(3):
        world.start(number)
        world.report(number, loss=0.5)
    world.report(1, accuracy=0.995)
    world.turn()
    for number in range(3):
        world.exit(number, code=143)
    world.turn()
    assert [trial.state for trial in world.state.trials()] == ["pruned", "complete", "pruned"]
    completed = world.state.switches.completed
    assert completed is not None
    assert (completed.state, completed.reason.data) == ("complete", {"trial": 1})


def test_the_trial_that_meets_it_may_end_by_itself_before_it_is_told(make_world: MakeWorld) -> None:
    world = make_world(STOP, workers=2)
    world.turn()
    world.start(0)
    world.report(0, loss=0.5, accuracy=1.0)
    world.exit(0)
    world.turn()
    assert world.state.trial(0).state == "complete"
    world.exit(1, code=143)
    world.turn()
    assert world.state.trial(1).state == "failed"  # it had reported nothing
    assert world.state.switches.completed is not None


def test_one_that_meets_it_without_a_value_of_its_own_has_none(make_world: MakeWorld) -> None:
    world = make_world(STOP)
    world.turn()
    world.start(0)
    world.report(0, accuracy=1.0)
    world.turn()
    world.exit(0, code=143)
    world.turn()
    assert world.state.trial(0).state == "failed"


@pytest.mark.parametrize("batch", [None, 2])
def test_in_a_deterministic_study_running_trials_finish(make_world: MakeWorld, batch: int | None) -> None:
    def behave(trial: int, attempt: int, params: dict[str, Any]) -> Ending:
        return Ending(reports=({"loss": 1.0 / (1 + trial), "accuracy": float(trial == 1)},))

    spec = study_spec(search=SearchSpec(method="random", batch=batch, lag=None if batch else 2), budget=STOP.budget)
    world = make_world(spec, workers=2, deterministic=True, behave=behave).run()
    assert world.state.counts["complete"] == len(world.state) >= 2
    assert world.state.switches.completed is not None


def test_an_edited_budget_opens_the_study_again(make_world: MakeWorld) -> None:
    world = make_world(STOP)
    world.turn()
    world.start(0)
    world.report(0, loss=0.5, accuracy=1.0)
    world.turn()
    world.exit(0, code=143)
    world.turn()
    assert world.state.switches.completed is not None
    world.request(ev.SpecChanged, changes=(), budget=Budget(trials=3, stop="accuracy >= 2", patience=9, cost=99.0))
    assert world.run().state.counts["complete"] == 3


def test_a_retry_opens_the_study_again_and_it_ends_as_before(make_world: MakeWorld) -> None:
    spec = study_spec(budget=Budget(trials=20, patience=2))
    world = make_world(spec, behave=lambda *_: Ending(reports=({"loss": 1.0},))).run()
    assert len(world.state) == 3
    world.request(ev.RetryRequested, trial=1)
    world.run()
    completed = world.state.switches.completed
    assert completed is not None
    assert completed.reason.by == "budget"
    assert world.state.tally.stale == 2


# ------------------------------------------------------------------------------------------------ too little to expect


class Expecting(Diary):
    """A diary that expects half as much of each trial as of the one before."""

    def suggest(
        self, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | Exhausted:
        found = super().suggest(number, pending, taken, rng)
        assert isinstance(found, Suggestion)
        return Suggestion(params=found.params, text=found.text, data={"expected_improvement": 0.5**number})


expecting = searching_with(Expecting)


@pytest.mark.parametrize(("workers", "deterministic"), [(1, False), (3, False), (3, True)])
def test_a_study_ends_when_no_trial_is_worth_it(workers: int, *, deterministic: bool) -> None:
    spec = study_spec(budget=Budget(trials=50, improvement=0.1))
    world = World(spec, workers=workers, policies=expecting, deterministic=deterministic).run()
    assert len(world.state) == 4
    completed = world.state.switches.completed
    assert completed is not None
    assert completed.reason.text == "the expected improvement is 0.0625, below 0.1"
    assert (completed.state, completed.reason.by) == ("complete", "budget")
    assert [str(deviation) for deviation in replay.check(world.events, expecting)] == []


def test_a_larger_bound_ends_it_earlier_and_an_edit_opens_it_again() -> None:
    world = World(study_spec(budget=Budget(trials=50, improvement=0.3)), policies=expecting).run()
    assert len(world.state) == 2
    world.request(ev.SpecChanged, changes=(), budget=Budget(trials=50, improvement=0.1))
    assert len(world.run().state) == 4


# ------------------------------------------------------------------------------------------------ what is kept of it


def test_a_snapshot_holds_the_tally(begin: Begin) -> None:
    budget = Budget(trials=99, cost=50.0, patience=9, stop="loss < 0.01", improvement=0.001)
    log = begin(study_spec(budget=budget, run=RunSettings(price=2.0))).attached()
    log.done(1.0)
    log.done(2.0)
    trial = log.started()
    drain(log, trial, {"cost": 1.5, "loss": 0.001})
    again = snapshot.load(snapshot.dump(log.state))
    assert again.tally == log.state.tally
    assert (again.tally.stale, again.tally.met, again.tally.costs) == (1, trial, {trial: 1.5})
    assert again.spec.budget == budget
    assert enough(again) == enough(log.state)
    event = ev.TrialReported(
        at=BEGIN + 99, trial=trial, attempt=1, reports=(Report(9.0, 0.0, {"cost": 3.0}),), offsets={}, channel="file"
    )
    again.apply(again.seq + 1, event)
    assert spent(again) == spent(log.state) + 1.5


def test_goals_that_are_maximized_end_by_their_own_direction(make_world: MakeWorld) -> None:
    spec = study_spec(budget=Budget(trials=20, patience=1), objectives=(Objective(metric="accuracy", goal="maximize"),))
    values = iter([0.5, 0.75, 0.9, 0.9])
    world = make_world(spec, behave=lambda *_: Ending(reports=({"accuracy": next(values)},))).run()
    assert len(world.state) == 4
    assert [str(deviation) for deviation in replay.check(world.events, policy_for)] == []


def test_patience_counts_held_trials_too_and_each_of_them_once(begin: Begin) -> None:
    log = begin(study_spec(trials=99, budget=Budget(trials=99, patience=2)))
    why = Reason(by="test", text="held")
    first, second, third = (log.started() for _ in range(3))
    for number, loss in ((first, 0.5), (second, 0.7), (third, 0.9)):
        log.reported(number, {"loss": loss})
        log.add(ev.TrialPaused, trial=number, attempt=1, reason=why)
        log.exited(number, code=143)
    assert (log.state.tally.leader, log.state.tally.stale) == (first, 2)
    closing = closing_reason(log.state)
    assert closing is not None
    assert closing.text == f"the last 2 trials were no better than trial {first}"
    log.add(ev.TrialContinued, trial=second, attempt=1, to=9.0, reason=why)
    log.started(second)
    log.reported(second, {"loss": 0.4})
    log.add(ev.TrialPaused, trial=second, attempt=2, reason=why)
    log.exited(second, code=143)
    assert (log.state.tally.leader, log.state.tally.stale) == (second, 0)
