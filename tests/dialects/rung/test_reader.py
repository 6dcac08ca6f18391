from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from rung.dialects import RungDialect, spec_from_tree, spec_to_tree
from rung.dialects.documents import parse
from rung.model import (
    BadInput,
    Budget,
    CheckpointSpec,
    Objective,
    Outcome,
    Parameter,
    RunSettings,
    ScheduleSpec,
    SearchSpec,
    StudySpec,
)
from rung.plugins import find, names

YAML = """\
name: digits
command: python train.py --lr {lr} --width {width} {rest}
parameters:
  lr:       {type: float, min: 1e-5, max: 0.1, scale: log}
  width:    {type: int, min: 8, max: 128, step: 8}
  opt:      {type: choice, values: [sgd, adam]}
  momentum: {type: float, min: 0, max: 0.99, when: opt == 'sgd'}
  net:
    heads:  {type: int, min: 1, max: 4}
  epochs:   30
constraints: [width * net.heads <= 256]
objective: {metric: val_loss, goal: minimize, value: best}
outcomes:  [{metric: latency_ms, at_most: 20}]
start:     [{lr: 0.01, net: {heads: 2}}]
search:    {method: auto, seed: 0, startup: 10}
schedule:  {method: asha, resource: epoch, min: 1, max: 30, eta: 3}
budget:    {trials: 100, time: 2h, target: 0.02}
run:       {workers: 4, gpus: 0.5, timeout: 30m, retries: 1}
"""

JSON = """\
{"name": "digits", "command": "python train.py --lr {lr} --width {width} {rest}",
 "parameters": {"lr": {"type": "float", "min": 1e-5, "max": 0.1, "scale": "log"},
  "width": {"type": "int", "min": 8, "max": 128, "step": 8}, "opt": {"type": "choice", "values": ["sgd", "adam"]},
  "momentum": {"type": "float", "min": 0, "max": 0.99, "when": "opt == 'sgd'"},
  "net": {"heads": {"type": "int", "min": 1, "max": 4}}, "epochs": 30},
 "constraints": ["width * net.heads <= 256"],
 "objective": {"metric": "val_loss", "goal": "minimize", "value": "best"},
 "outcomes": [{"metric": "latency_ms", "at_most": 20}], "start": [{"lr": 0.01, "net.heads": 2}],
 "search": {"method": "auto", "seed": 0, "startup": 10},
 "schedule": {"method": "asha", "resource": "epoch", "min": 1, "max": 30, "eta": 3},
 "budget": {"trials": 100, "time": "2h", "target": 0.02},
 "run": {"workers": 4, "gpus": 0.5, "timeout": "30m", "retries": 1}}
"""

TOML = """\
name = "digits"
command = "python train.py --lr {lr} --width {width} {rest}"
constraints = ["width * net.heads <= 256"]
start = [{lr = 0.01, "net.heads" = 2}]
[parameters]
lr = {type = "float", min = 1e-5, max = 0.1, scale = "log"}
width = {type = "int", min = 8, max = 128, step = 8}
opt = {type = "choice", values = ["sgd", "adam"]}
momentum = {type = "float", min = 0, max = 0.99, when = "opt == 'sgd'"}
net.heads = {type = "int", min = 1, max = 4}
epochs = 30
[objective]
metric = "val_loss"
goal = "minimize"
value = "best"
[[outcomes]]
metric = "latency_ms"
at_most = 20
[search]
method = "auto"
seed = 0
startup = 10
[schedule]
method = "asha"
resource = "epoch"
min = 1
max = 30
eta = 3
[budget]
trials = 100
time = "2h"
target = 0.02
[run]
workers = 4
gpus = 0.5
timeout = "30m"
retries = 1
"""

DIGITS = StudySpec(
    name="digits",
    command=("python", "train.py", "--lr", "{lr}", "--width", "{width}", "{rest}"),
    parameters=(
        Parameter(name="lr", type="float", min=1e-5, max=0.1, scale="log"),
        Parameter(name="width", type="int", min=8, max=128, step=8),
        Parameter(name="opt", type="choice", values=("sgd", "adam")),
        Parameter(name="momentum", type="float", min=0, max=0.99, when="opt == 'sgd'"),
        Parameter(name="net.heads", type="int", min=1, max=4),
        Parameter(name="epochs", type="constant", value=30),
    ),
    constraints=("width * net.heads <= 256",),
    objectives=(Objective(metric="val_loss", goal="minimize", value="best"),),
    outcomes=(Outcome(metric="latency_ms", at_most=20.0),),
    start=({"lr": 0.01, "net.heads": 2},),
    search=SearchSpec(method="auto", seed=0, options={"startup": 10}),
    schedule=ScheduleSpec(method="asha", resource="epoch", options={"min": 1, "max": 30, "eta": 3}),
    budget=Budget(trials=100, time_s=7200.0, target=0.02),
    run=RunSettings(workers=4, gpus=0.5, timeout_s=1800.0, retries=1),
)


def read(text: str, file: str = "s.yaml") -> StudySpec:
    return RungDialect().read(text, file=file)


@pytest.mark.parametrize(("file", "text"), [("s.yaml", YAML), ("s.json", JSON), ("s.yaml", JSON), ("s.toml", TOML)])
def test_one_study_in_three_notations(file: str, text: str) -> None:
    assert read(text, file) == DIGITS


def test_a_tree_is_a_study_too() -> None:
    assert spec_from_tree(spec_to_tree(DIGITS)) == DIGITS


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("objective: loss", StudySpec(objectives=(Objective(metric="loss"),))),
        (
            "objective: [loss, {metric: acc, goal: maximize}]",
            StudySpec(objectives=(Objective(metric="loss"), Objective(metric="acc", goal="maximize"))),
        ),
        (
            "objective: {metric: cover, goal: {approach: 0.95}}",
            StudySpec(objectives=(Objective(metric="cover", goal=0.95),)),
        ),
        ("search: sobol", StudySpec(search=SearchSpec(method="sobol"))),
        ("search: {batch: 4}", StudySpec(search=SearchSpec(batch=4))),
        ("schedule: asha", StudySpec(schedule=ScheduleSpec(method="asha"))),
        ("start: middle", StudySpec(start="middle")),
        ("start: []", StudySpec(start=())),
        ("function: train:objective", StudySpec(function="train:objective")),
        ("command: [t, 010, 1e-5, true, no]", StudySpec(command=("t", "010", "1e-5", "true", "no"))),
        ("command: t 'a b' \"c\" # no comment", StudySpec(command=("t", "a b", "c"))),
        ("command: '{params}'", StudySpec(command=("{params}",))),
        ("budget: {time: 90, trials: 1e3}", StudySpec(budget=Budget(time_s=90.0, trials=1000))),
        ("run: {grace: 0, inject: env}", StudySpec(run=RunSettings(grace_s=0.0, inject="env"))),
        ("budget: {time: null}\nsearch:\nname: ~", StudySpec()),
        ("constraints: a < b\nparameters: {a: {type: int, min: 1, max: 3}, b: 2}", None),
    ],
)
def test_short_forms(text: str, spec: StudySpec | None) -> None:
    found = read(text)
    assert found.constraints == ("a < b",) if spec is None else found == spec


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("checkpoint: true", CheckpointSpec(enabled=True)),
        ("checkpoint: {}", CheckpointSpec()),
        ("checkpoint: {study_best: 3, trial_best: 0, trial_latest: 2}", CheckpointSpec(study_best=3, trial_best=0, trial_latest=2)),
        ("checkpoint: {disk: 20GB}", CheckpointSpec(disk_bytes=20 * 10**9)),
        ("checkpoint: {disk: 1.5 TiB}", CheckpointSpec(disk_bytes=3 * 2**39)),
        ("checkpoint: {disk: 4096}", CheckpointSpec(disk_bytes=4096)),
        ("schedule: {method: asha, checkpoint: true}", CheckpointSpec(enabled=True)),
        ("run: {checkpoint: false}", CheckpointSpec(enabled=False)),
    ],
)  # fmt: skip
def test_which_checkpoints_are_kept(text: str, spec: CheckpointSpec) -> None:
    assert RungDialect().read(text + "\n", file="s.yaml").checkpoint == spec


def test_words_of_yaml_1_1_stay_words() -> None:
    spec = read("parameters:\n  on: {type: choice, values: [on, off, yes, no, 1_0, 2024-01-01]}\n  lr: 1e-3\n")
    assert spec.parameters[0].name == "on"
    assert spec.parameters[0].values == ("on", "off", "yes", "no", "1_0", "2024-01-01")
    assert spec.parameters[1].value == 0.001


@pytest.mark.parametrize(
    ("name", "text", "ours"),
    [
        ("s.yaml", YAML, True),
        ("s.json", JSON, True),
        ("s.toml", TOML, True),
        ("s.txt", YAML, True),
        ("s.yaml", "paramters: {}\ncommand: t\nobjective: loss", True),
        ("s.yaml", "a: [", True),
        ("s.yaml", "", True),
        ("s.py", "a: [", False),
        ("s.yaml", "- a", False),
        ("s.yaml", "program: t.py\nmethod: random\nmetric: {name: loss}\nparameters: {a: {values: [1]}}", False),
        ("s.yaml", "searcher: {name: random}\nhyperparameters: {}\nentrypoint: t\nname: x", False),
    ],
)
def test_detection(name: str, text: str, ours: bool) -> None:
    tree = None
    with contextlib.suppress(BadInput):
        tree, _ = parse(text, file=name)
    assert RungDialect().detect(Path(name), text, tree if name != "s.py" else None) is ours


def test_place_of_a_tree_is_said() -> None:
    with pytest.raises(BadInput) as caught:
        spec_from_tree({"budget": {"trials": 0}}, place="tune()")
    assert str(caught.value) == "tune(): budget.trials: expected a whole number of at least 1, got 0"


@pytest.mark.parametrize(
    ("name", "text", "is_plain"),
    [
        ("s.yaml", "command: t\nparameters: {x: 1}\nobjective: loss\n", True),
        ("s.json", '{"function": "f:g", "parameters": {"x": 1}, "objective": "loss", "budget": {"trials": 3}}', True),
        ("s.yaml", "parameters: {x: 1}\nobjective: loss\n", False),  # what runs it is said elsewhere
        ("s.yaml", "command: t\nparameters: {x: 1}\nmethod: grid\n", False),  # W&B's
        ("valohai.yaml", "command: t\nparameters: {x: 1}\n", False),
        ("s.yaml", "command: t\nparameters: {x: {hyper_opt: {}}}\n", False),
        ("s.json", '{"command": {"_type": "choice", "_value": []}, "parameters": {"_type": "a", "_value": []}}', False),
    ],
)
def test_a_plain_file_is_nobody_elses(name: str, text: str, is_plain: bool) -> None:
    tree, _ = parse(text, file=name)
    assert RungDialect().is_plain(Path(name), text, tree) is is_plain
    if is_plain:
        others = [find("dialects", other)() for other in names("dialects") if other != "rung"]
        assert not [other.name for other in others if other.detect(Path(name), text, tree)]
