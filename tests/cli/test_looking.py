"""`ls`, `show`, `trials`, `best`, `logs`, `why`, `export`, `replay` on a finished study."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from cli.conftest import Call

RECORD = {
    "number", "state", "params", "value", "values", "steps", "started", "ended", "duration", "attempt", "reason", "error",
}  # fmt: skip
pytestmark = pytest.mark.usefixtures("study")


def test_ls(call: Call) -> None:
    (study,) = call("ls", "--json").json
    assert (study["name"], study["state"], study["trials"], study["failed"]) == ("score-1", "complete", 5, 1)
    assert study["best"] == 0
    header, row = call("ls").out.splitlines()
    assert header.split()[:3] == ["name", "state", "trials"]
    assert row.split()[:3] == ["score-1", "complete", "5"]


def test_show_says_all_that_scripts_rely_on(call: Call) -> None:
    shown = call("show", "--json").json
    assert {"name", "state", "spec", "seed", "counts", "best", "elapsed", "code", "changes"} <= set(shown)
    assert {"commit", "dirty"} <= set(shown["code"])
    assert shown["seed"] == 1
    assert shown["counts"] == {"waiting": 0, "running": 0, "paused": 0, "complete": 4, "pruned": 0, "failed": 1}
    assert shown["best"]["number"] == 2
    text = call("show", "score-1").out
    assert "x: {type: int, min: 0, max: 4}" in text
    assert "command  rung run -p x=0:4" in text


def test_show_shows_changes_as_a_diff(call: Call) -> None:
    call("edit", "score-1", "--set", "run.timeout=30m", "--set", "budget.trials=7")
    call("tell", "1", "loss=-3")
    said = call("show").out.partition("changes since it was created:\n")[2]
    lines = [line.split("  ")[-1] for line in said.splitlines()]
    assert lines == ["budget.trials", "- 5", "+ 7", "run.timeout", "+ 30m", "trial 1: loss", "+ -3"]
    changes = call("show", "--json").json["changes"]
    assert all(change["who"].startswith("cli:") and change["at"] for change in changes)


def test_trials_as_json(call: Call) -> None:
    trials = call("trials", "--json").json
    assert [t["number"] for t in trials] == [0, 1, 2, 3, 4]
    assert all(set(t) == RECORD for t in trials)
    assert trials[3]["values"] == {"loss": 1, "size": 30}
    assert trials[3]["steps"] == 4
    assert "four is right out" in trials[4]["error"]
    with_reports = call("trials", "--reports", "--json").json
    assert [r["values"]["loss"] for r in with_reports[0]["reports"]] == [1, 0.5, pytest.approx(1 / 3), 4]
    assert set(with_reports[0]["reports"][0]) == {"step", "time", "values"}


def test_trials_as_csv(call: Call) -> None:
    rows = list(csv.DictReader(io.StringIO(call("trials", "--format", "csv").out)))
    assert [row["params_x"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert rows[4]["value"] == ""
    reports = list(csv.DictReader(io.StringIO(call("trials", "--reports", "--format", "csv").out)))
    assert [(r["trial"], r["step"], r["size"]) for r in reports[4:6]] == [("1", "1", "10.0"), ("1", "2", "10.0")]


def test_trials_chosen_and_sorted(call: Call) -> None:
    assert [t["number"] for t in call("trials", "--state", "failed", "--json").json] == [4]
    assert [t["number"] for t in call("trials", "--sort", "value", "--json").json] == [2, 1, 3, 0, 4]
    assert [t["number"] for t in call("trials", "--sort", "size", "--json").json][:4] == [0, 1, 2, 3]
    assert "no column 'y'; there are number, state, value, params.x" in call("trials", "--sort", "y", code=2).err
    assert "'done' is no state" in call("trials", "--state", "done", code=2).err


def numbers(call: Call, *words: str) -> list[int]:
    return [trial["number"] for trial in call("trials", *words, "--json").json]


def test_trials_by_expression_column_and_count(call: Call) -> None:
    assert numbers(call, "--where", "state == 'complete' and x < 3", "--sort", "-x") == [2, 1, 0]
    assert numbers(call, "--sort", "value", "--limit", "2") == [2, 1]
    assert numbers(call, "--where", "number > 2", "--state", "failed") == [4]
    error = call("trials", "--where", "los < 1", code=2).err
    assert "--where: `los < 1`, column 1: unknown name 'los' (did you mean 'loss'?)" in error


def test_trials_with_chosen_columns(call: Call) -> None:
    words = ("trials", "--columns", "number,params.x,metrics.loss,state", "--where", "number in [1, 4]")
    rows = call(*words, "--json").json
    assert list(rows[0]) == ["number", "params.x", "metrics.loss", "state"]
    assert [(row["number"], row["state"]) for row in rows] == [(1, "complete"), (4, "failed")]
    assert call(*words, "--format", "csv").out.splitlines()[0] == "number,params.x,metrics.loss,state"
    assert "no column 'params.y'" in call("trials", "--columns", "params.y", code=2).err
    assert "give one of them" in call("trials", "--columns", "x", "--reports", code=2).err


def test_export_of_some(call: Call) -> None:
    words = ("export", "--where", "state == 'complete'", "--sort=-number")
    lines = call(*words, "--columns", "number,value").out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["number", "3", "2", "1", "0"]
    records = [json.loads(line) for line in call(*words, "--format", "jsonl").out.splitlines()]
    assert records == call("trials", *words[1:], "--json").json
    assert "--columns needs --format csv" in call(*words, "--columns", "x", "--format", "jsonl", code=2).err


def test_the_table_of_trials(call: Call) -> None:
    lines = call("trials").out.splitlines()
    assert lines[0].split() == ["trial", "state", "loss", "x", "steps", "took", "why"]
    assert lines[3].split()[:5] == ["2", "complete", "0", "2", "4"]
    assert lines[5].endswith("ValueError: four is right out")


def test_best(call: Call) -> None:
    assert call("best", "--json").json["params"] == {"x": 2}
    assert [t["number"] for t in call("best", "--top", "3", "--json").json] == [2, 1, 3]
    assert call("best").out == "trial  2\nloss   0\nx      2\n"
    assert call("best", "--format", "csv").out == "trial,state,loss,x\n2,complete,0.0,2\n"


def test_why_tells_the_story_of_a_trial(call: Call) -> None:
    story = call("why", "4", "--json").json
    assert [row["event"] for row in story] == ["proposed", "assigned", "started", "exited", "completed"]
    assert story[0]["by"] == "grid" or story[0]["by"] == "auto"
    assert "x=4" in story[0]["why"]
    assert "four is right out" in story[-1]["why"]
    whole = call("why", "--json").json
    assert whole[-1]["event"] == "study completed"
    assert {row["kind"] for row in whole} == {"decision"}
    assert [row["seq"] for row in whole] == sorted(row["seq"] for row in whole)
    assert call("why", "9", code=2).err == "rung: study score-1 has no trial 9 (it has 0 to 4)\n"


def test_export(call: Call, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in call("export", "--format", "jsonl").out.splitlines()]
    assert lines == call("trials", "--json").json
    call("export", "score-1", "-o", "out.csv")
    assert (tmp_path / "out.csv").read_text() == call("trials", "--format", "csv").out
    call("export", "-o", "out.jsonl", "--reports")
    assert (tmp_path / "out.jsonl").read_text().count('"reports"') == 5
    assert "--reports needs --format jsonl" in call("export", "--reports", code=2).err


def test_replay(call: Call) -> None:
    found = call("replay", "--check", "--json").json
    assert found["deviations"] == []
    assert found["events"] == found["facts"] + found["requests"] + found["decisions"]
    assert "every invariant holds" in call("replay").out


def test_which_study_and_which_trial(call: Call) -> None:
    assert "did you mean `score-1`" in call("show", "score-2", code=2).err
    assert "expected one trial" in call("why", "1", "2", code=2).err
    assert "unexpected 'more'" in call("best", "score-1", "more", code=2).err
    assert "expected the number of a trial, got 'x'" in call("why", "score-1", "x", code=2).err
