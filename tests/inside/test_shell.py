from __future__ import annotations

import json
from pathlib import Path

import pytest

from rung.inside import shell, wire
from rung.inside.session import Session


def test_words_become_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Session(str(tmp_path), {}).entered():
        assert shell.main(["loss=0.5", "epoch=3", "acc=-inf", "x=nan", "big=1e999", "n=+7"]) == 0
    found = json.loads((tmp_path / "reports.jsonl").read_text())
    del found["_time"]
    assert found == {"loss": 0.5, "epoch": 3, "acc": "-Infinity", "x": "NaN", "big": "Infinity", "n": 7}
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "expected at least one NAME=VALUE"),
        (["0.5"], "expected NAME=VALUE, got '0.5'"),
        (["=0.5"], "expected NAME=VALUE, got '=0.5'"),
        (["loss=low"], "loss must be a number, got 'low'"),
        (["loss="], "loss must be a number, got ''"),
        (["loss=5%"], "loss must be a number, got '5%'"),
        (["loss=1", "loss=2"], "loss is given twice"),
        (["_time=1"], "added by rung"),
        (["loss=²"], "loss must be a number"),
    ],
)
def test_what_is_not_understood_is_said_in_one_line(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shell.main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith("rung report: ") and says in error and error.count("\n") == 1


def test_outside_a_study_it_only_checks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(wire.TRIAL_DIR, raising=False)
    monkeypatch.chdir(tmp_path)
    assert shell.main(["loss=1"]) == 0
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Session(str(tmp_path / "gone"), {}).entered():
        assert shell.main(["loss=1"]) == 1
    assert "No such file" in capsys.readouterr().err
