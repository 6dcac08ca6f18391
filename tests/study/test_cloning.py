"""Clones; and what others do meanwhile: a question that is out, another runner, a person who holds a trial."""

from __future__ import annotations

import pytest

from rung.api.handle import Handle
from rung.model import BadInput, Budget, Checkpoint, Reason, Source
from rung.schedule import base as schedule
from rung.study import events as ev
from rung.study.engine import Question
from rung.study.invariants import broken
from rung.study.transitions import Phase
from rung.testing.studies import BEGIN, STUDY, World, study_spec
from rung.testing.training import steps_of
from study.planned import WHY, Make, Planned, ask, go_on, held, last, pause, plan, planned, trains

# ------------------------------------------------------------------------------------------------ clones


def clones(plan: Planned) -> schedule.Next:
    """Once trial 0 has reported step 2, a clone of it."""
    if any(isinstance(delta, schedule.Progress) and delta.step == 2 for delta in plan.seen):
        reason = Reason(by="plan", text="a clone")
        return schedule.Propose(params={"lr": 0.01, "width": 8, "opt": "adam"}, reason=reason, parent=0, resource=4)
    return schedule.Hold() if plan.seen else schedule.Ask(resource=4)


def test_a_clone_begins_where_its_parent_has_come_to(make: Make) -> None:
    world = make({}, trials=2, workers=2, new=clones)
    trains(world, 0, to=2)
    assert world.running() == [0, 1]
    live = world.state.live[1]
    assert live.source == Source(0, Checkpoint(1, "2", 2.0, 2, 10))
    assert (live.step, live.reports, live.told) == (2, 2, 4)
    begun = [delta for delta in plan(world).seen if isinstance(delta, schedule.Begun)]
    assert [(delta.parent, delta.step) for delta in begun] == [(None, 0.0), (0, 2.0)]
    assert last(world, ev.TrialProposed).reason.parent == 0
    trains(world, 1, to=4)
    assert steps_of(world.events)[1] == [[3, 4]]


def asked_for_a_clone(make: Make) -> tuple[World, Question]:
    """Trial 0 has saved two checkpoints, and the question whose answer is a clone of it is out."""
    world = make({}, trials=2, workers=2, new=clones)
    world.start(0)
    for _ in range(2):
        world.saves(0, {"loss": 0.5}, size=10)
    return world, ask(world)


def test_a_clone_is_of_the_checkpoint_that_there_was_when_it_was_decided(make: Make) -> None:
    """The parent saves another one while the answer is out: replay could not know it."""
    world, question = asked_for_a_clone(make)
    world.saves(0, {"loss": 0.25}, size=10)
    world.decide(world.engine.conclude(question, question.answer(), at=world.now))
    assert last(world, ev.TrialProposed).source.checkpoint.step == 2


def test_a_clone_whose_checkpoint_went_meanwhile_is_asked_for_again(make: Make) -> None:
    world, question = asked_for_a_clone(make)
    world.fact(ev.CheckpointLost, owner=0, attempt=1, name="2", why="gone")
    decisions = world.engine.conclude(question, question.answer(), at=world.now)
    assert world.engine.legal(decisions) == []
    world.turn()
    assert last(world, ev.TrialProposed).source.checkpoint.step == 1


# ------------------------------------------------------------------------------------------------ questions that are out


def test_a_bounded_trial_that_ends_while_a_question_is_out_waits_for_the_schedule(make: Make) -> None:
    world = make({(0, 2): pause(0)}, trials=2, workers=2, resource=2)
    trains(world, 0, to=1)
    world.exit(1, how="lost", code=None)
    world.decide(world.engine.decide(at=world.now, free=0))
    world.decide(world.engine.decide(at=world.now, free=2))
    world.request(ev.SpecChanged, changes=(), budget=Budget(trials=5))
    question = ask(world)
    world.report(0, loss=0.5)
    world.exit(0)
    assert world.engine.decide(at=world.now, free=1) == []
    world.decide(world.engine.conclude(question, question.answer(), at=world.now))
    [held] = world.engine.decide(at=world.now, free=0)
    assert isinstance(held, ev.TrialPaused)


def test_a_continuation_is_dropped_when_the_trial_was_ended_meanwhile(make: Make) -> None:
    world = make({(0, 2): pause(0)}, on={0: 9}, resource=2, trials=2)
    trains(world, 0, to=2, saves=False)
    world.exit(0, code=143)
    question = ask(world)
    world.request(ev.TrialStopRequested, trial=0)
    world.decide(world.engine.decide(at=world.now, free=0))
    assert world.state.trial(0).state == "pruned"
    decisions = world.engine.conclude(question, question.answer(), at=world.now)
    assert [type(decision) for decision in decisions] == [ev.TrialContinued, ev.AttemptAssigned]
    assert world.engine.legal(decisions) == []


def test_an_end_that_was_computed_before_something_happened_does_not_hold(make: Make) -> None:
    world = held(make, trials=1)
    question = ask(world)
    world.request(ev.TrialTold, trial=0, values={"loss": 0.0625})
    assert world.engine.conclude(question, question.answer(), at=world.now) == []
    world.turn()
    assert (world.state.trial(0).state, world.state.trial(0).value) == ("pruned", 0.0625)


# ------------------------------------------------------------------------------------------------ two runners


def test_two_runners_continue_a_trial_once(make: Make) -> None:
    one = make({(0, 2): pause(0)}, on={0: 5}, resource=2)
    trains(one, 0, to=2)
    one.exit(0, code=143)
    two = one.joined()
    one.catch_up()
    for world in (one, two):
        question = ask(world)
        world.decide(world.engine.conclude(question, question.answer(), at=world.now))
    one.catch_up()
    assert [event.runner for event in one.events if isinstance(event, ev.TrialContinued)] == ["runner-1"]
    assert (one.running(), two.running()) == ([0], [])


@pytest.mark.parametrize(("first", "second"), [("pause", "stop"), ("stop", "pause"), ("pause", "pause")])
def test_a_hold_and_a_stop_of_two_runners_meet(first: str, second: str) -> None:
    """The one that comes second counts as far as it fits: a pausing trial can be ended, an ending one not be held."""
    one = World(study_spec(trials=1), policies=planned())
    one.turn()
    one.start(0)
    two = one.joined()
    one.catch_up()
    kinds = {"pause": ev.TrialPaused, "stop": ev.TrialStopped}
    decisions = [
        kinds[what](
            at=BEGIN,
            based_on=one.state.seq,
            trial=0,
            attempt=1,
            reason=WHY,
            runner=world.runner,
            epoch=world.lease.epoch,
        )
        for what, world in ((first, one), (second, two))
    ]
    one.decide(decisions[:1])
    two.decide(decisions[1:])
    one.catch_up()
    assert one.state.phase(0) is (Phase.PAUSING if first == second else Phase.STOPPING)
    assert len([event for event in one.events if type(event) in kinds.values()]) == (2 if second == "stop" else 1)
    assert broken(one.state) == []


# ------------------------------------------------------------------------------------------------ a person holds a trial


def test_a_person_holds_a_trial_and_lets_it_go_on(make: Make) -> None:
    world = make({}, resource=9)
    trains(world, 0, to=2)
    world.request(ev.TrialPauseRequested, trial=0)
    world.turn()
    assert last(world, ev.TrialPaused).reason.text == "held by the user"
    world.exit(0, code=143)
    world.turn()
    assert world.state.trial(0).state == "paused"
    assert world.state.switches.completed is None, "the study waits for it"
    assert not any(isinstance(delta, schedule.Held) for delta in plan(world).seen)
    world.request(ev.TrialUnpauseRequested, trial=0)
    world.turn()
    assert (world.state.live[0].attempt, world.state.live[0].told) == (2, 9)
    trains(world, 0, to=9)
    world.exit(0)
    world.turn()
    assert world.state.trial(0).state == "complete"
    assert steps_of(world.events) == {0: [[1, 2], [3, 4, 5, 6, 7, 8, 9]]}


def test_nobody_lets_a_trial_go_on_that_the_schedule_holds(make: Make) -> None:
    world = held(make, trials=2)
    world.request(ev.TrialUnpauseRequested, trial=0)
    world.turn()
    assert world.state.phase(0) is Phase.PAUSED
    assert world.state.released == set()
    handle = Handle(world.store, STUDY)
    with pytest.raises(
        BadInput, match=r"nobody has paused trial 0 \(the schedule holds it, and says when it goes on\)"
    ):
        handle.unpause_trial(0)
    with pytest.raises(BadInput, match=r"nobody has paused trial 1 \(running\)"):
        handle.unpause_trial(1)


def test_what_the_schedule_wants_of_a_trial_that_a_person_holds_is_done_later(make: Make) -> None:
    """Both want it at the same moment; the schedule has not said it for nothing."""
    world = make({(0, 2): pause(0)}, resource=2, on={0: 4})
    trains(world, 0, to=1)
    world.saves(0, {"loss": 0.5}, size=10)
    world.request(ev.TrialPauseRequested, trial=0)
    world.turn()
    world.exit(0, code=143)
    world.turn()
    world.request(ev.TrialUnpauseRequested, trial=0)
    world.turn()
    assert [event.reason.by for event in world.events if isinstance(event, ev.TrialPaused)] == ["user", "plan"]
    world.exit(0, how="never", code=None)
    world.turn()
    assert (world.state.phase(0), world.state.live[0].told) == (Phase.STARTING, 4)


def test_a_longer_leash_does_not_free_a_trial_that_a_person_holds(make: Make) -> None:
    world = make({(0, 2): go_on(0, 4)}, resource=2)
    trains(world, 0, to=1)
    world.saves(0, {"loss": 0.5}, size=10)
    world.request(ev.TrialPauseRequested, trial=0)
    world.turn()
    world.exit(0, code=143)
    world.turn()
    assert world.state.phase(0) is Phase.PAUSED
    world.request(ev.TrialUnpauseRequested, trial=0)
    world.turn()
    assert world.state.live[0].resource == 4
