"""An option that a method cannot use is said where it was written: in a line of the file, or with an option."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.conftest import Call

STUDY = """\
function: f.py:score
parameters:
  x: {type: float, min: 0, max: 1}
objective: loss
schedule:
  method: asha
  max: 9
  eta: 1
"""
TABLE = "x,step,seconds,loss\n0.1,1,1,0.5\n"
WRONG = "schedule.eta: expected a number above 1, got 1\n"


@pytest.fixture
def place(call: Call, tmp_path: Path) -> Path:
    """A function, and a study file whose schedule cannot be."""
    (tmp_path / "f.py").write_text("def score(p):\n    return p['x']\n")
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "table.csv").write_text(TABLE)
    return tmp_path


@pytest.mark.parametrize(
    "words", [("run", "study.yaml"), ("plan", "study.yaml"), ("simulate", "study.yaml", "--table", "table.csv")]
)
def test_a_line_of_the_file(place: Path, call: Call, words: tuple[str, ...]) -> None:
    assert call(*words, code=2).err == f"rung: study.yaml:8: {WRONG}"


def test_the_linter_names_the_line_too(place: Path, call: Call) -> None:
    assert call("lint", "study.yaml", code=1).out == f"study.yaml:8: {WRONG}"


def test_a_key_that_is_missing_is_at_the_section_it_belongs_to(place: Path, call: Call) -> None:
    (place / "study.yaml").write_text(STUDY.replace("asha\n  max: 9\n  eta: 1", "adaptive"))
    assert call("plan", "study.yaml", code=2).err.startswith("rung: study.yaml:5: schedule.max: ")


def test_an_option(place: Path, call: Call) -> None:
    said = call("plan", "--set", "schedule.eta=1", "study.yaml", code=2)
    assert said.err == f"rung: --set {WRONG}"
    whole = call("plan", "--set", "schedule={method: asha, eta: 1}", "study.yaml", code=2)
    assert whole.err == f"rung: --set schedule: {WRONG}"


def test_without_a_file_the_way_to_give_a_key_is_said(place: Path, call: Call) -> None:
    said = call("run", "--schedule", "hyperband", "-p", "x=1,2", "-m", "loss", "f.py:score", code=2)
    assert said.err.startswith("rung: schedule.max: ")
    assert said.err.endswith(": give `max` (--set schedule.max=VALUE)\n")
    assert not (place / "runs").exists()
