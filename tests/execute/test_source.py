from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from rung.execute.base import Place
from rung.execute.source import PROGRAM, Script, launched, script_in, unused
from rung.inside.workspace import PLAN
from rung.model import BadInput, Parameter, RunSettings, StudySpec


@pytest.fixture
def cwd(tmp_path: Path) -> Path:
    for name in ("train.py", "run.sh", "pkg/train.py", "pkg/__main__.py", "data.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("argv", "script"),
    [
        (("python", "train.py", "data.csv"), Script("train.py", 1)),
        (("python", "-u", "{cwd}/train.py"), Script("train.py", 2)),
        (("python", "./pkg/train.py"), Script("pkg/train.py", 1)),
        (("python", "-m", "pkg.train", "data.csv"), Script("pkg/train.py")),
        (("python", "-m", "pkg"), Script("pkg/__main__.py")),
        (("./run.sh", "x"), Script("run.sh", 0)),
        (("bash", "run.sh"), Script("run.sh", 1)),
        (("python", "-m", "rung.inside.call", "{cwd}/train.py:f", "loss"), Script("train.py", 3, ":f")),
        (("python", "-m", "rung.inside.call", "pkg.train:f"), Script("pkg/train.py")),
    ],
)
def test_the_script_of_a_command(argv: tuple[str, ...], script: Script, cwd: Path) -> None:
    assert script_in([word.replace("{cwd}", str(cwd)) for word in argv], str(cwd)) == script


@pytest.mark.parametrize(
    "argv", [(), ("python",), ("python", "../train.py"), ("python", "gone.py"), ("true", "-m", "x y")]
)
def test_a_command_without_a_script_is_an_error(argv: tuple[str, ...], cwd: Path) -> None:
    with pytest.raises(BadInput, match="the command names none"):
        script_in(argv, str(cwd))


def test_a_trial_is_started_in_its_copy(cwd: Path) -> None:
    spec = StudySpec(
        parameters=(
            Parameter(name="lr", type="float", min=0, max=1),
            Parameter(name="act", type="choice", values=("relu", "tanh")),
        ),
        run=RunSettings(inject="source"),
    )
    place = Place(study="s", trial=0, attempt=1, seed=0, directory="/d", cwd=str(cwd))
    how = launched(spec, ["python", "train.py"], {"lr": float("nan"), "act": "relu"}, place)
    assert how.argv == (sys.executable, "-I", PROGRAM)
    assert how.shown == ("python", "train.py")
    record: Any = json.loads(how.files[PLAN])
    assert record["values"] == {"lr": "NaN", "act": "relu"}
    assert record["words"] == {"act": ["relu", "tanh"]}
    assert (record["script"], record["at"], record["cwd"]) == ("train.py", 1, str(cwd))


def test_parameters_without_a_place_are_named() -> None:
    assert unused("x = 1\nprint(x)\n", ["x", "y"]) == ["y"]
