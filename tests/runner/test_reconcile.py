"""The comparison of what should run with what does: as a table, and as a property."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.model import Reason
from rung.runner.reconcile import Actions, gone_epochs, orphans, reconcile
from rung.study import events as ev
from rung.study.state import State
from rung.testing.studies import Folding, study_spec

ME, OTHER = 1, 2
PHASES = ("waiting", "starting", "running", "stopping", "ended", "complete", "retried")


def folding(*phases: str, epoch: int = ME, adopted: bool = False) -> Folding:
    """One trial in each of these phases, looked after by `epoch`."""
    study = Folding(study_spec(trials=None)).attached(ME).attached(OTHER)
    for phase in phases:
        bring(study, phase, epoch=epoch, adopted=adopted)
    return study


def bring(study: Folding, phase: str, *, epoch: int = ME, adopted: bool = False) -> None:
    number = study.proposed()
    if phase == "waiting":
        return
    study.add(ev.AttemptAssigned, trial=number, attempt=1, epoch=OTHER if adopted else epoch)
    if phase != "starting":
        study.add(ev.TrialStarted, trial=number, attempt=1, pid=9, ticks=8, boot="boot", host="host")
    if adopted:
        study.add(ev.AttemptAdopted, trial=number, attempt=1, previous=OTHER, epoch=epoch)
    if phase == "stopping":
        study.add(ev.TrialStopped, trial=number, attempt=1, reason=Reason(by="user", text="stop"))
    if phase in {"ended", "complete", "retried"}:
        study.reported(number, {"loss": 1.0})
        study.exited(number)
    if phase == "complete":
        study.completed(number, 1.0)
    if phase == "retried":
        study.add(ev.TrialRetried, trial=number, attempt=1, reason=Reason(by="runner", text="again"))


def names(actions: Actions) -> dict[str, list[tuple[int, int]]]:
    """The actions that there are, each naming (trial, attempt)."""
    found = {
        "start": [(live.number, live.attempt) for live in actions.start],
        "adopt": [(live.number, live.attempt) for live in actions.adopt],
        "stop": actions.stop,
        "forget": actions.forget,
        "kill": actions.kill,
    }
    return {name: which for name, which in found.items() if which}


def by_trial(jobs: set[tuple[int, int]]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for trial, attempt in jobs:
        found.setdefault(trial, set()).add(attempt)
    return found


@pytest.mark.parametrize(
    ("phase", "adopted", "watched", "action"),
    [
        ("waiting", False, False, None),
        ("starting", False, False, "start"),
        ("starting", True, False, "adopt"),
        ("running", False, False, "adopt"),
        ("running", True, False, "adopt"),
        ("stopping", False, False, "adopt"),
        ("stopping", True, False, "adopt"),
        ("ended", False, False, None),
        ("complete", False, False, None),
        ("starting", False, True, None),
        ("running", True, True, None),
        ("stopping", False, True, "stop"),
        ("ended", False, True, "kill"),
        ("complete", False, True, "kill"),
        ("retried", False, True, "kill"),
    ],
)
def test_one_trial(phase: str, *, adopted: bool, watched: bool, action: str | None) -> None:
    state = folding(phase, adopted=adopted).state
    actions = reconcile(state, ME, by_trial({(0, 1)} if watched else set()))
    assert names(actions) == ({action: [(0, 1)]} if action else {})


@pytest.mark.parametrize("phase", PHASES)
def test_a_trial_of_another_runner_is_left_alone(phase: str) -> None:
    assert names(reconcile(folding(phase, epoch=OTHER).state, ME, by_trial(set()))) == {}


@pytest.mark.parametrize("phase", ["starting", "running", "stopping"])
def test_a_job_that_another_runner_adopted_is_forgotten_and_not_ended(phase: str) -> None:
    assert names(reconcile(folding(phase, epoch=OTHER).state, ME, by_trial({(0, 1)}))) == {"forget": [(0, 1)]}


def test_an_attempt_that_the_log_has_given_up_is_killed() -> None:
    state = folding("running").state
    assert names(reconcile(state, ME, by_trial({(0, 1), (0, 2), (7, 1)})))["kill"] != []
    assert set(names(reconcile(state, ME, by_trial({(0, 1), (0, 2), (7, 1)})))["kill"]) == {(0, 2), (7, 1)}


@given(st.data())
def test_acting_once_leaves_nothing_more_to_do(data: st.DataObject) -> None:
    """All that remains are stops, which may be said twice."""
    study = folding()
    for phase in data.draw(st.lists(st.sampled_from(PHASES), max_size=6)):
        epoch, adopted = data.draw(st.sampled_from([ME, OTHER])), data.draw(st.booleans())
        bring(study, phase, epoch=epoch, adopted=adopted)
    jobs = data.draw(st.sets(st.tuples(st.integers(0, 6), st.integers(1, 2))))
    done = reconcile(study.state, ME, by_trial(jobs))
    after = acted(done, jobs)
    again = reconcile(study.state, ME, by_trial(after))
    assert set(names(again)) <= {"stop"}
    assert after == ours(study.state)


def acted(actions: Actions, jobs: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """The jobs once the actions have had their effect."""
    begun = {(live.number, live.attempt) for live in [*actions.start, *actions.adopt]}
    assert not begun & jobs
    return (jobs | begun) - set(actions.forget) - set(actions.kill)


def ours(state: State) -> set[tuple[int, int]]:
    """The attempts that the log says are this runner's to look after."""
    alive = {"starting", "running", "stopping"}
    return {
        (number, live.attempt)
        for number, live in state.live.items()
        if live.epoch == ME and state.phase(number).name.lower() in alive
    }


def test_only_runners_without_a_lease_leave_orphans() -> None:
    study = folding("running", "starting", "ended", epoch=OTHER)
    bring(study, "running")
    assert gone_epochs(study.state, {ME, OTHER}) == set()
    assert gone_epochs(study.state, {ME}) == {OTHER}
    assert [live.number for live in orphans(study.state, {OTHER})] == [0, 1]


def test_a_runner_that_has_said_goodbye_leaves_orphans_too() -> None:
    study = folding("running", epoch=OTHER)
    study.add(ev.RunnerDetached, runner="r", epoch=OTHER, why="hangup")
    assert gone_epochs(study.state, {ME}) == {OTHER}
    assert [live.number for live in orphans(study.state, {OTHER})] == [0]
