"""What schedulers are shown of a trial: steps that increase, over restarts, repeats and gaps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.model import Checkpoint, Objective, Outcome, Reason, Report, Source, StudySpec
from rung.schedule import base as schedule
from rung.study import events as ev
from rung.study.fidelity import Reached
from rung.study.following import Following
from rung.study.snapshot import dump
from rung.testing.studies import BEGIN, Folding, study_spec

Begin = Callable[..., Folding]
WHY = Reason(by="test", text="because")


class Shown:
    """A state, and what a scheduler was shown of each event that it has applied."""

    def __init__(self, log: Folding, *levels: float) -> None:
        self.log, self.following = log, Following(log.state.spec, levels)
        self.deltas: list[Any] = []

    def add(self, kind: type[ev.Event], **fields: Any) -> list[Any]:
        if issubclass(kind, ev.Decision):
            fields = {"based_on": self.log.state.seq, "runner": "r", "epoch": 1, **fields}
        event: Any = kind(**{"at": BEGIN + self.log.state.seq, **fields})
        self.log.state.apply(self.log.state.seq + 1, event)
        found = list(self.following.digest(self.log.state, event))
        self.deltas += found
        return found

    def proposed(self, source: Source | None = None) -> list[Any]:
        number = len(self.log.state)
        return self.add(ev.TrialProposed, trial=number, params=self.log.state.space.middle(), reason=WHY, source=source)

    def started(self, trial: int = 0, *, source: Source | None = None, at: float | None = None) -> None:
        attempt = int(self.log.state.table["attempt"][trial]) + 1
        self.add(ev.AttemptAssigned, trial=trial, attempt=attempt, source=source)
        time = {} if at is None else {"at": at}
        self.add(ev.TrialStarted, trial=trial, attempt=attempt, pid=9, ticks=8, boot="boot", host="host", **time)

    def reported(self, *reports: Report, trial: int = 0) -> list[Any]:
        live = self.log.state.live[trial]
        return self.add(
            ev.TrialReported, trial=trial, attempt=live.attempt, reports=reports, offsets={"f": 1}, channel="file"
        )

    def again(self, how: str = "lost", *, source: Source | None = None) -> None:
        """The attempt is lost, and another begins."""
        attempt = self.log.state.live[0].attempt
        self.add(ev.TrialExited, trial=0, attempt=attempt, how=how)
        self.add(ev.TrialRetried, trial=0, attempt=attempt, reason=WHY)
        self.started(source=source)

    @property
    def progress(self) -> list[schedule.Progress]:
        return [delta for delta in self.deltas if isinstance(delta, schedule.Progress)]


@pytest.fixture
def follow(begin: Begin) -> Callable[..., Shown]:
    def make(spec: StudySpec | None = None, *levels: float) -> Shown:
        shown = Shown(begin(spec or study_spec()), *levels)
        shown.proposed()
        shown.started(at=BEGIN)
        return shown

    return make


def loss(step: float, value: Any, *, after: float = 0.0, **more: Any) -> Report:
    return Report(float(step), BEGIN + after, {"loss": value, **more})


@pytest.mark.parametrize(
    ("steps", "seen"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([1, 1, 2, 2], [1, 2]),
        ([3, 2, 1, 4], [3, 4]),
        ([5, 0, -1, 5.5], [5, 5.5]),
        ([10, 1000, 11], [10, 1000]),
        ([-3, -2, -2], [-3, -2]),
        ([0], [0]),
        ([], []),
    ],
)
def test_steps_only_increase(follow: Callable[..., Shown], steps: list[float], seen: list[float]) -> None:
    """Backwards, twice the same, with gaps, none at all: what does not increase is shown to nobody."""
    shown = follow()
    shown.reported(*(loss(step, 1.0) for step in steps))
    assert [delta.step for delta in shown.progress] == seen


@given(st.lists(st.lists(st.floats(-10, 1e6), max_size=6), max_size=5))
def test_whatever_attempts_report_steps_increase_and_each_new_highest_is_shown(attempts: list[list[float]]) -> None:
    shown = Shown(Folding(study_spec()))
    shown.proposed()
    shown.started()
    for attempt in attempts:
        shown.reported(*(loss(step, 1.0) for step in attempt))
        shown.again()
    steps = [step for attempt in attempts for step in attempt]
    highest = [step for i, step in enumerate(steps) if step > max(steps[:i], default=-math.inf)]
    assert [delta.step for delta in shown.progress] == highest


def test_what_a_restarted_program_says_again_is_shown_to_nobody(follow: Callable[..., Shown]) -> None:
    shown = follow()
    shown.reported(loss(1, 0.9), loss(2, 0.8))
    shown.again()
    assert shown.reported(loss(1, 0.9), loss(2, 0.8)) == []
    shown.reported(loss(3, 0.7))
    assert [(delta.step, delta.losses) for delta in shown.progress] == [(1, (0.9,)), (2, (0.8,)), (3, (0.7,))]


def test_losses_are_of_the_report_and_so_far_is_what_the_objective_picks(follow: Callable[..., Shown]) -> None:
    objectives = (
        Objective(metric="loss", value="best"), Objective(metric="acc", goal="maximize"),
        Objective(metric="size", goal=3.0, value="max"),
    )  # fmt: skip
    shown = follow(study_spec(objectives=objectives))
    shown.reported(
        Report(1, BEGIN, {"loss": 0.5, "acc": 0.25}),
        Report(2, BEGIN, {"loss": 0.75, "size": 5.0}),
        Report(3, BEGIN, {"acc": "NaN", "size": 4.0}),
        Report(4, BEGIN, {"other": 1.0}),
    )
    assert [delta.losses for delta in shown.progress] == [
        (0.5, -0.25, None), (0.75, None, 2.0), (None, math.inf, 1.0), (None, None, None),
    ]  # fmt: skip
    assert [delta.so_far for delta in shown.progress] == [
        (0.5, -0.25, None), (0.5, -0.25, 2.0), (0.5, math.inf, 2.0), (0.5, math.inf, 2.0),
    ]  # fmt: skip


def test_so_far_goes_on_over_attempts(follow: Callable[..., Shown]) -> None:
    shown = follow(study_spec(objectives=(Objective(metric="loss", value="best"),)))
    shown.reported(loss(1, 0.25), loss(2, 0.5))
    shown.again()
    shown.reported(loss(3, 0.75))
    assert shown.progress[-1].so_far == (0.25,)


def test_violations_are_as_last_reported_and_nothing_is_broken_before(follow: Callable[..., Shown]) -> None:
    outcomes = (Outcome(metric="ms", at_most=10.0), Outcome(metric="acc", at_least=0.5))
    shown = follow(study_spec(outcomes=outcomes))
    shown.reported(
        loss(1, 1.0), loss(2, 1.0, ms=12.0), loss(3, 1.0, acc=0.25), loss(4, 1.0, ms=9.0), loss(5, 1.0, acc="NaN")
    )
    assert [delta.violation for delta in shown.progress] == [0.0, 2.0, 2.25, 0.25, math.inf]


def test_seconds_are_those_that_all_attempts_ran(follow: Callable[..., Shown]) -> None:
    shown = follow()
    shown.reported(loss(1, 1.0, after=10.0))
    attempt = shown.log.state.live[0].attempt
    shown.add(ev.TrialExited, at=BEGIN + 12, trial=0, attempt=attempt, how="lost")
    shown.add(ev.TrialRetried, trial=0, attempt=attempt, reason=WHY)
    shown.started(at=BEGIN + 1000)
    shown.reported(loss(1, 1.0, after=1004.0), loss(2, 1.0, after=1007.0))
    assert [delta.seconds for delta in shown.progress] == [10.0, 17.0]


def test_a_clock_that_is_set_back_takes_no_seconds_away(follow: Callable[..., Shown]) -> None:
    shown = follow()
    shown.reported(loss(1, 1.0, after=10.0), loss(2, 1.0, after=-500.0), loss(3, 1.0, after=11.0))
    assert [delta.seconds for delta in shown.progress] == [10.0, 10.0, 11.0]


def test_a_clone_begins_at_the_step_of_its_checkpoint(follow: Callable[..., Shown]) -> None:
    shown = follow()
    made = Checkpoint(1, "4", 4.0, 4, 10)
    shown.add(
        ev.TrialReported, trial=0, attempt=1, reports=(loss(4, 0.5),), offsets={"f": 1}, channel="file",
        checkpoints=(made,),
    )  # fmt: skip
    [begun] = shown.proposed(Source(0, made))
    assert (begun.number, begun.step) == (1, 4.0)
    shown.started(1, source=Source(0, made))
    shown.reported(loss(3, 0.5), loss(4, 0.5), loss(5, 0.25), trial=1)
    assert [delta.step for delta in shown.progress if delta.number == 1] == [5]


def test_a_trial_that_is_tried_again_after_its_end_begins_anew(follow: Callable[..., Shown]) -> None:
    shown = follow()
    shown.reported(loss(1, 0.5), loss(2, 0.5))
    shown.add(ev.TrialExited, trial=0, attempt=1, how="exited", code=0)
    [ended] = shown.add(ev.TrialCompleted, trial=0, attempt=1, state="complete", values=(0.5,))
    assert ended == schedule.Ended(0, (0.5,))
    shown.add(ev.TrialRetried, trial=0, attempt=1, reason=WHY)
    shown.started()
    shown.reported(loss(1, 0.25))
    assert shown.progress[-1].step == 1
    assert shown.progress[-1].so_far == (0.25,)


def test_held_and_resumed_are_told_once_and_only_what_the_schedule_has_done(follow: Callable[..., Shown]) -> None:
    shown = follow()
    assert shown.add(ev.TrialPaused, trial=0, attempt=1, reason=WHY) == []
    assert shown.add(ev.TrialExited, trial=0, attempt=1, how="exited", code=143) == [schedule.Held(0)]
    assert shown.add(ev.TrialContinued, trial=0, attempt=1, to=9.0, reason=WHY) == [schedule.Resumed(0, 9.0)]
    shown.started()
    user = Reason(by="user", text="held")
    shown.add(ev.TrialPaused, trial=0, attempt=2, reason=user)
    assert shown.add(ev.TrialExited, trial=0, attempt=2, how="exited", code=143) == []
    assert shown.add(ev.TrialContinued, trial=0, attempt=2, to=9.0, reason=user) == []
    shown.started()
    shown.add(ev.TrialExited, trial=0, attempt=3, how="exited", code=0)
    assert shown.add(ev.TrialPaused, trial=0, attempt=3, reason=WHY) == [schedule.Held(0)]


def test_a_failed_trial_ends_without_losses_and_a_told_one_ends_again(follow: Callable[..., Shown]) -> None:
    shown = follow()
    shown.add(ev.TrialExited, trial=0, attempt=1, how="exited", code=1)
    assert shown.add(ev.TrialCompleted, trial=0, attempt=1, state="failed", error="x") == [schedule.Ended(0, None)]
    shown.proposed()
    assert shown.add(ev.TrialTold, trial=1, values={"loss": 1.0}) == []  # it is not over
    shown.started(1)
    shown.add(ev.TrialExited, trial=1, attempt=1, how="exited", code=0)
    shown.add(ev.TrialCompleted, trial=1, attempt=1, state="complete", values=(1.0,))
    assert shown.add(ev.TrialTold, trial=1, values={"loss": 0.5}) == [schedule.Ended(1, (0.5,))]


def test_the_highest_rung_that_a_report_passed_is_reached_with_its_result(follow: Callable[..., Shown]) -> None:
    shown = follow(None, 1, 3, 9)
    shown.reported(loss(1, 0.9), loss(2, 0.8), loss(10, 0.7), loss(11, 0.6))
    reached = [(delta.rung, delta.result.losses) for delta in shown.deltas if isinstance(delta, Reached)]
    assert reached == [(0, (0.9,)), (2, (0.7,))]


def test_following_a_state_changes_nothing_in_it(follow: Callable[..., Shown]) -> None:
    shown, plain = follow(), Folding(study_spec())
    shown.reported(loss(1, 0.9), loss(2, 0.8))
    plain.add(ev.TrialProposed, trial=0, params=plain.state.space.middle(), reason=WHY)
    plain.add(ev.AttemptAssigned, trial=0, attempt=1)
    plain.add(ev.TrialStarted, at=BEGIN, trial=0, attempt=1, pid=9, ticks=8, boot="boot", host="host")
    reports = (loss(1, 0.9), loss(2, 0.8))
    plain.add(ev.TrialReported, trial=0, attempt=1, reports=reports, offsets={"f": 1}, channel="file")
    assert dump(shown.log.state) == dump(plain.state)
