"""Valohai's way, end to end: a training script with argparse and JSON lines, and its valohai.yaml beside it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from acceptance.conftest import Bench, until

TRAIN = """
import argparse, json, math, os, time
import valohai

parser = argparse.ArgumentParser()
parser.add_argument("--learning_rate", type=float, required=True)
parser.add_argument("--l2", type=float, required=True)
parser.add_argument("--epochs", type=int, required=True)
parser.add_argument("--note", default="")
parser.add_argument("--shuffle", action="store_true")
args = parser.parse_args()

rows = [list(map(float, line.split(","))) for line in open("iris.csv")]
x, y = [[1.0, *(value - 3 for value in row[:4])] for row in rows], [int(row[4]) for row in rows]
weights = [[0.0] * 5 for _ in range(3)]
for epoch in range(1, args.epochs + 1):
    loss, right, slopes = 0.0, 0, [[0.0] * 5 for _ in range(3)]
    for features, label in zip(x, y):
        scores = [sum(w * f for w, f in zip(row, features)) for row in weights]
        total = sum(math.exp(score - max(scores)) for score in scores)
        chances = [math.exp(score - max(scores)) / total for score in scores]
        loss -= math.log(chances[label]) / len(x)
        right += scores[label] == max(scores)
        for k in range(3):
            for d in range(5):
                slopes[k][d] += (chances[k] - (k == label)) * features[d] / len(x)
    weights = [[w - args.learning_rate * (g + args.l2 * w) for w, g in zip(*both)] for both in zip(weights, slopes)]
    print(f"epoch {epoch}, not quite done", end="")
    with valohai.logger() as logger:
        logger.log("epoch", epoch, "loss", loss, "accuracy", right / len(x))
while os.path.exists("wait"):
    time.sleep(0.01)
seen = {name: os.environ[name] for name in os.environ if name.startswith("VH_")}
seen["config"] = json.load(open(os.path.join(os.environ["VH_CONFIG_DIR"], "parameters.json")))
json.dump(seen, open(valohai.outputs().path("seen.json"), "w"))
"""

FILE = """
- step:
    name: train
    image: python:3.11
    command:
      - echo "training"
      - python train.py {parameters}
    parameters:
      - {name: learning_rate, type: float, default: 0.1, min: 0, max: 10}
      - {name: l2, pass-as: "--l2 {v}", type: float, default: 0}
      - {name: epochs, type: integer, default: 5}
      - {name: note, type: string, optional: true}
      - {name: shuffle, type: flag}
- step:
    name: quick
    image: python:3.11
    command:
      - |
        printf '{"x": %d}\\n' {parameter-value:x}
      - test {parameter-value:x} -ne 2
      - echo $RUNG_TRIAL >> ran
    parameters:
      - {name: x, type: integer, default: 1}
- task:
    name: sweep
    step: train
    maximum-queued-executions: 2
    parameters:
      - {name: learning_rate, style: logspace, rules: {start: -2, end: 0, count: 3}}
      - {name: l2, style: multiple, rules: {items: [0, 0.1]}}
- task:
    name: towards
    step: train
    type: bayesian_tpe
    execution-count: 24
    execution-batch-size: 4
    optimization-target-metric: loss
    optimization-target-value: 0.6
    parameters:
      - {name: learning_rate, style: random, rules: {min: 0.01, max: 1}}
- task:
    name: failing
    step: quick
    parameters: [{name: x, style: linear, rules: {start: 1, end: 4, step: 1}}]
- task:
    name: stopped
    step: quick
    stop-condition: x >= 3
    parameters: [{name: x, style: multiple, rules: {items: [1, 3, 4, 5]}}]
"""


@pytest.fixture
def valohai(bench: Bench) -> Bench:
    found = importlib.util.find_spec("sklearn")
    assert found is not None and found.submodule_search_locations is not None
    rows = Path(found.submodule_search_locations[0], "datasets", "data", "iris.csv").read_text().splitlines()[1:]
    bench.write("iris.csv", "\n".join(rows))
    bench.write("train.py", TRAIN)
    bench.write("valohai.yaml", FILE)
    return bench


def outputs(bench: Bench, study: str, number: int) -> dict[str, Any]:
    text = (bench.folder / "runs" / study / f"{number:05d}" / "1" / "outputs" / "seen.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.slow
def test_one_execution_with_the_steps_own_options(valohai: Bench) -> None:
    note = "a;$(touch PWNED) 'x' \"y\""
    options = ("--learning-rate", "0.3", "--shuffle", "--note", note, "--epochs=9")
    trial = valohai.json("run", "valohai.yaml", "--step", "train", *options)
    assert trial["params"] == {"learning_rate": 0.3, "l2": 0, "epochs": 9, "note": note, "shuffle": True}
    assert trial["values"]["accuracy"] > 0.65
    assert trial["steps"] == 9
    assert not (valohai.folder / "PWNED").exists()
    seen = outputs(valohai, "valohai-1", 0)
    assert seen["config"] == trial["params"]
    assert "VH_TASK_ID" not in seen
    assert seen["VH_JOB_ID"] == f"exec-{seen['VH_EXECUTION_ID']}"


@pytest.mark.slow
def test_a_grid_without_a_metric_and_with_one(valohai: Bench) -> None:
    done = valohai.rung("run", "valohai.yaml", "--task", "sweep", "--epochs", "2", "-w", "8")
    assert "Will create a total of 6 executions." in done.stderr
    assert "no metric was named, so none of the 6 trials is the best" in done.stderr
    trials = valohai.json("trials")
    assert sorted((t["params"]["learning_rate"], t["params"]["l2"]) for t in trials) == [
        (0.01, 0), (0.01, 0.1), (0.1, 0), (0.1, 0.1), (1, 0), (1, 0.1),
    ]  # fmt: skip
    assert {t["state"] for t in trials} == {"complete"}
    assert all({"loss", "accuracy"} <= t["values"].keys() for t in trials)
    spans = sorted((t["started"], t["ended"]) for t in trials)
    assert all(sum(begun <= at < ended for begun, ended in spans) <= 2 for at, _ in spans)
    assert outputs(valohai, "valohai-1", 1)["VH_TASK_ID"] == outputs(valohai, "valohai-1", 0)["VH_TASK_ID"]
    assert valohai.json("best", "--top", "3") is None
    assert "has no metric to compare by" in valohai.rung("compare", "--studies", "valohai-1", code=2).stderr
    style = ("--step", "train", "--style", "learning_rate=multiple:0.001,0.1", "-m", "loss", "--l2", "0.01")
    best = valohai.json("run", "valohai.yaml", *style)
    assert best["params"]["learning_rate"] == 0.1
    assert best["value"] == best["values"]["loss"]


@pytest.mark.slow
def test_bayesian_tpe_goes_towards_the_target(valohai: Bench) -> None:
    done = valohai.rung("run", "valohai.yaml", "--task", "towards", "--seed", "1", "-w", "2", "--json")
    assert "Will create a total of 24 executions.\nwarning: Bayesian optimization is for more than 30" in done.stderr
    assert abs(json.loads(done.stdout)["value"] - 0.6) < 0.05
    random, model = (json.dumps(valohai.json("why", number)) for number in ("2", "22"))
    assert "start 3 of 20: a random draw from the space" in random
    assert re.search(r"the best of \d+ candidates by \d+ good and \d+ other trials", model)


@pytest.mark.slow
def test_what_a_failed_execution_means(valohai: Bench) -> None:
    def policy(word: str) -> None:
        text = FILE.replace("name: failing\n", f"name: failing\n    on-child-error: {word}\n")
        valohai.write("valohai.yaml", text)

    policy("continue-and-complete")
    valohai.json("run", "valohai.yaml", "--task", "failing")
    assert [t["state"] for t in valohai.json("trials")] == ["complete", "failed", "complete", "complete"]
    assert valohai.json("show")["state"] == "complete"
    policy("STOP_ALL-and-error")
    valohai.rung("run", "valohai.yaml", "--task", "failing", code=3)
    assert [t["state"] for t in valohai.json("trials")] == ["complete", "failed"]
    assert valohai.json("show")["state"] == "failed"


@pytest.mark.slow
def test_a_stop_condition_ends_the_task(valohai: Bench) -> None:
    assert valohai.json("run", "valohai.yaml", "--task", "stopped") is None
    assert [t["params"]["x"] for t in valohai.json("trials")] == [1, 3]


@pytest.mark.slow
def test_a_killed_runner_is_taken_over(valohai: Bench) -> None:
    valohai.write("wait", "")
    running = valohai.start("run", "valohai.yaml", "--task", "sweep", "--epochs", "1", "--name", "mine")

    def begun() -> bool:
        return len(list(valohai.folder.glob("runs/mine/*/1/started"))) == 2

    until(begun, what="two executions run")
    os.kill(running.pid, signal.SIGKILL)
    running.communicate(timeout=20)
    (valohai.folder / "wait").unlink()
    (valohai.folder / "valohai.yaml").unlink()
    assert valohai.json("resume", "mine") is None
    trials = valohai.json("trials", "mine")
    assert [(t["state"], t["attempt"]) for t in trials] == [("complete", 1)] * 6
    assert all(t["steps"] == 1 for t in trials)


def test_lint(valohai: Bench) -> None:
    valohai.write("bad.yaml", FILE.replace("name: sweep\n    step: train", "name: sweep\n    parallelism: 4"))
    found = valohai.rung("lint", "bad.yaml", code=1).stdout.splitlines()
    unknown = "Additional properties are not allowed ('parallelism' was unexpected) (2.task)"
    assert [line.partition(": ")[2] for line in found] == [
        f"[2].task:   Additionalproperties validation on task.additionalProperties: {unknown}",
        "[2].task:   Required validation on task.required: 'step' is a required property (2.task)",
    ]
    valohai.write("odd.yaml", FILE.replace("type: flag}", "type: flag, optional: true}"))
    (odd,) = valohai.json("lint", "odd.yaml")
    assert odd["message"].endswith("`optional` has no effect on flag-type parameters")
    assert valohai.json("lint", "valohai.yaml") == []
