"""What bad input gets: one line that says where and what to do, exit code 2, nothing started, nothing written."""

from __future__ import annotations

import contextlib
import io
import json
import re
import sqlite3
from pathlib import Path

import pytest

from rung.cli.main import main

HEAD = "command: python t.py\nobjective: loss\n"
FLOAT = "{type: float, min: 0, max: 1}"
FILES = {
    "broken.yaml": (HEAD + "parameters: {lr: [1, 2\n", r"broken\.yaml:[34]: not valid YAML"),
    "broken.toml": ("command = 'x'\nobjective = \n", r"broken\.toml:2: "),
    "broken.json": ('{"command": "x",}', r"broken\.json:1: "),
    "empty.yaml": ("", r"empty\.yaml: expected a mapping"),
    "list.yaml": ("- 1\n", r"list\.yaml"),
    "bomb.yaml": (
        HEAD + "parameters: {" + ", ".join(
            f"{b}: &{b} [{', '.join([f'*{a}' if a else '1'] * 10)}]" for a, b in zip(["", *"abcdef"], "abcdefg", strict=True)
        ) + "}\n", r"bomb\.yaml:3: its aliases expand",
    ),
    "unknown.yaml": (HEAD + f"parametres: {{lr: {FLOAT}}}\n", r"unknown\.yaml:3: parametres: .*did you mean `parameters`"),
    "key.yaml": (HEAD + "parameters: {lr: {type: float, min: 0, maxx: 1}}\n", r"key\.yaml:3: .*'max'"),
    "crossed.yaml": (HEAD + "parameters: {lr: {type: float, min: 1, max: 0.5}}\n", r"crossed\.yaml:3: parameters\.lr\.min: "),
    "log.yaml": (
        HEAD + "parameters: {lr: {type: float, min: 0, max: 1, scale: log}}\n", r"log\.yaml:3: parameters\.lr\.min: .*log"
    ),
    "step.yaml": (
        HEAD + "parameters: {lr: {type: int, min: 0, max: 3, step: 10}}\n", r"step\.yaml:3: parameters\.lr\.step: "
    ),
    "self.yaml": (HEAD + "parameters: {lr: {type: float, min: 0, max: 1, when: lr > 0}}\n", r"self\.yaml:3: .*circle"),
    "name.yaml": (HEAD + "parameters: {lr: {type: float, min: 0, max: 1, when: opt > 0}}\n", r"name\.yaml:3: .*'opt'"),
    "call.yaml": (
        HEAD + "parameters: {lr: {type: float, min: 0, max: 1, when: 'open(1)'}}\n", r"call\.yaml:3: .*calls are not allowed"
    ),
    "dunder.yaml": (
        HEAD + f"parameters: {{a: {FLOAT}, b: {{type: float, min: 0, max: 1, when: a.__class__}}}}\n", r"dunder\.yaml:3: "
    ),
    "twice.yaml": (HEAD + "parameters: {lr: 1, lr: 2}\n", r"twice\.yaml:3: parameters\.lr: duplicate key"),
    "script.yaml": (
        f"command: python missing.py\nparameters: {{lr: {FLOAT}}}\nobjective: loss\n", r"script\.yaml: command: .*missing\.py"
    ),
    "norun.yaml": (f"command: ./norun.sh\nparameters: {{lr: {FLOAT}}}\nobjective: loss\n", r"norun\.yaml: command: .*chmod"),
    "brace.yaml": (f"command: x {{y}}\nparameters: {{lr: {FLOAT}}}\nobjective: loss\n", r"brace\.yaml:1: .*placeholder"),
    "metric.yaml": (f"command: python t.py\nparameters: {{lr: {FLOAT}}}\n", r"which metric\?"),
    "study-name.yaml": (HEAD + f"name: ../up\nparameters: {{lr: {FLOAT}}}\n", r"study-name\.yaml:3: name: "),
    "search.yaml": (HEAD + f"search: tpee\nparameters: {{lr: {FLOAT}}}\n", r"unknown search"),
    "option.yaml": (HEAD + f"search: {{method: random, foo: 1}}\nparameters: {{lr: {FLOAT}}}\n", r"no option `foo`|takes none"),
    "function.yaml": (f"function: t.py:nothing\nparameters: {{lr: {FLOAT}}}\nobjective: loss\n", r"no function 'nothing'"),
}  # fmt: skip
X = ("-p", "x=uniform(0,1)", "-m", "loss")
WORDS = [
    ((), "expected a TARGET"),
    (("missing.py",), r"missing\.py: no such file"),
    ((*X, "tt.py"), "did you mean `t.py`"),
    ((*X, "norun.sh"), r"norun\.sh: cannot be executed: run `chmod \+x"),
    ((*X, "."), "is a directory"),
    ((*X, "t.py:nothing"), "no function 'nothing'"),
    ((*X, "nomodule:fn"), "no module 'nomodule'"),
    ((*X, "--"), "expected a command after `--`"),
    ((*X, "--", "./t", "{y}"), r"`\{y\}` in the command is no parameter"),
    ((*X, "--frobnicate", "t.py"), "no such option '--frobnicate'"),
    (("-p", "x=1,2", "t.py"), "which metric"),
    (("-p", "x", "-m", "loss", "t.py"), "-p: expected NAME=RANGE"),
    (("-p", "x=uniform(2,1)", "-m", "loss", "t.py"), r"-p x=uniform\(2,1\): min: must be below max"),
    (("-p", "x=loguniform(0,1)", "-m", "loss", "t.py"), "above 0 on a log scale"),
    (("-p", "x=unifrom(0,1)", "-m", "loss", "t.py"), "uniform"),
    (("-p", "rest=1,2", "-m", "loss", "t.py"), "reserved"),
    ((*X, "-p", "x=1", "t.py"), "-p x: is given twice"),
    ((*X, "-m", "acc:up", "t.py"), "-m: expected NAME, NAME:min or NAME:max"),
    ((*X, "-n", "0", "t.py"), "--trials: must be 1 or more"),
    ((*X, "-n", "many", "t.py"), "not a valid integer"),
    ((*X, "-w", "0", "t.py"), "--workers: must be 1 or more"),
    ((*X, "--time", "soon", "t.py"), "--time: expected a duration"),
    ((*X, "--trial-timeout", "-1s", "t.py"), "--trial-timeout: expected a duration"),
    ((*X, "--target", "nan", "t.py"), "--target: expected a number"),
    ((*X, "--seed", "-1", "t.py"), "--seed: must be 0 or more"),
    ((*X, "--search", "magic", "t.py"), "unknown searcher 'magic'"),
    ((*X, "--search", "none.py", "t.py"), "none.py: no such file"),
    ((*X, "--schedule", "magic", "t.py"), "unknown scheduler 'magic'"),
    ((*X, "--executor", "magic", "t.py"), "unknown executor 'magic'"),
    ((*X, "--inject", "magic", "t.py"), "'magic' is not one of"),
    ((*X, "--inject", "source", "--", "true"), "--inject: `source` puts values into the script"),
    ((*X, "--from", "other", "t.py"), "--from: no store there"),
    ((*X, "--set", "budget", "t.py"), "--set: expected key.path=value"),
    ((*X, "--set", "budgget.trials=1", "t.py"), "did you mean `budget`"),
    ((*X, "--set", "budget.trials=x", "t.py"), "--set budget.trials: expected a whole number"),
    ((*X, "--cpus-per-trial", "100000", "t.py"), "cpus: a trial wants 100000"),
    ((*X, "--name", "../x", "t.py"), "--name: .*cannot name a study"),
    ((*X, "--name", "two words", "t.py"), "--name: .*cannot name a study"),
    ((*X, "--name", "x" * 300, "t.py"), "--name: a study's name has at most 100 characters, this one has 300"),
    ((*X, "--name", "12", "t.py"), "--name: .*a bare number is a trial"),
    ((*X, "--store", "sqlite:///folder", "t.py"), "is a directory"),
    ((*X, "--dir", "t.py", "t.py"), "t.py is not a directory; name another path"),
    ((*X, "--store", "sqlite:///text.db", "t.py"), "not a Rung store"),
    ((*X, "--store", "sqlite:///newer.db", "t.py"), "written by a newer Rung"),
    ((*X, "--store", "sqlite:///other.db", "t.py"), "another program"),
    ((*X, "--store", "mysql://host/db", "t.py"), "unknown store 'mysql'"),
]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a script, and stores that cannot be used."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-config"))
    for name in ("RUNG_STORE", "RUNG_DIR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "t.py").write_text("open('ran', 'w')\n")
    (tmp_path / "norun.sh").write_text("#!/bin/sh\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.db").write_text("hello")
    for name, application, version in (("newer.db", 1381322311, 99), ("other.db", 7, 1)):
        with contextlib.closing(sqlite3.connect(tmp_path / name)) as store:
            store.execute(f"pragma application_id = {application}")
            store.execute(f"pragma user_version = {version}")
            store.execute("create table t (a)")
    return tmp_path


def refused(words: tuple[str, ...]) -> str:
    """The one line that `rung WORDS…` says when it refuses them with exit code 2."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    said = err.getvalue()
    assert (code, out.getvalue(), said.count("\n")) == (2, "", 1), said
    assert said.startswith("rung: ")
    return said


def untouched(place: Path, before: list[Path]) -> bool:
    """Whether nothing was written and nothing ran."""
    return sorted(place.rglob("*")) == before


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("verb", ["run", "plan"])
def test_a_bad_study_file(place: Path, name: str, verb: str) -> None:
    text, expected = FILES[name]
    (place / name).write_text(text)
    before = sorted(place.rglob("*"))
    assert re.search(expected, refused((verb, name)))
    assert untouched(place, before)


@pytest.mark.parametrize(
    ("words", "expected"), WORDS, ids=lambda part: part if isinstance(part, str) else " ".join(part)[-40:]
)
def test_a_bad_command_line(place: Path, words: tuple[str, ...], expected: str) -> None:
    before = sorted(place.rglob("*"))
    assert re.search(expected, refused(("run", *words)))
    assert untouched(place, before)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("frob",), "no verb `frob`"),
        (("trails",), "did you mean `trials`"),
        (("ls",), r"no store there; `rung run` makes one"),
        (("show", "nothing"), "no store there"),
        (("stop",), "missing argument 'STUDY'"),
        (("rm",), "missing argument 'STUDY'"),
        (("rm", "7"), "expected the name of a study"),
        (("edit", "x"), "missing option '--set'"),
        (("lint", "missing.yaml"), r"missing\.yaml: cannot be read"),
        (("convert", "missing.yaml"), r"missing\.yaml: cannot be read"),
        (("doctor", "missing.py"), r"missing\.py: no such file"),
    ],
)
def test_another_verb(place: Path, words: tuple[str, ...], expected: str) -> None:
    before = sorted(place.rglob("*"))
    assert re.search(expected, refused(words))
    assert untouched(place, before)


def test_yaml_1_1_is_no_trap(place: Path) -> None:
    (place / "study.yaml").write_text(
        HEAD + "parameters:\n  lr: {type: float, min: 1e-5, max: 1e-1, scale: log}\n"
        "  flag: {type: choice, values: [on, no, yes, off, 010]}\n"
    )
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["plan", "--json", "study.yaml"]) == 0
    assert json.loads(out.getvalue())["parameters"][0]["min"] == 1e-5
    assert re.search(r'"on",\s+"no",\s+"yes",\s+"off",\s+', out.getvalue())
