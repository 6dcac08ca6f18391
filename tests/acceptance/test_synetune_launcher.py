"""Launchers in Syne Tune's own style, unmodified, on a small real data set: `rung run launch.py`."""

from __future__ import annotations

import json
import signal

import pytest

from acceptance.conftest import Bench, until

pytest.importorskip("pandas")
pytest.importorskip("sklearn", reason="its folder holds the data")

SCRIPT = """
import argparse
import importlib.util
import json
import os

import numpy as np

from syne_tune import Reporter
from syne_tune.utils import add_checkpointing_to_argparse

parser = argparse.ArgumentParser()
parser.add_argument("--learning_rate", type=float, required=True)
parser.add_argument("--weight_decay", type=float, required=True)
parser.add_argument("--features", type=str, required=True)
parser.add_argument("--epochs", type=int, required=True)
add_checkpointing_to_argparse(parser)
args, _ = parser.parse_known_args()

home = os.path.dirname(importlib.util.find_spec("sklearn").origin)
table = np.loadtxt(os.path.join(home, "datasets", "data", "iris.csv"), delimiter=",", skiprows=1)
rng = np.random.default_rng(0)
table = table[rng.permutation(len(table))]
data, target = table[:, :4], table[:, 4].astype(int)
data = (data - data.mean(axis=0)) / data.std(axis=0)
data = data[:, : 2 if args.features == "sepal" else 4]
weights, offset = np.zeros((data.shape[1], 3)), np.zeros(3)
report = Reporter()
for epoch in range(1, args.epochs + 1):
    for _ in range(30):
        scores = np.exp(data[:100] @ weights + offset)
        error = scores / scores.sum(axis=1, keepdims=True) - np.eye(3)[target[:100]]
        weights -= args.learning_rate * (data[:100].T @ error / 100 + args.weight_decay * weights)
        offset -= args.learning_rate * error.mean(axis=0)
    os.makedirs(args.st_checkpoint_dir, exist_ok=True)
    with open(os.path.join(args.st_checkpoint_dir, "weights.json"), "w") as file:
        json.dump([epoch, weights.tolist(), offset.tolist()], file)
    accuracy = float(((data[100:] @ weights + offset).argmax(axis=1) == target[100:]).mean())
    report(epoch=epoch, accuracy=accuracy, features_used=args.features)
"""

LAUNCHER = """
import logging
from pathlib import Path

from syne_tune import StoppingCriterion, Tuner
from syne_tune.backend import LocalBackend
from syne_tune.config_space import choice, loguniform
from syne_tune.experiments import load_experiment
from syne_tune.optimizer.baselines import ASHA

if __name__ == "__main__":
    logging.getLogger().setLevel(logging.INFO)
    random_seed = 31415927
    max_resource_attr, resource_attr = "epochs", "epoch"
    metric, mode = "accuracy", "max"
    config_space = {
        "learning_rate": loguniform(1e-2, 1.0),
        "weight_decay": loguniform(1e-6, 1e-1),
        "features": choice(["all of them", "sepal"]),
        max_resource_attr: 9,
    }
    entry_point = Path(__file__).parent / "train iris.py"
    scheduler = ASHA(
        config_space,
        metric=metric,
        mode=mode,
        random_seed=random_seed,
        max_resource_attr=max_resource_attr,
        resource_attr=resource_attr,
        search_options={"debug_log": False},
    )
    tuner = Tuner(
        trial_backend=LocalBackend(entry_point=str(entry_point)),
        scheduler=scheduler,
        stop_criterion=StoppingCriterion(max_wallclock_time=60, max_num_trials_finished=9),
        n_workers=3,
        metadata={"tag": "iris"},
    )
    tuner.run()
    experiment = load_experiment(tuner.name)
    experiment.results.to_json("results.json", orient="records")
    print("BEST", tuner.best_config())
    print("ROW", experiment.best_config()["accuracy"], experiment.metric_names(), experiment.metric_mode())
    print("TAG", experiment.metadata["tag"], experiment.metadata["entrypoint"])
"""

CALLED = """
from syne_tune import StoppingCriterion, Tuner
from syne_tune.backend.python_backend import PythonBackend
from syne_tune.config_space import randint, uniform
from syne_tune.optimizer.baselines import BayesianOptimization, RandomSearch
from syne_tune.tuner_callback import TunerCallback

CENTRE = 3.0  # a global: the function sees it


def objective(x, steps):
    from syne_tune import Reporter

    report = Reporter()
    for step in range(1, steps + 1):
        report(step=step, loss=(x - CENTRE) ** 2 + 1 / step, name="a name")


class Heard(TunerCallback):
    said = []

    def on_tuning_start(self, tuner):
        self.said.append(("begin", tuner.name))

    def on_start_trial(self, trial):
        self.said.append(("trial", trial.trial_id))

    def on_trial_result(self, trial, status, result, decision):
        self.said.append(("result", trial.trial_id, result["step"], result["name"], decision))

    def on_trial_complete(self, trial, result):
        self.said.append(("complete", trial.trial_id, result["step"]))

    def on_tuning_end(self):
        self.said.append(("end",))


space = {"x": uniform(0, 10), "steps": 2}
tuner = Tuner(
    PythonBackend(objective, config_space=space),
    BayesianOptimization(space, metric="loss", random_seed=1),
    lambda status: status.num_evaluations >= 6,
    n_workers=1,
    callbacks=[Heard()],
    tuner_name="called",
    suffix_tuner_name=False,
)
tuner.run()
assert tuner.tuning_status.num_evaluations == 6
assert Heard.said[:5] == [
    ("begin", tuner.name), ("trial", 0), ("result", 0, 1, "a name", "CONTINUE"), ("result", 0, 2, "a name", "CONTINUE"),
    ("complete", 0, 2),
], Heard.said
assert Heard.said[-1] == ("end",)
print("LOSS", tuner.trial_backend.trial_results([0])[0].metrics[-1]["loss"])
"""

WAITS = """
import argparse, os, time
from syne_tune import Reporter

parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
args, _ = parser.parse_known_args()
with open("ran.txt", "a") as file:
    file.write(f"{os.environ['RUNG_TRIAL']}\\n")
while os.environ["RUNG_TRIAL"] != "0" and not os.path.exists("go"):
    time.sleep(0.01)
Reporter()(loss=args.x)
"""

KILLED = """
from syne_tune import StoppingCriterion, Tuner
from syne_tune.backend import LocalBackend
from syne_tune.config_space import uniform
from syne_tune.optimizer.baselines import RandomSearch

tuner = Tuner(
    LocalBackend("waits.py"), RandomSearch({"x": uniform(0, 1)}, metric="loss", random_seed=0),
    StoppingCriterion(max_num_trials_started=4), n_workers=2, tuner_name="killed", suffix_tuner_name=False,
)
tuner.run()
print("TRIALS", tuner.tuning_status.num_trials_completed, tuner.best_config()[0])
"""


@pytest.fixture(autouse=True)
def _own_experiments(bench: Bench) -> None:
    bench.env |= {"SYNETUNE_FOLDER": str(bench.folder / "experiments"), "OMP_NUM_THREADS": "1"}


def test_a_launcher_runs_as_it_is(bench: Bench) -> None:
    bench.write("train iris.py", SCRIPT)
    bench.write("launch.py", LAUNCHER)
    plan = bench.rung("plan", "launch.py")
    assert "rungs    9 trials to 1 epoch, 3 to 3, 1 to 9" in plan.stdout
    assert "train iris.py' --learning_rate 0.1" in plan.stdout
    assert not (bench.folder / "runs").exists()

    done = bench.rung("run", "launch.py")
    (study,) = bench.json("ls")
    trials = bench.json("trials", study["name"], "--reports")
    assert study["name"].startswith("train-iris-20")
    assert (study["state"], len(trials)) == ("complete", 9)
    stopped = [trial for trial in trials if trial["state"] == "pruned"]
    full = [trial for trial in trials if trial["state"] == "complete"]
    assert stopped
    assert all(trial["steps"] == 9 for trial in full)
    first = trials[0]["params"]  # the default configuration, up to rounding, comes first
    assert (first["features"], first["learning_rate"]) == ("all of them", pytest.approx(0.1))
    best = bench.json("best", study["name"])
    value = max(report["values"]["accuracy"] for trial in trials for report in trial["reports"])
    assert best["value"] == max(trial["value"] for trial in full) <= value
    assert value > 0.8
    said = {line.partition(" ")[0]: line.partition(" ")[2] for line in done.stdout.splitlines()}
    assert "'epochs': 9" in said["BEST"]
    assert said["ROW"] == f"{value} ['accuracy'] max"
    assert said["TAG"] == "iris train iris"

    rows = json.loads((bench.folder / "results.json").read_text())
    assert len(rows) == sum(len(trial["reports"]) for trial in trials)
    assert list(rows[0]) == [
        "epoch", "accuracy", "features_used", "st_worker_timestamp", "st_worker_time", "st_worker_iter", "st_decision",
        "st_status", "trial_id", "config_learning_rate", "config_weight_decay", "config_features", "config_epochs",
        "st_tuner_time",
    ]  # fmt: skip
    ended = {row["trial_id"]: (row["st_decision"], row["st_status"], row["epoch"]) for row in rows}
    for trial in trials:
        decision, status, epoch = ended[trial["number"]]
        assert (status == "Stopped") == (trial["state"] == "pruned")
        assert decision == ("STOP" if trial["state"] == "pruned" else "CONTINUE")
        assert epoch == len(trial["reports"])
    assert all(row["features_used"] == row["config_features"] for row in rows)
    folder = bench.folder / "experiments" / study["name"]
    assert sorted(path.name for path in folder.iterdir()) == ["metadata.json", "results.csv.zip"]
    assert "lost to trial" in bench.rung("why", study["name"], str(stopped[0]["number"])).stdout


def test_a_function_in_the_launcher_with_callbacks_and_a_criterion_of_its_own(bench: Bench) -> None:
    bench.write("called.py", CALLED)
    done = bench.rung("run", "--json", "--name", "other", "called.py")
    best, _, said = done.stdout.partition("LOSS")
    assert json.loads(best)["params"]["steps"] == 2
    assert said.strip() == "4.5"  # of the default: x is 5
    assert [study["name"] for study in bench.json("ls")] == ["other"]


def test_a_killed_launcher_goes_on_and_a_failed_one_says_so(bench: Bench) -> None:
    bench.write("waits.py", WAITS)
    bench.write("launch.py", KILLED)
    process = bench.start("run", "launch.py")

    def reported() -> bool:
        runs = bench.folder / "ran.txt"
        return runs.exists() and len(runs.read_text().split()) == 3

    until(reported, what="one trial is over and two wait")
    process.send_signal(signal.SIGKILL)
    process.wait()
    (bench.folder / "go").touch()
    done = bench.rung("run", "launch.py")
    assert "TRIALS 4" in done.stdout
    assert sorted((bench.folder / "ran.txt").read_text().split()) == ["0", "1", "2", "3"]  # none twice
    assert [trial["state"] for trial in bench.json("trials", "killed")] == ["complete"] * 4

    bench.write("waits.py", "raise SystemExit('no such luck')\n")
    failed = bench.rung("run", "--name", "unlucky", "launch.py", code=3)
    assert "no such luck" in failed.stderr


def test_bad_input_is_one_line(bench: Bench) -> None:
    bench.write("waits.py", WAITS)
    bench.write("launch.py", KILLED.replace("max_num_trials_started=4", "max_wallclock_time=0"))
    done = bench.rung("run", "launch.py", code=2)
    assert done.stderr == "syne_tune: max_wallclock_time: must be above 0, got 0\n"
    step = bench.rung("run", "--step", "x", "launch.py", code=2)
    assert step.stderr == "rung: --step: is for files of other tuners; this TARGET is a launcher\n"
