"""The command line of a trial, its files, and where it keeps its checkpoints."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import pytest

from rung.dialects.shims import shim_path
from rung.dialects.synetune.starting import launch, words
from rung.execute.base import Place
from rung.model import BadInput

PLACE = Place(study="s", trial=3, attempt=1, seed=5, directory="/runs/s/00003/1", cwd="/")


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python of the trials has no syne_tune."""
    monkeypatch.setattr("rung.dialects.shims._absent", lambda *_: True)


def started(params: dict[str, Any], resource: float | None = None, **settings: Any) -> Any:
    place = Place(**{**{f: getattr(PLACE, f) for f in PLACE.__struct_fields__}, "resource": resource})
    return launch({"script": "/a b/train.py", "python": sys.executable, **settings}, params, place)


def test_parameters_are_options_and_checkpoints_have_a_folder() -> None:
    how = started({"lr": 0.001, "name": "a b", "n": 3, "flag": False, "nothing": None})
    assert how.argv == (
        sys.executable, "/a b/train.py", "--lr", "0.001", "--name", "a b", "--n", "3", "--flag", "False",
        "--nothing", "None", "--st_checkpoint_dir", "/runs/s/00003/1/checkpoint",
    )  # fmt: skip
    assert how.env["PYTHONPATH"].startswith(shim_path("synetune"))
    assert how.files == {}


@pytest.mark.parametrize(
    "value", [-1, -0.5, -1e-05, "-x", "--lr", "a 'quoted' \"text\"", "", "$(b);c", "ü\n", [1, "a b"]]
)
def test_every_value_comes_through_a_parser_as_it_is(value: Any) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--v", type=json.loads if isinstance(value, list) else type(value))
    assert parser.parse_args(words("v", value)).v == value


def test_lists_and_dictionaries_are_json_in_one_word() -> None:
    assert words("x", {"a": [1, None]}) == ["--x", '{"a": [1, null]}']
    with pytest.raises(BadInput, match="x: a value with a NUL character"):
        words("x", "a\0b")


def test_the_configuration_as_a_file() -> None:
    params = {"widths": [1, 2], "net": {"a b": "c d"}, "text": 'with "quotes" and spaces', "none": None}
    how = started(params, json=True)
    assert how.argv[2:] == (
        "--st_config_json_filename", "/runs/s/00003/1/config.json",
        "--st_checkpoint_dir", "/runs/s/00003/1/checkpoint",
    )  # fmt: skip
    assert json.loads(how.files["config.json"]) == params


@pytest.mark.parametrize(("resource", "expected"), [(None, "81"), (3.0, "3"), (2.5, "2.5"), (243.0, "81")])
def test_the_next_rung_is_what_the_trial_is_told_to_come_to(resource: float | None, expected: str) -> None:
    params = {"epochs": 81, "lr": 1.0}
    argv = started(params, resource=resource, max_resource="epochs").argv
    assert argv[argv.index("--epochs") + 1] == expected
    assert params["epochs"] == 81
    assert "--steps" not in started(params, resource=3.0, max_resource="steps").argv


def test_a_command_line_of_ours_keeps_its_words() -> None:
    settings = {"checkpoints": False, "max_resource": "epochs"}
    command = ("python", "a b.py", "{{data}}", "--rate={lr}", "--off", "{momentum}", "{rest}")
    place = Place(study="s", trial=0, attempt=1, seed=1, directory="/d", resource=3.0)
    how = launch(settings, {"lr": 0.5, "epochs": 9, "name": "x y"}, place, command=command)
    assert how.argv == ("python", "a b.py", "{data}", "--rate=0.5", "--epochs", "3", "--name", "x y")
    how = launch({"json": True}, {"lr": 0.5}, place, command=("python", "t.py", "{rest}"))
    assert how.argv[2:] == ("--st_config_json_filename", "/d/config.json", "--st_checkpoint_dir", "/d/checkpoint")
