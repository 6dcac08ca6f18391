"""How executions are started: files, variables, interpreters; and executions that are not run again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from dialects.valohai.conftest import Read
from rung.dialects.valohai import reuse
from rung.dialects.valohai.reader import ValohaiDialect
from rung.execute.attempt import prepare
from rung.execute.base import Launch, Place
from rung.model import StudySpec
from rung.space import Space

FILE = """
- step:
    name: train
    image: i
    command: python train.py {parameters} {parameter-value:n}
    environment-variables: [{name: MODE, default: fast}, {name: HOME, default: /nowhere}]
    parameters:
      - {name: lr, type: float, default: 1e-3}
      - {name: n, type: integer, optional: true}
      - {name: w, default: a b}
    inputs: [{name: data, default: [http://x/y.csv, DIR]}]
- task: {name: t, step: train, parameters: [{name: lr, style: multiple, rules: {items: [1, 2]}}], reuse-children: true}
"""


@pytest.fixture
def launched(read: Read, tmp_path: Path) -> Any:
    def call(text: str, *, spec: StudySpec | None = None, study: str = "s-1", **asked: Any) -> Launch:
        spec = read(text, **asked) if spec is None else spec
        space = Space(spec.parameters, spec.constraints)
        directory = tmp_path / "runs" / study / "00003" / "1"
        place = Place(study=study, trial=3, attempt=1, seed=0, directory=str(directory), cwd=str(tmp_path))
        return ValohaiDialect().launch(spec, space.full(next(iter(space.grid()))), place)

    return call


def test_files_and_variables(launched: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VH_INPUTS_DIR", raising=False)
    monkeypatch.delenv("MODE", raising=False)
    (tmp_path / "some data").mkdir()
    (tmp_path / "some data" / "a.csv").write_text("1,2\n")
    how = launched(FILE.replace("DIR", str(tmp_path / "some data")), step="train")
    assert how.argv[1:] == ("-c", "python train.py --lr=0.001 '--w=a b' {parameter-value:n}")
    prepare(str(tmp_path / "made"), {}, how.files)
    config = tmp_path / "made" / "config"
    assert json.loads((config / "parameters.json").read_text()) == {"lr": 0.001, "w": "a b"}
    assert yaml.safe_load((config / "parameters.yaml").read_text()) == {"lr": 0.001, "w": "a b"}
    files = json.loads((config / "inputs.json").read_text())["data"]["files"]
    assert [(each["name"], each["size"]) for each in files] == [("y.csv", None), ("a.csv", 4)]
    assert files[1]["path"] == str(tmp_path / "some data" / "a.csv")
    assert not list((tmp_path / "made" / "outputs").iterdir())
    directory = how.env["VH_CONFIG_DIR"].removesuffix("/config")
    assert {name: how.env[name] for name in ("VH_OUTPUTS_DIR", "VH_INPUTS_DIR", "VH_REPOSITORY_DIR", "MODE")} == {
        "VH_OUTPUTS_DIR": f"{directory}/outputs", "VH_INPUTS_DIR": f"{directory}/inputs",
        "VH_REPOSITORY_DIR": str(tmp_path), "MODE": "fast",
    }  # fmt: skip
    assert "HOME" not in how.env
    assert how.env["VH_JOB_ID"] == f"exec-{how.env['VH_EXECUTION_ID']}"
    assert how.env == launched(FILE, step="train").env
    assert "VH_TASK_ID" not in how.env
    monkeypatch.setenv("VH_INPUTS_DIR", "/mine")
    assert "VH_INPUTS_DIR" not in launched(FILE, step="train").env


def test_only_a_task_has_an_id_of_a_task(launched: Any) -> None:
    how = launched(FILE, task="t")
    told = json.loads(how.files["config/execution.json"])
    assert told["valohai.task-id"] == how.env["VH_TASK_ID"]
    assert (told["valohai.execution-step"], told["valohai.execution-counter"]) == ("train", 4)


def test_a_first_line_runs_the_script_with_its_interpreter(launched: Any, tmp_path: Path) -> None:
    text = "- step: {name: s, image: i, parameters: [{name: x, default: 'a;$(b)'}], command: ['#!SHELL', 'echo \"$0\" {parameter-value:x}', 'pwd']}"
    how = launched(text.replace("SHELL", "/usr/bin/env bash"))
    assert how.argv[:2] == ("/usr/bin/env", "bash")
    assert how.shown == ("/usr/bin/env", "bash", "-c", "{ echo \"$0\" 'a;$(b)'\n} && pwd")
    directory = str(Path(how.argv[2]).parent)
    prepare(directory, {}, how.files)
    done = subprocess.run(how.argv, cwd=tmp_path, capture_output=True, text=True, timeout=20)
    assert done.stdout == f"{directory}/command a;$(b)\n{tmp_path}\n"


def test_what_cannot_be_quoted_fails_and_says_why(launched: Any) -> None:
    text = '- step: {name: s, image: i, parameters: [{name: x}], command: ["#!/usr/bin/python3\\nprint({parameter-value:x})"]}'
    how = launched(text, values={"x": "it's"})
    done = subprocess.run(how.argv, capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.startswith("command: the value of {parameter-value:x} holds quotes")


def repository(folder: Path) -> None:
    quiet = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    for words in (
        ["init", "-q"], ["add", "train.py"],
        ["-c", "user.name=x", "-c", "user.email=x@y", "commit", "-q", "-m", "x"],
    ):  # fmt: skip
        subprocess.run(["git", *words], cwd=folder, check=True, env=quiet, timeout=20)


def test_an_execution_that_ran_before_is_not_run_again(launched: Any, read: Read, tmp_path: Path) -> None:
    spec = read(FILE, task="t")
    assert json.loads(launched(FILE, spec=spec).files["config/execution.json"])[reuse.KEY] is None  # no commit
    (tmp_path / "train.py").write_text("x")
    repository(tmp_path)
    reuse.commit_of.cache_clear()
    first = launched(FILE, spec=spec, study="s-1")
    earlier = first.env["VH_CONFIG_DIR"].removesuffix("/config")
    prepare(earlier, {}, first.files)
    Path(earlier, "stdout").write_text('{"loss": 0.5}\n')
    Path(earlier, "outputs", "model").write_text("m")
    Path(earlier, "exit").write_text("0\n")
    reuse._attempts.cache_clear()

    again = launched(FILE, spec=spec, study="s-2")
    directory = again.env["VH_CONFIG_DIR"].removesuffix("/config")
    prepare(directory, {}, again.files)
    done = subprocess.run(again.argv, capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout) == (0, f'reused: {earlier}\n{{"loss": 0.5}}\n')
    assert Path(directory, "outputs", "model").read_text() == "m"

    other = read(FILE, task="t", values={"w": "other"})
    assert (
        launched(FILE, spec=other, study="s-2").argv[1] == "-c" and launched(FILE, spec=other).argv[2] == other_script()
    )
    asks_not = read(FILE.replace(", reuse-children: true", ""), task="t")
    assert launched(FILE, spec=asks_not, study="s-2").argv == first.argv
    (tmp_path / "train.py").write_text("changed")
    reuse.commit_of.cache_clear()
    assert launched(FILE, spec=spec, study="s-2").argv == first.argv


def other_script() -> str:
    return "python train.py --lr=1 --w=other {parameter-value:n}"


SHIM = """
import json, os, sys
import valohai
valohai.prepare(step="train", default_parameters={"lr": 0.1, "n": {"default": 3}, "flag": False, "list": ["a"]},
                default_inputs={"data": "x.csv"})
seen = {name: valohai.parameters(name).value for name in ("lr", "n", "flag", "list")}
seen["missing"] = valohai.parameters("zz", 7).value
seen["data"] = list(valohai.inputs("data").paths())
seen["out"] = valohai.outputs("sub").path("a/b.txt")
sys.stdout.write("half a line")
with valohai.logger() as log:
    log.log("loss", 0.5, "epoch", 1)
    log.log(acc=0.9)
print(json.dumps(seen))
for wrong in ("log.log(1)", "valohai.distributed", "valohai.zz", "valohai.prepare(step='s', default_parameters={'a': {}})"):
    try:
        eval(wrong)
    except (ValueError, AttributeError) as error:
        print(type(error).__name__, error)
"""


def test_the_stand_in_for_the_helper_package(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SHIM)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "parameters.json").write_text('{"n": 5}')
    shim = Path(reuse.__file__).parent / "shim"
    done = subprocess.run(
        [sys.executable, "train.py", "--lr", "0.2", "--flag", "--odd=1", "--list=x,y", "--data", "a", "b"],
        cwd=tmp_path, capture_output=True, text=True, timeout=20,
        env={
            **os.environ, "PYTHONPATH": str(shim), "VH_CONFIG_DIR": str(tmp_path / "config"),
            "VH_OUTPUTS_DIR": str(tmp_path / "outputs"),
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    half, metrics, seen, *wrong = done.stdout.splitlines()
    assert (half, json.loads(metrics)) == ("half a line", {"loss": 0.5, "epoch": 1, "acc": 0.9})
    assert json.loads(seen) == {
        "lr": 0.2, "n": 5, "flag": True, "list": ["x", "y"], "missing": 7, "data": ["a", "b"],
        "out": str(tmp_path / "outputs" / "sub" / "a" / "b.txt"),
    }  # fmt: skip
    assert (tmp_path / "outputs" / "sub" / "a").is_dir()
    assert "Unexpected command-line argument --odd=1" in done.stderr
    assert [line.split(" ")[0] for line in wrong] == ["ValueError", "AttributeError", "AttributeError", "ValueError"]
    assert "tasks of the type distributed are not run by Rung" in wrong[1]
