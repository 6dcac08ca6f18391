"""`pause`, `unpause`, `stop`, `retry`, `enqueue`, `tell`, `edit`, `rm` where no runner is attached."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.conftest import Call

pytestmark = pytest.mark.usefixtures("study")


def test_retry_without_a_trial_means_all_failed_ones(call: Call) -> None:
    said = call("retry", "score-1").err
    assert said == "trial 4 runs again in study score-1; no runner is attached: rung resume score-1\n"
    assert call("show", "--json").json["state"] == "interrupted"
    assert call("resume", "--json").json["number"] == 2
    assert call("trials", "--json").json[4]["attempt"] == 2


def test_a_retry_that_cannot_be_asks_for_nothing(call: Call) -> None:
    assert "has no trial 17" in call("retry", "1", "17", code=2).err
    assert call("show", "--json").json["state"] == "complete"


def test_an_enqueued_configuration_runs_next(call: Call) -> None:
    assert "unknown" in call("enqueue", "y=3", code=2).err
    assert "expected an integer between 0 and 4" in call("enqueue", "x=9", code=2).err
    assert call("enqueue", "x=3").err.startswith("enqueued in study score-1: x=3; no runner")
    call("resume")
    assert call("trials", "--json").json[5]["params"] == {"x": 3}


def test_told_values_count(call: Call) -> None:
    call("tell", "score-1", "0", "loss=-1.5")
    assert call("best", "--json").json["value"] == -1.5
    assert "did you mean `loss`" in call("tell", "0", "los=1", code=2).err
    assert "must be a number, got 'much'" in call("tell", "0", "loss=much", code=2).err
    assert "expected the number of a trial" in call("tell", "loss=1", code=2).err
    assert "loss is given twice" in call("tell", "0", "loss=1", "loss=2", code=2).err


def test_budget_run_settings_and_space_can_be_edited(call: Call) -> None:
    assert call("edit", "score-1", "--set", "budget.trials=9").err.startswith("budget.trials: 5 -> 9\n")
    assert "already" in call("edit", "score-1", "--set", "budget.trials=9").err
    assert (
        "only budget.*, run.*, parameters.* and constraints can change"
        in call("edit", "score-1", "--set", "search.method=grid", code=2).err
    )
    assert "did you mean `trials`" in call("edit", "score-1", "--set", "budget.trails=9", code=2).err
    assert "expected KEY.PATH=VALUE" in call("edit", "score-1", "--set", "budget", code=2).err


def test_the_space_is_edited_and_the_search_goes_on_in_it(call: Call) -> None:
    call("edit", "score-1", "--set", "budget.trials=7")
    call("enqueue", "x=0")
    said = call("edit", "score-1", "--set", "parameters.x.min=2", "--set", "parameters.x.max=8").err.splitlines()
    assert said == [
        "parameters.x.min: 0 -> 2",
        "parameters.x.max: 4 -> 8",
        "2 of 5 trials are outside of the edited space: the search goes on without",
        "1 enqueued configuration is outside of the edited space and will not run",
        "study score-1 is changed; no runner is attached: rung resume score-1",
    ]
    call("resume")
    trials = call("trials", "--json").json
    assert sorted(trial["params"]["x"] for trial in trials[:5]) == [0, 1, 2, 3, 4]
    assert all(5 <= trial["params"]["x"] <= 8 for trial in trials[5:])
    why = call("why", "score-1", "5", "--json").json
    assert "(space 2)" in why[0]["why"]
    assert "(space" not in call("why", "score-1", "0", "--json").json[0]["why"]
    assert [c["path"] for c in call("show", "--json").json["changes"]][1:] == ["parameters.x.min", "parameters.x.max"]
    assert call("replay", "--check").out.endswith("every decision comes out the same\n")


def test_pause_holds_until_unpause(call: Call) -> None:
    call("pause")
    call("enqueue", "x=1")
    call("unpause", "score-1")
    call("resume")
    assert len(call("trials", "--json").json) == 6


def test_stop_closes_a_study_that_nobody_runs(call: Call) -> None:
    assert call("stop", "score-1").err == "study score-1 is over already (complete)\n"
    assert "trial 2 is over already" in call("stop", "score-1", "2", code=2).err
    call("edit", "score-1", "--set", "budget.trials=50")
    assert call("show", "--json").json["state"] == "interrupted"
    assert "study score-1 is over: 4 complete, 1 failed" in call("stop", "score-1").err
    assert call("show", "--json").json["reason"] == "the study was stopped"


def test_rm_takes_the_folder_with_it(call: Call, study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(call("show", "--json").json["runs"]) / "score-1"
    kept = folder.with_name("kept")
    folder.rename(kept)
    folder.symlink_to(kept)  # a link is not the study's own folder: it stays, and so does what it leads to
    call("rm", "score-1")
    assert call("ls", "--json").json == []
    assert any(kept.iterdir())
    folder.unlink()
    kept.rename(folder)


def test_rm_of_an_unknown_study(call: Call) -> None:
    assert call("rm", "score-9", code=2).err.startswith("rung: no study named score-9")
    assert len(call("ls", "--json").json) == 1
