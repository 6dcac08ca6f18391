"""Which words of `rung run` are our options, which are a file's, which the program's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from cli.conftest import Call
from rung.api.advice import check_machine
from rung.cli.run_verbs import run
from rung.cli.target import OPTIONS, resolved
from rung.model import BadInput

STUDY = "command: python t.py\nparameters:\n  lr: {type: float, min: 0, max: 1}\n  search: 3\n  batch-size: 8\nobjective: loss\n"


@pytest.fixture
def place(call: Call, tmp_path: Path) -> Path:
    """A directory with a script, a module and a study file."""
    (tmp_path / "t.py").write_text("def fn(p):\n    return 1\n")
    (tmp_path / "study.yaml").write_text(STUDY)
    return tmp_path


def given(*words: str) -> dict[str, Any]:
    """What the words mean to `run`."""
    return run.make_context("run", list(words), obj=[]).params


def test_our_options_end_at_a_script(place: Path) -> None:
    found = given("-p", "x=1,2", "-m", "loss", "t.py", "-p", "y", "--seed", "--", "-n", "3")
    assert found["words"] == ("t.py", "-p", "y", "--seed", "--", "-n", "3")
    assert (found["params"], found["trials"], found["dashed"]) == (("x=1,2",), None, False)
    command = resolved(found).spec.command
    assert command == ("python", str(place / "t.py"), "-p", "y", "--seed", "--", "-n", "3", "{rest}")


def test_braces_of_a_script_are_its_own(place: Path) -> None:
    found = resolved(given("-p", "x=1,2", "-m", "loss", "t.py", "{x}", "{}"))
    assert found.spec.command is not None
    assert found.spec.command[2:] == ("{{x}}", "{{}}", "{rest}")


def test_options_go_on_after_a_function(place: Path) -> None:
    found = resolved(given("-m", "loss", "t.py:fn", "-p", "x=1,2", "-m", "acc:max", "-n", "3"))
    assert [p.name for p in found.spec.parameters] == ["x"]
    assert [o.metric for o in found.spec.objectives] == ["loss", "acc"]
    assert found.spec.budget.trials == 3


def test_options_go_on_after_a_study_file(place: Path) -> None:
    found = given("-n", "3", "study.yaml", "--lr", "-1:0", "--batch-size=4,8", "--seed", "5", "-n", "7", "--json")
    assert found["values"] == {"lr": ("-1:0",), "batch-size": ("4,8",)}
    assert (found["seed"], found["trials"], found["form"], found["words"]) == (5, 7, "json", ("study.yaml",))


def test_the_names_of_a_file_win(place: Path) -> None:
    found = given("--search", "grid", "study.yaml", "--search", "4", "--schedule", "none")
    assert (found["search"], found["values"], found["schedule"]) == ("grid", {"search": ("4",)}, "none")


def test_after_two_dashes_only_the_names_of_the_file(place: Path) -> None:
    assert given("study.yaml", "-n", "2", "--", "--lr=0.5")["values"] == {"lr": ("0.5",)}
    with pytest.raises(click.NoSuchOption, match="-n"):
        given("study.yaml", "--", "-n", "2")


def test_what_is_no_option_after_a_study_file(place: Path) -> None:
    with pytest.raises(click.UsageError, match="unexpected extra argument"):
        given("study.yaml", "extra")


def test_set_after_a_file_may_be_what_makes_it_valid(place: Path) -> None:
    (place / "study.yaml").write_text(STUDY.replace("max: 1", "max: -1"))
    for words in (["--set", "parameters.lr.max=2"], ["--set=parameters.lr.max=2"]):
        assert resolved(given("study.yaml", *words)).spec.parameters[0].max == 2


def test_a_command_after_two_dashes(place: Path) -> None:
    found = given("-p", "x=1,2", "-m", "loss", "--", "sh", "study.yaml", "--lr", "{x}")
    assert (found["words"], found["dashed"]) == (("sh", "study.yaml", "--lr", "{x}"), True)
    assert resolved(found).spec.command == ("sh", "study.yaml", "--lr", "{x}")
    with pytest.raises(BadInput, match=r"no program .* on PATH"):
        check_machine(resolved(given("-p", "x=1,2", "-m", "loss", "--", "study.yaml", "--lr", "{x}")).spec)
    assert given("-p", "x=1,2", "--")["dashed"] is True


def test_every_option_reaches_the_spec(place: Path) -> None:
    words = [
        "-p", "x=1,2", "-m", "loss:max", "-n", "9", "--time", "2h", "--target", "0.5", "-w", "3", "--search", "random",
        "--schedule", "none", "--seed", "4", "--name", "me", "--gpus-per-trial", "0.5", "--cpus-per-trial", "2",
        "--trial-timeout", "90s", "--max-failures", "2", "--retries", "1", "--executor", "local", "--inject", "env",
        "--set", "run.grace=3s", "--mirror", "optuna:sqlite:///o.db", "t.py",
    ]  # fmt: skip
    spelt = {word for word in words if word.startswith("-")}
    assert {names[0] for names, _, _ in OPTIONS} - spelt == {
        "--from",
        "--step",
        "--task",
        "--style",
        "--config",
        "-p",
        "-m",
        "-n",
        "-w",
    } - spelt
    spec = resolved(given(*words)).spec
    assert (spec.name, spec.budget.trials, spec.budget.time_s, spec.budget.target) == ("me", 9, 7200, 0.5)
    assert (spec.budget.max_failures, spec.search.method, spec.search.seed) == (2, "random", 4)
    run_settings = spec.run
    assert (run_settings.workers, run_settings.gpus, run_settings.cpus, run_settings.timeout_s) == (3, 0.5, 2, 90)
    assert (run_settings.retries, run_settings.inject, run_settings.grace_s) == (1, "env", 3)
    assert spec.objectives[0].goal == "maximize"
