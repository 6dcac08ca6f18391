"""The form "New study": what lies in the project folder, what each row means, and that the preview is `rung plan`."""

from __future__ import annotations

import contextlib
import io
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rung.api import creation
from rung.api.forms import form, methods
from rung.api.formtargets import Target
from rung.api.previews import Preview, preview, total_line
from rung.api.projects import inside, project
from rung.api.submissions import Fault, Submission
from rung.cli.main import main
from rung.model import BadInput
from rung.plugins import find

SCRIPT = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.001, help="How far each step goes.")
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--opt", default="adam", choices=["adam", "sgd", "a,b"])
parser.add_argument("--fast", action="store_true", help="Skips half of the data.")
parser.add_argument("--amp", action=argparse.BooleanOptionalAction)
parser.add_argument("--version", action="version", version="1")
args = parser.parse_args()
open("it-was-run", "w")
print(f"loss: {args.lr}")
"""
VALOHAI = """
- step:
    name: train
    image: any
    command: python train.py {parameters}
    parameters:
      - {name: lr, type: float, default: 0.001, description: How far each step goes.}
      - {name: batch, type: integer, default: 32, min: 1}
      - {name: opt, type: string, default: adam}
- task:
    name: sweep
    step: train
    type: grid_search
    parameters:
      - {name: lr, style: logspace, rules: {start: -3, end: -1, count: 3}}
      - {name: batch, style: multiple, rules: {items: [16, 32]}}
- task:
    name: learn
    step: train
    type: bayesian_tpe
    execution-count: 40
    execution-batch-size: 4
    optimization-target-metric: loss
    optimization-target-value: 0.1
    parameters:
      - {name: lr, style: random, rules: {min: 0.0001, max: 0.1, distribution: loguniform}}
"""
STUDY = """
command: [python, train.py, "--lr={lr}", "--batch={batch}", "--opt={opt}"]
parameters:
  lr: {type: float, min: 1.0e-5, max: 0.1, scale: log, default: 0.001}
  batch: {type: int, min: 8, max: 64, step: 8}
  opt: {type: choice, values: [adam, sgd]}
  momentum: {type: float, min: 0, max: 0.99, scale: reverselog, when: opt == 'sgd'}
objective: {metric: loss}
search: {method: tpe, start: 5, repeats: 2, seed: 9}
schedule: {method: asha, resource: epoch, max: 81, type: promotion}
budget: {trials: 50, time: 2h}
run: {workers: 2, inject: env}
"""
DETERMINED = """
name: mnist
entrypoint: python3 train.py
hyperparameters:
  lr: {type: log, minval: -4.0, maxval: -1.0, base: 10.0}
searcher: {name: random, metric: loss, max_trials: 5, max_length: {batches: 10}}
"""
LR6 = {"mode": "logspace", "name": "lr", "start": -6, "end": -1, "count": 6}
BATCH6 = {"mode": "multiple", "name": "batch", "values": ["8", "16", "32", "64", "128", "256"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A project with a file of each kind, and things that are none."""
    place = tmp_path_factory.mktemp("work")
    (place / "train.py").write_text(SCRIPT)
    (place / "valohai.yaml").write_text(VALOHAI)
    (place / "study.yaml").write_text(STUDY)
    (place / "deep").mkdir()
    (place / "deep" / "determined.yaml").write_text(DETERMINED)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr(creation, "collect", lambda *_, **__: {})  # what a study runs on takes long to find out
        yield place


@pytest.fixture(autouse=True)
def there(folder: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test stands in the project folder."""
    monkeypatch.chdir(folder)


def asked(file: str = "train.py", kind: str = "grid", *rows: Any, **more: Any) -> Submission:
    """What the form sends."""
    target = {"file": file} | {key: more.pop(key) for key in ("step", "task") if key in more}
    return msgspec.convert(
        {"target": target, "kind": kind, "rows": list(rows), "metric": "loss", "seed": 1, **more}, Submission
    )


def plan(words: list[str]) -> Any:
    """What `rung plan --json` prints for these words."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["plan", "--json", *words])
    assert code == 0, (words, err.getvalue())
    return json.loads(out.getvalue())


def same(found: Preview) -> Preview:
    """The preview, which is what `rung plan` says of its words."""
    assert found.faults == []
    expected = plan(found.words)
    assert json.loads(msgspec.json.encode(found.plan)) == expected
    values = {parameter["name"]: parameter["values"] for parameter in expected["parameters"]}
    rows = {row.name: row.values for row in found.rows}
    assert {name: rows[name] for name in values} == values
    assert found.total == expected["trials"]
    return found


# ---------------------------------------------------------------------------------------------------- the folder


def test_what_there_is_to_start(folder: Path) -> None:
    found = project(folder)
    assert [(c.file, c.dialect, c.kind, c.step, c.task, c.parameters) for c in found.choices] == [
        ("study.yaml", "rung", "study", None, None, 4),
        ("train.py", "script", "script", None, None, 3),
        ("valohai.yaml", "valohai", "step", "train", None, 3),
        ("valohai.yaml", "valohai", "task", "train", "sweep", 3),
        ("valohai.yaml", "valohai", "task", "train", "learn", 3),
        ("deep/determined.yaml", "determined", "study", None, None, 1),
    ]
    assert not any(choice.problem for choice in found.choices)
    assert not found.left_out
    assert not (folder / "it-was-run").exists()


def test_what_is_left_alone(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    place = tmp_path / "project"
    for name in ("runs", ".hidden", "node_modules", "deep", "../outside"):
        (place / name).mkdir(parents=True)
        (place / name / "study.yaml").write_text(STUDY)
    (place / "link.yaml").symlink_to(outside / "study.yaml")
    (place / "linked").symlink_to(outside)
    (place / "package.json").write_text('{"name": "x", "version": "1"}')
    (place / "compose.yaml").write_text("services: {a: {image: b}}")
    (place / "setup.py").write_text("print('no options')")
    (place / "huge.yaml").write_text(f"{STUDY}# {'x' * 1_100_000}")
    os.mkfifo(place / "pipe.yaml")
    (place / "broken.yaml").write_text("command: [x\n")
    (place / "plug.py").write_text("def suggest(): ...")
    assert [(c.file, bool(c.problem)) for c in project(place).choices] == [
        ("broken.yaml", True), ("deep/study.yaml", False),
    ]  # fmt: skip
    assert project(place, besides=[place / "deep"]).choices[-1].file == "broken.yaml"


@pytest.mark.parametrize(
    "file",
    ["/etc/passwd.yaml", "../outside/study.yaml", "deep/../../outside/study.yaml", "link.yaml", "linked/study.yaml",
     "pipe.yaml", "folder.yaml", "no.yaml", "", ".", "./", ".hidden/study.yaml", "a\0.yaml", "run.sh", "x" * 5000 + ".yaml"],
)  # fmt: skip
def test_a_file_that_is_none_of_the_folder_is_refused(tmp_path: Path, file: str) -> None:
    place, outside = tmp_path / "project", tmp_path / "outside"
    for folder in (place, outside, place / ".hidden", place / "folder.yaml"):
        folder.mkdir()
    for there in (outside, place / ".hidden"):
        (there / "study.yaml").write_text(STUDY)
    (place / "link.yaml").symlink_to(outside / "study.yaml")
    (place / "linked").symlink_to(outside)
    (place / "run.sh").write_text("#!/bin/sh\n")
    os.mkfifo(place / "pipe.yaml")
    with pytest.raises(BadInput, match=r"project folder|neither a study file"):
        inside(place, file)
    with pytest.raises(BadInput):
        preview(place, asked(file))


# ------------------------------------------------------------------------------------------------------ the form


def test_the_form_of_a_script(folder: Path) -> None:
    found = form(folder, Target(file="train.py"))
    rows = {row.name: row for row in found.rows}
    assert list(rows) == ["lr", "batch", "opt", "fast", "amp"]
    assert (rows["lr"].type, rows["lr"].help, rows["lr"].default) == ("float", "How far each step goes.", 0.001)
    assert msgspec.to_builtins(rows["batch"].start) == {"mode": "single", "name": "batch", "value": 32}
    assert rows["opt"].choices == ["adam", "sgd", "a,b"]
    assert (found.kind, found.objective.metric, found.search) == ("grid", "loss", "auto")
    switch = rows["fast"]
    assert (switch.type, switch.choices, switch.modes, switch.help) == (
        "switch", ["--fast"], ["single"], "Skips half of the data.",
    )  # fmt: skip
    assert rows["amp"].choices == ["--amp", "--no-amp"]
    assert found.remarks == []
    assert not (folder / "it-was-run").exists()


def test_the_form_of_a_study_file_begins_with_its_domains(folder: Path) -> None:
    found = form(folder, Target(file="study.yaml"))
    starts = {row.name: msgspec.to_builtins(row.start) for row in found.rows}
    assert {key: starts["lr"][key] for key in ("mode", "kind", "min", "max")} == {
        "mode": "range", "kind": "loguniform", "min": 1e-5, "max": 0.1,
    }  # fmt: skip
    assert (starts["batch"]["kind"], starts["batch"]["step"], starts["opt"]["values"]) == ("int", 8, ["adam", "sgd"])
    assert starts["momentum"]["mode"] == "declared"
    assert (found.kind, found.search, found.trials, found.workers, found.time) == ("bayesian", "tpe", 50, 2, "2h")


def test_the_form_of_a_task_says_what_its_rules_say(folder: Path) -> None:
    grid = form(folder, Target(file="valohai.yaml", task="sweep"))
    assert [msgspec.to_builtins(row.start)["mode"] for row in grid.rows] == ["logspace", "multiple", "single"]
    assert grid.rows[0].help == "How far each step goes."
    learn = form(folder, Target(file="valohai.yaml", task="learn"))
    assert (learn.kind, learn.kinds, learn.trials, learn.batch) == ("bayesian", ["bayesian"], 40, 4)
    assert (learn.objective.metric, learn.objective.goal, learn.objective.value) == ("loss", "approach", 0.1)


@pytest.mark.parametrize("target", [{"file": "valohai.yaml", "task": "x"}, {"file": "valohai.yaml", "step": "x"}, {"file": "train.py", "step": "x"}])  # fmt: skip
def test_parts_that_a_file_has_not(folder: Path, target: Any) -> None:
    with pytest.raises(BadInput):
        form(folder, Target(**target))


def test_code_that_only_running_would_tell_of_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "space.py").write_text(
        "import os\nfrom syne_tune.config_space import uniform\n_config_space = {'x': uniform(0, float(os.getcwd()))}\n"
        "open('it-was-run', 'w')\n"
    )
    (tmp_path / "plug.yaml").write_text(f"{STUDY.replace('method: tpe, start: 5', 'method: ./mine.py')}")
    (tmp_path / "mine.py").write_text("open('it-was-run', 'w')\n")
    assert [(c.file, bool(c.problem)) for c in project(tmp_path).choices] == [("plug.yaml", False), ("space.py", True)]
    for file in ("space.py", "plug.yaml"):
        with pytest.raises(BadInput, match=f"rung run {file}"):
            form(tmp_path, Target(file=file))
    assert not Path("it-was-run").exists()


def test_methods_speak_for_themselves() -> None:
    for group, least in (("search", 8), ("schedule", 8)):
        found = {method.name: method.text for method in methods(group)}
        assert len(found) >= least
        assert all(10 < len(text) < 160 and text.endswith(".") for text in found.values()), found
    assert "optuna" not in {method.name for method in methods("search")}


def test_options_are_those_that_the_classes_declare(folder: Path) -> None:
    found = form(folder, Target(file="study.yaml"))
    for group, offered in (("search", found.searchers), ("schedule", found.schedules)):
        for method in offered:
            kind = find(group, method.name)
            own = [option for option in method.options if option.name not in {"repeats", "resource"}]
            assert {option.name: option.default for option in own} == kind.options
            assert {option.name for option in own} == set(getattr(kind, "declared", {}))
            assert all(10 < len(option.text) < 130 and not option.text.endswith(".") for option in method.options)
            assert all(option.default in {None, *option.words} for option in own if option.words)
            assert not [option.name for option in own if option.kind == "data" and option.default is not None]
    given = {m.name: {o.name: o.given for o in m.options if o.given is not None} for m in found.schedules}
    assert given["asha"] == {"type": "promotion", "max": 81, "resource": "epoch"}
    assert (given["median"], given["none"]) == ({"resource": "epoch"}, {})
    assert [(o.name, o.given) for m in found.searchers for o in m.options if o.given not in {None, 2}] == [("start", 5)]


# -------------------------------------------------------------------------------------------------- the preview

RANGE = {"mode": "range", "name": "lr", "kind": "loguniform", "min": "1e-5", "max": "0.1"}
TABLE: list[tuple[Submission, int]] = [
    (asked("train.py", "grid", LR6, BATCH6), 36),
    (asked("valohai.yaml", "grid", LR6, BATCH6, step="train"), 36),
    (asked("valohai.yaml", "grid", task="sweep"), 6),
    (asked("valohai.yaml", "grid", BATCH6, {"mode": "single", "name": "lr", "value": "0.5"}, task="sweep"), 6),
    (asked("valohai.yaml", "bayesian", task="learn", goal="approach", value=0.1), 40),
    (asked("train.py", "single"), 1),
    (asked("train.py", "grid"), 1),
    (asked("valohai.yaml", "single", {"mode": "single", "name": "lr", "value": "1e-2"}, step="train"), 1),
    (asked("train.py", "grid", {"mode": "linear", "name": "lr", "start": "0.8", "end": "0.9", "step": ".01"}), 11),
    (asked("train.py", "grid", {"mode": "logspace", "name": "batch", "start": 1, "end": 3, "count": 9, "base": 2, "integerify": True}), 6),
    (asked("train.py", "grid", {"mode": "random", "name": "lr", "min": 0, "max": 1, "count": 7, "seed": 3}), 7),
    (asked("valohai.yaml", "grid", {"mode": "random", "name": "lr", "min": 0, "max": 1, "count": 7, "seed": 3}, step="train"), 7),
    (asked("train.py", "grid", {"mode": "multiple", "name": "opt", "values": ["a,b", "sgd"]}), 2),
    (asked("train.py", "random", RANGE, BATCH6, trials=20), 20),
    (asked("valohai.yaml", "random", RANGE, BATCH6, step="train", trials=20), 20),
    (asked("train.py", "bayesian", RANGE, trials=30, batch=5, search="gp", goal="approach", value=7.2), 30),
    (asked("valohai.yaml", "bayesian", RANGE, step="train", trials=30, batch=5, search="gp", goal="approach", value=7.2), 30),
    (asked("valohai.yaml", "bayesian", RANGE, step="train", batch=5, workers=2, time="1h", name="mine"), 100),
    (asked("train.py", "random", {"mode": "range", "name": "lr", "kind": "normal", "mean": 0, "sd": 1, "min": -1, "max": 1}), 100),
    (asked("study.yaml", "bayesian", trials=50), 50),
    (asked("study.yaml", "random", trials=40, schedule="median", goal="maximize"), 40),
    (asked("study.yaml", "grid", LR6, {"mode": "single", "name": "momentum", "value": 0.5}), 96),
    (asked("study.yaml", "bayesian", {"mode": "range", "name": "batch", "kind": "logint", "min": 1, "max": 100}, search="gp", metric="acc:top", trials=50), 50),
    (asked("study.yaml", "bayesian", schedule_options={"eta": "4", "type": "", "max": "27", "resource": "epoch"}, search_options={"start": 7, "design": "random"}), 50),
    (asked("study.yaml", "bayesian", schedule="pbt", schedule_options={"max": 9, "factors": "0.5, 2", "interval": ""}, search="gp", search_options={"warp": "false"}), 50),
    (asked("train.py", "bayesian", RANGE, search="tpe", schedule="hyperband", schedule_options={"max": 81, "levels": [1, 9], "synchronous": True}, trials=30), 30),
    (asked("train.py", "bayesian", RANGE, schedule="adaptive", schedule_options={"max": 9, "bracket_rungs": "[2, 1]"}, trials=30), 30),
    (asked("train.py", "grid", BATCH6, {"mode": "single", "name": "fast", "value": "--fast"}, {"mode": "single", "name": "amp", "value": "--no-amp"}, search_options={"backwards": "true"}), 6),
    (asked("valohai.yaml", "bayesian", RANGE, step="train", trials=30, search_options={"design": "latin", "start": "20"}), 30),
    (asked("valohai.yaml", "bayesian", task="learn", goal="approach", value=0.1, search="gp", search_options={"initial": 4}), 40),
    (asked("deep/determined.yaml", "random", {"mode": "multiple", "name": "lr", "values": ["0.1", "0.2"]}), 2),
]  # fmt: skip


@pytest.mark.parametrize(("submission", "total"), TABLE)
def test_the_preview_is_the_plan(folder: Path, submission: Submission, total: int) -> None:
    assert same(preview(folder, submission)).total == total


NUMBER = st.integers(-5, 50) | st.floats(-3, 30, allow_nan=False).map(lambda x: round(x, 3))
ROWS = st.fixed_dictionaries(
    {},
    optional={
        "lr": st.one_of(
            st.fixed_dictionaries({"mode": st.just("single"), "value": NUMBER.map(str)}),
            st.fixed_dictionaries({"mode": st.just("multiple"), "values": st.lists(NUMBER.map(repr), min_size=1, max_size=5)}),
            st.fixed_dictionaries({"mode": st.just("linear"), "start": st.integers(0, 3), "end": st.integers(4, 9), "step": st.sampled_from(["0.5", "1", 2, "0.25"])}),
            st.fixed_dictionaries({"mode": st.just("logspace"), "start": st.integers(-4, 0), "end": st.integers(1, 3), "count": st.integers(1, 6), "base": st.sampled_from([2, 10, "2.5"]), "integerify": st.booleans()}),
            st.fixed_dictionaries({"mode": st.just("random"), "min": st.integers(1, 3), "max": st.integers(4, 90), "count": st.integers(1, 6), "distribution": st.sampled_from(["uniform", "loguniform"]), "seed": st.integers(0, 9) | st.just(""), "integerify": st.booleans()}),
            st.fixed_dictionaries({"mode": st.just("range"), "kind": st.sampled_from(["uniform", "loguniform", "int", "logint"]), "min": st.integers(1, 3), "max": st.integers(4, 90)}),
        ),
        "opt": st.fixed_dictionaries({"mode": st.just("multiple"), "values": st.lists(st.sampled_from(["adam", "sgd"]), min_size=1, max_size=3)}),
    },
)  # fmt: skip
TARGETS = [{"file": "train.py"}, {"file": "valohai.yaml", "step": "train"}]


@given(rows=ROWS, kind=st.sampled_from(["grid", "random", "bayesian"]), target=st.sampled_from(TARGETS))
@settings(max_examples=20, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
def test_any_preview_is_the_plan(folder: Path, rows: Any, kind: str, target: Any) -> None:
    given_rows = [{"name": name, **row} for name, row in rows.items()]
    found = preview(folder, asked(target["file"], kind, *given_rows, trials=7, **{k: v for k, v in target.items() if k != "file"}))  # fmt: skip
    if found.faults:
        assert kind == "grid"
        assert {fault.row for fault in found.faults} == {"lr"}
    else:
        same(found)


def test_values_and_their_number(folder: Path) -> None:
    row = {"mode": "logspace", "name": "batch", "start": 2, "end": 8, "count": 4, "base": 2}
    found = preview(folder, asked("train.py", "grid", row))
    shown = next(each for each in found.rows if each.name == "batch")
    assert (shown.domain, shown.values, shown.count) == ("4, 16, 64, 256", [4, 16, 64, 256], 4)
    assert found.line == "Will create a total of 4 trials."
    many = preview(
        folder, asked("train.py", "grid", {"mode": "linear", "name": "batch", "start": 1, "end": 2000, "step": 1})
    )
    row_ = next(each for each in many.rows if each.name == "batch")
    assert (row_.count, len(row_.values or ()), row_.domain) == (
        2000,
        1000,
        "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …, 2000",
    )
    assert (many.total, "2000" in many.words) == (2000, True)


def test_another_method_keeps_what_the_file_says_beside_its_options(folder: Path) -> None:
    found = same(
        preview(
            folder, msgspec.structs.replace(asked("study.yaml", "bayesian", search="gp", schedule="median"), seed=None)
        )
    )
    assert "seed: 9" in found.yaml
    assert "repeats: 2" in found.yaml
    assert "resource: epoch" in found.yaml
    assert "promotion" not in found.yaml


def test_a_switch_is_a_word_after_the_script(folder: Path) -> None:
    found = same(
        preview(folder, asked("train.py", "grid", BATCH6, {"mode": "single", "name": "fast", "value": "--fast"}))
    )
    assert found.words[-2:] == ["train.py", "--fast"]
    assert found.plan is not None
    assert found.plan["first"][0]["command"][-2:] == ["--fast", "--batch=8"]


def test_ten_thousand_values(folder: Path) -> None:
    values = [str(n) for n in range(10_000)]
    found = preview(folder, asked("train.py", "grid", {"mode": "multiple", "name": "batch", "values": values}))
    assert (found.total, found.rows[1].count, len(found.rows[1].values or ())) == (10_000, 10_000, 1_000)


def test_the_total_in_words() -> None:
    assert total_line(1, 1) == "Will create a total of 1 trial."
    assert total_line(36, 36) == "Will create a total of 36 trials."
    assert total_line(20, None) == "Will create a total of 20 trials, out of infinitely many configurations."
    assert total_line(20, 1296) == "Will create a total of 20 trials, out of 1,296 configurations."


def test_few_evaluations_are_worth_a_warning(folder: Path) -> None:
    few = preview(folder, asked("train.py", "bayesian", RANGE, trials=29))
    assert any("fewer than 30 evaluations" in text for text in few.warnings)
    assert not preview(folder, asked("train.py", "bayesian", RANGE, trials=30)).warnings
    assert not preview(folder, asked("train.py", "bayesian")).warnings  # one configuration


def test_the_study_file_says_the_same(folder: Path) -> None:
    found = preview(folder, asked("train.py", "grid", LR6, BATCH6, workers=3, name="mine"))
    (folder / "again.yaml").write_text(found.yaml)
    again = plan(["--seed", "1", "again.yaml"])
    (folder / "again.yaml").unlink()
    expected = json.loads(msgspec.json.encode(found.plan))
    assert again["parameters"] == expected["parameters"]
    assert again["trials"] == 36


@pytest.mark.parametrize(
    ("submission", "row", "field"),
    [
        (asked("train.py", "grid", {"mode": "linear", "name": "lr", "start": 0, "end": "x", "step": 1}), "lr", "end"),
        (asked("train.py", "grid", {"mode": "linear", "name": "lr", "start": 0, "end": 1, "step": 0}), "lr", "step"),
        (asked("train.py", "grid", {"mode": "logspace", "name": "lr", "start": 0, "end": 1, "count": ""}), "lr", "count"),
        (asked("train.py", "grid", {"mode": "random", "name": "lr", "min": 2, "max": 1, "count": 3}), "lr", "max"),
        (asked("train.py", "grid", {"mode": "multiple", "name": "batch", "values": ["8", "x"]}), "batch", "values"),
        (asked("train.py", "grid", {"mode": "multiple", "name": "batch", "values": []}), "batch", "values"),
        (asked("train.py", "grid", {"mode": "multiple", "name": "opt", "values": ["rmsprop"]}), "opt", "values"),
        (asked("train.py", "grid", RANGE), "lr", ""),
        (asked("train.py", "single", LR6), "lr", ""),
        (asked("valohai.yaml", "grid", RANGE, step="train"), "lr", ""),
        (asked("valohai.yaml", "grid", {"mode": "single", "name": "batch", "value": "0"}, step="train"), "batch", "value"),
        (asked("valohai.yaml", "grid", {"mode": "multiple", "name": "opt", "values": ["a,b"]}, step="train"), "opt", "values"),
        (asked("study.yaml", "random", {"mode": "single", "name": "lr", "value": ""}), "lr", "value"),
        (asked("train.py", "random", {**RANGE, "min": 0}), "lr", "min"),
        (asked("train.py", "random", {**RANGE, "max": ""}), "lr", "max"),
        (asked("train.py", "random", {**RANGE, "kind": "uniform", "min": 1, "max": 0}), "lr", "max"),
        (asked("train.py", "grid", LR6, metric=None), "", "metric"),
        (asked("train.py", "grid", LR6, goal="approach"), "", "value"),
        (asked("train.py", "grid", LR6, name="no/name"), "", "name"),
        (asked("train.py", "grid", LR6, name="taken"), "", "name"),
        (asked("train.py", "grid", LR6, time="soon"), "", "time"),
        (asked("train.py", "grid", LR6, workers=0), "", "workers"),
        (asked("train.py", "bayesian", RANGE, batch=0), "", "search"),
        (asked("train.py", "bayesian", RANGE, schedule="asha", schedule_options={"eta": "three"}), "", "schedule.eta"),
        (asked("train.py", "bayesian", RANGE, schedule="asha", schedule_options={"eta": 1}), "", "schedule.eta"),
        (asked("train.py", "bayesian", RANGE, schedule="asha", schedule_options={"type": "x"}), "", "schedule.type"),
        (asked("train.py", "bayesian", RANGE, schedule="asha", schedule_options={"levels": "1, x"}), "", "schedule.levels"),
        (asked("train.py", "bayesian", RANGE, schedule="adaptive", schedule_options={"max": 9, "bracket_rungs": "[2,"}), "", "schedule.bracket_rungs"),
        (asked("train.py", "bayesian", RANGE, schedule="curve"), "", "schedule.max"),
        (asked("train.py", "bayesian", RANGE, search="tpe", search_options={"start": "x"}), "", "search.start"),
        (asked("train.py", "bayesian", RANGE, search="tpe", search_options={"start": 10**12}), "", "search.start"),
        (asked("train.py", "bayesian", RANGE, search="gp", search_options={"warp": [1]}), "", "search.warp"),
        (asked("train.py", "bayesian", RANGE, search="tpe", search_options={"repeats": 0}), "", "search.repeats"),
        (asked("train.py", "grid", LR6, {"mode": "single", "name": "fast", "value": "--executor=inline"}), "fast", "value"),
        (asked("train.py", "grid", LR6, {"mode": "multiple", "name": "amp", "values": ["--amp", "--no-amp"]}), "amp", "value"),
        (asked("train.py", "bayesian", {"mode": "multiple", "name": "opt", "values": ["a,b", "sgd", "adam"]}, search="cmaes"), "", "search"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_is(folder: Path, submission: Submission, row: str, field: str) -> None:
    found = preview(folder, submission, taken=frozenset({"taken"}))
    assert [(fault.row, fault.field) for fault in found.faults] == [(row, field)], found.faults
    assert found.plan is None
    assert found.cli == ""
    assert "\n" not in found.faults[0].message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": [{"mode": "single", "name": "nope", "value": 1}]}, "no parameter 'nope'"),
        ({"rows": [{"mode": "single", "name": "lr"}, {"mode": "single", "name": "lr"}]}, "given twice"),
        ({"search": "./mine.py"}, "no search"),
        ({"search": "optuna:TPESampler"}, "no search"),
        ({"schedule": "mine.py"}, "no schedule"),
        ({"search": "tpe", "search_options": {"method": "./mine.py"}}, "tpe has no option 'method'"),
        ({"schedule_options": {"max": 3}}, "none has no option 'max'"),
    ],
)
def test_names_that_there_are_not_are_refused(folder: Path, change: Any, message: str) -> None:
    rows = change.pop("rows", [])
    with pytest.raises(BadInput, match=message):
        preview(folder, asked("train.py", "bayesian", *rows, **change))


@pytest.mark.parametrize(
    "field", ["command", "interpreter", "cwd", "env", "mirrors", "run", "settings", "words", "function"]
)
def test_there_is_no_room_for_a_command(field: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        asked("train.py", "grid", **{field: ["sh", "-c", "true"]})
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        asked("train.py", "grid", {"mode": "single", "name": "lr", "value": 1, field: "x"})


HOSTILE = [
    "a=b",
    "a b",
    "{lr}",
    "rest",
    "__proto__",
    "-p",
    "x.y",
    "search.method",
    "$(touch owned)",
    "'",
    "\u202e",
    "a\nb",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_a_name_or_is_refused(folder: Path, name: str) -> None:
    text = f"import argparse\np = argparse.ArgumentParser()\np.add_argument({'--' + name!r}, type=int)\n"
    (folder / "odd.py").write_text(text)
    row = {"mode": "multiple", "name": name, "values": ["1", "2"]}
    try:
        found = preview(folder, asked("odd.py", "grid", row))
    except BadInput as error:
        found = Preview(rows=[], faults=[Fault(message=error.message)])
    if found.faults:
        assert all(fault.message and "\n" not in fault.message for fault in found.faults)
    else:
        same(found)
        assert found.plan is not None
        assert found.plan["first"][0]["command"][-1] == f"--{name}=1"
    (folder / "odd.py").unlink()


@pytest.mark.parametrize(
    "value", ["--executor=inline", "-h", "x; touch owned", "$(touch owned)", "{lr}", "a=b", "'", "--"]
)
def test_a_value_stays_a_value(folder: Path, value: str) -> None:
    (folder / "free.py").write_text(
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--word', type=str)\n"
    )
    found = same(
        preview(folder, asked("free.py", "grid", {"mode": "multiple", "name": "word", "values": [value, "z"]}))
    )
    assert found.plan is not None
    assert found.plan["first"][0]["command"][-1] == f"--word={value}"
    (folder / "free.py").unlink()
