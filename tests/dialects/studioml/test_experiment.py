from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rung.dialects.shims import BRIDGE, shim_path
from rung.dialects.studioml import experiment
from rung.dialects.studioml.experiment import fitness, npy


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b"fitness: 1.5", 1.5),
        (b"Fitness: 2\r", 2.0),
        (b"fitness: -3", 0.0),
        (b"fitness:inf", float("inf")),
        (b"the fitness: 3", None),
        (b"fitness", None),
        (b"fitness: x", None),
        (b"fitness: 1 : 2", 1.0),
        (b"", None),
    ],
)
def test_lines_with_a_fitness(line: bytes, value: float | None) -> None:
    assert fitness(line) == value


def test_a_fitness_that_is_no_number_is_one() -> None:
    assert np.isnan(fitness(b"fitness: nan") or 0.0)


@pytest.mark.parametrize("numbers", [[], [1.5], list(np.linspace(0, 1, 1000))])
def test_arrays_are_read_by_numpy(numbers: list[float]) -> None:
    assert np.array_equal(np.load(io.BytesIO(npy(numbers))), np.array(numbers))


class Attempt:
    """The directory of an attempt, and the working directory it copies."""

    def __init__(self, folder: Path) -> None:
        self.cwd, self.directory = folder / "work", folder / "runs" / "s" / "00000" / "1"
        self.cwd.mkdir()
        self.directory.mkdir(parents=True)

    def popen(self, script: str, *arguments: str, **plan: Any) -> subprocess.Popen[str]:
        """The experiment of `script`, started."""
        (self.cwd / "train.py").write_text(script)
        record = {
            "cwd": str(self.cwd), "script": "train.py", "values": {}, "words": {}, "at": 1, "tail": "",
            "argv": [sys.executable, "train.py", *arguments], "arrays": {}, "capture": [], "reuse": [],
            "reports_exit": False, **plan,
        }  # fmt: skip
        (self.directory / "source.json").write_text(json.dumps(record))
        env = {**os.environ, "RUNG_TRIAL_DIR": str(self.directory), "STUDIOML_EXPERIMENT": "e__0",
               "PYTHONPATH": os.pathsep.join([shim_path("studioml"), BRIDGE])}  # fmt: skip
        return subprocess.Popen(
            [sys.executable, "-I", experiment.__file__], env=env, cwd=self.cwd, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, script: str, *arguments: str, code: int = 0, **plan: Any) -> str:
        """What the experiment of `script` printed."""
        process = self.popen(script, *arguments, **plan)
        out, error = process.communicate(timeout=30)
        assert process.returncode == code, error
        return out

    def reports(self) -> list[dict[str, Any]]:
        path = self.directory / "reports.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [{k: v for k, v in json.loads(line).items() if k != "_time"} for line in lines]


@pytest.fixture
def attempt(tmp_path: Path) -> Attempt:
    return Attempt(tmp_path)


def test_the_first_fitness_is_reported_and_the_output_passed_on(attempt: Attempt) -> None:
    script = "print('hello')\nx = 1\nprint('fitness: %s' % x)\nprint('fitness: 9')\n"
    assert attempt.run(script, values={"x": -2.5}) == "hello\nfitness: -2.5\nfitness: 9\n"
    assert attempt.reports() == [{"fitness": 0.0}]
    assert (attempt.cwd / "train.py").read_text() == script


def test_a_fitness_without_a_line_break_counts(attempt: Attempt) -> None:
    attempt.run("import sys; sys.stdout.write('fitness: 3')\n")
    assert attempt.reports() == [{"fitness": 3.0}]


def test_the_exit_status_is_reported_where_nothing_else_counts(attempt: Attempt) -> None:
    attempt.run("pass\n", reports_exit=True)
    assert attempt.reports() == [{"exit_status": 0}]


def test_a_failed_script_fails(attempt: Attempt) -> None:
    attempt.run("raise SystemExit(5)\n", code=5, reports_exit=True)
    assert attempt.reports() == []


def test_a_signal_is_left_to_the_script(attempt: Attempt) -> None:
    script = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
    attempt.run(script, code=128 + signal.SIGKILL)


def test_a_child_that_holds_the_output_is_not_waited_for(attempt: Attempt) -> None:
    script = "import subprocess\np = subprocess.Popen(['sleep', '60'], stderr=subprocess.DEVNULL)\nprint(p.pid)\n"
    pid = int(attempt.run(script))
    os.kill(pid, signal.SIGKILL)


SHIM = """
import json, os
from studio import fs_tracker
print(json.dumps({
    "key": fs_tracker.get_experiment_key(), "home": fs_tracker.get_studio_home(),
    "tb": fs_tracker.get_tensorboard_dir(), "model": fs_tracker.get_model_directory(), "lr": fs_tracker.get_artifact("lr"),
    "none": fs_tracker.get_artifact("none"), "all": fs_tracker.get_artifacts(),
    "isdir": os.path.isdir(fs_tracker.get_tensorboard_dir()) and os.path.isdir(fs_tracker.get_artifact("modeldir")),
    "output": fs_tracker.get_artifact("output"), "own": fs_tracker.get_model_directory("e__0"),
    "cache": fs_tracker.get_artifact_cache("other"),
}))
"""


def test_the_stand_in_knows_where_things_are(attempt: Attempt) -> None:
    found = json.loads(attempt.run(SHIM, arrays={"lr": [1.0, 2.0]}))
    home = str(attempt.directory)
    assert found == {
        "key": "e__0", "home": home, "tb": f"{home}/tb", "model": f"{home}/modeldir", "own": f"{home}/modeldir",
        "lr": f"{home}/artifacts/lr.npy", "none": None, "all": {"lr": f"{home}/artifacts/lr.npy"}, "isdir": True,
        "output": f"{home}/stdout", "cache": f"{home}/artifacts/other",
    }  # fmt: skip
    assert np.load(found["lr"]).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import studio.model_util", "studio.model_util is not covered"),
        ("from studio import magics", "studio.magics is not covered"),
        ("from studio import fs_tracker; fs_tracker.get_queue_directory()", "fs_tracker.get_queue_directory is not covered"),
        ("from studio import fs_tracker; fs_tracker.get_model_directory('other')", "--reuse EXPERIMENT/TAG:NEWTAG"),
    ],
)  # fmt: skip
def test_what_is_not_covered_says_so(code: str, message: str) -> None:
    env = {name: value for name, value in os.environ.items() if name != "RUNG_TRIAL_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**env, "PYTHONPATH": shim_path("studioml")}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert message in done.stderr


def test_artifacts_come_and_go(attempt: Attempt, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.txt").write_text("theirs")
    (tmp_path / "one.txt").write_text("one")
    script = """
import os
from studio import fs_tracker
print(open(fs_tracker.get_artifact('f')).read(), os.listdir(fs_tracker.get_artifact('d')))
open(fs_tracker.get_artifact('f'), 'w').write('changed')
open(os.path.join(fs_tracker.get_artifact('d'), 'x.txt'), 'w').write('changed')
os.makedirs('weights/deep'); open('weights/deep/w', 'w').write('learnt')
open(os.path.join(fs_tracker.get_artifact('empty'), 'e'), 'w').write('e')
"""
    capture = [
        {"path": str(tmp_path / "one.txt"), "tag": "f", "mutable": True},
        {"path": str(tmp_path / "data"), "tag": "d", "mutable": False},
        {"path": str(attempt.cwd / "weights"), "tag": "w", "mutable": True},
        {"path": str(attempt.cwd / "nothing"), "tag": "empty", "mutable": True},
    ]
    reuse = [{"path": str(tmp_path / "one.txt"), "tag": "r", "mutable": False}]
    assert attempt.run(script, capture=capture, reuse=reuse) == "one ['x.txt']\n"
    artifacts = attempt.directory / "artifacts"
    assert (artifacts / "f").read_text() == "changed"
    assert (artifacts / "w" / "deep" / "w").read_text() == "learnt"
    assert (artifacts / "empty" / "e").read_text() == "e"
    assert (artifacts / "r").read_text() == "one"
    assert ((tmp_path / "one.txt").read_text(), (tmp_path / "data" / "x.txt").read_text()) == ("one", "theirs")
    assert not (attempt.cwd / "weights").exists()
