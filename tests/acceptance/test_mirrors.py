"""`--mirror`: what Optuna's own command line and MLflow's client say of a study that Rung ran, also after `kill -9`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from optuna import create_study, load_study
from optuna.storages import RDBStorage

from acceptance.conftest import Bench, until
from mirrors.conftest import postgres_server, redis_server
from rung.mirrors.optuna_storage import Storage, close

TRAIN = """
import sys
values = dict(word[2:].split("=") for word in sys.argv[1:])
x, n = float(values["x"]), int(values["n"])
if n == 7:
    sys.exit("no")
for epoch in range(1, 4):
    print(f"epoch: {epoch} loss: {(x - 0.3) ** 2 + n / 100 + 1 / epoch}", flush=True)
"""
TRIALS = 8
STUDY = f"""
command: python train.py {{rest}}
parameters:
  x: {{type: float, min: 0, max: 1}}
  n: {{type: int, min: 1, max: 7}}
objective: loss
search: {{method: random, seed: 3}}
schedule: {{method: asha, resource: epoch, min: 1, max: 3}}
budget: {{trials: {TRIALS}}}
run: {{workers: 2}}
"""
SLOWLY = "import time\ntime.sleep(0.1)\n" + TRAIN  # so that there is a midst to be killed in
STORAGE = "sqlite:///o.db"
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")]


@pytest.fixture
def study(bench: Bench) -> Bench:
    """A study file and its program."""
    bench.write("train.py", TRAIN)
    bench.write("study.yaml", STUDY)
    return bench


def optuna(bench: Bench, *words: str) -> Any:
    """What Optuna's own command line prints as JSON."""
    done = subprocess.run(
        [Path(sys.executable).with_name("optuna"), *words], cwd=bench.folder, env=bench.env,
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if "json" in words else done.stdout


def trials(bench: Bench, url: str = STORAGE) -> list[Any]:
    """The trials of Optuna's study `mine`; asked in this process, which is fast."""
    opened = Storage(url.replace("///", f"///{bench.folder}/") if url == STORAGE else url, place="test").open()
    try:
        found: list[Any] = load_study(study_name="mine", storage=opened).get_trials()
        return found
    finally:
        close(opened)


def in_step(bench: Bench, url: str = STORAGE) -> None:
    """Optuna's study holds each of our trials that is over once, in its state, and nothing else; the best is ours."""
    states = {"complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}
    ours = Counter((trial["number"], states[trial["state"]]) for trial in bench.json("trials", "mine"))
    found = trials(bench, url)
    assert Counter((trial.user_attrs["rung:trial"], trial.state.name) for trial in found) == ours
    complete = [trial for trial in found if trial.state.name == "COMPLETE"]
    best, told = bench.json("best", "mine"), min(complete, key=lambda trial: trial.value)
    assert (told.value, told.params) == (best["value"], best["params"])


def test_a_study_of_the_other_direction_is_refused(study: Bench) -> None:
    storage = RDBStorage(f"sqlite:///{study.folder}/o.db")
    create_study(storage=storage, study_name="mine", direction="maximize")
    close(storage)
    done = study.rung("run", "--name", "mine", "--mirror", f"optuna:{STORAGE}", "study.yaml", code=2)
    where = f"--mirror optuna:sqlite:///{study.folder}/o.db"
    why = "its study mine is to maximize, this one is to minimize (loss); name another with #NAME"
    assert done.stderr == f"rung: {where}: {why}\n"
    assert not (study.folder / "runs").exists()


@pytest.mark.chaos
def test_optuna_names_the_same_best_trial_and_nothing_runs_after_a_kill(study: Bench) -> None:
    study.write("train.py", SLOWLY)
    storage = RDBStorage(f"sqlite:///{study.folder}/o.db")
    create_study(storage=storage, study_name="mine", direction="minimize")
    close(storage)
    runner = study.piped("run", "--name", "mine", "--mirror", f"optuna:{STORAGE}", "study.yaml")
    assert runner.stderr is not None
    assert any(line.startswith("trial 3 ") for line in runner.stderr)
    os.kill(runner.pid, signal.SIGKILL)
    runner.wait()
    half = trials(study)
    assert len(half) < TRIALS
    assert "RUNNING" not in {trial.state.name for trial in half}
    done = study.rung("resume", "mine", "--json")
    assert "mirror" not in done.stderr
    in_step(study)
    assert {trial.state.name for trial in trials(study)} == {"COMPLETE", "PRUNED", "FAIL"}
    ours = json.loads(done.stdout)
    theirs = optuna(study, "best-trial", "--storage", STORAGE, "--study-name", "mine", "-f", "json")
    assert (theirs["value"], theirs["params"]) == (ours["value"], ours["params"])
    assert theirs["user_attrs"]["rung:trial"] == ours["number"]


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with postgres_server() as url:
        yield url


def test_two_runners_add_each_trial_once_to_postgresql(study: Bench, postgres: str) -> None:
    study.write("train.py", SLOWLY)
    first = study.start("run", "--name", "mine", "--mirror", f"optuna:{postgres}", "study.yaml")
    until((study.folder / "runs" / "mine").exists, what="the first runner runs")
    second = study.rung("resume", "mine")
    _, said = first.communicate(timeout=30)
    assert first.returncode == 0, said
    assert "not mirrored" not in said + second.stderr
    assert "tried again" not in said + second.stderr
    in_step(study, postgres)


def test_a_redis_that_was_gone_is_caught_up_with(study: Bench, tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        study.rung("run", "--name", "mine", "-n", "3", "--mirror", f"optuna:{url}", "study.yaml")
    study.rung("edit", "mine", "--set", "budget.trials=9")
    done = study.rung("resume", "mine")
    assert done.stderr.count("it is tried again, and nothing is lost meanwhile") == 1
    assert "rung resume mine catches up" in done.stderr
    with redis_server(tmp_path, port=int(url.rpartition(":")[2].partition("/")[0])):
        done = study.rung("resume", "mine")
        assert "not mirrored" not in done.stderr
        in_step(study, url)


@pytest.mark.filterwarnings("ignore")
def test_mlflow_has_one_run_a_trial(study: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    tracking = pytest.importorskip("mlflow.tracking", reason="mlflow-skinny is not installed")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    study.rung("run", "--name", "mine", "--mirror", "mlflow:./mlruns", "study.yaml")
    client = tracking.MlflowClient(str(study.folder / "mlruns"))
    runs: dict[int, Any] = {}
    for run in client.search_runs([client.get_experiment_by_name("mine").experiment_id]):
        number = int(run.data.tags["rung.trial"])
        assert number not in runs
        points = client.get_metric_history(run.info.run_id, "loss") if run.data.metrics else []
        runs[number] = (run.info.status, run.data.params, run.data.tags, sorted([m.step, m.value] for m in points))
    ours = {trial["number"]: trial for trial in study.json("trials", "mine", "--reports")}
    assert set(runs) == set(ours)
    states = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}
    for number, (status, params, _, curve) in runs.items():
        trial = ours[number]
        assert status == states[trial["state"]]
        assert {name: float(text) for name, text in params.items()} == trial["params"]
        assert curve == [[report["step"], report["values"]["loss"]] for report in trial["reports"]]
    marked = [number for number, (_, _, tags, _) in runs.items() if tags.get("rung.best") == "true"]
    assert marked == [study.json("best", "mine")["number"]]
