"""What becomes of trials that ended, of requests and of the study, rule by rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest

from rung.model import Budget, Objective, Reason, RunSettings
from rung.study import events as ev
from rung.study.settle import closing_reason, failure_limit, remaining, settled
from rung.study.state import State
from rung.testing.studies import Folding, study_spec

Begin = Callable[..., Folding]
WHY = Reason(by="test", text="because")


def told(state: State) -> list[tuple[str, dict[str, Any]]]:
    """What is due: the event's name, and its fields without trial and attempt."""
    return [
        (kind.__name__, {name: value for name, value in fields.items() if name not in {"trial", "attempt"}})
        for kind, fields in settled(state, {})
    ]


def ended(begin: Begin, *reports: Any, spec: Any = None, **how: Any) -> Folding:
    log: Folding = begin(spec or study_spec())
    number = log.started()
    for values in reports:
        log.reported(number, values)
    log.exited(number, **how)
    return log


# ------------------------------------------------------------------------------------------------ how a trial ended


def test_a_good_end_with_a_value_is_complete(begin: Begin) -> None:
    log = ended(begin, {"loss": 0.5})
    assert told(log.state) == [("TrialCompleted", {"state": "complete", "values": (0.5,)})]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_a_value_that_is_no_number_is_a_value(begin: Begin, value: str) -> None:
    log = ended(begin, {"loss": value})
    assert told(log.state) == [("TrialCompleted", {"state": "complete", "values": (value,)})]


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"code": 1}, "exit status 1"),
        ({"code": 1, "tail": "ValueError: boom"}, "exit status 1: ValueError: boom"),
        ({"code": 137}, "exit status 137 (signal 9)"),
        ({"code": 200, "tail": "x"}, "exit status 200: x"),
        ({"how": "timeout", "code": None}, "ended at its time limit of 30 s"),
        ({"how": "timeout", "code": 0}, "ended at its time limit of 30 s"),
        ({"how": "killed", "code": None}, "killed: its processes are gone and left no exit status"),
        ({"how": "killed", "code": None, "tail": "the process that asked for it is gone"}, "the process that asked for it is gone"),
        ({"how": "told", "code": 1, "tail": "told that it failed"}, "exit status 1: told that it failed"),
    ],
)  # fmt: skip
def test_a_bad_end_is_a_failure_that_says_why(begin: Begin, how: dict[str, Any], error: str) -> None:
    log = ended(begin, {"loss": 0.5}, spec=study_spec(run=RunSettings(timeout_s=30)), **how)
    assert told(log.state) == [("TrialCompleted", {"state": "failed", "error": error})]


@pytest.mark.parametrize(
    ("reports", "error"),
    [
        ([], "ended without reporting loss; it reported nothing"),
        ([{"val_loss": 0.1, "acc": 0.9}], "ended without reporting loss; it reported acc, val_loss"),
        ([{"los": "NaN"}], "ended without reporting loss; it reported los"),
    ],
)
def test_an_end_without_the_metric_lists_what_was_reported(begin: Begin, reports: list[Any], error: str) -> None:
    assert told(ended(begin, *reports).state) == [("TrialCompleted", {"state": "failed", "error": error})]


def test_every_missing_objective_is_named(begin: Begin) -> None:
    objectives = tuple(Objective(metric=name) for name in ("loss", "size", "ms"))
    log = ended(begin, {"size": 1.0}, spec=study_spec(objectives=objectives))
    assert told(log.state)[0][1]["error"] == "ended without reporting loss, ms; it reported size"


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("lost", "its machine is gone"),
        ("never", "it had not started when its runner was gone"),
        ("interrupted", "the runner was asked to stop"),
    ],
)
def test_what_is_not_the_programs_fault_is_tried_again(begin: Begin, how: str, text: str) -> None:
    log = ended(begin, {"loss": 0.1}, how=how, code=None)
    assert told(log.state) == [("TrialRetried", {"reason": Reason(by="runner", text=text)})]


def test_a_trial_that_is_lost_ten_times_fails_the_next_time(begin: Begin) -> None:
    log = begin()
    number = log.proposed()
    for attempt in range(1, 12):
        log.started(number)
        log.exited(number, how="lost", code=None)
        [(kind, fields)] = told(log.state)
        if attempt <= 10:
            assert kind == "TrialRetried"
            log.add(ev.TrialRetried, trial=number, attempt=attempt, **fields)
    assert (kind, fields) == ("TrialCompleted", {"state": "failed", "error": "lost 11 times: its machine is gone"})


@pytest.mark.parametrize("how", ["exited", "killed"])
def test_retries_are_used_up_one_by_one(begin: Begin, how: str) -> None:
    log = begin(study_spec(run=RunSettings(retries=2)))
    number = log.proposed()
    kinds = []
    for attempt in (1, 2, 3):
        log.started(number)
        log.exited(number, how=how, code=1)
        [(kind, fields)] = told(log.state)
        kinds.append(kind)
        if kind == "TrialRetried":
            assert fields["counted"]
            log.add(ev.TrialRetried, trial=number, attempt=attempt, **fields)
    assert kinds == ["TrialRetried", "TrialRetried", "TrialCompleted"]


@pytest.mark.parametrize("how", ["timeout", "told"])
def test_time_limits_and_told_failures_are_not_retried(begin: Begin, how: str) -> None:
    log = ended(begin, spec=study_spec(run=RunSettings(retries=2)), how=how, code=1)
    assert told(log.state)[0][0] == "TrialCompleted"


def test_a_missing_metric_uses_up_a_retry_like_any_failure(begin: Begin) -> None:
    log = ended(begin, spec=study_spec(run=RunSettings(retries=1)))
    assert told(log.state)[0][0] == "TrialRetried"


# ------------------------------------------------------------------------------------------------ stops


def test_a_trial_that_the_user_stops(begin: Begin) -> None:
    log = begin()
    number = log.started()
    log.add(ev.TrialStopRequested, trial=number)
    stop = Reason(by="user", text="stopped by the user")
    assert told(log.state) == [("TrialStopped", {"reason": stop})]
    log.add(ev.TrialStopped, trial=number, attempt=1, reason=stop)
    assert told(log.state) == []  # it is on its way


@pytest.mark.parametrize(
    ("reports", "state", "values"),
    [([{"loss": 0.5}], "pruned", (0.5,)), ([], "failed", None), ([{"x": 1.0}], "failed", None)],
)
@pytest.mark.parametrize(
    "how", [{"code": 143}, {"code": 0}, {"how": "killed", "code": None}, {"how": "lost", "code": None}]
)
def test_what_a_stopped_trial_becomes(begin: Begin, how: Any, reports: Any, state: str, values: Any) -> None:
    log = begin()
    number = log.started()
    for report in reports:
        log.reported(number, report)
    log.add(ev.TrialStopped, trial=number, attempt=1, reason=WHY)
    log.exited(number, **how)
    assert told(log.state) == [("TrialCompleted", {"state": state, "values": values, "reason": WHY})]


def test_a_waiting_trial_that_is_stopped_has_no_program_to_end(begin: Begin) -> None:
    log = begin()
    log.add(ev.TrialStopRequested, trial=log.proposed())
    assert told(log.state) == [
        ("TrialCompleted", {"state": "failed", "reason": Reason(by="user", text="stopped by the user"), "values": None})
    ]


@pytest.mark.parametrize(("now", "kinds"), [(True, ["TrialStopped", "TrialCompleted"]), (False, ["TrialCompleted"])])
def test_stopping_the_study(begin: Begin, *, now: bool, kinds: list[str]) -> None:
    log = begin()
    log.started()  # goes on unless it is `now`
    log.proposed()  # will never start
    log.add(ev.StopRequested, now=now)
    assert [kind for kind, _ in told(log.state)] == kinds
    assert all(fields["reason"].text == "the study was stopped" for _, fields in told(log.state))


def test_a_retry_wish_is_granted(begin: Begin) -> None:
    log = begin()
    number = log.failed()
    log.add(ev.RetryRequested, trial=number)
    assert told(log.state) == [("TrialRetried", {"reason": Reason(by="user", text="retried")})]


def test_a_retry_wish_waits_for_a_budget_and_the_result_stays_until_then(begin: Begin) -> None:
    log = begin(study_spec(budget=Budget(trials=9, time_s=90.0)))
    number = log.done(0.5)
    log.add(ev.TimeSpent, seconds=90.0)
    log.add(ev.RetryRequested, trial=number)
    assert [kind for kind, _ in told(log.state)] == ["StudyCompleted"]
    assert (log.state.trial(number).state, log.state.trial(number).value) == ("complete", 0.5)
    log.add(ev.SpecChanged, changes=(), budget=Budget(trials=9, time_s=900.0))
    assert [kind for kind, _ in told(log.state)] == ["TrialRetried"]


# ------------------------------------------------------------------------------------------------ the end of a study


def test_a_study_is_complete_when_its_budget_is_evaluated(begin: Begin) -> None:
    log = begin(study_spec(trials=2))
    log.done(0.1)
    assert told(log.state) == []
    log.failed()  # does not count
    assert told(log.state) == []
    log.done(0.2)
    reason = Reason(by="budget", text="2 trials evaluated")
    assert told(log.state) == [("StudyCompleted", {"state": "complete", "reason": reason})]
    log.add(ev.StudyCompleted, state="complete", reason=reason)
    assert told(log.state) == []


def test_without_a_number_of_trials_it_goes_on(begin: Begin) -> None:
    log = begin(study_spec(trials=None))
    log.done(0.1)
    assert told(log.state) == []
    assert remaining(log.state) == float("inf")


def test_what_is_enqueued_holds_the_end_back(begin: Begin) -> None:
    log = begin(study_spec(trials=1))
    log.done(0.1)
    log.add(ev.TrialEnqueued, params={})
    assert told(log.state) == []


@pytest.mark.parametrize(
    ("budget", "failures", "over"),
    [
        (Budget(trials=4), 4, None),
        (Budget(trials=4, max_failures=3), 3, "3 trials failed (limit 3)"),
        (Budget(trials=4, max_failures=3), 2, None),
        (Budget(trials=4, max_failures=0), 1, "1 trials failed (limit 1)"),
        (Budget(trials=4, max_failures=0), 0, None),
        (Budget(trials=4), 5, "the first 5 trials all failed"),
    ],
)
def test_the_failure_limit(begin: Begin, budget: Budget, failures: int, over: str | None) -> None:
    log = begin(study_spec(budget=budget))
    for _ in range(failures):
        log.failed()
    reason = closing_reason(log.state)
    assert (reason.text if reason else None) == over
    if over is not None:
        assert told(log.state) == [("StudyCompleted", {"state": "failed", "reason": reason})]


@pytest.mark.parametrize(("trials", "limit"), [(None, 10), (4, 10), (10, 10), (250, 250)])
def test_the_usual_failure_limit(begin: Begin, trials: int | None, limit: int) -> None:
    assert failure_limit(begin(study_spec(trials=trials)).state) == limit


def test_one_success_among_the_first_five_is_enough_to_go_on(begin: Begin) -> None:
    log = begin(study_spec(trials=20))
    for _ in range(4):
        log.failed()
    log.done(0.5)
    for _ in range(5):
        log.failed()
    assert closing_reason(log.state) is None


def test_retrying_one_of_five_failures_gives_the_study_another_chance(begin: Begin) -> None:
    log = begin()
    for _ in range(5):
        log.failed()
    assert closing_reason(log.state) is not None
    log.add(ev.RetryRequested, trial=0)
    log.add(ev.TrialRetried, trial=0, attempt=1, reason=WHY)
    assert told(log.state) == []
    log.started(0)
    log.exited(0, code=1)
    log.completed(0, state="failed", error="exit status 1")
    assert closing_reason(log.state) is not None


def test_trials_that_the_user_stopped_are_no_failures(begin: Begin) -> None:
    log = begin(study_spec(budget=Budget(trials=20, max_failures=2)))
    for _ in range(6):
        number = log.started()
        log.add(ev.TrialStopped, trial=number, attempt=1, reason=WHY)
        log.exited(number, code=143)
        log.completed(number, state="failed", reason=WHY)
    assert closing_reason(log.state) is None


@pytest.mark.parametrize(("answer", "state"), [("continue", "complete"), ("fail", "failed"), ("stop", "failed")])
def test_what_failures_mean_when_the_study_says_it(begin: Begin, answer: Any, state: str) -> None:
    log = begin(study_spec(budget=Budget(trials=7, on_failure=answer)))
    for _ in range(1 if answer == "stop" else 6):
        log.failed()
    log.done(0.5)
    assert remaining(log.state) == (5 if answer == "stop" else 0)
    ((kind, fields),) = told(log.state)
    assert (kind, fields["state"]) == ("StudyCompleted", state)


def test_the_first_failure_may_end_the_running_trials_too(begin: Begin) -> None:
    log = begin(study_spec(budget=Budget(trials=9, on_failure="stop")))
    log.started()
    log.failed()
    ((kind, fields),) = told(log.state)
    assert (kind, fields["reason"].text) == ("TrialStopped", "a trial failed, which ends this study at once")


def test_a_limit_that_is_given_holds_whatever_failures_mean(begin: Begin) -> None:
    log = begin(study_spec(budget=Budget(trials=20, max_failures=2, on_failure="continue")))
    log.failed()
    assert closing_reason(log.state) is None
    log.failed()
    assert closing_reason(log.state) is not None


def test_running_trials_may_finish_when_the_study_is_given_up(begin: Begin) -> None:
    log = begin(study_spec(budget=Budget(trials=9, max_failures=1)))
    log.started()
    log.failed()
    assert told(log.state) == []


@pytest.mark.parametrize(
    ("goal", "target", "value", "reached"),
    [
        ("minimize", 0.1, 0.1, True),
        ("minimize", 0.1, 0.11, False),
        ("minimize", 0.1, "-Infinity", False),
        ("minimize", 0.1, "NaN", False),
        ("maximize", 0.9, 0.95, True),
        ("maximize", 0.9, 0.8, False),
        (0.5, 0.6, 0.45, True),
        (0.5, 0.6, 0.7, False),
    ],
)
def test_the_target(
    begin: Begin, goal: Literal["minimize"] | float, target: float, value: Any, *, reached: bool
) -> None:
    spec = study_spec(objectives=(Objective(metric="loss", goal=goal),), budget=Budget(trials=9, target=target))
    log = begin(spec)
    log.started()
    log.done(value)
    assert [kind for kind, _ in told(log.state)] == (["TrialStopped"] if reached else [])


def test_a_target_lets_running_trials_finish_in_a_deterministic_study(begin: Begin) -> None:
    log = begin(study_spec(budget=Budget(trials=9, target=0.1)), deterministic=True)
    log.started()
    log.done(0.05)
    assert told(log.state) == []


def test_a_pruned_trial_does_not_reach_the_target(begin: Begin) -> None:
    log = begin(study_spec(budget=Budget(trials=9, target=0.1)))
    number = log.started()
    log.reported(number, {"loss": 0.05})
    log.add(ev.TrialStopped, trial=number, attempt=1, reason=WHY)
    log.exited(number)
    log.completed(number, 0.05, state="pruned", reason=WHY)
    assert told(log.state) == []


def test_time_is_up(begin: Begin) -> None:
    log = begin(study_spec(budget=Budget(trials=9, time_s=90.0)))
    log.started()
    log.add(ev.TimeSpent, seconds=90.0)
    assert told(log.state) == [
        ("TrialStopped", {"reason": Reason(by="budget", text="the time budget of 90 s is used up", phase="now")})
    ]


@pytest.mark.parametrize(("values", "state"), [([0.1], "complete"), ([], "failed")])
def test_a_stopped_study_is_complete_when_something_succeeded(begin: Begin, values: list[float], state: str) -> None:
    log = begin()
    log.failed()
    for value in values:
        log.done(value)
    log.add(ev.StopRequested)
    [(kind, fields)] = told(log.state)
    assert (kind, fields["state"], fields["reason"].text) == ("StudyCompleted", state, "the study was stopped")


def test_a_study_that_is_given_up_has_failed_although_something_succeeded(begin: Begin) -> None:
    log = begin(study_spec(budget=Budget(trials=9, max_failures=1)))
    log.done(0.1)
    log.failed()
    assert told(log.state)[0][1]["state"] == "failed"
