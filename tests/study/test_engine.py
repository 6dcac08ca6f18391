"""Questions that are out while the world goes on, and decisions that another runner was faster with."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from rung.model import Budget, Command, Continue, LogError, Parameter, Pause, Reason, ScheduleSpec, Stop
from rung.plugins import make_searcher, policy_for
from rung.schedule import base as schedule
from rung.schedule.base import Contest, Progress
from rung.schedule.none import RunToTheEnd
from rung.study import events as ev
from rung.study import replay
from rung.study.engine import Question
from rung.study.guard import Failure
from rung.study.policy import Answer, Combined, Policy
from rung.study.state import State
from rung.study.transitions import Phase
from rung.testing.studies import World, diary_policy, study_spec

MakeWorld = Callable[..., World]
WHY = Reason(by="test", text="because")


def ask(world: World) -> Question:
    question = world.engine.question(free=world.free)
    assert question is not None
    return question


def conclude(world: World, question: Question) -> list[ev.Decision]:
    return world.engine.conclude(question, question.answer(), at=world.now)


# ------------------------------------------------------------------------------------------------ held questions


def test_an_answer_depends_only_on_the_log_up_to_its_question() -> None:
    """The trials 0 and 1 end while the question is out: the answer is the one of a world where they did not."""
    world, quiet = (World(study_spec(trials=9), workers=3, policies=diary_policy) for _ in range(2))
    for each in (world, quiet):
        for _ in range(2):
            each.decide(conclude(each, ask(each)))
    question, expected = ask(world), ask(quiet)
    for number in (1, 0):
        world.end(number)
        world.decide(world.engine.decide(at=world.now, free=0))
    assert world.state.counts["complete"] == 2
    found, wanted = conclude(world, question), conclude(quiet, expected)
    assert isinstance(found[0], ev.TrialProposed)
    assert isinstance(wanted[0], ev.TrialProposed)
    assert found[0].params == wanted[0].params
    assert found[0].reason == wanted[0].reason
    assert found[0].reason.text == "proposed 0; proposed 1"
    assert found[0].reason.data == {"pending": [0, 1]}
    assert found[0].based_on == question.based_on < world.state.seq
    world.decide(found)
    following = conclude(world, ask(world))[0]
    assert isinstance(following, ev.TrialProposed)
    assert following.reason.text == "proposed 0; proposed 1; result 1; result 0; proposed 2"
    assert list(replay.check(world.events, diary_policy)) == []


def test_only_one_question_is_out_at_a_time(make_world: MakeWorld) -> None:
    world = make_world(workers=3)
    question = ask(world)
    assert world.engine.question(free=3) is None
    world.decide(conclude(world, question))
    assert world.engine.question(free=2) is not None


@pytest.mark.parametrize("free", [0, -1])
def test_nothing_is_asked_without_room(make_world: MakeWorld, free: int) -> None:
    assert make_world().engine.question(free=free) is None


def test_a_waiting_trial_takes_the_room_first(make_world: MakeWorld) -> None:
    world = make_world(workers=1)
    world.turn()
    world.exit(0, how="lost", code=None)
    world.decide(world.engine.decide(at=world.now, free=0))
    assert world.state.phase(0) is Phase.WAITING
    assert world.engine.question(free=1) is None
    [assigned] = world.engine.decide(at=world.now, free=1)
    assert isinstance(assigned, ev.AttemptAssigned)
    assert (assigned.trial, assigned.attempt) == (0, 2)


def test_an_exhausted_space_waits_for_the_trials_that_run(make_world: MakeWorld) -> None:
    """One of them may fail, and what then? So it asks again when all are over."""
    world = make_world(study_spec(trials=9, parameters=(Parameter(name="a", type="choice", values=(1, 2)),)), workers=5)
    world.turn()
    assert world.running() == [0, 1]
    assert world.state.switches.completed is None
    world.end(0)
    world.turn()
    assert world.state.switches.completed is None
    world.end(1)
    world.turn()
    assert world.state.switches.completed is not None


def test_an_interrupted_answer_does_not_hold_the_policy_still() -> None:
    """Ctrl-C in a notebook while a slow proposal is computed: the next one is computed all the same."""
    interrupted = [True, False]

    def policies(state: State) -> Policy:
        policy = policy_for(state)
        question = policy.question

        def impatient(state: State, free: int) -> Answer:
            answer = question(state, free)

            def once(failure: Failure | None) -> list[Command]:
                if interrupted.pop(0):
                    raise KeyboardInterrupt
                return answer(failure)

            return Answer(once)

        policy.question = impatient  # type: ignore[method-assign]
        return policy

    world = World(study_spec(trials=1), policies=policies)
    with pytest.raises(KeyboardInterrupt):
        world.engine.propose(at=world.now, free=1)
    assert [type(d) for d in world.engine.propose(at=world.now, free=1)] == [ev.TrialProposed, ev.AttemptAssigned]


# ------------------------------------------------------------------------------------------------ schedulers


class Impatient(RunToTheEnd):
    """Stops each trial whose report is worse than the best report of all trials before."""

    def __init__(self, contest: Contest) -> None:
        super().__init__(contest)
        self.best = math.inf

    def observe(self, deltas: Sequence[schedule.Delta]) -> list[Stop | Pause | Continue]:
        found: list[Stop | Pause | Continue] = []
        for delta in deltas:
            if isinstance(delta, Progress) and (loss := delta.losses[0]) is not None:
                if loss > self.best:
                    found.append(Stop(trial=delta.number, reason=Reason(by="impatient", text=f"best was {self.best}")))
                self.best = min(self.best, loss)
        return found


def impatient_policy(state: State) -> Policy:
    spec = state.created.spec
    contest = Contest(schedule=spec.schedule, objectives=spec.objectives, seed=state.seed)
    policy = Combined(state, make_searcher, Impatient(contest))
    policy.catch_up(state)
    return policy


IMPATIENT = study_spec(trials=3, schedule=ScheduleSpec(method="impatient"))


def test_a_trial_that_two_rules_end_is_ended_once() -> None:
    """The scheduler stops it and the user does, and both are known at the same moment."""
    world = World(IMPATIENT, workers=2, policies=impatient_policy)
    world.turn()
    world.start(0)
    world.start(1)
    world.report(0, loss=1.0)
    world.report(1, loss=2.0)
    world.request(ev.TrialStopRequested, trial=1)
    world.turn()
    assert [event.reason.by for event in world.events if isinstance(event, ev.TrialStopped)] == ["user"]
    world.run()
    assert list(replay.check(world.events, impatient_policy)) == []


def test_a_scheduler_remembers_every_report_after_a_resume() -> None:
    """The best report came from a trial that is still running: no column of the state's holds it."""
    world = World(IMPATIENT, workers=2, policies=impatient_policy)
    world.turn()
    world.start(0)
    world.report(0, loss=1.0)
    world.report(0, loss=0.0)
    world.report(0, loss=5.0)
    world.snapshot()
    world = world.resumed()
    world.start(1)
    world.report(1, loss=0.5)
    world.turn()
    stopped = [event for event in world.events if isinstance(event, ev.TrialStopped)]
    assert [(event.trial, event.reason.text) for event in stopped] == [(0, "best was 0.0"), (1, "best was 0.0")]
    world.run()
    assert list(replay.check(world.events, impatient_policy)) == []


# ------------------------------------------------------------------------------------------------ answers


def test_an_answer_that_a_question_cannot_have(make_world: MakeWorld) -> None:
    world = make_world()
    question = ask(world)
    with pytest.raises(LogError, match="answered with Pause"):
        world.engine.conclude(question, [Pause(trial=0, reason=WHY)], at=0.0)


# ------------------------------------------------------------------------------------------------ two runners


def test_two_runners_share_the_budget(make_world: MakeWorld) -> None:
    one = make_world(study_spec(trials=5), workers=2)
    two = one.joined()
    for _ in range(40):
        for world in (one, two):
            world.turn()  # computed before it sees what the other did: conflicts on purpose
            if world.running():
                world.end(world.running()[-1])
    assert one.state.counts["complete"] == 5
    assert len(one.proposals) == 5
    assert {live.runner for live in one.events if isinstance(live, ev.AttemptAssigned)} == {"runner-1", "runner-2"}


def test_after_a_conflict_only_the_legal_rest_is_appended(make_world: MakeWorld) -> None:
    one = make_world(study_spec(trials=5), workers=2)
    one.turn()
    two = one.joined()
    one.catch_up()
    one.end(0)
    two.catch_up()
    mine = one.engine.decide(at=one.now, free=0)
    proposal = conclude(two, ask(two))
    two.decide(two.engine.decide(at=two.now, free=0))  # trial 0 is complete
    two.decide(proposal)  # trial 2 is proposed
    one.catch_up()
    assert [type(d).__name__ for d in mine] == ["TrialCompleted"]
    assert one.engine.legal(mine) == []
    stale = [
        *mine,
        *proposal,
        *(ev.TrialStopped(at=0, based_on=1, runner="r", epoch=1, trial=1, attempt=1, reason=WHY),),
    ]
    assert one.engine.legal(stale) == [stale[-1]]


def test_a_decision_on_an_attempt_that_is_over_is_dropped(make_world: MakeWorld) -> None:
    world = make_world()
    world.turn()
    world.exit(0, how="lost", code=None)
    stale = ev.TrialCompleted(at=0, based_on=1, runner="r", epoch=1, trial=0, attempt=1, state="failed", error="x")
    assert world.engine.legal([stale]) == [stale]
    world.turn()
    world.exit(0, how="lost", code=None)
    assert world.state.phase(0) is Phase.ENDED
    assert world.engine.legal([stale]) == []


def test_what_follows_a_dropped_decision_on_a_trial_is_dropped_too(make_world: MakeWorld) -> None:
    world = make_world()
    fields: dict[str, Any] = {"at": 0.0, "based_on": 1, "runner": "r", "epoch": 1}
    proposed = ev.TrialProposed(**fields, trial=4, params={}, reason=WHY)
    assigned = ev.AttemptAssigned(**fields, trial=4, attempt=1)
    assert world.engine.legal([proposed, assigned]) == []
    first = [
        ev.TrialProposed(**fields, trial=0, params={}, reason=WHY),
        ev.AttemptAssigned(**fields, trial=0, attempt=1),
    ]
    assert world.engine.legal([proposed, *first, assigned]) == first


def test_the_end_of_a_study_is_dropped_when_something_runs_again(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=1)).run()
    end = [event for event in world.events if isinstance(event, ev.StudyCompleted)]
    assert world.engine.legal(end) == []  # it is over already
    world.request(ev.TrialEnqueued, params={})
    world.turn()
    assert world.engine.legal(end) == []  # trial 1 runs


def test_a_stop_and_the_news_of_the_exit_may_cross(make_world: MakeWorld) -> None:
    """A fact appends without a condition, so the stop is accepted after an exit that its runner had not seen."""
    one = make_world(study_spec(trials=2), workers=2)
    one.turn()
    two = one.joined()
    one.catch_up()
    one.request(ev.TrialStopRequested, trial=0)
    two.catch_up()
    stop = two.engine.decide(at=two.now, free=0)
    assert [type(decision).__name__ for decision in stop] == ["TrialStopped"]
    one.end(0)
    two.decide(stop)
    one.catch_up()
    assert one.run().state.counts["complete"] == 2


def test_a_request_that_crosses_the_end_is_granted(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=1))
    world.turn()
    world.end(0)
    world.decide(world.engine.decide(at=world.now, free=1))
    end = world.engine.decide(at=world.now, free=1)
    assert [type(decision).__name__ for decision in end] == ["StudyCompleted"]
    world.request(ev.TrialEnqueued, params={"lr": 0.1})
    world.decide(end)
    assert world.run().state.counts["complete"] == 2
    assert world.state.switches.completed is not None


def test_a_crash_loses_nothing(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=4, budget=Budget(trials=4)), workers=2)
    world.turn()
    world.start(0)
    world.report(0, loss=0.25)
    world = world.resumed()
    assert world.running() == [0, 1]
    assert all(live.adopted for live in world.state.live.values())
    assert world.state.live[0].offsets == {"reports.jsonl": 100}
    world.exit(0)
    world.run()
    assert world.state.trial(0).value == 0.25
    assert world.state.counts["complete"] == 4
    assert {trial.attempt for trial in world.state.trials()} == {1}
