"""`rung show STUDY TRIAL`, and what a study says of a script that was substituted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Call


def test_a_trial_is_shown(call: Call, searched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(searched)
    text = call("show", "score-1", "2").out
    assert "trial    2\nstate    complete\nparams   x=2\n" in text
    assert "folder   " in text
    assert "@@" not in text
    found = call("show", "2", "--json").json
    assert (found["number"], found["params"], found["diff"]) == (2, {"x": 2}, None)
    assert Path(found["directory"]).is_dir()
    assert "number,2" in call("show", "score-1", "2", "--format", "csv").out


def test_a_failed_trial_says_why(call: Call, searched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(searched)
    assert "state    failed (exit status 1: ValueError: four is right out)" in call("show", "4").out


def test_a_trial_that_is_none_is_an_error(call: Call, searched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(searched)
    assert "study score-1 has no trial 99; it has 5 trials" in call("show", "score-1", "99", code=1).err


def test_a_substituted_script_is_shown(call: Call, tmp_path: Path) -> None:
    (tmp_path / "t.py").write_text("x = 0\nprint('loss:', x)\n")
    call("run", "--inject", "source", "-p", "x=3,1", "-m", "loss", "t.py")
    study = call("show", "t-1").out
    assert "the script of trial 1 (of another: rung show t-1 TRIAL):" in study
    assert "+print('loss:', 1)" in study
    one = call("show", "t-1", "0").out
    assert "-print('loss:', x)\n+print('loss:', 3)" in one
    assert json.loads(call("show", "0", "--json").out)["diff"].startswith("--- a/t.py")
