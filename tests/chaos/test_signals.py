"""Signals to the runner, and to the trials it runs."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.laboratory import HERE, PYTHON, Laboratory
from chaos.waiting import until
from rung.execute import attempt
from rung.study import events as ev

pytestmark = [pytest.mark.chaos, pytest.mark.slow]
Lab = Callable[..., Laboratory]
SLOW_TO_END = """
import signal, sys, threading
done = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: done.set())
print("loss: 1", flush=True)
while not done.wait(0.05):
    pass
print("told", flush=True)
threading.Event().wait(1.0)
sys.exit(7)
"""
STUBBORN = "import signal,time; signal.signal(15, signal.SIG_IGN); print('loss: 1', flush=True); time.sleep(100)"


def test_a_hangup_leaves_the_trials_running_and_a_resume_adopts_the_same_processes(lab: Lab) -> None:
    study = lab(trials=2, workers=2, reports=40, seconds=2.0)
    runner = study.run()
    study.wait_for(ev.TrialStarted, 2)
    before = {process.pid for process in study.processes()}
    runner.signal(signal.SIGHUP)
    assert runner.ended() == "hangup"
    assert {process.pid for process in study.processes()} == before
    assert study.handle().status() == "interrupted"
    assert study.run().ended() == "done"
    state = study.nothing_lost()
    assert [(trial, attempt) for trial, attempt, _, _ in sorted(study.begun())] == [(0, 1), (1, 1)]
    assert state.counts["complete"] == 2
    assert [event.why for event in study.of(ev.RunnerDetached)] == ["hangup", "done"]


@pytest.mark.parametrize(("number", "why"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")])
def test_an_interrupted_study_ends_its_trials_and_can_be_resumed(lab: Lab, number: signal.Signals, why: str) -> None:
    study = lab(trials=3, workers=2, reports=20, seconds=1.0)
    runner = study.run()
    study.wait_for(ev.TrialReported, trial=0)
    study.wait_for(ev.TrialReported, trial=1)
    runner.signal(number)
    assert runner.ended() == why
    assert study.processes() == []
    state = study.check()
    assert state.counts["waiting"] == 2
    assert {(event.how, event.code) for event in study.of(ev.TrialExited)} == {("interrupted", 143)}
    assert study.run().ended() == "done"
    state = study.nothing_lost()
    assert [state.trial(n).attempt for n in (0, 1)] == [2, 2]
    assert state.table["retries"][:2].tolist() == [0, 0], "an interruption uses up no retry"


def test_an_interruption_is_remembered_when_the_runner_is_killed_before_it_can_say_so(lab: Lab) -> None:
    study = lab(trials=1, workers=1, command=[sys.executable, "-c", SLOW_TO_END])
    runner = study.run()
    study.wait_for(ev.TrialReported)
    runner.signal(signal.SIGINT)
    said = study.runs / "study" / "00000" / "1" / "stdout"
    until(lambda: "told" in said.read_text(), what="the trial was asked to end")
    runner.kill()
    until(lambda: not study.processes(), what="the trial has ended")
    study.handle().stop()
    assert study.run().ended() == "done"
    study.check()
    assert [(event.how, event.code) for event in study.of(ev.TrialExited)] == [("interrupted", 7)]
    assert [event.counted for event in study.of(ev.TrialRetried)] == [False]


def test_a_trial_that_ended_before_the_interruption_was_seen_is_not_run_again(lab: Lab) -> None:
    study = lab(trials=1, workers=1, reports=3, seconds=0.3)
    runner = study.run()
    study.wait_for(ev.TrialStarted)
    study.suspend(runner)
    folder = str(study.runs / study.order.study / "00000" / "1")
    until(lambda: attempt.status(folder) is not None, what="the trial has ended and its wrapper has said how")
    runner.signal(signal.SIGINT)
    runner.signal(signal.SIGCONT)
    runner.wait(20)
    if study.handle().state.switches.completed is None:
        assert study.run().ended() == "done"
    study.nothing_lost()
    assert len(study.begun()) == 1


def test_a_second_interruption_kills_what_the_first_could_not_end(lab: Lab) -> None:
    study = lab(trials=1, workers=1, command=[sys.executable, "-c", STUBBORN])
    runner = study.run()
    study.wait_for(ev.TrialReported)
    runner.signal(signal.SIGINT)
    until(lambda: list(study.runs.glob("study/*/*/stop")), what="the trial was asked to end")
    assert study.processes(), "it has a grace of 10 s"
    runner.signal(signal.SIGINT)
    assert runner.ended(timeout=5) == "interrupted"
    assert study.processes() == []
    assert [event.how for event in study.of(ev.TrialExited)] == ["interrupted"]
    assert study.check().counts["waiting"] == 1


@pytest.mark.parametrize("retries", [0, 1])
@pytest.mark.parametrize("victim", ["program", "wrapper", "both"])
def test_a_killed_trial_is_retried_as_the_spec_says(lab: Lab, victim: str, retries: int) -> None:
    study = lab(trials=1, workers=1, reports=30, seconds=1.0, options={"retries": retries, "max_failures": 1})
    runner = study.run()
    study.wait_for(ev.TrialReported)
    _, _, program, wrapper = study.begun()[0]
    processes = {process.pid: process for process in study.processes()}
    if victim in {"wrapper", "both"}:
        processes[wrapper].kill()
    if victim in {"program", "both"}:
        processes[program].kill()
    assert runner.ended() == "done"
    state = study.nothing_lost(statusless={(0, 1)} if victim == "wrapper" else ())
    exits = [(event.how, event.code) for event in study.of(ev.TrialExited)]
    assert exits[0] == (("exited", 137) if victim == "program" else ("killed", None))
    assert len(exits) == 1 + retries
    assert state.trial(0).state == ("complete" if retries else "failed")
    assert state.switches.completed is not None
    assert state.switches.completed.state == ("complete" if retries else "failed")


def test_grandchildren_in_sessions_of_their_own_are_gone_when_a_trial_is_stopped(lab: Lab) -> None:
    study = lab(trials=1, workers=1, command=[*PYTHON, str(HERE / "family_program.py"), "{rest}"])
    runner = study.run()
    study.wait_for(ev.TrialReported)
    assert len(until(lambda: found if len(found := study.processes()) == 5 else [])) == 5
    study.handle().stop_trial(0)
    study.handle().stop()
    assert runner.ended() == "done"
    assert study.processes() == []
    assert study.check().trial(0).state == "pruned"


def test_a_runner_ignores_the_hangup_that_nohup_ignores(lab: Lab, tmp_path: Path) -> None:
    study = lab(trials=1, workers=1, reports=20, seconds=1.0)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        runner = study.run(fresh=True)
    finally:
        signal.signal(signal.SIGHUP, before)
    study.wait_for(ev.TrialReported)
    runner.signal(signal.SIGHUP)
    assert runner.ended() == "done"
    study.nothing_lost()
