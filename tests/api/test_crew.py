"""Runs as processes: some at a time, each heard out, all ended by one signal."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rung.api.compare import Run
from rung.api.crew import Crew
from rung.model import StudySpec

WAITING = "import sys, time; print('here', file=sys.stderr, flush=True); time.sleep(60)"


def runs(*names: str) -> list[Run]:
    return [Run(problem=0, method=0, seed=i, study=name, spec=StudySpec()) for i, name in enumerate(names)]


def crew(folder: Path, programs: dict[str, str], *, parallel: int = 2) -> Crew:
    return Crew(lambda run: [sys.executable, "-S", "-c", programs[run.study]], folder, parallel=parallel)


def test_one_that_fails_does_not_end_the_rest(tmp_path: Path) -> None:
    programs = {
        "good": "pass",
        "bad": "import sys; print('first\\nrung: no such table', file=sys.stderr); sys.exit(2)",
        "dead": "import os; os.kill(os.getpid(), 9)",
        "last": "print('stdout is nobody\\'s')",
    }
    found = {o.run.study: o for o in crew(tmp_path, programs).work(iter(runs(*programs)))}
    assert {name: outcome.code for name, outcome in found.items()} == {"good": 0, "bad": 2, "dead": -9, "last": 0}
    assert found["bad"].said == "no such table"
    assert found["last"].said == ""
    assert (tmp_path / "bad" / "runner.log").read_text() == "first\nrung: no such table\n"


def test_no_more_run_at_once_than_there_is_room_for(tmp_path: Path) -> None:
    members = crew(tmp_path, dict.fromkeys("abcde", "import time; time.sleep(0.05)"), parallel=2)
    most = 0

    def watched() -> Iterator[Run]:
        nonlocal most
        for run in runs(*"abcde"):
            most = max(most, len(members.children))
            yield run

    assert len(list(members.work(watched()))) == 5
    assert most == 1  # before the next one is begun


def test_a_signal_is_passed_on_and_nothing_else_begins(tmp_path: Path) -> None:
    members = crew(tmp_path, dict.fromkeys("abc", WAITING), parallel=2)
    before = signal.getsignal(signal.SIGINT)

    def ending() -> None:
        logs = [tmp_path / name / "runner.log" for name in "ab"]
        while not all(log.exists() and log.read_text() for log in logs):
            threading.Event().wait(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=ending)
    thread.start()
    found = list(members.work(iter(runs(*"abc"))))
    thread.join()
    assert members.ended_by == signal.SIGINT
    assert sorted(o.run.study for o in found) == ["a", "b"]
    assert all("KeyboardInterrupt" in o.said for o in found)
    assert signal.getsignal(signal.SIGINT) is before


def test_nobody_is_left_when_nobody_listens(tmp_path: Path) -> None:
    members = crew(tmp_path, {"good": "pass", "long": WAITING})
    working = members.work(iter(runs("good", "long")))
    assert next(working).run.study == "good"
    working.close()  # type: ignore[attr-defined]
    assert members.children[0].process.wait(10) != 0


@pytest.mark.parametrize("parallel", [1, 3])
def test_no_runs_are_no_work(tmp_path: Path, parallel: int) -> None:
    assert list(crew(tmp_path, {}, parallel=parallel).work(iter([]))) == []
