"""Training scripts in Syne Tune's own style, run as they are: with a Python that has no Syne Tune."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from acceptance.conftest import Bench

HEIGHT = """
import logging
import time
from argparse import ArgumentParser

from syne_tune import Reporter
from syne_tune.config_space import add_to_argparse, randint

METRIC_ATTR = "mean_loss"
METRIC_MODE = "min"
MAX_RESOURCE_ATTR = "steps"
_config_space = {"width": randint(0, 20), "height": randint(-100, 100), "sleep_time": 0.001}


def train_height(step, width, height):
    return 100 / (10 + width * step) + 0.1 * height


if __name__ == "__main__":
    logging.getLogger().setLevel(logging.INFO)
    parser = ArgumentParser()
    parser.add_argument("--" + MAX_RESOURCE_ATTR, type=int, required=True)
    add_to_argparse(parser, _config_space)
    args, _ = parser.parse_known_args()
    report = Reporter()
    for step in range(args.steps):
        report(step=step, epoch=step + 1, **{METRIC_ATTR: train_height(step, args.width, args.height)})
        time.sleep(args.sleep_time)
"""

IRIS = """
import argparse
import csv
import json
import math
import os
import random

from syne_tune import Reporter
from syne_tune.config_space import add_to_argparse, loguniform, uniform
from syne_tune.utils import (
    add_checkpointing_to_argparse, checkpoint_model_at_rung_level, resume_from_checkpointed_model,
)

METRIC_NAME = "accuracy"
METRIC_MODE = "max"
RESOURCE_ATTR = "epoch"
MAX_RESOURCE_ATTR = "epochs"
_config_space = {"lr": loguniform(1e-5, 1.0), "weight_decay": uniform(0, 0.5)}


def objective(config):
    with open(config["dataset_path"]) as file:
        rows = [[float(cell) for cell in row] for row in csv.reader(file)]
    random.Random(0).shuffle(rows)
    train = [row for i, row in enumerate(rows) if i % 3]
    valid = [row for i, row in enumerate(rows) if not i % 3]
    state = {"weights": [[0.0] * 5 for _ in range(3)]}

    def scores(row):
        return [sum(w * x for w, x in zip(line, [*row[:4], 1.0])) for line in state["weights"]]

    def load_model(path):
        with open(os.path.join(path, "model.json")) as file:
            found = json.load(file)
        state["weights"] = found["weights"]
        return found["epoch"]

    def save_model(path, epoch):
        with open(os.path.join(path, "model.json"), "w") as file:
            json.dump({"weights": state["weights"], "epoch": epoch}, file)

    report = Reporter()
    for epoch in range(resume_from_checkpointed_model(config, load_model) + 1, config["epochs"] + 1):
        print(f"epoch {epoch} begins")
        for row in train:
            raw = scores(row)
            top = max(raw)
            exps = [math.exp(value - top) for value in raw]
            for k, line in enumerate(state["weights"]):
                error = exps[k] / sum(exps) - (k == row[4])
                for j, x in enumerate([*row[:4], 1.0]):
                    line[j] -= config["lr"] * (error * x + config["weight_decay"] * line[j] / len(train))
        right = sum(max(range(3), key=scores(row).__getitem__) == row[4] for row in valid)
        checkpoint_model_at_rung_level(config, save_model, epoch)
        report(**{RESOURCE_ATTR: epoch, METRIC_NAME: right / len(valid)})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument(f"--{MAX_RESOURCE_ATTR}", type=int, required=True)
    parser.add_argument("--dataset_path", type=str, required=True)
    add_to_argparse(parser, _config_space)
    add_checkpointing_to_argparse(parser)
    objective(vars(parser.parse_args()))
"""

AS_JSON = """
import json
from argparse import ArgumentParser
from pathlib import Path

from syne_tune import Reporter
from syne_tune.config_space import choice, uniform
from syne_tune.utils import add_config_json_to_argparse, load_config_json

METRIC_NAME = "loss"
_config_space = {
    "x": uniform(0, 1),
    "shape": choice([[1, 2], [3, 4]]),
    "net": {"layers": [8, "a b"], "name": "it's \\"quoted\\" $(text)"},
    "path with": "/a b/c d",
}

if __name__ == "__main__":
    parser = ArgumentParser()
    add_config_json_to_argparse(parser)
    config = load_config_json(vars(parser.parse_args()))
    assert isinstance(config["shape"], list) and config["st_checkpoint_dir"]
    Path(config["st_config_json_filename"]).with_name("seen.json").write_text(json.dumps(config))
    report = Reporter()
    report(loss=config["x"] * sum(config["shape"]))
"""

DEFINITION = """
from pathlib import Path

from height import METRIC_ATTR, METRIC_MODE, MAX_RESOURCE_ATTR, _config_space
from syne_tune.experiments.benchmark_definitions.common import RealBenchmarkDefinition
from syne_tune.remote.constants import DEFAULT_CPU_INSTANCE_SMALL


def height_benchmark(sagemaker_backend=False, **kwargs):
    defaults = dict(
        script=Path(__file__).parent / "height.py",
        config_space=dict(_config_space, steps=4),
        max_wallclock_time=5 * 3600,
        n_workers=4,
        instance_type=DEFAULT_CPU_INSTANCE_SMALL,
        metric=METRIC_ATTR,
        mode=METRIC_MODE,
        max_resource_attr=MAX_RESOURCE_ATTR,
        resource_attr="epoch",
        framework="PyTorch",
        points_to_evaluate=[{"width": 3, "height": 7}, {}, {"height": -5}, {"width": 3, "height": 7}],
    )
    defaults.update(kwargs)
    return RealBenchmarkDefinition(**defaults)
"""


def attempts(bench: Bench, study: str, number: int) -> list[Path]:
    """The folders of a trial's attempts, in order."""
    return sorted(path for path in (bench.folder / "runs" / study / f"{number:05d}").iterdir() if path.name.isdigit())


@pytest.mark.slow
def test_the_height_example(bench: Bench) -> None:
    bench.write("height.py", HEIGHT)
    missing = bench.rung("run", "height.py", code=2)
    assert "height.py:22: --steps: the script requires it: give it after the script (--steps VALUE)" in missing.stderr
    bench.rung("run", "--seed", "1", "height.py", "--steps", "3", "-n", "6", "-w", "2", "--width", "1:3")
    trials = bench.json("trials", "height-1", "--reports")
    assert [trial["state"] for trial in trials] == ["complete"] * 6
    for trial in trials:
        config = trial["params"]
        assert config["steps"] == 3
        assert 1 <= config["width"] <= 3
        expected = [100 / (10 + config["width"] * step) + 0.1 * config["height"] for step in range(3)]
        assert [report["values"]["mean_loss"] for report in trial["reports"]] == pytest.approx(expected)
        assert trial["values"].keys() == {"mean_loss", "epoch"}
    assert trials[0]["params"]["height"] == 0, "the default configuration comes first"
    assert bench.json("best", "height-1")["value"] == min(trial["value"] for trial in trials)
    bench.write("height.py", HEIGHT.replace("_config_space", "_other"))  # the log knows how trials are started
    bench.rung("edit", "height-1", "--set", "budget.trials=7")
    bench.rung("resume", "height-1")
    assert [trial["state"] for trial in bench.json("trials", "height-1")] == ["complete"] * 7


@pytest.mark.slow
def test_a_script_with_checkpoints_is_paused_and_goes_on(bench: Bench) -> None:
    datasets = pytest.importorskip("sklearn.datasets", reason="the iris data come with scikit-learn")
    rows, kinds = datasets.load_iris(return_X_y=True)
    with (bench.folder / "my data.csv").open("w", newline="") as file:
        csv.writer(file).writerows([*row, kind] for row, kind in zip(rows.tolist(), kinds.tolist(), strict=True))
    bench.write("iris.py", IRIS)
    bench.rung(
        "run", "--schedule", "asha", "--set", "schedule.type=promotion", "--seed", "2", "--search", "random",
        "iris.py", "--epochs", "9", "--dataset_path", "my data.csv", "-n", "8", "-w", "2",
    )  # fmt: skip
    trials = bench.json("trials", "iris-1", "--reports")
    resumed = 0
    for trial in trials:
        assert trial["params"]["dataset_path"] == "my data.csv"
        ran = [attempt / "stdout" for attempt in attempts(bench, "iris-1", trial["number"])]
        epochs = [
            int(line.split()[1]) for path in ran for line in path.read_text().splitlines() if line[:6] == "epoch "
        ]
        assert epochs == list(range(1, len(epochs) + 1)), "no epoch is repeated, and none left out"
        assert len(epochs) in {1, 3, 9}, "a script ends at the rung that --epochs says"
        assert [report["step"] for report in trial["reports"]] == epochs
        resumed += len(ran) > 1
    assert resumed
    best = bench.json("best", "iris-1")
    assert best["steps"] == 9
    assert best["value"] > 0.9
    assert best["value"] == max(trial["value"] for trial in trials if trial["state"] == "complete")


@pytest.mark.slow
def test_lists_and_dictionaries_come_through_the_json_option(bench: Bench) -> None:
    bench.write("as json.py", AS_JSON)
    bench.rung("run", "--seed", "1", "as json.py", "-n", "3")
    for trial in bench.json("trials", "as-json-1"):
        assert trial["state"] == "complete"
        (attempt,) = attempts(bench, "as-json-1", trial["number"])
        seen: dict[str, Any] = json.loads((attempt / "seen.json").read_text())
        assert {name: seen[name] for name in trial["params"]} == trial["params"]
        assert seen["net"] == {"layers": [8, "a b"], "name": 'it\'s "quoted" $(text)'}
        assert trial["value"] == pytest.approx(seen["x"] * sum(seen["shape"]))


@pytest.mark.slow
def test_a_benchmark_definition(bench: Bench) -> None:
    bench.write("height.py", HEIGHT)
    bench.write("definition.py", DEFINITION)
    plan = bench.json("plan", "definition.py:height_benchmark", "--max_wallclock_time", "600", "--n_workers", "2")
    assert [p["name"] for p in plan["parameters"]] == ["width", "height", "sleep_time", "steps"]
    bench.rung(
        "run", "definition.py:height_benchmark", "--max_wallclock_time", "600", "--n_workers", "2", "--seed", "3",
        "--steps", "2", "-n", "5",
    )  # fmt: skip
    trials = bench.json("trials", "height_benchmark-1")
    assert [(trial["params"]["width"], trial["params"]["height"]) for trial in trials[:3]] == [
        (3, 7),
        (10, 0),
        (10, -5),
    ]
    assert [(trial["state"], trial["steps"], trial["params"]["steps"]) for trial in trials] == [("complete", 2, 2)] * 5
    spec = bench.json("show", "height_benchmark-1")["spec"]
    assert spec["budget"]["time"] == "10m"
    assert spec["run"]["workers"] == 2


@pytest.mark.slow
def test_a_script_whose_space_is_given_on_the_command_line(bench: Bench) -> None:
    bench.write(
        "own.py",
        "import argparse\nfrom syne_tune import Reporter\n"
        "parser = argparse.ArgumentParser()\nparser.add_argument('data')\nparser.add_argument('--x', type=float)\n"
        "args = parser.parse_args()\nassert args.data == 'a b'\nreport = Reporter()\n"
        "for epoch in range(1, 4):\n    report(epoch=epoch, loss=abs(epoch - 2) + args.x)\n",
    )
    bench.rung("run", "-p", "x=-1e-07,0.5", "-m", "loss", "own.py", "a b")
    trials = bench.json("trials", "own-1")
    assert sorted(trial["value"] for trial in trials) == [-1e-07, 0.5], "the best of its reports counts"
    assert [trial["steps"] for trial in trials] == [3, 3]
