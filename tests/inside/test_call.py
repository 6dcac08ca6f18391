from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import rung.inside as inside
from rung.inside import call
from rung.inside.call import TargetError

FILE = """
import neighbour
import rung.inside as rung

def returns(params):
    return params["x"] * neighbour.TWO

def reports(params):
    rung.report(loss=params["x"], epoch=1)

def both(params):
    rung.report(loss=params["x"], epoch=1)
    return {"loss": 0.5, "acc": 1}

def pair(params):
    return 1.0, 2

def nothing(params):
    pass

def fails(params):
    raise ValueError("boom")

class Holder:
    @staticmethod
    def inner(params):
        return 7
value = 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "objective.py").write_text(FILE)
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "types.py").write_text(
        "def objective(params):\n    import types\n    return len(types.__name__)\n"
    )
    (tmp_path / "neighbour.py").write_text("TWO = 2")
    (tmp_path / "broken.py").write_text("import surely_not_there")
    (tmp_path / "params.json").write_text('{"x": 0.25}')
    return tmp_path


def program(folder: Path, *words: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {
        **os.environ,
        "PYTHONPATH": str(Path(inside.__file__).parents[2]),
        "RUNG_TRIAL_DIR": str(folder),
        "RUNG_PARAMS_FILE": str(folder / "params.json"),
        **variables,
    }
    command = [sys.executable, "-m", "rung.inside.call", *words]
    return subprocess.run(command, cwd=cwd or folder, env=env, capture_output=True, text=True)


def reported(folder: Path) -> list[dict[str, float]]:
    file = folder / "reports.jsonl"
    found = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    for report in found:
        del report["_time"]
    file.unlink(missing_ok=True)
    return found


@pytest.mark.parametrize(
    ("target", "metrics", "expected"),
    [
        ("objective.py:returns", ["loss"], [{"loss": 0.5}]),
        ("objective:returns", ["loss"], [{"loss": 0.5}]),
        ("objective:returns", [], [{"value": 0.5}]),
        ("objective:reports", ["loss"], [{"loss": 0.25, "epoch": 1}]),
        ("objective:both", ["loss"], [{"loss": 0.25, "epoch": 1}, {"loss": 0.5, "acc": 1}]),
        ("objective:pair", ["a", "b"], [{"a": 1.0, "b": 2}]),
        ("objective.py:Holder.inner", ["loss"], [{"loss": 7}]),
        ("odd/types.py:objective", ["loss"], [{"loss": 5}]),
    ],
)
def test_a_function_is_a_program(folder: Path, target: str, metrics: list[str], expected: list[object]) -> None:
    done = program(folder, target, *metrics)
    assert (done.returncode, done.stderr) == (0, "")
    assert reported(folder) == expected


def test_a_file_is_found_from_anywhere_with_its_neighbours(folder: Path) -> None:
    done = program(folder, str(folder / "objective.py") + ":returns", cwd=Path("/"), RUNG_METRIC="err")
    assert (done.returncode, reported(folder)) == (0, [{"err": 0.5}])


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ([], 2, "usage: python -m rung.inside.call TARGET"),
        (["objective.py"], 1, "rung: objective.py: expected module:function or file.py:function"),
        (["gone.py:f"], 1, "rung: gone.py: no such file"),
        (["gone:f"], 1, "rung: gone: no module of that name"),
        (["objective:gone"], 1, "rung: objective:gone: objective has no function 'gone'"),
        (["objective:value"], 1, "has no function 'value'"),
        (["objective:nothing"], 1, "rung: the objective returned NoneType: expected a number or a dict of numbers"),
        (["objective:pair", "a"], 1, "rung: the objective returned 2 values for 1 metrics: a"),
        (["objective:fails"], 1, "ValueError: boom"),
        (["broken:f"], 1, "ModuleNotFoundError: No module named 'surely_not_there'"),
    ],
)
def test_what_cannot_be_used_is_said(folder: Path, words: list[str], code: int, says: str) -> None:
    done = program(folder, *words)
    assert done.returncode == code
    assert says in done.stderr
    assert reported(folder) == []


@pytest.mark.parametrize(
    ("result", "says"),
    [("low", "returned str"), (True, "returned bool"), ({}, "empty dict"), ([1, 2], "2 values for 1 metrics")],
)
def test_results_that_are_no_metrics(result: object, says: str) -> None:
    with pytest.raises(TargetError, match=says):
        call.as_report(result, ["loss"])


@pytest.mark.parametrize(("code", "status"), [(None, 0), (0, 0), (3, 3), (256, 0), ("words", 1)])
def test_exit_statuses_are_those_of_python(
    code: str | int | None, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call.exit_status(SystemExit(code)) == status
    assert capsys.readouterr().err == ("words\n" if code == "words" else "")
