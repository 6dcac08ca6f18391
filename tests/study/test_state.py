"""What each event does to a state."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import pytest

from rung.model import Budget, LogError, Objective, Outcome, Reason, RunSettings, WireNumber
from rung.study import events as ev
from rung.study.live import Note
from rung.study.state import State
from rung.study.transitions import Phase
from rung.testing.studies import BEGIN, Folding, study_spec

Begin = Callable[..., Folding]
WHY = Reason(by="test", text="because")


# ------------------------------------------------------------------------------------------------ the log's frame


def test_a_log_begins_with_its_creation() -> None:
    with pytest.raises(LogError, match="begins with StudyCreated, not with PauseRequested"):
        State.begin(ev.PauseRequested(at=0.0), seq=1)


def test_creation_comes_only_once(begin: Begin) -> None:
    log = begin()
    with pytest.raises(LogError, match="event 2 creates the study again"):
        log.state.apply(2, log.state.created)


@pytest.mark.parametrize("seq", [0, 1, 3, 100])
def test_gaps_and_repeats_are_refused(begin: Begin, seq: int) -> None:
    log = begin()
    with pytest.raises(LogError, match=rf"event {seq} does not follow event 1"):
        log.state.apply(seq, ev.PauseRequested(at=0.0))
    assert not log.state.switches.paused


def test_decisions_are_counted_and_nothing_else_is(begin: Begin) -> None:
    log = begin().attached()
    log.add(ev.PauseRequested)
    assert log.state.decisions == 0
    log.started()
    assert log.state.decisions == 2  # proposed, assigned
    assert log.state.seq == 6


# ------------------------------------------------------------------------------------------------ what does not fit


def test_numbers_are_given_in_order(begin: Begin) -> None:
    with pytest.raises(LogError, match="trial 3 is proposed, but the next number is 0"):
        begin().add(ev.TrialProposed, trial=3, params={}, reason=WHY)


@pytest.mark.parametrize("trial", [1, 99, -1])
def test_events_of_trials_that_are_not_there(begin: Begin, trial: int) -> None:
    log = begin()
    log.started()
    with pytest.raises(LogError, match=rf"trial {trial} does not exist: TrialExited"):
        log.add(ev.TrialExited, trial=trial, attempt=1, how="exited", code=0)


@pytest.mark.parametrize("attempt", [0, 2])
def test_events_of_another_attempt(begin: Begin, attempt: int) -> None:
    log = begin()
    number = log.started()
    with pytest.raises(LogError, match=rf"trial 0 is in attempt 1: TrialExited of {attempt} does not fit"):
        log.add(ev.TrialExited, trial=number, attempt=attempt, how="exited", code=0)


@pytest.mark.parametrize("attempt", [0, 1, 3])
def test_attempts_are_assigned_one_by_one(begin: Begin, attempt: int) -> None:
    log = begin()
    number = log.started()
    log.exited(number, how="lost", code=None)
    log.add(ev.TrialRetried, trial=number, attempt=1, reason=WHY)
    with pytest.raises(LogError, match="is in attempt 2"):
        log.add(ev.AttemptAssigned, trial=number, attempt=attempt)


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (ev.TrialProposed, {"trial": 1, "params": {"opt": "lbfgs"}, "reason": WHY}, "outside of the space"),
        (ev.TrialCompleted, {"trial": 0, "attempt": 1, "state": "complete", "values": (1.0, 2.0)}, "2 values for 1"),
        (ev.TrialStarted, {"trial": 0, "attempt": 1, "pid": 1, "ticks": 1, "boot": "", "host": ""}, "does not fit"),
    ],
)
def test_an_event_that_does_not_fit_changes_nothing(
    begin: Begin, kind: type[ev.Event], fields: dict[str, Any], message: str
) -> None:
    log = begin()
    log.started()
    if kind is ev.TrialCompleted:
        log.exited(0)
    before = (len(log.state), log.state.seq, log.state.decisions, log.state.phases.tolist(), len(log.state.history))
    with pytest.raises(LogError, match=message):
        log.add(kind, **fields)
    assert before == (
        len(log.state),
        log.state.seq,
        log.state.decisions,
        log.state.phases.tolist(),
        len(log.state.history),
    )


# ------------------------------------------------------------------------------------------------ a trial's record


def test_a_trial_from_proposal_to_its_end(begin: Begin) -> None:
    log = begin().attached()
    params = {"lr": 0.01, "width": 16, "opt": "sgd", "momentum": 0.5}
    number = log.proposed(params)
    assert log.state.trial(number).state == "waiting"
    assert log.state.trial(number).params == {**params, "epochs": 3}
    log.started(number)
    assert (log.state.trial(number).state, log.state.trial(number).attempt) == ("running", 1)
    log.reported(number, {"loss": 0.5, "acc": 0.1}, {"loss": 0.25})
    running = log.state.trial(number)
    assert (running.values, running.value, running.steps) == ({"loss": 0.25, "acc": 0.1}, None, 2)
    log.exited(number)
    assert log.state.trial(number).state == "running"
    log.completed(number, 0.25)
    done = log.state.trial(number)
    assert (done.state, done.value, done.values) == ("complete", 0.25, {"loss": 0.25, "acc": 0.1})
    assert (done.steps, done.reason, done.error) == (2, None, None)
    assert (done.started, done.ended) == (BEGIN + 4, BEGIN + 6)
    assert log.state.live == {}


def test_counts_name_every_public_state(begin: Begin) -> None:
    log = begin()
    log.done(0.1)
    log.failed()
    log.started()
    log.proposed()
    stopped = log.started()
    log.reported(stopped, {"loss": 1.0})
    log.add(ev.TrialStopped, trial=stopped, attempt=1, reason=WHY)
    log.exited(stopped, code=143)
    log.completed(stopped, 1.0, state="pruned", reason=WHY)
    assert log.state.counts == {"waiting": 1, "running": 1, "paused": 0, "complete": 1, "pruned": 1, "failed": 1}
    assert log.state.running() == [2, 3]
    assert [trial.number for trial in log.state.trials()] == [0, 1, 2, 3, 4]
    assert log.state.trial(4).reason == "because"
    assert log.state.trial(1).error == "exit status 1"


@pytest.mark.parametrize("number", [-1, 1])
def test_trials_that_are_not_there(begin: Begin, number: int) -> None:
    log = begin()
    log.proposed()
    with pytest.raises(IndexError):
        log.state.trial(number)


def test_constants_that_a_user_overrode_are_part_of_the_trial(begin: Begin) -> None:
    log = begin()
    number = log.proposed({"lr": 0.1, "width": 8, "opt": "adam", "epochs": 30})
    assert log.state.params(number)["epochs"] == 30
    assert log.state.trial(number).params == {"lr": 0.1, "width": 8, "opt": "adam", "epochs": 30}


# ------------------------------------------------------------------------------------------------ values


@pytest.mark.parametrize(
    ("goal", "how", "reports", "expected"),
    [
        ("minimize", "last", [3.0, 1.0, 2.0], 2.0),
        ("minimize", "best", [3.0, 1.0, 2.0], 1.0),
        ("minimize", "min", [3.0, 1.0, 2.0], 1.0),
        ("minimize", "max", [3.0, 1.0, 2.0], 3.0),
        ("maximize", "best", [3.0, 1.0, 2.0], 3.0),
        ("maximize", "min", [3.0, 1.0, 2.0], 1.0),
        (0.9, "best", [0.2, 1.0, 0.7], 1.0),
        (0.9, "last", [0.2, 1.0, 0.7], 0.7),
        ("minimize", "last", [1.0, "NaN"], math.nan),
        ("minimize", "best", ["NaN", 2.0, "NaN"], 2.0),
        ("minimize", "min", ["NaN", "-Infinity"], -math.inf),
        ("minimize", "max", ["NaN", 1.0], 1.0),
        ("maximize", "best", ["-Infinity", 1.0], 1.0),
        ("minimize", "best", ["Infinity", 7.0], 7.0),
        ("minimize", "best", ["NaN", "NaN"], math.nan),
        (0.5, "best", ["NaN", "Infinity", 0.0], 0.0),
    ],
)
def test_which_report_counts(
    begin: Begin, goal: Literal["minimize"] | float, how: Literal["last"], reports: list[Any], expected: float
) -> None:
    log = begin(study_spec(objectives=(Objective(metric="loss", goal=goal, value=how),)))
    number = log.started()
    for value in reports:
        log.reported(number, {"loss": value})
    assert log.state.live[number].values(log.state.spec.objectives) == pytest.approx((expected,), nan_ok=True)


def test_without_a_report_there_is_no_value(begin: Begin) -> None:
    log = begin(study_spec(objectives=(Objective(metric="loss"), Objective(metric="size"))))
    number = log.started()
    assert log.state.live[number].values(log.state.spec.objectives) is None
    log.reported(number, {"loss": 1.0})
    assert log.state.live[number].values(log.state.spec.objectives) is None
    log.reported(number, {"size": 2.0})
    assert log.state.live[number].values(log.state.spec.objectives) == (1.0, 2.0)


@pytest.mark.parametrize(
    ("goal", "values", "best"),
    [
        ("minimize", [3.0, 1.0, 1.0, 2.0], 1),
        ("maximize", [3.0, 9.0, "NaN"], 1),
        (5.0, [0.0, 9.0, 4.0], 2),
        ("minimize", ["NaN", "Infinity", 7.0], 2),
        ("minimize", ["NaN", "NaN"], 0),
        ("minimize", ["-Infinity", 1.0], 1),
        ("maximize", ["-Infinity", "NaN", -5.0], 2),
    ],
)
def test_the_best_so_far(begin: Begin, goal: Literal["minimize"] | float, values: list[Any], best: int) -> None:
    log = begin(study_spec(objectives=(Objective(metric="loss", goal=goal),)))
    for value in values:
        log.done(value)
    assert log.state.switches.best == best


def test_a_result_as_searchers_see_it(begin: Begin) -> None:
    objectives = (Objective(metric="loss"), Objective(metric="acc", goal="maximize"))
    log = begin(
        study_spec(
            objectives=objectives, outcomes=(Outcome(metric="ms", at_most=20.0), Outcome(metric="mb", at_least=1.0))
        )
    )
    number = log.started()
    log.reported(number, {"loss": 0.5, "acc": 0.75, "ms": 25.0})
    log.exited(number)
    log.completed(number, 0.5, 0.75)
    assert log.state.result(number) == ([0.5, -0.75], [5.0, math.inf], 1, 2.0)
    assert log.state.result(log.failed()) == (None, [], 0, 1.0)


# ------------------------------------------------------------------------------------------------ attempts


def test_a_retried_trial_begins_anew(begin: Begin) -> None:
    log = begin()
    number = log.started()
    log.reported(number, {"loss": 1.0}, {"loss": 2.0})
    log.exited(number, code=1)
    log.add(ev.TrialRetried, trial=number, attempt=1, reason=WHY, counted=True)
    waiting = log.state.trial(number)
    assert (waiting.state, waiting.values, waiting.ended) == ("waiting", {}, None)
    log.started(number)
    assert log.state.live[number].offsets == {}
    assert log.state.trial(number).steps == 0
    assert log.state.live[number].values(log.state.spec.objectives) is None
    assert log.state.trial(number).attempt == 2
    assert int(log.state.table["retries"][number]) == 1


def test_retrying_the_best_trial_takes_its_place_away(begin: Begin) -> None:
    log = begin()
    first, second = log.done(0.1), log.done(0.2)
    assert log.state.switches.best == first
    log.add(ev.RetryRequested, trial=first)
    log.add(ev.TrialRetried, trial=first, attempt=1, reason=WHY)
    assert log.state.switches.best == second
    assert log.state.trial(first).value is None
    assert log.state.trial(first).values == {}
    log.started(first)
    log.reported(first, {"loss": 0.3})
    log.exited(first)
    log.completed(first, 0.3)
    assert (log.state.switches.best, log.state.trial(first).value) == (second, 0.3)


def test_a_failure_that_is_retried_no_longer_counts(begin: Begin) -> None:
    log = begin()
    for _ in range(5):
        log.failed()
    assert (log.state.switches.failures, log.state.switches.first_outcomes) == (5, ["failed"] * 5)
    log.add(ev.RetryRequested, trial=2)
    log.add(ev.TrialRetried, trial=2, attempt=1, reason=WHY)
    assert (log.state.switches.failures, log.state.switches.first_outcomes) == (4, ["failed"] * 4)
    assert log.state.trial(2).error is None


def test_a_trial_that_somebody_ended_is_no_failure_of_its_own(begin: Begin) -> None:
    log = begin()
    number = log.started()
    log.add(ev.TrialStopped, trial=number, attempt=1, reason=WHY)
    log.exited(number, code=143)
    log.completed(number, state="failed", reason=WHY)
    assert (log.state.switches.failures, log.state.switches.first_outcomes) == (0, [])
    log.add(ev.TrialRetried, trial=number, attempt=1, reason=WHY)
    assert log.state.switches.failures == 0


def test_a_stop_that_comes_too_late_changes_nothing(begin: Begin) -> None:
    log = begin()
    number = log.started()
    log.reported(number, {"loss": 1.0})
    log.add(ev.TrialStopRequested, trial=number)
    log.exited(number)
    log.add(ev.TrialStopped, trial=number, attempt=1, reason=WHY)
    assert log.state.phase(number) is Phase.ENDED
    assert log.state.live[number].stop is None
    log.completed(number, 1.0)
    assert log.state.trial(number).reason is None
    assert log.state.trial_stops == set()


def test_who_looks_after_an_attempt(begin: Begin) -> None:
    log = begin().attached(1)
    number = log.started()
    live = log.state.live[number]
    assert (live.runner, live.epoch, live.adopted, live.pid, live.ticks, live.boot, live.host) == (
        "r",
        1,
        False,
        9,
        8,
        "boot",
        "host",
    )
    log.add(ev.AttemptAdopted, trial=number, attempt=1, previous=1, runner="s", epoch=2)
    live = log.state.live[number]
    assert (live.runner, live.epoch, live.adopted, live.pid) == ("s", 2, True, 9)


def test_the_cursor_is_the_last_one_logged(begin: Begin) -> None:
    log = begin()
    number = log.started()
    log.add(ev.TrialReported, trial=number, attempt=1, reports=(), offsets={"stdout": 10}, channel="lines")
    log.add(
        ev.TrialReported,
        trial=number,
        attempt=1,
        reports=(),
        offsets={"stdout": 10, "reports.jsonl": 5},
        channel="file",
    )
    live = log.state.live[number]
    assert (live.offsets, live.channel, live.reports) == ({"stdout": 10, "reports.jsonl": 5}, "file", 0)


# ------------------------------------------------------------------------------------------------ requests


def test_pause_and_unpause(begin: Begin) -> None:
    log = begin()
    paused = [log.add(kind).switches.paused for kind in (ev.PauseRequested, ev.UnpauseRequested)]
    assert paused == [True, False]


@pytest.mark.parametrize(
    ("wishes", "stop"), [([False], "after"), ([True], "now"), ([True, False], "now"), ([False, True], "now")]
)
def test_stop_now_is_the_stronger_one(begin: Begin, wishes: list[bool], stop: str) -> None:
    log = begin()
    for now in wishes:
        log.add(ev.StopRequested, now=now)
    assert log.state.switches.stop == stop


def test_notes_are_kept_beside_trials_and_the_study(begin: Begin) -> None:
    log = begin()
    number = log.proposed()
    log.add(ev.NotesChanged, text="a try", tagged=("digits", "old"))
    log.add(ev.NotesChanged, trial=number, tagged=("odd", "odd"), archived=True)
    log.add(ev.NotesChanged, tagged=("new",), untagged=("old", "never there"))
    log.add(ev.NotesChanged, trial=number, text="why?")
    assert log.state.notes == {
        None: Note("a try", ("digits", "new")),
        number: Note("why?", ("odd",), archived=True),
    }


def test_a_note_that_says_nothing_any_more_is_gone(begin: Begin) -> None:
    log = begin()
    log.add(ev.NotesChanged, text="a try", tagged=("x",), archived=True)
    log.add(ev.NotesChanged, text="", untagged=("x",), archived=False)
    assert log.state.notes == {}


@pytest.mark.parametrize("trial", [-1, 1, 99])
def test_notes_on_trials_that_are_not_there(begin: Begin, trial: int) -> None:
    log = begin()
    log.proposed()
    log.add(ev.NotesChanged, trial=trial, text="who?")
    assert log.state.notes == {}


def test_runners_that_follow_have_as_many_workers_as_the_study_says(begin: Begin) -> None:
    log = begin().attached(1)
    log.add(ev.RunnerAttached, runner="f", epoch=2, host="host", pid=2, workers=1, follows=True)
    log.add(ev.SpecChanged, changes=(), run=RunSettings(workers=5))
    assert {epoch: runner.workers for epoch, runner in log.state.runners.items()} == {1: 1, 2: 5}


def test_requests_on_trials_that_they_cannot_mean_are_ignored(begin: Begin) -> None:
    log = begin()
    done, live = log.done(0.1), log.started()
    for trial in (done, 99, -1):
        log.add(ev.TrialStopRequested, trial=trial)
    for trial in (live, 99, -1):
        log.add(ev.RetryRequested, trial=trial)
    for trial in (99, -1):
        log.add(ev.TrialTold, trial=trial, values={"loss": 3.0})
    assert (log.state.trial_stops, log.state.retries_wanted) == (set(), set())
    assert (log.state.trial(done).value, log.state.trial(live).values) == (0.1, {})


def test_the_queue_keeps_the_order_of_asking(begin: Begin) -> None:
    log = begin()
    for width in (8, 16, 24):
        log.add(ev.TrialEnqueued, params={"width": width})
    params = log.state.space.complete(log.state.queue[1])
    log.add(ev.TrialProposed, trial=0, params=params, reason=WHY, enqueued=1)
    assert {index: params["width"] for index, params in log.state.queue.items()} == {0: 8, 2: 24}
    log.add(ev.TrialEnqueued, params={"width": 32})
    assert sorted(log.state.queue) == [0, 2, 3]


@pytest.mark.parametrize("kind", ["enqueue", "retry", "budget"])
def test_whoever_asks_for_more_opens_the_study_again(begin: Begin, kind: str) -> None:
    log = begin()
    log.failed()
    log.add(ev.StopRequested)
    log.add(ev.StudyCompleted, state="failed", reason=WHY)
    assert log.state.switches.completed
    _ask_for_more(log, kind)
    assert not log.state.switches.completed
    assert log.state.switches.stop is None


@pytest.mark.parametrize("kind", ["enqueue", "retry", "budget"])
def test_an_end_that_was_decided_before_somebody_asked_for_more_does_not_hold(begin: Begin, kind: str) -> None:
    log = begin()
    log.failed()
    based_on = log.state.seq
    _ask_for_more(log, kind)
    early = log.add(ev.StudyCompleted, based_on=based_on, state="failed", reason=WHY).switches.completed
    late = log.add(ev.StudyCompleted, state="failed", reason=WHY).switches.completed
    assert (early is None, late is None) == (True, False)


def _ask_for_more(log: Folding, kind: str) -> None:
    if kind == "enqueue":
        log.add(ev.TrialEnqueued, params={})
    elif kind == "retry":
        log.add(ev.RetryRequested, trial=0)
    else:
        log.add(ev.SpecChanged, changes=(), budget=Budget(trials=9))


def test_run_settings_change_without_opening_a_study(begin: Begin) -> None:
    log = begin()
    log.done(0.1)
    log.add(ev.TimeSpent, seconds=3.0)
    log.add(ev.StudyCompleted, state="complete", reason=WHY)
    log.add(ev.SpecChanged, changes=(), run=RunSettings(retries=3))
    assert log.state.spec.run.retries == 3
    assert log.state.spec.budget == log.state.created.spec.budget
    assert log.state.switches.completed
    spent = [log.state.switches.time_spent]
    spent.append(log.add(ev.SpecChanged, changes=(), budget=Budget(trials=9)).switches.time_spent)
    assert spent == [True, False]
    assert len(log.state.changes) == 2


def test_a_running_trial_is_told_its_value(begin: Begin) -> None:
    log = begin()
    number = log.started()
    log.reported(number, {"loss": 5.0})
    log.add(ev.TrialTold, trial=number, values={"loss": 0.5})
    assert log.state.live[number].values(log.state.spec.objectives) == (0.5,)


@pytest.mark.parametrize(("told", "best"), [(0.05, 1), ("NaN", 0), (0.2, 0)])
def test_a_finished_trial_is_told_its_value(begin: Begin, told: Any, best: int) -> None:
    log = begin()
    first, second = log.done(0.1), log.done(0.01)
    log.add(ev.TrialTold, trial=second, values={"loss": told, "extra": 4.0})
    assert log.state.trial(second).values == pytest.approx({"loss": float(told), "extra": 4.0}, nan_ok=True)
    assert log.state.trial(second).value == pytest.approx(float(told), nan_ok=True)
    assert log.state.switches.best == (first if best == 0 else second)
    assert log.state.history["delta"].tolist() == [0, ~0, 1, ~1, ~1]
    assert list(log.state.superseded.items()) == [(3, [[0.01], [], 1, 2.0])]


def test_metric_names_beyond_a_limit_stay_in_the_log(begin: Begin) -> None:
    log = begin()
    number = log.started()
    many: dict[str, WireNumber] = {f"m{i}": float(i) for i in range(1000)}
    log.reported(number, {**many, "loss": 1.0})
    log.exited(number)
    log.completed(number, 1.0)
    assert log.state.trial(number).value == 1.0
    assert len(log.state.table.names()) < 600


# ------------------------------------------------------------------------------------------------ time


def test_time_counts_while_a_runner_is_attached(begin: Begin) -> None:
    log = begin()
    log.attached(at=BEGIN + 100)  # nobody was there before
    log.add(ev.TimeSpent, at=BEGIN + 130, seconds=0.0)
    assert log.state.switches.elapsed == 30
    log.add(ev.RunnerDetached, at=BEGIN + 150, runner="r", epoch=1, why="hangup")
    assert log.state.switches.elapsed == 50
    log.attached(2, at=BEGIN + 1000)
    assert log.state.switches.elapsed == 50


def test_a_clock_that_is_set_back_takes_nothing_away(begin: Begin) -> None:
    log = begin().attached(at=BEGIN + 3600)
    log.add(ev.TimeSpent, at=BEGIN + 3610, seconds=0.0)
    log.add(ev.TimeSpent, at=BEGIN + 10, seconds=0.0)
    assert log.state.switches.elapsed == 10
    log.add(ev.TimeSpent, at=BEGIN + 15, seconds=0.0)
    assert log.state.switches.elapsed == 15


def test_the_time_after_a_runner_died_does_not_count(begin: Begin) -> None:
    log = begin().attached(at=BEGIN)
    number = log.started()
    last = log.state.switches.elapsed
    log.attached(2, at=BEGIN + 90_000)
    log.add(ev.RunnerDetached, at=BEGIN + 90_000, runner="r", epoch=1, why="lost")
    assert log.state.switches.elapsed == last
    log.add(ev.AttemptAdopted, at=BEGIN + 90_001, trial=number, attempt=1, previous=1, epoch=2)
    assert log.state.switches.elapsed == last + 1


def test_requests_do_not_move_the_clock(begin: Begin) -> None:
    """They come from other machines, whose clocks differ, and also while nobody works."""
    log = begin().attached(at=BEGIN)
    log.add(ev.PauseRequested, at=BEGIN + 999_999)
    log.add(ev.UnpauseRequested, at=BEGIN - 999_999)
    log.add(ev.TimeSpent, at=BEGIN + 20, seconds=0.0)
    assert log.state.switches.elapsed == 20
