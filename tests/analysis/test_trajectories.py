"""What a log says had been found and spent, moment by moment."""

from __future__ import annotations

import math
from typing import Any

import pytest

from rung.analysis.trajectories import Points, plural, points_of, resource_name, time_unit
from rung.model import Checkpoint, Objective, Outcome, Reason, Report, RunSettings, ScheduleSpec, Source, StudySpec
from rung.study import events as ev
from rung.study.state import State
from rung.testing.studies import BEGIN, Folding, study_spec

REASON = Reason(by="test", text="test")


class Recorded(Folding):
    """A folding hand that keeps what it applied."""

    def __init__(self, spec: StudySpec) -> None:
        super().__init__(spec)
        self.events: list[ev.AnyEvent] = [self.state.created]

    def add(self, kind: type[ev.Event], *, at: float | None = None, **fields: Any) -> State:
        when = BEGIN + self.state.seq if at is None else at
        decision = {"based_on": self.state.seq, "runner": "r", "epoch": 1} if issubclass(kind, ev.Decision) else {}
        self.events.append(kind(at=when, **{**decision, **fields}))  # type: ignore[arg-type]
        return super().add(kind, at=at, **fields)

    def points(self, *, final: bool = False) -> Points:
        return points_of(self.events, self.state.spec, final=final)


def log_of(**fields: Any) -> Recorded:
    log = Recorded(study_spec(**fields))
    log.attached()
    return log


def test_reports_are_points_where_the_study_stood_when_they_came() -> None:
    log = log_of()
    number = log.started()
    log.reported(number, {"loss": 3.0}, {"loss": 1.0})
    log.exited(number)
    log.completed(number, 2.0)
    found = log.points()
    assert found.losses.tolist() == [[3.0], [1.0], [2.0]]
    assert found.places["time"].tolist() == [4.0, 4.0, 6.0]  # a second an event since the runner attached
    assert found.places["resource"].tolist() == [1, 2, 2]
    assert found.places["trials"].tolist() == [1, 1, 1]
    assert found.spent["time"] == log.state.switches.elapsed
    assert (found.spent["trials"], found.spent["resource"]) == (1, 2)


def test_only_the_ends_count_when_asked() -> None:
    log = log_of()
    number = log.started()
    log.reported(number, {"loss": 3.0}, {"loss": 1.0})
    log.exited(number)
    log.completed(number, 2.0)
    assert log.points(final=True).losses.tolist() == [[2.0]]


def test_the_time_without_a_runner_does_not_count() -> None:
    log = log_of()
    log.done(1.0)
    log.add(ev.RunnerDetached, runner="r", epoch=1, why="interrupted")
    log.add(ev.PauseRequested, at=BEGIN + 500)
    log.attached(2, at=BEGIN + 1000)
    log.add(ev.TrialProposed, at=BEGIN + 1000, trial=1, params=log.state.space.middle(), reason=REASON)
    log.add(ev.AttemptAssigned, at=BEGIN + 1001, trial=1, attempt=1)
    log.add(ev.TrialStarted, at=BEGIN + 1001, trial=1, attempt=1, pid=9, ticks=8, boot="boot", host="host")
    log.add(
        ev.TrialReported, at=BEGIN + 1003, trial=1, attempt=1, reports=(Report(1, 0.0, {"loss": 0.5}),),
        offsets={}, channel="file",
    )  # fmt: skip
    found = log.points()
    assert found.spent["time"] == pytest.approx(log.state.switches.elapsed)
    assert found.places["time"][-1] == log.state.switches.elapsed
    assert found.spent["time"] < 20


def test_a_trial_that_failed_has_found_nothing_and_one_that_still_runs_is_no_trial_yet() -> None:
    log = log_of()
    bad = log.started()
    log.reported(bad, {"loss": 0.0})
    log.exited(bad, code=1)
    log.completed(bad, state="failed")
    running = log.started()
    log.reported(running, {"loss": 5.0})
    found = log.points()
    assert found.losses.tolist() == [[5.0]]
    assert found.places["trials"].tolist() == [math.inf]
    assert found.spent["trials"] == 0
    assert found.spent["resource"] == 2


def test_work_that_is_done_again_is_used_again_and_what_a_clone_got_is_not() -> None:
    log = log_of(schedule=ScheduleSpec())
    number = log.started()
    log.reported(number, {"loss": 3.0}, {"loss": 2.0})
    log.exited(number, how="interrupted", code=None)
    log.add(ev.TrialRetried, trial=number, attempt=1, reason=REASON)
    source = Source(number, Checkpoint(1, "2", 2.0, 2))
    events = [
        *log.events,
        ev.AttemptAssigned(at=BEGIN + 50, based_on=1, runner="r", epoch=1, trial=number, attempt=2),
        _reported(number, 2, 1, 2, 3),
        ev.TrialProposed(at=BEGIN + 52, based_on=1, runner="r", epoch=1, trial=1, params={}, reason=REASON),
        ev.AttemptAssigned(at=BEGIN + 53, based_on=1, runner="r", epoch=1, trial=1, attempt=1, source=source),
        _reported(1, 1, 3, 5),
    ]
    found = points_of(events, log.state.spec)
    assert found.places["resource"].tolist() == [1, 2, 3, 4, 5, 6, 8]


def _reported(trial: int, attempt: int, *steps: float) -> ev.TrialReported:
    reports = tuple(Report(step, 0.0, {"loss": 1.0}) for step in steps)
    return ev.TrialReported(at=BEGIN + 60, trial=trial, attempt=attempt, reports=reports, offsets={}, channel="file")


def test_cost_by_the_price_of_an_hour_or_as_reported() -> None:
    priced = log_of(run=RunSettings(price=3600.0))
    number = priced.started()
    priced.reported(number, {"loss": 1.0})
    priced.exited(number)
    priced.completed(number, 1.0)
    found = priced.points()
    assert found.costed
    assert found.places["cost"].tolist() == [1.0, 2.0]  # one a second while the trial runs: two seconds from its start
    assert found.spent["cost"] == 2.0
    number = priced.started()
    priced.reported(number, {"loss": 1.0, "cost": 4.0}, {"loss": 1.0, "cost": 6.0})
    assert priced.points().spent["cost"] == 6.0
    assert not log_of().points().costed


def test_outcomes_must_be_kept_by_what_was_last_reported() -> None:
    log = log_of(outcomes=(Outcome(metric="ms", at_most=10.0),))
    number = log.started()
    log.reported(number, {"loss": 1.0}, {"ms": 5.0}, {"loss": 0.5}, {"loss": 0.1, "ms": 50.0})
    assert log.points().losses.tolist() == [[1.0], [0.5]]


def test_losses_are_to_be_minimised_and_what_is_no_number_is_worst() -> None:
    log = log_of(objectives=(Objective(metric="a", goal="maximize"), Objective(metric="b", goal=2.0)))
    number = log.started()
    log.reported(number, {"a": 3.0}, {"b": 5.0}, {"a": "NaN"})
    assert log.points().losses.tolist() == [[-3.0, 3.0], [math.inf, 3.0]]


def test_values_that_a_user_gave_afterwards_count() -> None:
    log = log_of()
    log.done(3.0)
    log.add(ev.TrialTold, trial=0, values={"loss": 1.0})
    assert log.points(final=True).losses.tolist() == [[3.0], [1.0]]
    assert log.points().spent["trials"] == 1


def test_an_empty_log_has_no_points() -> None:
    found = log_of().points()
    assert found.losses.shape == (0, 1)
    assert all(len(places) == 0 for places in found.places.values())


def test_words() -> None:
    words = ["epoch", "batch", "step", "samples", "box", "day", "pass", "frequency"]
    assert [plural(word) for word in words] == [
        "epochs", "batches", "steps", "samples", "boxes", "days", "pass", "frequencies"
    ]  # fmt: skip
    assert resource_name(study_spec()) == "steps"
    assert resource_name(study_spec(schedule=ScheduleSpec(resource="epoch"))) == "epochs"
    assert [time_unit(s)[0] for s in (0, 100, 130, 10_000, 1e6)] == ["seconds", "seconds", "minutes", "hours", "days"]
