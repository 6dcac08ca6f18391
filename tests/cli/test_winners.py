"""`rung best`, `show` and `ls` where values are noisy, approach a target, have outcomes, or are several."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Call, Said

MODEL = """
import rung

NOISY = [0.30, 0.10, 0.20, 0.24, 0.38, 0.22, 0.40, 0.9]

def noisy(params):
    return {"loss": NOISY[rung.trial.number]}

def nothing(params):
    return float("nan")

def measured(params):
    c = params["c"]
    return {"loss": c, "acc": 0.9 + c / 50, "latency_ms": 40 - 5 * c, "size": (c - 2) ** 2}
"""
DRAWN = [0, 1, 2, 2, 1, 2, 1, 3]  # the configurations of the trials of `noisy`


@pytest.fixture
def ran(call: Call, tmp_path: Path) -> Any:
    """Runs a study of one parameter c with this function and these sections."""
    (tmp_path / "model.py").write_text(MODEL)

    def run(function: str, *words: str, configurations: list[int], **sections: Any) -> Said:
        tree = {
            "function": f"model.py:{function}",
            "parameters": {"c": {"type": "int", "min": 0, "max": 3}},
            "start": [{"c": c} for c in configurations],
            "budget": {"trials": len(configurations)},
            "run": {"executor": "inline"},
            **sections,
        }
        (tmp_path / "study.json").write_text(json.dumps(tree))
        return call("run", "study.json", *words)

    return run


def noisy(ran: Any, *words: str) -> Said:
    said: Said = ran("noisy", *words, configurations=DRAWN, objective="loss", search={"method": "random", "repeats": 3})
    return said


def test_the_honest_winner_is_named_with_its_interval(ran: Any, call: Call) -> None:
    out = noisy(ran).out
    assert out.splitlines()[0].split() == ["trial", "5"]
    assert call("best").out == out
    (line,) = [line for line in out.splitlines() if line.startswith("estimate")]
    assert " (95 %: " in line
    assert ", 3 evaluations); better than trial " in line
    assert "'s configuration with probability 0." in line
    best = call("best", "--json").json
    assert (best["number"], best["value"], best["values"]) == (5, 0.22, {"loss": 0.22})
    estimate = best["estimate"]
    assert estimate["low"] < estimate["mean"] < estimate["high"]
    assert (estimate["evaluations"], estimate["trials"]) == (3, [2, 3, 5])
    assert estimate["noise_sd"] > 0
    assert 0.5 < estimate["beats_runner_up"] < 1
    assert set(estimate["runner_up"]) == {"trial", "mean"}


def test_all_verbs_name_the_same_winner(ran: Any, call: Call) -> None:
    assert json.loads(noisy(ran, "--json").out) == call("best", "--json").json == call("show", "--json").json["best"]
    assert call("ls", "--json").json[0]["best"] == 0.22
    shown = next(line for line in call("show").out.splitlines() if line.startswith("best"))
    assert shown.startswith("best     trial 5: loss 0.22, mean 0.2")
    assert shown.endswith(" of 3  c=2")


def test_the_best_of_several_are_configurations(ran: Any, call: Call) -> None:
    noisy(ran)
    header, *rows = call("best", "--top", "9").out.splitlines()
    assert header.split() == ["trial", "state", "loss", "mean", "evaluations", "c"]
    assert sorted(int(row.split()[0]) for row in rows) == [0, 4, 5, 7]
    records = call("best", "--top", "2", "--json").json
    assert [record["estimate"]["runner_up"] is None for record in records] == [False, True]


def test_without_repetitions_the_best_is_the_best_value(ran: Any, call: Call) -> None:
    ran("measured", configurations=[1, 0, 2], objective="loss")
    assert call("best", "--json").json["estimate"] is None
    said = call("best")
    assert "estimate" not in said.out
    assert said.err == ""


def test_repeats_that_did_not_happen_yet_are_remarked(ran: Any, call: Call) -> None:
    ran("measured", configurations=[1, 0, 2], objective="loss", search={"method": "random", "repeats": 2})
    assert "no configuration has been evaluated twice yet" in call("best").err


@pytest.mark.parametrize(
    ("target", "said"), [(0.95, "0.94 (0.01 below 0.95)"), (0.9, "0.9"), (0.85, "0.9 (0.05 above 0.85)")]
)
def test_how_near_a_target_is_approached(ran: Any, call: Call, target: float, said: str) -> None:
    ran("measured", configurations=[0, 1, 2], objective={"metric": "acc", "goal": {"approach": target}})
    assert next(line for line in call("best").out.splitlines() if line.startswith("acc")) == f"acc    {said}"
    assert f"acc {said}" in call("show").out


def test_outcomes_that_no_trial_kept(ran: Any, call: Call) -> None:
    outcomes = [{"metric": "latency_ms", "at_most": 20}]
    run = ran("measured", configurations=[0, 1, 2], objective="loss", outcomes=outcomes)
    said = call("best")
    assert said.err == "no trial kept latency_ms <= 20; trial 2 came nearest (latency_ms 30)\n"
    assert said.err in run.err
    assert call("best", "--json").json["number"] == 0


def test_an_outcome_that_nothing_reported_is_named(ran: Any, call: Call) -> None:
    ran("measured", configurations=[0, 1], objective="loss", outcomes=[{"metric": "latencyms", "at_most": 20}])
    said = call("best")
    assert said.err.startswith("no trial reported latencyms, so none kept its bound;")
    assert len(said.err.splitlines()) == 1


def test_a_best_trial_without_a_finite_value_is_remarked(ran: Any, call: Call) -> None:
    ran("nothing", configurations=[0, 1], objective="loss")
    assert call("best").err == "no trial has a finite loss: none is better than another\n"


def test_outcomes_that_some_trial_kept(ran: Any, call: Call) -> None:
    outcomes = [{"metric": "latency_ms", "at_least": 1, "at_most": 35}]
    ran("measured", configurations=[0, 1, 2], objective="loss", outcomes=outcomes)
    said = call("best")
    assert said.err == ""
    assert said.out.split()[:2] == ["trial", "1"]


def test_the_pareto_set_has_its_hypervolume(ran: Any, call: Call) -> None:
    ran("measured", configurations=[0, 1, 2, 3], objective=["loss", {"metric": "size", "goal": "minimize"}])
    said = call("best")
    assert said.err == "3 trials that no other one beats; hypervolume 4.68 with reference point loss 2.2, size 4.4\n"
    assert [trial["number"] for trial in call("best", "--json").json] == [0, 1, 2]
    assert call("best", "--top", "1").err == ""


@pytest.mark.parametrize(("method", "warned"), [("random", True), ("tpe", False)])
def test_a_prior_that_the_searcher_does_not_use_is_remarked(call: Call, method: str, warned: bool) -> None:
    Path("study.yaml").write_text(
        "command: echo {x}\nparameters: {x: {type: float, min: 0, max: 1, prior: 0.5}}\n"
        f"objective: loss\nsearch: {{method: {method}}}\n"
    )
    text = "parameters.x.prior: search: random does not use it; auto, tpe and gp do"
    assert (text in call("plan", "study.yaml", "--json").json["warnings"]) is warned
