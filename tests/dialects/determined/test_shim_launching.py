"""How a trial of an experiment configuration is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rung.dialects.determined.launching import LARGEST_VARIABLE, launch
from rung.dialects.determined.reader import DeterminedDialect
from rung.dialects.shims import shim_path
from rung.execute.base import Launch, Place
from rung.model import BadInput, StudySpec

CONFIG = """
entrypoint: {entrypoint}
hyperparameters:
  lr: {{type: log, base: 10, minval: -4, maxval: -1}}
  optimizer:
    momentum: {{type: double, minval: 0, maxval: 0.9}}
    nesterov: {{type: categorical, vals: [true, false]}}
  layers: {{type: const, val: [8, 8]}}
searcher: {searcher}
environment:
  environment_variables: ["GREETING=good day", "DET_TRIAL_ID=mine", "PYTHONPATH=/my/own"]
"""
HALVING = "{name: adaptive_asha, metric: loss, max_length: {batches: 64}, max_trials: 4}"
STOPPING = "{name: adaptive_asha, metric: loss, time_metric: batches, max_time: 64, max_trials: 4}"
PARAMS = {"lr": 0.01, "optimizer.momentum": 0.5, "optimizer.nesterov": True, "layers": [8, 8]}


def spec_of(entrypoint: str = "model_def:T", searcher: str = HALVING) -> StudySpec:
    return DeterminedDialect().read(CONFIG.format(entrypoint=entrypoint, searcher=searcher), file="exp.yaml")


def launched(tmp_path: Path, entrypoint: str = "model_def:T", searcher: str = HALVING, **params: Any) -> Launch:
    place = Place(
        study="digits-1", trial=3, attempt=2, seed=2**40 + 5, directory=str(tmp_path / "attempt"), cwd=str(tmp_path)
    )
    return launch(spec_of(entrypoint, searcher), {**PARAMS, **params}, place)


@pytest.fixture(autouse=True)
def this_python_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


def test_a_trial_class_is_run_by_the_harness(tmp_path: Path) -> None:
    found = launched(tmp_path)
    assert Path(found.argv[0]).name.startswith("python")
    assert found.argv[1:] == ("-m", "determined.exec.harness", "--train-entrypoint", "model_def:T")
    assert found.shown == ("model_def:T",)
    assert found.env["PYTHONPATH"].split(os.pathsep)[0] == shim_path("determined")


@pytest.mark.parametrize(
    ("entrypoint", "argv", "shown"),
    [
        ("python3 train.py --epochs 2", ("/bin/sh", "-c", "python3 train.py --epochs 2"), ("python3", "train.py", "--epochs", "2")),
        ("'cd a && python3 \"my train.py\"'", ("/bin/sh", "-c", 'cd a && python3 "my train.py"'), ('cd a && python3 "my train.py"',)),
        ('[python3, "my train.py", "a b"]', ("python3", "my train.py", "a b"), ("python3", "my train.py", "a b")),
        ("sh start.sh", ("/bin/sh", "-c", "sh start.sh"), ("sh", "start.sh")),
    ],
)  # fmt: skip
def test_other_entrypoints_are_commands(tmp_path: Path, entrypoint: str, argv: Any, shown: Any) -> None:
    found = launched(tmp_path, entrypoint)
    assert found.argv == argv
    assert found.shown == shown
    assert shim_path("determined") in found.env["PYTHONPATH"]


def test_hyperparameters_are_nested_as_they_were_written(tmp_path: Path) -> None:
    found = launched(tmp_path)
    said = json.loads(found.files["determined.json"])
    hparams = {"lr": 0.01, "optimizer": {"momentum": 0.5, "nesterov": True}, "layers": [8, 8]}
    assert said["hparams"] == hparams == json.loads(found.env["DET_HPARAMS"])
    assert (said["metric"], said["resource"], said["units"], said["length"]) == ("loss", "batches", "batches", 64)
    assert said["config"]["searcher"]["max_trials"] == 4
    assert found.env["RUNG_DETERMINED"] == str(tmp_path / "attempt" / "determined.json")


def test_determineds_variables_come_over_the_configurations(tmp_path: Path) -> None:
    env = launched(tmp_path).env
    assert env["GREETING"] == "good day"
    assert env["PYTHONPATH"].startswith(shim_path("determined"))
    assert env["PYTHONPATH"].endswith(f"{os.pathsep}/my/own")
    assert (env["DET_TRIAL_ID"], env["DET_TRIAL_RUN_ID"], env["DET_TRIAL_SEED"]) == ("3", "2", "5")
    assert env["DET_TASK_TYPE"] == "TRIAL"
    assert int(env["DET_EXPERIMENT_ID"]) > 0


def test_a_value_that_is_too_large_for_a_variable_is_in_the_file(tmp_path: Path) -> None:
    found = launched(tmp_path, layers=["x" * LARGEST_VARIABLE])
    assert "DET_HPARAMS" not in found.env
    assert json.loads(found.files["determined.json"])["hparams"]["layers"] == ["x" * LARGEST_VARIABLE]


def test_numbers_and_words_that_look_like_them_stay_what_they_are(tmp_path: Path) -> None:
    found = json.loads(launched(tmp_path, layers=["NaN", float("nan"), float("inf")]).files["determined.json"])
    word, number, infinite = found["hparams"]["layers"]
    assert (word, infinite) == ("NaN", float("inf"))
    assert number != number


def test_rungs_are_said_where_trials_pass_them(tmp_path: Path) -> None:
    assert json.loads(launched(tmp_path).files["determined.json"])["levels"] == []
    stopping = json.loads(launched(tmp_path, searcher=STOPPING).files["determined.json"])
    assert stopping["levels"][-1] == 64
    assert len(stopping["levels"]) > 1


@pytest.mark.parametrize("searcher", ["{name: random, metric: loss, max_length: 3, max_trials: 2}"])
def test_without_halving_there_are_none(tmp_path: Path, searcher: str) -> None:
    assert json.loads(launched(tmp_path, searcher=searcher).files["determined.json"])["levels"] == []


def test_the_real_package_is_left_alone(tmp_path: Path) -> None:
    """A script meets it; a trial class would wait for a master, which is said before anything starts."""
    (tmp_path / "determined").mkdir()
    (tmp_path / "determined" / "__init__.py").write_text("")
    assert launched(tmp_path, "python train.py").env["PYTHONPATH"] == "/my/own"
    with pytest.raises(BadInput, match=r"entrypoint: .*python.* has the package determined itself"):
        launched(tmp_path)


def test_no_entrypoint_is_an_error_that_says_what_to_write(tmp_path: Path) -> None:
    text = "hyperparameters: {a: 1}\nsearcher: {name: single, metric: loss, max_length: {batches: 1}}\n"
    spec = DeterminedDialect().read(text, file="exp.yaml")
    with pytest.raises(BadInput, match="entrypoint"):
        launch(spec, {"a": 1}, Place(study="s", trial=0, attempt=1, seed=0, directory=str(tmp_path)))


def test_the_command_finds_the_stand_in(tmp_path: Path) -> None:
    """The very command line, run: the harness is there, and says that the class is not."""
    found = launched(tmp_path, "nowhere.deep:T")
    (tmp_path / "attempt").mkdir()
    (tmp_path / "attempt" / "determined.json").write_text(found.files["determined.json"])
    env = {**os.environ, **found.env, "RUNG_TRIAL_DIR": str(tmp_path / "attempt")}
    done = subprocess.run(found.argv, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=50)
    assert done.returncode == 1
    assert done.stderr == f"entrypoint nowhere.deep:T: there is no module nowhere.deep in {tmp_path}\n"
