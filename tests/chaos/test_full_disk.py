"""No room left: where the trials write, where the store lies, and room again."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.laboratory import PYTHON, Laboratory
from chaos.small_disk import Disk
from chaos.waiting import until
from rung.study import events as ev

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="a small disk is made as a Linux tmpfs"),
]
Lab = Callable[..., Laboratory]
PATIENT = """
import os, sys, time
print("loss: 1", flush=True)
while os.path.exists(sys.argv[1]):
    time.sleep(0.01)
"""


def test_new_starts_are_held_and_said_while_the_trials_disk_is_full_and_resumed_after(
    disk: Disk, lab: Lab, tmp_path: Path
) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    study = lab(trials=4, workers=2, runs=disk.path / "runs", command=[*PYTHON, "-c", PATIENT, str(hold), "{rest}"])
    runner = study.run()
    study.wait_for(ev.TrialReported, trial=0)
    study.wait_for(ev.TrialReported, trial=1)
    disk.fill()
    hold.unlink()
    study.wait_for(ev.TrialExited, 2)
    assert {(event.how, event.code) for event in study.of(ev.TrialExited)} == {("exited", 0)}, "`exit` had its room"
    until(lambda: "trial 2 is held" in runner.words() and "trial 3 is held" in runner.words(), what="it is said")
    assert "No space left" in runner.words()
    assert len(study.of(ev.TrialStarted)) == 2
    disk.free()
    assert runner.ended() == "done"
    assert runner.words().count("is held") == 2, "each is said once"
    assert runner.words().count("no longer held") == 2
    assert study.check().counts["complete"] == 4


def test_a_held_start_that_is_no_longer_wanted_is_given_up(disk: Disk, lab: Lab) -> None:
    study = lab(trials=1, workers=1, runs=disk.path / "runs", command=[*PYTHON, "-c", PATIENT, "/nowhere", "{rest}"])
    disk.fill()
    runner = study.run()
    until(lambda: "trial 0 is held" in runner.words(), what="it is said")
    study.handle().stop_trial(0)
    study.handle().stop()
    study.wait_for(ev.TrialStopped)
    disk.free()
    assert runner.ended() == "done"
    assert study.of(ev.TrialStarted) == []
    assert study.check().trial(0).state == "failed"


def test_an_interruption_ends_a_runner_whose_starts_are_held(disk: Disk, lab: Lab) -> None:
    study = lab(trials=1, workers=1, runs=disk.path / "runs", command=[*PYTHON, "-c", PATIENT, "/nowhere", "{rest}"])
    disk.fill()
    runner = study.run()
    until(lambda: "trial 0 is held" in runner.words(), what="it is said")
    runner.signal(signal.SIGINT)
    assert runner.ended() == "interrupted"
    disk.free()
    assert study.run().ended() == "done"
    assert study.check().trial(0).state == "complete"


def test_a_full_store_loses_nothing_and_the_running_trials_go_on(disk: Disk, lab: Lab) -> None:
    study = lab(trials=6, workers=2, reports=60, seconds=1.5, store=disk.path / "rung.db")
    runner = study.run()
    study.wait_for(ev.TrialReported, trial=0)
    study.wait_for(ev.TrialReported, trial=1)
    disk.fill()
    until(lambda: "no room left" in runner.words(), what="it is said")
    until(lambda: len(study.codes()) == 2, what="both running trials end meanwhile")
    assert len(study.begun()) == 2, "nothing new was started"
    disk.free()
    until(lambda: "can be written again" in runner.words(), what="it is said")
    assert runner.ended() == "done"
    study.nothing_lost()
    assert runner.words().count("no room left") == 1
    assert study.of(ev.AttemptAdopted) == []


def test_a_runner_killed_while_the_store_was_full_loses_nothing(disk: Disk, lab: Lab) -> None:
    study = lab(trials=4, workers=2, reports=60, seconds=1.5, store=disk.path / "rung.db")
    runner = study.run()
    study.wait_for(ev.TrialReported, trial=0)
    disk.fill()
    until(lambda: "no room left" in runner.words(), what="it is said")
    runner.kill()
    until(lambda: len(study.codes()) == 2, what="both running trials end")
    disk.free()
    assert study.run().ended() == "done"
    assert len(study.nothing_lost()) == len(study.begun())


def test_a_second_interruption_ends_a_runner_whose_store_stays_full(disk: Disk, lab: Lab) -> None:
    study = lab(trials=2, workers=2, reports=1000, seconds=100.0, store=disk.path / "rung.db")
    runner = study.run()
    study.wait_for(ev.TrialReported, trial=0)
    study.wait_for(ev.TrialReported, trial=1)
    disk.fill()
    until(lambda: "no room left" in runner.words(), what="it is said")
    runner.signal(signal.SIGINT)
    until(lambda: not study.processes(), what="the trials are ended")
    assert runner.running(), "what happened is not in the log yet"
    runner.signal(signal.SIGINT)
    assert runner.ended() == "interrupted"
    disk.free()
    study.handle().stop()
    assert study.run().ended() == "done"
    study.nothing_lost()
