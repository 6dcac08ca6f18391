"""`rung run` on every kind of target, and what a program is really given."""

from __future__ import annotations

import json

import pytest

from acceptance.conftest import Bench

PRINTS = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, required=True)
parser.add_argument("--opt", default="sgd")
parser.add_argument("--epochs", type=int, default=1)
args = parser.parse_args()
for epoch in range(args.epochs):
    print(f"epoch: {epoch} loss: {args.lr * (epoch + 1)}")
"""
ECHO = """
import json, os, sys
json.dump(sys.argv[1:], open("seen." + os.environ["RUNG_TRIAL"], "w"))
print("loss: 1")
"""
HARD = [
    "two words", "single ' quote", 'double " quote', "semi; colon", "$(touch pwned)", "`id`", "new\nline", "snö ☃ 雪", "*",
    "-x", "a=b", "{brace}", "back\\slash", "%s", "",
]  # fmt: skip


def test_a_script_that_only_prints(bench: Bench) -> None:
    bench.write("train.py", PRINTS)
    words = [
        "-p",
        "lr=0.3,0.1,0.2",
        "-p",
        "opt=sgd,adam",
        "-m",
        "loss",
        "-w",
        "2",
        "--json",
        "train.py",
        "--epochs",
        "3",
    ]
    done = bench.rung("run", *words)
    best = json.loads(done.stdout)
    assert (best["value"], best["params"]["lr"], best["steps"]) == (pytest.approx(0.3), 0.1, 3)
    trials = bench.json("trials")
    assert len({(t["params"]["lr"], t["params"]["opt"]) for t in trials}) == 6
    assert {t["state"] for t in trials} == {"complete"}
    assert "6 trials (the whole space of 6 configurations" in done.stderr
    assert sum(line.startswith("trial ") for line in done.stderr.splitlines()) == 6


def test_an_executable_shell_script(bench: Bench) -> None:
    text = '#!/bin/sh\nfor word; do case $word in --x=*) echo "loss=${word#--x=}";; esac; done\n'
    bench.write("fit.sh", text, mode=0o755)
    done = bench.rung("run", "-p", "x=3,1,2", "-m", "loss:max", "--json", "fit.sh")
    assert json.loads(done.stdout)["params"] == {"x": 3}


def test_a_function_of_a_file(bench: Bench) -> None:
    bench.write("model.py", "def score(params):\n    return {'loss': params['x'] ** 2, 'size': 7}\n")
    done = bench.rung("run", "-m", "loss", "--json", "model.py:score", "-p", "x=-2:2")
    best = json.loads(done.stdout)
    assert (best["params"], best["values"]) == ({"x": 0}, {"loss": 0, "size": 7})


def test_a_function_inline(bench: Bench) -> None:
    bench.write("model.py", "def score(params):\n    return params['x']\n")
    done = bench.rung("run", "-m", "loss", "-p", "x=2,1", "--executor", "inline", "--json", "model:score")
    assert json.loads(done.stdout)["value"] == 1


def test_a_command_with_placeholders(bench: Bench) -> None:
    done = bench.rung("run", "-p", "x=5,4", "-m", "loss", "--json", "--", "sh", "-c", 'echo "loss: $1"', "sh", "{x}")
    assert json.loads(done.stdout)["value"] == 4


def test_a_study_file_and_options_after_it(bench: Bench) -> None:
    bench.write("train.py", PRINTS)
    bench.write(
        "study.yaml",
        "command: python train.py\nparameters:\n  lr: {type: float, min: 0.1, max: 1}\n  epochs: 2\nobjective: loss\n",
    )
    done = bench.rung("run", "study.yaml", "--lr", "0.5,0.25", "--epochs=4", "-w", "2", "--json")
    best = json.loads(done.stdout)
    assert best["params"] == {"lr": 0.25, "epochs": 4}
    assert best["steps"] == 4


def test_names_of_the_file_win_over_our_options(bench: Bench) -> None:
    bench.write("train.py", "import sys\nprint('loss:', sum(map(len, sys.argv)))\n")
    bench.write("study.yaml", "command: python train.py\nparameters: {seed: 3, trials: 4}\nobjective: loss\n")
    best = json.loads(bench.rung("run", "study.yaml", "--seed", "1:2", "--trials", "7", "-n", "2", "--json").stdout)
    assert best["params"]["trials"] == 7
    assert [t["params"]["seed"] for t in bench.json("trials")] == [1, 2]
    done = bench.rung("run", "study.yaml", "--", "--seed", "9", "--json", code=2)
    assert "no such option '--json'" in done.stderr


def test_trials_of_a_study_file_run_in_its_directory(bench: Bench) -> None:
    (bench.folder / "deep").mkdir()
    bench.write("deep/value", "loss: 8\n")
    bench.write("deep/study.yaml", "command: sh read.sh\nparameters: {x: 1}\nobjective: loss\nbudget: {trials: 1}\n")
    bench.write("deep/read.sh", "cat value\n")
    done = bench.rung("run", "--json", "deep/study.yaml")
    assert json.loads(done.stdout)["value"] == 8
    assert (bench.folder / "runs" / "deep-1" / "00000" / "1" / "stdout").read_text() == "loss: 8\n"


def test_every_value_arrives_as_one_argument(bench: Bench) -> None:
    bench.write("train.py", ECHO)
    space = {"constant": {"value": HARD[0]}, "text": {"type": "choice", "values": HARD}}
    study = {"command": "python train.py --as {text} {rest}", "parameters": space, "objective": "loss"}
    bench.write("study.json", json.dumps(study))
    bench.rung("run", "-w", "2", "study.json")
    seen = [json.loads(path.read_text()) for path in bench.folder.glob("seen.*")]
    assert sorted(words[1] for words in seen) == sorted(HARD)
    assert {tuple(words[::2]) for words in seen} == {("--as", f"--constant={HARD[0]}")}
    assert sorted(t["params"]["text"] for t in bench.json("trials")) == sorted(HARD)
    assert not (bench.folder / "pwned").exists()


@pytest.mark.parametrize("how", ["env", "file"])
def test_parameters_by_another_way_than_arguments(bench: Bench, how: str) -> None:
    bench.write(
        "train.py",
        "import json, os, sys\nassert len(sys.argv) == 2, sys.argv\n"
        "params = json.load(open(os.environ['RUNG_PARAMS_FILE']))\n"
        "print('loss:', os.environ['x'] if sys.argv[1] == 'env' else params['x'])\n",
    )
    done = bench.rung("run", "-p", "x=3,2", "-m", "loss", "--inject", how, "--json", "train.py", how)
    assert json.loads(done.stdout)["value"] == 2


def test_a_command_line_that_plans_runs_nothing(bench: Bench) -> None:
    bench.write("train.py", "open('ran', 'w')\nprint('loss: 1')\n")
    words = ["-p", "lr=loguniform(1e-4,1)", "-p", "width=8:8:32", "-m", "loss", "--seed", "1", "train.py"]
    plan = json.loads(bench.rung("plan", "--json", *words).stdout)
    assert plan["size"] is None
    assert plan["trials"] == 100
    assert plan["brackets"] == []
    assert [p["name"] for p in plan["parameters"]] == ["lr", "width"]
    assert plan["parameters"][1]["values"] == [8, 16, 24, 32]
    assert len(plan["first"]) == 10
    first = plan["first"][0]
    assert first["command"][-2:] == [f"--lr={first['params']['lr']!r}", f"--width={first['params']['width']}"]
    assert not (bench.folder / "ran").exists()
    assert not (bench.folder / "runs").exists()
    short = json.loads(bench.rung("plan", "--json", "-n", "3", *words).stdout)
    bench.rung("run", "-n", "3", *words)
    assert [t["params"] for t in bench.json("trials")][:2] == [f["params"] for f in short["first"][:2]]
