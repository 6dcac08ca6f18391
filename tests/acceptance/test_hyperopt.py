"""`hyper_opt` configurations end to end: a real training program that reads its resolved configuration."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

from acceptance.conftest import Bench, until

TRAIN = """
import json, sys
import numpy as np

config = json.load(open(sys.argv[1]))
model, trainer = config["module"]["model"], config["trainer"]
assert set(config) == {"module", "trainer", "datamodule"}
assert model["hidden"] in {model["heads"] * k for k in (2, 4)}, model
assert (model["nonlinearity"] is None) == (model["heads"] != 2), model

x, y = (np.load(config["datamodule"]["file"])[name] for name in ("x", "y"))
x = (x - x.mean(0)) / x.std(0)
held = np.arange(len(y)) % 3 == 0
rng = np.random.default_rng(trainer["seed"])
w1 = rng.normal(0, 0.5, (4, model["hidden"]))
w2 = rng.normal(0, 0.5, (model["hidden"], 3))
act = np.tanh if model["nonlinearity"] == "tanh" else lambda z: np.maximum(z, 0)
slope = (lambda h: 1 - h * h) if model["nonlinearity"] == "tanh" else (lambda h: (h > 0) * 1.0)
for epoch in range(trainer["max_epochs"]):
    h = act(x[~held] @ w1)
    p = np.exp(h @ w2)
    p /= p.sum(1, keepdims=True)
    p[np.arange(len(p)), y[~held]] -= 1
    g1, g2 = x[~held].T @ (p @ w2.T * slope(h)), h.T @ p
    w1, w2 = w1 - trainer["lr"] * g1, w2 - trainer["lr"] * g2
    recall = float(((act(x[held] @ w1) @ w2).argmax(1) == y[held]).mean())
    if epoch == trainer["max_epochs"] - 1:
        recall *= trainer["last"]  # the last epoch is spoilt: the best must count
    print(json.dumps({"epoch": epoch, "recall@1": recall}), flush=True)
"""
SEARCH = """
local heads = 'module.model.heads';
{
  module: { model: {
    hidden: { hyper_opt: { suggest: 'int', params: { low: 2, high: 4, step: 2 }, dependency: { type: 'multiply', on: heads } } },
    heads: { hyper_opt: { suggest: 'int', params: { low: 1, high: 3 } } },
    nonlinearity: { hyper_opt: {
      suggest: 'categorical', params: { choices: ['relu', 'tanh'] },
      dependency: { on: heads, type: 'optimize_iff', conditions: [{ type: 'equal', compare_value: 2 }] },
    } },
  } },
  trainer: { lr: { hyper_opt: { suggest: 'loguniform', params: { low: 1e-4, high: 0.02 } } } },
}
"""


def template(bench: Bench) -> dict[str, Any]:
    """The configuration that the search is laid over, with the data and the program beside it."""
    x, y = load_iris(return_X_y=True)
    np.savez(bench.folder / "iris.npz", x=x, y=y)
    bench.write("train.py", TRAIN)
    bench.write("search.jsonnet", SEARCH)
    return {
        "module": {"model": {"heads": 9, "hidden": 9, "nonlinearity": "gelu"}},
        "trainer": {"max_epochs": 6, "lr": 9.0, "seed": 1, "last": 0.1},
        "datamodule": {"file": str(bench.folder / "iris.npz")},
    }


def config_of(bench: Bench, study: str, trial: int) -> Any:
    (path,) = (bench.folder / f"runs/{study}/{trial:05d}").glob("*/config.json")
    return json.loads(path.read_text())


def epochs(bench: Bench, study: str, trial: int) -> list[float]:
    (path,) = (bench.folder / f"runs/{study}/{trial:05d}").glob("*/stdout")
    return [json.loads(line)["recall@1"] for line in path.read_text().splitlines()]


def test_asme_search_with_two_processes_is_one_study(bench: Bench) -> None:
    bench.write("config.json", json.dumps(template(bench)))
    words = ["asme", "search", "config.json", "search.jsonnet", "recall", "None", "recall@1", "--num-trials", "5"]
    words += ["--seed", "1", "--", "python", "train.py", "{config}"]
    first = bench.start(*words)
    until(lambda: (bench.folder / "runs/recall/00000").exists(), what="the first trial")
    second = bench.start(*words)
    for process in (first, second):
        _, said = process.communicate(timeout=40)
        assert process.returncode == 0, said
    trials = bench.json("trials", "recall")
    assert [t["state"] for t in trials] == ["complete"] * 5
    for trial in trials:
        found = config_of(bench, "recall", trial["number"])
        params = trial["params"]
        model = found["module"]["model"]
        assert (model["heads"], model["hidden"]) == (params["module.model.heads"], params["module.model.hidden"])
        assert model["nonlinearity"] == params.get("module.model.nonlinearity")
        assert (found["trainer"]["lr"], found["trainer"]["max_epochs"]) == (params["trainer.lr"], 6)
        reported = epochs(bench, "recall", trial["number"])
        assert trial["value"] == max(reported)
        assert reported[-1] < max(reported)
    best = bench.json("best", "recall")
    assert best["value"] == max(t["value"] for t in trials) > 0.5
    assert len(bench.json("ls")) == 1


def test_asme_optimize_renders_a_template(bench: Bench) -> None:
    text = json.dumps({**template(bench), "command": "python train.py {config}"})
    for old, new in {
        '"heads": 9': '"heads": {{ module.model.heads }}',
        '"hidden": 9': '"hidden": {{ module.model["hidden"] }}',
        '"gelu"': "{% if module.model.nonlinearity %}{{ module.model.nonlinearity | tojson }}{% else %}null{% endif %}",
        '"lr": 9.0': '"lr": {{ trainer.lr }}',
    }.items():
        assert old in text
        text = text.replace(old, new)
    bench.write("config.json.j2", text)
    words = ["config.json.j2", "search.jsonnet", "recall@1", "tuned", "--num-trials", "2", "--json"]
    done = bench.rung("asme", "optimize", *words)
    best = json.loads(done.stdout)
    assert best["value"] == max(epochs(bench, "tuned", best["number"]))
    trial = next((bench.folder / "runs/tuned/00000").glob("*/hyperopt_trial.json"))
    assert set(json.loads(trial.read_text())) == {"module", "trainer"}


@pytest.mark.chaos
def test_a_killed_search_of_a_yaml_configuration_goes_on(bench: Bench) -> None:
    import yaml

    tree = template(bench)
    tree["module"]["model"] = {
        "heads": {"hyper_opt": {"suggest": "categorical", "params": {"choices": [1, 2]}}},
        "hidden": {
            "hyper_opt": {
                "suggest": "int", "params": {"low": 4, "high": 4, "step": 2},
                "dependency": {"type": "multiply", "on": "module.model.heads"},
            }
        },
        "nonlinearity": {
            "hyper_opt": {
                "suggest": "categorical", "params": {"choices": ["relu", "tanh"]},
                "dependency": {
                    "type": "optimize_iff", "on": "module.model.heads",
                    "conditions": [{"type": "equal", "compare_value": 2}],
                },
            }
        },
    }  # fmt: skip
    tree["trainer"]["lr"] = 0.01
    bench.write("my config.yaml", yaml.safe_dump(tree))
    script = TRAIN.replace("import json, sys", "import json, sys, yaml").replace("json.load(", "yaml.safe_load(")
    bench.write("train.py", script)
    killed = bench.start(
        "run", "my config.yaml", "-m", "recall@1:max", "--name", "y", "--", "python", "train.py", "{config}"
    )
    until(lambda: (bench.folder / "runs/y/00001/1/started").exists(), what="the second trial")
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(timeout=20)
    Path(bench.folder / "my config.yaml").unlink()  # the log has all that is needed
    bench.rung("resume", "y")
    trials = bench.json("trials", "y")
    seen = {tuple(sorted(t["params"].items())) for t in trials}
    assert [t["state"] for t in trials] == ["complete"] * 3
    assert len(seen) == 3
    assert bench.json("best", "y")["value"] == max(t["value"] for t in trials)
    assert all(t["value"] == max(epochs(bench, "y", t["number"])) for t in trials)


def test_bad_words_are_one_line(bench: Bench) -> None:
    bench.write("config.json", json.dumps(template(bench)))
    search = ["asme", "search", "config.json", "search.jsonnet"]
    assert "which program?" in bench.rung(*search, "s", "None", "m", code=2).stderr
    assert not (bench.folder / "runs").exists()
