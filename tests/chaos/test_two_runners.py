"""Two runners of one study: what they share, and what each does when the other dies or stands still."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from chaos.laboratory import Laboratory
from chaos.waiting import until
from rung.study import events as ev

pytestmark = [pytest.mark.chaos, pytest.mark.slow]
Lab = Callable[..., Laboratory]
QUICK = {"RUNG_LEASE_TTL": "4"}  # a heartbeat each 0.8 s: often enough, and no busy machine is taken for dead


def test_two_runners_share_the_budget_and_no_trial_runs_twice(lab: Lab) -> None:
    study = lab(trials=24, workers=3, reports=5, seconds=0.1)
    study.hold.touch()
    first, second = study.run(), study.run()
    study.wait_for(ev.TrialStarted, 6)
    study.hold.unlink()
    assert (first.ended(), second.ended()) == ("done", "done")
    state = study.nothing_lost()
    assert state.counts["complete"] == 24, "failed trials do not count towards the budget"
    assert len(study.begun()) == len(state)
    assert len({event.epoch for event in study.of(ev.AttemptAssigned)}) == 2, "both have run trials"
    assert study.of(ev.AttemptAdopted) == []


def test_the_other_runner_adopts_what_a_killed_one_left_and_the_same_processes_go_on(lab: Lab) -> None:
    study = lab(trials=4, workers=2, reports=30, seconds=2.0, environment=QUICK)
    first = study.run()
    study.wait_for(ev.TrialStarted, 2)
    second = study.run()
    study.wait_for(ev.TrialStarted, 4)
    first.kill()
    adopted = study.wait_for(ev.AttemptAdopted, 2, timeout=5)
    assert {event.trial for event in adopted} == {0, 1}
    assert second.ended() == "done"
    assert len(study.nothing_lost()) == len(study.begun())


def test_a_runner_that_was_suspended_past_its_lease_appends_nothing_under_it_and_goes_on(lab: Lab) -> None:
    study = lab(trials=6, workers=2, reports=40, seconds=2.0, environment=QUICK)
    first = study.run()
    study.wait_for(ev.TrialStarted, 2)
    old = study.of(ev.RunnerAttached)[0].epoch
    second = study.run()
    study.wait_for(ev.TrialStarted, 4)
    study.suspend(first)
    adopted = study.wait_for(ev.AttemptAdopted, 2)
    assert {event.previous for event in adopted} == {old}
    assert [event.why for event in study.of(ev.RunnerDetached)] == ["lost"]
    first.signal(signal.SIGCONT)
    again = study.wait_for(ev.RunnerAttached, 3)[-1]
    assert again.pid == first.pid
    assert again.epoch != old
    assert (first.ended(), second.ended()) == ("done", "done")
    state = study.nothing_lost()
    assert len(study.begun()) == len(state), "no program was ended or started again"
    assert "lease was taken over" in first.words()


def test_a_lone_runner_that_was_suspended_goes_on_as_if_nothing_had_been(lab: Lab) -> None:
    study = lab(trials=4, workers=2, reports=20, seconds=1.0, environment=QUICK)
    runner = study.run()
    study.wait_for(ev.TrialStarted, 2)
    study.suspend(runner)
    until(lambda: len(study.codes()) == 2, what="both trials ended while nobody looked")
    runner.signal(signal.SIGCONT)
    assert runner.ended() == "done"
    study.nothing_lost()
    assert study.of(ev.AttemptAdopted) == []
    assert len(study.of(ev.RunnerAttached)) == 1


def test_two_runners_come_back_at_once_after_a_crash_and_each_orphan_is_adopted_by_one(lab: Lab) -> None:
    study = lab(trials=8, workers=4, reports=40, seconds=2.0)
    study.run(faults={"after_report_logged": 12}).died()
    left = len(study.processes())
    assert left
    both = [study.run(), study.run()]
    assert [runner.ended() for runner in both] == ["done", "done"]
    study.nothing_lost()
    adopted = [(event.trial, event.attempt) for event in study.of(ev.AttemptAdopted)]
    assert len(adopted) == len(set(adopted))


def test_a_runner_without_workers_only_winds_up_what_is_there(lab: Lab) -> None:
    study = lab(trials=3, workers=2, reports=20, seconds=1.0)
    study.run(faults={"after_report_logged": 3}).died()
    study.handle().stop()
    assert study.run(workers=0).ended() == "done"
    state = study.nothing_lost()
    assert len(state) == 2


def test_a_trial_that_both_runners_are_asked_to_stop_is_stopped_once(lab: Lab) -> None:
    study = lab(trials=2, workers=1, reports=1000, seconds=100)
    runners = [study.run(), study.run()]
    study.wait_for(ev.TrialReported, trial=0)
    study.wait_for(ev.TrialReported, trial=1)
    study.handle().stop_trial(0)
    study.handle().stop(now=True)
    assert [runner.ended() for runner in runners] == ["done", "done"]
    study.nothing_lost()
    assert sorted(event.trial for event in study.of(ev.TrialStopped)) == [0, 1]
    assert study.processes() == []
