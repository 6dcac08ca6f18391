"""Searchers of one's own on the command line: the study survives them, and they survive its runner."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

import rung
from acceptance.conftest import Bench, until

pytestmark = pytest.mark.slow
TRIAL = "import sys\nprint('loss:', float(sys.argv[1].partition('=')[2]) ** 2)\n"
SPACE = ("-p", "x=uniform(-1,1)", "-m", "loss")

WALKER = """
import random

class Walker:
    '''Walks from the best point; all that it knows is in memory.'''
    def __init__(self, space, seed):
        self.random, self.best, self.loss = random.Random(seed), 0.9, float("inf")
    def ask(self):
        return {"x": min(1.0, max(-1.0, self.best + self.random.gauss(0, 0.2)))}
    def tell(self, params, loss):
        if loss < self.loss:
            self.best, self.loss = params["x"], loss
"""
BAD = """
import time
from rung.search.base import Suggestion

class Bad:
    '''Hangs at 2, raises at 3, leaves the program at 5.'''
    def __init__(self, problem): pass
    def observe(self, deltas): pass
    def suggest(self, number, pending, taken, rng):
        if number == 2:
            while True:
                time.sleep(3600)
        if number == 3:
            raise ValueError("three")
        if number == 5:
            raise SystemExit("five")
        return Suggestion(params={"x": number / 100}, text="bad")
    def describe(self):
        return "bad"
"""
WAITS = """
import os, sys, time
x = sys.argv[1].partition("=")[2]
if int(os.environ["RUNG_TRIAL"]) == 6:
    open("reached.pid", "w").write(str(os.getpid()))
    while not os.path.exists("go"):
        time.sleep(0.01)
print("loss:", float(x) ** 2)
"""


def params(bench: Bench, name: str) -> list[Any]:
    return [trial["params"] for trial in bench.json("trials", name)]


def test_a_killed_study_goes_on_as_the_undisturbed_one(bench: Bench) -> None:
    bench.write("walker.py", WALKER)
    bench.write("t.py", WAITS)
    words = ("--search", "./walker.py", "--seed", "3", "--deterministic", "-n", "14", *SPACE, "t.py")
    killed = bench.start("run", "--name", "killed", *words)
    until(lambda: (bench.folder / "reached.pid").exists(), what="trial 6 runs")
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(timeout=20)
    bench.write("go", "")
    done = bench.rung("resume", "killed")
    assert "warning" not in done.stderr
    bench.rung("run", "--name", "undisturbed", *words)
    assert len(params(bench, "killed")) == 14
    assert params(bench, "killed") == params(bench, "undisturbed")
    for name in ("killed", "undisturbed"):
        assert "every decision comes out the same" in bench.rung("replay", name, "--check").stdout


def test_a_searcher_that_hangs_raises_and_leaves(bench: Bench) -> None:
    bench.write("bad.py", BAD)
    bench.write("t.py", TRIAL)
    run = ("run", "--name", "b", "--search", "bad.py", "--set", "search.timeout=0.2", "-n", "9", *SPACE, "t.py")
    done = bench.rung(*run)
    said = [line.partition("warning: ")[2] for line in done.stderr.splitlines() if "warning: " in line]
    assert said == [
        "trial 2 is a random draw: bad.py gave no answer within 0.2 s",
        "trial 3 is a random draw: bad.py gave no answer within 0.2 s",
        "trial 4 is a random draw: bad.py gave no answer within 0.2 s; after 3 failures it is not asked any more",
    ]
    assert [trial["state"] for trial in bench.json("trials", "b")] == ["complete"] * 9
    why = bench.rung("why", "b", "3").stdout
    assert "gave no answer within" in why
    assert "fallback" in why
    assert "every decision comes out the same" in bench.rung("replay", "b", "--check").stdout
    raises = bench.write("raises.py", BAD.replace("number == 2", "number == -1"))
    done = bench.rung("run", "--name", "r", "--search", raises.name, "-n", "7", *SPACE, "t.py")
    assert "warning: trial 3 is a random draw: raises.py raised ValueError: three\n" in done.stderr
    assert "warning: trial 5 is a random draw: raises.py raised SystemExit: five\n" in done.stderr


def test_a_plug_in_that_has_changed_is_named(bench: Bench) -> None:
    path = bench.write("walker.py", WALKER)
    bench.write("t.py", TRIAL)
    bench.rung("run", "--name", "w", "--search", "./walker.py", "-n", "2", *SPACE, "t.py")
    bench.rung("edit", "w", "--set", "budget.trials=3")
    assert "warning" not in bench.rung("resume", "w").stderr
    path.write_text(WALKER.replace("0.2", "0.3"))
    bench.rung("edit", "w", "--set", "budget.trials=4")
    done = bench.rung("resume", "w")
    assert f"warning: the plug-in {path} has changed since the study was created" in done.stderr


def test_a_bad_file_is_one_line(bench: Bench) -> None:
    bench.write("t.py", TRIAL)
    bench.write("broken.py", "def f(:\n")
    done = bench.rung("run", "--search", "broken.py", *SPACE, "t.py", code=2)
    assert "broken.py cannot be loaded: it raised SyntaxError" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_asking_and_telling_with_a_searcher_that_fails(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write("bad.py", BAD)
    monkeypatch.chdir(bench.folder)
    study = rung.Study({"x": rung.uniform(-1, 1)}, search="bad.py", budget={"trials": 7}, seed=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rung.plugins.FOREIGN_LIMIT_S", 0.2)
        for number in range(7):
            if number in {2, 3, 4}:
                with pytest.warns(RuntimeWarning, match=f"trial {number} is a random draw: bad.py gave no answer"):
                    asked = study.ask()
            else:
                asked = study.ask()
            study.tell(asked, asked.params["x"] ** 2)
    assert len(study.trials) == 7


def test_a_sampler_of_optuna(bench: Bench) -> None:
    bench.write("t.py", TRIAL)
    bench.rung("run", "--name", "o", "--search", "optuna:TPESampler", "--seed", "1", "-n", "14", *SPACE, "t.py")
    assert "asked TPESampler" in bench.rung("why", "o", "12").stdout
    assert "every decision comes out the same" in bench.rung("replay", "o", "--check").stdout
    plan = bench.rung("plan", "--search", "optuna:TPESampler", *SPACE, "t.py").stdout
    assert "TPESampler: Optuna's TPESampler" in plan
