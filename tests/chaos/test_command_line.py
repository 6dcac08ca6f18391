"""The same by way of `rung` itself: run, kill, resume, interrupt, hang up, replay."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import forked
from chaos.laboratory import PYTHON, Laboratory
from chaos.waiting import until
from rung.study import events as ev

pytestmark = [pytest.mark.chaos, pytest.mark.slow]


class CommandLine:
    """`rung` in a directory, and the evidence of what its trials did."""

    def __init__(self, study: Laboratory) -> None:
        self.study = study
        self.started: list[forked.Rung] = []
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("RUNG_")}

    def start(self, *words: str) -> forked.Rung:
        """`rung WORDS` has been started."""
        self.started.append(forked.Rung(*words, folder=self.study.folder, environment=self.environment))
        return self.started[-1]

    def run(self, *, trials: int, workers: int = 2) -> forked.Rung:
        """`rung run` of the laboratory's trials."""
        options = ["--store", self.study.order.store, "--dir", str(self.study.runs), "--name", "study", "--seed", "1"]
        size = ["-n", str(trials), "-w", str(workers), "--max-failures", "1000"]
        return self.start("run", *options, *size, "-p", "x=uniform(0,1)", "-m", "loss", "--", *self.study.order.command)

    def resume(self) -> forked.Rung:
        """`rung resume`."""
        return self.start("resume", "study", "--store", self.study.order.store)

    def ended(self, process: forked.Rung) -> tuple[int, str]:
        """Its exit code, and what it said on stderr."""
        _, said = process.communicate(timeout=30)
        return process.wait(), said


@pytest.fixture
def rung(lab: Callable[..., Laboratory], tmp_path: Path) -> Iterator[Callable[..., CommandLine]]:
    made: list[CommandLine] = []

    def make(**fields: object) -> CommandLine:
        made.append(CommandLine(lab(**fields)))
        return made[-1]

    yield make
    for line in made:
        for process in line.started:
            process.kill()
            process.communicate()


def test_killed_and_resumed_it_loses_nothing_and_the_replay_agrees(rung: Callable[..., CommandLine]) -> None:
    line = rung(reports=10, seconds=0.5)
    study, process = line.study, line.run(trials=8)
    for _ in range(4):
        before = study.seq()
        until(lambda: study.seq() > before + 5, what="the log goes on")  # noqa: B023 - waits here
        process.kill()
        process.wait()
        process = line.resume()
    code, said = line.ended(process)
    assert code == 0, said
    study.nothing_lost()
    assert study.of(ev.AttemptAdopted)
    code, said = line.ended(line.start("replay", "study", "--check", "--store", study.order.store))
    assert code == 0, said


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_says_how_to_resume(rung: Callable[..., CommandLine], number: signal.Signals, code: int) -> None:
    line = rung(reports=20, seconds=1.0)
    study, process = line.study, line.run(trials=2)
    study.wait_for(ev.TrialReported, trial=1)
    process.send_signal(number)
    left, said = line.ended(process)
    assert left == code, said
    assert "rung resume study" in said
    assert study.processes() == []
    assert line.ended(line.resume())[0] == 0
    study.nothing_lost()


def test_two_interruptions_kill_at_once(rung: Callable[..., CommandLine]) -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('loss: 1', flush=True); time.sleep(100)"
    line = rung(command=[*PYTHON, "-c", stubborn, "{rest}"])
    study, process = line.study, line.run(trials=1)
    study.wait_for(ev.TrialReported)
    process.send_signal(signal.SIGINT)
    until(lambda: list(study.runs.glob("study/*/*/stop")), what="the trial was asked to end")
    process.send_signal(signal.SIGINT)
    code, said = line.ended(process)
    assert code == 130, said
    assert "rung resume study" in said
    assert study.processes() == []


def test_a_hangup_leaves_the_trials_to_the_next_runner(rung: Callable[..., CommandLine]) -> None:
    line = rung(reports=30, seconds=1.5)
    study, process = line.study, line.run(trials=2)
    study.wait_for(ev.TrialReported, trial=1)
    before = {one.pid for one in study.processes()}
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=30)
    assert {one.pid for one in study.processes()} == before
    assert line.ended(line.resume())[0] == 0
    study.nothing_lost()
    assert len(study.begun()) == 2
