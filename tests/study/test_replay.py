from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from rung.model import LogError, Reason
from rung.plugins import policy_for
from rung.study import events as ev
from rung.study import replay
from rung.study.policy import Policy
from rung.study.state import State
from rung.testing.studies import Ending, World, fails, study_spec, well_behaved

MakeWorld = Callable[..., World]


def check(events: Sequence[ev.AnyEvent]) -> list[replay.Deviation]:
    return list(replay.check(events, policy_for))


def position(events: Sequence[ev.AnyEvent], kind: type[ev.Event]) -> int:
    return next(i for i, event in enumerate(events) if isinstance(event, kind))


def test_folding_again_gives_the_same_trials(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=5), workers=3).run(choose=max)
    again = replay.fold(world.events)
    assert list(again.trials()) == list(world.state.trials())


def test_one_fold_computes_all_decisions_again_however_late_they_were_logged() -> None:
    """A slow proposal is logged after decisions that are based on a later state."""
    folds: list[int] = []

    def counting(state: State) -> Policy:
        folds.append(state.seq)
        return policy_for(state)

    world = World(study_spec(trials=12), workers=2)
    world.turn()
    for _ in range(4):
        world.end(world.running()[0])
        world.decide(world.engine.decide(at=world.now, free=0))
        question = world.engine.question(free=1)
        assert question is not None
        world.end(world.running()[0])
        world.decide(world.engine.decide(at=world.now, free=0))
        world.decide(world.engine.conclude(question, question.answer(), at=world.now))
        world.turn()
    based = [event.based_on for event in world.events if isinstance(event, ev.Decision)]
    assert based != sorted(based)
    assert list(replay.check(world.events, counting)) == []
    assert folds == [1]


def test_an_empty_log() -> None:
    with pytest.raises(LogError, match="the log is empty"):
        replay.fold([])


def test_a_log_that_does_not_fit_says_where(make_world: MakeWorld) -> None:
    events = make_world(study_spec(trials=2)).run().events
    with pytest.raises(LogError, match="trial 0 does not exist: AttemptAssigned"):
        replay.fold([event for event in events if not isinstance(event, ev.TrialProposed)])


def mixed(trial: int, attempt: int, params: dict[str, Any]) -> Ending:
    if trial == 3 and attempt == 1:
        return Ending(how="lost", code=None)
    return (fails if trial % 3 == 1 else well_behaved)(trial, attempt, params)


@pytest.mark.parametrize("method", ["random", "sobol"])
@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize("choose", [min, max])
def test_it_agrees_with_what_was_decided(
    make_world: MakeWorld, method: str, choose: Callable[[Sequence[int]], int], *, deterministic: bool
) -> None:
    spec = study_spec(trials=6, start="middle", search=msgspec.structs.replace(study_spec().search, method=method))
    world = make_world(spec, workers=3, behave=mixed, deterministic=deterministic)
    world.turn()
    world.request(ev.TrialEnqueued, params={"lr": 0.01})
    world.end(world.running()[0])
    world = world.resumed()
    world.request(ev.TrialStopRequested, trial=world.running()[0])
    world.run(choose=choose)
    world.request(ev.RetryRequested, trial=1)
    world.run(choose=choose)
    assert check(world.events) == []


def test_it_agrees_when_two_runners_took_turns(make_world: MakeWorld) -> None:
    one = make_world(study_spec(trials=6), workers=2)
    two = one.joined()
    for turn in range(30):
        world = (one, two)[turn % 2]
        world.turn()
        if world.running():
            world.end(world.running()[-1])
    assert check(one.events) == []


def test_a_decision_based_on_an_older_state_is_computed_from_that_state(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=6), workers=2)
    world.turn()
    question = world.engine.question(free=1)
    assert question is not None
    world.end(0)
    world.decide(world.engine.decide(at=world.now, free=0))
    world.decide(world.engine.conclude(question, question.answer(), at=world.now))
    assert check(world.events) == []


Tamper = Callable[[Any], Any]
TAMPERED: dict[str, tuple[type[ev.Event], Tamper]] = {
    "parameters": (ev.TrialProposed, lambda e: msgspec.structs.replace(e, params=e.params | {"lr": 0.05})),
    "the reason of a proposal": (
        ev.TrialProposed,
        lambda e: msgspec.structs.replace(e, reason=Reason(by="me", text="x")),
    ),
    "a resource": (ev.AttemptAssigned, lambda e: msgspec.structs.replace(e, resource=3.0)),
    "a value": (ev.TrialCompleted, lambda e: msgspec.structs.replace(e, values=(0.0,))),
    "an outcome": (ev.TrialCompleted, lambda e: msgspec.structs.replace(e, state="pruned")),
    "the reason of the end": (
        ev.StudyCompleted,
        lambda e: msgspec.structs.replace(e, reason=Reason(by="me", text="x")),
    ),
    "what it was based on": (ev.TrialProposed, lambda e: msgspec.structs.replace(e, based_on=1, free=0)),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_tampered_decision_is_found(make_world: MakeWorld, what: str) -> None:
    kind, tamper = TAMPERED[what]
    events = make_world(study_spec(trials=2)).run().events
    place = position(events, kind)
    tampered = [*events[:place], tamper(events[place]), *events[place + 1 :]]
    found = check(tampered)
    assert found[0].seq == place + 1
    assert str(found[0]).startswith(f"decision {place + 1}: logged ")


def test_who_decided_and_when_does_not_matter(make_world: MakeWorld) -> None:
    events: list[Any] = make_world(study_spec(trials=2)).run().events
    changed: list[Any] = [
        msgspec.structs.replace(e, at=e.at + 1e6, runner="x", epoch=9) if isinstance(e, ev.Decision) else e
        for e in events
    ]
    assert check(changed) == []


def test_asked_trials_are_decided_like_any_others(make_world: MakeWorld) -> None:
    events: list[Any] = make_world(study_spec(trials=2)).run().events
    asked = [msgspec.structs.replace(e, asked=True) if isinstance(e, ev.AttemptAssigned) else e for e in events]
    assert check(asked) == []


def test_a_decision_that_nothing_asks_for_is_found(make_world: MakeWorld) -> None:
    world = make_world(study_spec(trials=3))
    reason = Reason(by="me", text="enough")
    end = ev.StudyCompleted(at=0.0, based_on=2, runner="r", epoch=1, state="complete", reason=reason)
    [found] = check([*world.events, end])
    assert found.seq == 3
    assert "StudyCompleted" in found.logged
    assert "StudyCompleted" not in found.computed
