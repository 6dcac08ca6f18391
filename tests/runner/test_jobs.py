"""What a trial's program is started with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rung.execute.base import Cursor
from rung.model import Budget, Objective, Outcome, Reason, RunSettings, ScheduleSpec, StudySpec
from rung.runner.jobs import attempt_directory, cursor_of, job_for
from rung.study import events as ev
from rung.study.seeds import trial_seed
from rung.testing.studies import Folding, study_spec

NASTY = "a b;$(rm -rf) '\"\n☃"
PARAMS = {"lr": 0.01, "width": 16, "opt": "adam"}


def of(spec: StudySpec) -> Folding:
    """A study of this spec with one trial that waits."""
    study = Folding(spec)
    study.proposed(PARAMS)
    return study


def folding(*, command: tuple[str, ...] = ("train", "--lr={lr}", "{rest}"), **fields: Any) -> Folding:
    return of(msgspec.structs.replace(study_spec(**fields), command=command))


def job(study: Folding, runs: Path, **assigned: Any) -> Any:
    study.add(ev.AttemptAssigned, trial=0, attempt=1, **assigned)
    return job_for(study.state, study.state.live[0], study="study-1", runs=runs)


def test_the_command_names_every_active_parameter_once(tmp_path: Path) -> None:
    made = job(folding(), tmp_path)
    assert made.argv == ("train", "--lr=0.01", "--width=16", "--opt=adam", "--epochs=3")
    assert made.params == {**PARAMS, "epochs": 3}


def test_values_pass_unharmed_as_one_argument(tmp_path: Path) -> None:
    study = folding(command=("train", "{epochs}"))
    study.proposed({**PARAMS, "epochs": NASTY})
    study.add(ev.AttemptAssigned, trial=1, attempt=1)
    made = job_for(study.state, study.state.live[1], study="study-1", runs=tmp_path)
    assert made.argv == ("train", NASTY)


def test_the_directory_is_short_and_free_of_values(tmp_path: Path) -> None:
    made = job(folding(), tmp_path)
    assert made.directory == str(tmp_path / "study-1" / "00000" / "1")
    assert attempt_directory(tmp_path, "s", trial=123456, attempt=2) == tmp_path / "s" / "123456" / "2"


def test_the_environment_says_where_and_who_the_trial_is(tmp_path: Path) -> None:
    study = folding()
    made = job(study, tmp_path, resource=3.0)
    assert made.env == {
        "RUNG_STUDY": "study-1",
        "RUNG_TRIAL": "0",
        "RUNG_ATTEMPT": "1",
        "RUNG_SEED": str(trial_seed(study.state.seed, 0)),
        "RUNG_CHECKPOINT_DIR": str(tmp_path / "study-1" / "00000" / "1" / "checkpoint"),
        "RUNG_RESOURCE": "3",
    }


@pytest.mark.parametrize(("resource", "text"), [(1234567.0, "1234567"), (0.1, "0.1"), (None, None)])
def test_a_resource_is_written_exactly(tmp_path: Path, resource: float | None, text: str | None) -> None:
    assert job(folding(), tmp_path, resource=resource).env.get("RUNG_RESOURCE") == text


def test_inject_env_passes_parameters_as_variables(tmp_path: Path) -> None:
    made = job(folding(command=("train", "{rest}"), run=RunSettings(inject="env")), tmp_path)
    assert made.argv == ("train",)
    assert {name: made.env[name] for name in ("lr", "width", "opt")} == {"lr": "0.01", "width": "16", "opt": "adam"}


def test_limits_and_devices_are_those_of_the_spec(tmp_path: Path) -> None:
    run = RunSettings(timeout_s=7.0, grace_s=3.0, gpus=0.5, cpus=2.0, cwd="/somewhere")
    made = job(folding(run=run), tmp_path)
    assert (made.timeout_s, made.grace_s, made.gpus, made.cpus, made.cwd) == (7.0, 3.0, 0.5, 2.0, "/somewhere")


def test_metrics_are_objectives_and_outcomes_and_the_resource_may_be_the_step(tmp_path: Path) -> None:
    objectives = (Objective(metric="loss"), Objective(metric="size"))
    outcomes = (Outcome(metric="latency", at_most=1), Outcome(metric="loss", at_most=9))
    schedule = ScheduleSpec(method="asha", resource="rounds")
    spec = msgspec.structs.replace(study_spec(objectives=objectives, outcomes=outcomes), schedule=schedule)
    made = job(of(spec), tmp_path)
    assert made.metrics == ("loss", "size", "latency")
    assert made.steps == ("rounds", "step", "epoch", "iteration")


def test_a_step_that_the_study_stops_by_is_a_metric_too(tmp_path: Path) -> None:
    made = job(folding(budget=Budget(stop="epoch > 3 and size < 2")), tmp_path)
    assert made.metrics == ("loss", "epoch")


def test_a_function_is_called_by_this_python(tmp_path: Path) -> None:
    study = of(msgspec.structs.replace(study_spec(), command=None, function="m:f"))
    assert job(study, tmp_path).argv == (sys.executable, "-m", "rung.inside.call", "m:f", "loss")


def test_keys_tell_studies_trials_and_attempts_apart(tmp_path: Path) -> None:
    study = folding()
    first = job(study, tmp_path).key
    study.exited(0, how="lost", code=None)
    study.add(ev.TrialRetried, trial=0, attempt=1, reason=Reason(by="runner", text="lost"))
    study.add(ev.AttemptAssigned, trial=0, attempt=2)
    second = job_for(study.state, study.state.live[0], study="study-1", runs=tmp_path).key
    assert first != second
    assert first.startswith(study.state.created.uid)


def test_the_cursor_is_what_the_log_says(tmp_path: Path) -> None:
    study = folding()
    number = study.started(0)
    assert cursor_of(study.state.live[number]) == Cursor()
    study.reported(number, {"loss": 1.0}, {"loss": 0.5})
    live = study.state.live[number]
    assert cursor_of(live) == Cursor({"reports.jsonl": 2}, reports=2, step=live.step, channel="file")
