from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from cli.conftest import Call
from rung.analysis.views import views

pytestmark = pytest.mark.usefixtures("study")


def test_a_table_says_what_there_is_and_then_the_marks(call: Call) -> None:
    said = call("view", "score-1", "history", "--set", "marks=3").out.splitlines()
    assert said[0].split() == ["metric", "loss"]
    assert ["shown", "3"] in [line.split() for line in said]
    at = said.index("")
    assert said[at + 1].split() == ["number", "state", "x", "value"]
    assert len(said) == at + 5


def test_csv_has_the_marks_alone(call: Call) -> None:
    rows = list(csv.DictReader(io.StringIO(call("view", "history", "--format", "csv").out)))
    record = call("view", "history", "--json").json
    assert [int(row["number"]) for row in rows] == record["number"]
    assert [float(row["value"]) for row in rows] == record["value"]


def test_curves_are_a_row_a_point(call: Call) -> None:
    rows = list(csv.DictReader(io.StringIO(call("view", "curves", "--format", "csv", "--set", "trials=0,1").out)))
    assert [(row["number"], row["x"]) for row in rows] == [(n, s) for n in "01" for s in ("1.0", "2.0", "3.0", "4.0")]


def test_every_view_can_be_printed_in_every_form(call: Call) -> None:
    for name in views():
        for form in ("table", "csv", "json"):
            assert call("view", name, "--format", form).out.strip()


def test_the_help_lists_the_views_with_their_options(call: Call) -> None:
    said = call("view", "--help").out
    for name, view in views().items():
        assert name in said
        assert all(option.name in said for option in view.options)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["histori"], "no view 'histori' (did you mean 'history'?)"),
        (["score-1", "history", "--set", "ovr=1"], "no option 'ovr' (did you mean 'over'?)"),
        (["history", "--set", "over"], "expected --set OPTION=VALUE, got 'over'"),
        (["history", "--set", "over=time", "--set", "over=cost"], "--set over is given twice"),
        (["history", "--set", "marks=x"], "view history: marks: expected a whole number from 1 to 5000, got 'x'"),
        (["score-2", "history"], "no study named score-2"),
        (["score-1", "1", "history"], "expected [STUDY] VIEW"),
        ([], "missing argument"),
    ],
)
def test_what_cannot_be_shown_is_one_line(call: Call, words: list[str], line: str) -> None:
    said = call("view", *words, code=2)
    assert line in said.err
    assert said.err.count("\n") == 1
    assert not said.out


def test_the_study_of_another_folder(call: Call, study: Path) -> None:
    words = ("view", "edf", "--store", f"sqlite:///{study}/runs/rung.db", "--json")
    assert call(*words).json == call("view", "score-1", "edf", "--json").json
