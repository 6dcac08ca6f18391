"""What a training script imports: the reporter, checkpoints, the JSON configuration; each in a Python of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rung.dialects.shims import BRIDGE, shim_path
from rung.dialects.synetune.shim.syne_tune import report as reporting
from rung.dialects.synetune.shim.syne_tune.utils import checkpoint, config_as_json, parse_bool

LIGHT = {"numpy", "torch", "msgspec", "asyncio", "pathlib", "typing", "dataclasses", "argparse", "rung"}


def python(code: str, tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """What `code` prints with the stand-ins on its path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNG_", "PYTHONPATH"))}
    environment = {**kept, "PYTHONPATH": f"{shim_path('synetune')}{os.pathsep}{BRIDGE}", **variables}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=30
    )


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    out = capsys.readouterr().out
    assert out.startswith("[tune-metric]: {")
    assert out.endswith("}\n")
    found: dict[str, Any] = json.loads(out.removeprefix("[tune-metric]: "))
    return found


def test_a_report_is_one_line_with_its_time_and_number(capsys: pytest.CaptureFixture[str]) -> None:
    report = reporting.Reporter()
    for number in range(2):
        report(epoch=number + 1, loss=np.float32(0.5), n=np.int64(3), name="a b")
        found = said(capsys)
        assert list(found) == ["epoch", "loss", "n", "name", "st_worker_timestamp", "st_worker_time", "st_worker_iter"]
        assert (found["loss"], found["n"], found["name"], found["st_worker_iter"]) == (0.5, 3, "a b", number)
        assert 0 <= found["st_worker_time"] < 60


def test_numbers_that_are_none_are_printed_bare(capsys: pytest.CaptureFixture[str]) -> None:
    reporting.Reporter(add_time=False)(loss=float("nan"), top=float("inf"))
    assert capsys.readouterr().out == '[tune-metric]: {"loss": NaN, "top": Infinity}\n'


@pytest.mark.parametrize(("metrics", "error", "says"), [
    ({"loss": None}, AssertionError, "loss is None"),
    ({"st_loss": 1}, AssertionError, "begin with st_"),
    ({"text": "x" * 60_000}, AssertionError, "less than 50000 bytes"),
    ({"loss": object()}, TypeError, "not object"),
    ({"loss": np.zeros(3)}, TypeError, "not ndarray"),
])  # fmt: skip
def test_what_cannot_be_reported(metrics: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        reporting.Reporter()(**metrics)


def test_importing_the_reporter_loads_next_to_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; before = set(sys.modules)\nfrom syne_tune import Reporter\nReporter()(loss=1)\n"
        "import json; print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert not loaded & LIGHT
    assert {name for name in loaded if name.startswith("syne_tune")} == {
        "syne_tune", "syne_tune.report", "syne_tune.constants",
    }  # fmt: skip


def test_every_path_of_both_editions_imports(tmp_path: Path) -> None:
    code = (
        "from syne_tune import Reporter, config_space, report, search_space, utils\n"
        "import syne_tune.config_space as cs, syne_tune.search_space as old, syne_tune.checkpoint\n"
        "from syne_tune.report import Reporter as R, retrieve\n"
        "from syne_tune.utils import parse_bool, streamline_config_space, load_config_json, add_config_json_to_argparse\n"
        "from syne_tune.utils.parse_bool import parse_bool as p\n"
        "from syne_tune.utils import parse_bool as q, checkpoint\n"
        "from syne_tune.utils.convert_domain import streamline_config_space as s\n"
        "from syne_tune.constants import ST_CHECKPOINT_DIR, ST_WORKER_ITER\n"
        "from syne_tune.experiments.benchmark_definitions.common import RealBenchmarkDefinition\n"
        "from benchmarking.commons.benchmark_definitions.common import RealBenchmarkDefinition as B\n"
        "from syne_tune.remote.constants import DEFAULT_GPU_INSTANCE_1GPU\n"
        "assert R is Reporter and p is q is parse_bool and B is RealBenchmarkDefinition and old.uniform is cs.uniform\n"
    )
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr


def test_what_is_not_covered_is_named_with_the_way_around(tmp_path: Path) -> None:
    for code in (
        "from syne_tune import Nothing",
        "from syne_tune.utils import nothing",
        "from syne_tune.remote import remote_launcher",
    ):
        done = python(code, tmp_path)
        assert done.returncode == 1
        assert "is not covered by Rung's stand-in for syne_tune: " in done.stderr.splitlines()[-1]


def test_a_report_in_a_study_keeps_the_checkpoint_and_names_it(tmp_path: Path) -> None:
    working = tmp_path / "checkpoint"
    code = (
        "import pathlib\nfrom syne_tune import Reporter\nreport = Reporter()\nreport(epoch=1, loss=1)\n"
        f"folder = pathlib.Path({str(working)!r}); folder.mkdir(); (folder / 'model').write_text('two')\n"
        "report(epoch=2, loss=0.5)\nreport(epoch=3, loss=0.4)\n"
    )
    done = python(code, tmp_path, RUNG_TRIAL_DIR=str(tmp_path), RUNG_CHECKPOINT_DIR=str(working))
    lines = [json.loads(line.removeprefix("[tune-metric]: ")) for line in done.stdout.splitlines()]
    assert [line.get("_checkpoint") for line in lines] == [None, "2", None], done.stderr
    assert (tmp_path / "checkpoints" / "2" / "model").read_text() == "two"
    refused = python(code.replace(".mkdir()", ".mkdir(exist_ok=True)").replace("'two'", "'three'"), tmp_path,
                     RUNG_TRIAL_DIR=str(tmp_path), RUNG_CHECKPOINT_DIR=str(working), RUNG_CHECKPOINT="0")  # fmt: skip
    assert "_checkpoint" not in refused.stdout


def test_checkpoints_are_saved_at_every_call_and_read_back(tmp_path: Path) -> None:
    parser = ArgumentParser()
    checkpoint.add_checkpointing_to_argparse(parser)
    checkpoint.add_checkpointing_to_argparse(parser)
    config = vars(parser.parse_args(["--st_checkpoint_dir", str(tmp_path / "a b")]))
    saved = []

    def save(folder: str, epoch: int) -> None:
        (Path(folder) / "epoch").write_text(str(epoch))
        saved.append(epoch)

    def load(folder: str) -> int:
        return int((Path(folder) / "epoch").read_text())

    assert checkpoint.resume_from_checkpointed_model(config, load) == 0
    for epoch in (1, 2):
        checkpoint.checkpoint_model_at_rung_level(config, save, epoch)
    assert (saved, checkpoint.resume_from_checkpointed_model(config, load)) == ([1, 2], 2)
    assert checkpoint.resume_from_checkpointed_model({"st_checkpoint_dir": None}, load) == 0
    checkpoint.checkpoint_model_at_rung_level({}, save, 3)
    assert saved == [1, 2]


def test_a_pytorch_checkpoint_that_cannot_be_read_begins_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    import torch

    model, state = torch.nn.Linear(2, 1), {"best": 0.25}
    load, save = checkpoint.pytorch_load_save_functions({"model": model}, state)
    assert load(str(tmp_path)) == 0
    assert "beginning anew" in capsys.readouterr().out
    save(str(tmp_path), 4)
    other, found = torch.nn.Linear(2, 1), {"best": 9.0}
    assert checkpoint.pytorch_load_save_functions({"model": other}, found)[0](str(tmp_path)) == 4
    assert torch.equal(other.weight, model.weight)
    assert found == state
    (tmp_path / "checkpoint.mod").write_bytes(b"torn")
    assert load(str(tmp_path)) == 0


def test_the_configuration_comes_from_a_file_and_arguments_win(tmp_path: Path) -> None:
    path = tmp_path / "my config.json"
    path.write_text(json.dumps({"lr": 0.1, "widths": [1, 2], "net": {"a b": None}, "epochs": 5}))
    parser = ArgumentParser()
    config_as_json.add_config_json_to_argparse(parser)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--lr", type=float)
    found = config_as_json.load_config_json(
        vars(parser.parse_args(["--st_config_json_filename", str(path), "--epochs", "7", "--st_checkpoint_dir", "c"]))
    )
    assert found == {
        "lr": 0.1, "widths": [1, 2], "net": {"a b": None}, "epochs": 7, "st_config_json_filename": str(path),
        "st_checkpoint_dir": "c",
    }  # fmt: skip


@pytest.mark.parametrize(("text", "value"), [("True", True), ("false", False), ("1", True), ("no", False)])
def test_booleans_on_a_command_line(text: str, value: bool) -> None:
    assert parse_bool(text) is value


def test_a_word_that_is_no_boolean() -> None:
    with pytest.raises(ValueError, match="expected true or false, got 'maybe'"):
        parse_bool("maybe")
