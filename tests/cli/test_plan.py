"""`rung plan` of early stopping: rungs, work, time and cost, and a sentence for each part of what will happen."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from cli.conftest import Call
from rung.api.endings import checkpoints_text, ending_text
from rung.model import Budget, CheckpointSpec, Objective, ScheduleSpec, StudySpec

STUDY = """
function: f.py:score
parameters:
  x: {type: float, min: 0, max: 1}
objective: loss
schedule: {method: asha, resource: batch, min: 64, max: 1024, eta: 4}
budget: {trials: 32}
run: {executor: inline, workers: 2}
"""
PROGRAM = """
import time
import rung

def score(p):
    step = 0
    while not rung.should_stop():
        step += 64
        time.sleep(0.002)  # is what training takes
        rung.report(loss=p["x"], batch=step)
    return p["x"]
"""


@pytest.fixture
def place(call: Call, tmp_path: Path) -> Path:
    """A study file with rungs, whose program trains until it is told to stop."""
    (tmp_path / "f.py").write_text(PROGRAM)
    (tmp_path / "study.yaml").write_text(STUDY)
    return tmp_path


def test_rungs_and_work(place: Path, call: Call) -> None:
    lines = call("plan", "study.yaml").out.splitlines()
    assert "rungs    32 trials to 64 batches, 8 to 256, 2 to 1024" in lines
    assert "work     5,120 batches, 15.6 % of the 32,768 without early stopping" in lines
    assert any(line.startswith("schedule ASHA") for line in lines)
    plan = call("plan", "study.yaml", "--json").json
    assert plan["brackets"] == [
        {
            "trials": 32, "rungs": [64, 256, 1024],
            "levels": [{"trials": n, "resource": r} for n, r in ((32, 64), (8, 256), (2, 1024))],
        }
    ]  # fmt: skip
    assert plan["work"] == {"unit": "batches", "planned": 5120, "full": 32768, "share": 0.15625}
    assert plan["resource"] == "batch"


def test_without_a_schedule_there_is_nothing_to_say_of_rungs(place: Path, call: Call) -> None:
    plan = call("plan", "--schedule", "none", "study.yaml", "--set", "schedule={}", "--json").json
    assert (plan["brackets"], plan["work"], plan["resource"]) == ([], None, "step")
    assert plan["schedule"] == "no early stopping: every trial runs to its end"
    assert "rungs" not in call("plan", "--set", "schedule={}", "study.yaml").out


@pytest.mark.parametrize("method", ["hyperband", "adaptive", "median"])
def test_every_schedule_describes_itself(place: Path, call: Call, method: str) -> None:
    settings = ("--set", f"schedule={{method: {method}, max: 16}}")
    plan = call("plan", "study.yaml", *settings, "--json").json
    assert plan["schedule"]
    for bracket in plan["brackets"]:
        assert bracket["rungs"] == sorted(bracket["rungs"])
        assert [level["resource"] for level in bracket["levels"]] == bracket["rungs"]


@pytest.mark.slow
def test_a_probe_of_a_program_that_never_ends(place: Path, call: Call) -> None:
    words = ("plan", "--probe", "2", "--set", "run.price=36", "study.yaml")
    plan = call(*words, "--json").json
    probe = plan["probe"]
    assert (probe["trials"], probe["failed"]) == (2, 0)
    assert probe["startup"] >= 0
    assert probe["seconds_low"] <= probe["seconds_total"] <= probe["seconds_high"]
    assert probe["cost"] == pytest.approx(2 * probe["seconds_total"] / 100)  # two workers, 36 an hour
    assert not (place / "runs").exists()


def test_every_limit_of_a_budget_is_said() -> None:
    spec = StudySpec(objectives=(Objective(metric="loss"),))
    given = {
        "trials": 9, "time_s": 7200.0, "target": 0.5, "max_failures": 3, "cost": 20.0, "patience": 4,
        "stop": "loss < 0.1", "improvement": 0.001,
    }  # fmt: skip
    assert {*given, "on_failure"} == set(Budget.__struct_fields__)
    text = ending_text(msgspec.structs.replace(spec, budget=Budget(**given)))  # type: ignore[arg-type]
    for said in ("9 trials", "2h00m", "loss reaches 0.5", "cost 20", "4 trials in a row", "loss < 0.1", "0.001 more"):
        assert said in text
    assert text.endswith("whichever comes first; given up after 3 failed trials, or when the first 5 all fail")
    assert ending_text(spec) == "when nothing is left to propose, or at `rung stop`"
    one = ending_text(msgspec.structs.replace(spec, budget=Budget(trials=1)))
    assert one == "after 1 trial; given up after 10 failed trials, or when the first 5 all fail"


def test_which_checkpoints_are_kept() -> None:
    def text(schedule: str = "none", **fields: object) -> str:
        kept = CheckpointSpec(**fields)  # type: ignore[arg-type]
        return checkpoints_text(StudySpec(checkpoint=kept, schedule=ScheduleSpec(method=schedule)))

    needed = "what a paused, cloned or running trial may need"
    assert text() == f"checkpoints, if trials write any: the best and latest of each trial, and {needed}"
    assert text(schedule="pbt").startswith(
        "checkpoints, if trials write any (else what is held or cloned begins again): the best"
    )
    assert text(enabled=False) == "no checkpoints: what is held or cloned begins again"
    assert text(enabled=True, study_best=3, trial_best=2, trial_latest=0, disk_bytes=20 * 10**9) == (
        f"checkpoints: the 2 best of each trial, those of the 3 best trials, and {needed}, in at most 20 GB"
    )
    assert text(enabled=True, trial_best=0, trial_latest=0) == f"checkpoints: {needed}"
