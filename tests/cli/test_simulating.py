from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Call

STUDY = """
command: python nowhere.py {rest}
parameters: {lr: {type: float, min: 0.0, max: 1.0}}
objective: {metric: loss}
search: {method: random}
schedule: {method: none, resource: epoch}
budget: {trials: 4}
run: {workers: 2}
"""
TABLE = "lr,epoch,seconds,loss\n" + "".join(
    f"{lr},{epoch},{600 * epoch},{lr + 1 / epoch}\n" for lr in (0.1, 0.4, 0.7) for epoch in (1, 2, 3)
)


@pytest.fixture
def files(call: Call) -> None:
    Path("study.yaml").write_text(STUDY)
    Path("curves.csv").write_text(TABLE)


def simulate(call: Call, *words: str, **how: Any) -> Any:
    return call("simulate", "study.yaml", "--table", "curves.csv", *words, **how)


def test_the_best_is_on_stdout_and_the_figures_beside_it(call: Call, files: None) -> None:
    said = simulate(call, "--free-decisions")
    assert said.out.startswith("trial  ")
    study, figures, speed = said.err.splitlines()
    assert study == "study study-1 is complete (4 trials evaluated): 4 complete"
    assert figures.startswith("1h00m of virtual time on 2 workers, 100.0% busy (100.0% until the last trial began); ")
    assert figures.endswith("work: 12 epochs, 12 reports")
    assert ", 0.0s of it charged to the clock: 13 decisions, " in speed


def test_how_a_simulated_study_goes_on(call: Call, files: None) -> None:
    simulate(call, "--name", "virtual")
    said = call("resume", "virtual").err.splitlines()
    assert said[0].startswith("study virtual is complete (4 trials evaluated)")
    ways = "rung edit virtual --set budget.trials=8, then rung simulate as before, with --name virtual --trials 8"
    assert said[1:] == [f"for more trials: {ways}"]
    call("edit", "virtual", "--set", "budget.trials=8")
    assert "study virtual is complete (8 trials evaluated)" in simulate(call, "--name", "virtual", "--trials", "8").err


def test_the_figures_as_json(call: Call, files: None) -> None:
    found = simulate(call, "--json", "-w", "4", "--seed", "5", "-n", "8", "--stop-delay", "3s").json
    assert found["counts"] == {"complete": 8}
    assert found["best"]["value"] in {lr + 1 / 3 for lr in (0.1, 0.4, 0.7)}
    assert (found["workers"], found["work"], found["reports"]) == (4, 24, 24)
    assert found["seconds"] == pytest.approx(3600, rel=0.01)
    assert found["decisions_per_second"] == pytest.approx(found["decisions"] / found["real_s"])


def test_what_happens_to_trials_is_said_by_options(call: Call, files: None) -> None:
    lost = simulate(
        call, "--json", "--preemption", "2", "--checkpoints", "--restore-time", "1m", "--free-decisions"
    ).json
    quiet = simulate(call, "--json", "--free-decisions").json
    assert lost["seconds"] > quiet["seconds"]
    assert lost["counts"] == quiet["counts"] == {"complete": 4}
    slow = simulate(call, "--json", "--free-decisions", "--startup", "10m").json
    assert slow["seconds"] == pytest.approx(quiet["seconds"] + 2 * 600)
    assert simulate(call, "--failures", "1", code=3).err.splitlines()[0].startswith("study study-1 is failed")


def test_settings_change_the_study(call: Call, files: None) -> None:
    said = simulate(
        call, "--json", "--set", "budget.trials=2", "--set", "schedule.method=asha", "--set", "schedule.max=3"
    )
    assert sum(said.json["counts"].values()) == 2
    assert simulate(call, "--json", "--time", "25m", "-n", "99", "--free-decisions").json["seconds"] == pytest.approx(
        1500
    )


def test_a_named_study_is_kept(call: Call, files: None) -> None:
    simulate(call, "--name", "kept", "--free-decisions")
    assert [row["number"] for row in call("trials", "kept", "--json").json] == [0, 1, 2, 3]
    again = simulate(call, "--name", "kept", "--free-decisions")
    assert again.err.splitlines()[0] == "study kept is complete (4 trials evaluated): 4 complete"
    assert call("replay", "kept", "--check").code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--gulp", "soon"), "--gulp: expected a duration such as 2h30m, 90s or a number of seconds, got 'soon'"),
        (("--set", "x"), "--set: expected key.path=value, got 'x'"),
        (("--dataset", "7"), "curves.csv: dataset: only an .npz archive holds several data sets"),
        (("--holds", "1"), "holds: expected a number from 0 to 0.99, got 1"),
        (("--set", "objective.metric=accuracy"), "curves.csv:1: has no column 'accuracy' (a parameter or a metric)"),
        (("--search", "randon"), "unknown searcher 'randon'; did you mean `random`?"),
    ],
)
def test_what_cannot_be_simulated_is_one_line(call: Call, files: None, words: tuple[str, ...], says: str) -> None:
    said = simulate(call, *words, code=2)
    assert (said.out, said.err) == ("", f"rung: {says}\n")
