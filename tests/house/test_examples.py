"""The examples are clean and run from end to end."""

from __future__ import annotations

import json
import math
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Rung = Callable[..., "subprocess.CompletedProcess[str]"]
ROOT = Path(__file__).resolve().parents[2]
STUDY_FILES = sorted((ROOT / "examples").rglob("study.yaml"))


def test_there_are_study_files() -> None:
    assert len(STUDY_FILES) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("path", STUDY_FILES, ids=lambda path: path.parent.name)
def test_the_linter_finds_nothing(path: Path, rung: Rung) -> None:
    done = rung("lint", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_linter_would_find_something(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("command: train {lr}\nobjective: loss\nparameters:\n  lr: {type: float, min: 1e-5, max: 1}\n")
    program = Path(sys.executable).with_name("rung")  # as it is installed
    done = subprocess.run([program, "lint", str(path)], capture_output=True, text=True, timeout=50)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{path}:4" in done.stdout


@pytest.mark.slow
def test_the_shell_example_fits_its_line(rung: Rung, tmp_path: Path) -> None:
    done = rung("run", "--dir", str(tmp_path), "--json", "examples/shell/study.yaml")
    assert done.returncode == 0, done.stderr
    best = json.loads(done.stdout)
    assert best["state"] == "complete"
    assert best["steps"] == 5
    assert best["value"] < 1
    trials = json.loads(rung("trials", "--dir", str(tmp_path), "--json").stdout)
    assert [trial["number"] for trial in trials] == list(range(12))
    assert best["value"] == min(float(trial["value"]) for trial in trials)


@pytest.mark.slow
def test_the_plain_script_is_tuned_by_the_command_it_shows(rung: Rung, tmp_path: Path) -> None:
    folder = ROOT / "examples" / "plain_script"
    line = next(line for line in (folder / "train.py").read_text().splitlines() if line.startswith("    rung run "))
    _, *arguments = shlex.split(line)
    arguments[1:1] = ["--dir", str(tmp_path), "--json", "--seed", "1"]
    arguments[arguments.index("-n") + 1] = "4"
    done = rung(*arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    best = json.loads(done.stdout)
    assert set(best["params"]) == {"lr", "degree", "momentum"}
    assert best["steps"] == 20
    assert math.isfinite(best["value"])


@pytest.mark.slow
def test_the_searcher_of_ones_own_searches_by_the_command_it_shows(rung: Rung, tmp_path: Path) -> None:
    folder = ROOT / "examples" / "plugin"
    line = next(line for line in (folder / "mine.py").read_text().splitlines() if line.startswith("    rung run "))
    _, *arguments = shlex.split(line)
    arguments[1:1] = ["--dir", str(tmp_path), "--json"]
    arguments[arguments.index("-n") + 1] = "20"
    done = rung(*arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    trials = json.loads(rung("trials", "--dir", str(tmp_path), "--json").stdout)
    assert len(trials) == 20
    assert json.loads(done.stdout)["value"] == min(trial["value"] for trial in trials)


@pytest.mark.slow
def test_the_digits_are_learnt(rung: Rung, tmp_path: Path) -> None:
    done = rung(
        "run", "--dir", str(tmp_path), "--json", "-n", "2", "--set", "parameters.epochs=3", "examples/digits/study.yaml"
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    best = json.loads(done.stdout)
    assert best["steps"] == 3
    assert 0 < best["value"] < 0.95
    assert {"val_error", "train_loss"} <= set(best["values"])


FUNCTION = """
import runpy
from rung.space import Space
from rung.space.declare import declare
from rung.space.lint import lint

found = runpy.run_path("examples/function.py")
assert lint(Space(declare(found["SPACE"]), ())) == []
given = {"lr": 0.01, "alpha": 1e-4, "width": 32, "layers": 1, "activation": "relu", "solver": "sgd", "epochs": 3}
print(found["objective"](given))
"""


@pytest.mark.slow
def test_the_function_example_is_clean_and_learns_outside_a_study_too(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FUNCTION], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=50
    )
    assert done.returncode == 0, done.stderr
    assert 0 < float(done.stdout) < 0.95
