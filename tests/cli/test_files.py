"""`lint`, `convert`, `plan` and `doctor`."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.conftest import Call
from rung.api.scripts import read_script
from rung.dialects import RungDialect

STUDY = """\
command: python t.py
parameters:
  lr:
    type: float
    min: 1e-5
    max: 1
  net:
    width: {type: choice, values: [8, 16, 32]}
    depth: [1, 2]
constraints:
  - lr > 2
objective: loss
"""


@pytest.fixture
def place(call: Call, tmp_path: Path) -> Path:
    """A directory with a script and a study file."""
    (tmp_path / "t.py").write_text("print('loss: 1')\n")
    (tmp_path / "study.yaml").write_text(STUDY)
    return tmp_path


def test_lint_names_line_and_key(place: Path, call: Call) -> None:
    lines = call("lint", "study.yaml", code=1).out.splitlines()
    heads = [line.partition(": ")[0] for line in lines]
    keys = [line.split(": ")[1] for line in lines]
    assert list(zip(heads, keys, strict=True)) == [
        ("study.yaml:3", "parameters.lr.scale"),
        ("study.yaml:8", "parameters.net.width.type"),
        ("study.yaml:9", "parameters.net.depth"),
        ("study.yaml:11", "constraints[0]"),
    ]
    found = call("lint", "--json", "study.yaml", code=1).json
    assert [(f["place"], f["key"]) for f in found] == list(zip(heads, keys, strict=True))


def test_lint_of_a_file_that_run_refuses(place: Path, call: Call) -> None:
    (place / "study.yaml").write_text(STUDY.replace("t.py", "missing.py"))
    assert call("lint", "study.yaml", code=1).out.startswith(
        "study.yaml: command: the script missing.py does not exist"
    )
    (place / "study.yaml").write_text(STUDY.replace("min: 1e-5", "min: 2"))
    assert call("lint", "study.yaml", code=1).out.startswith("study.yaml:5: parameters.lr.min: must be below max")


def test_lint_of_what_cannot_be_read(place: Path, call: Call) -> None:
    (place / "study.yaml").write_text("a: [\n")
    assert call("lint", "study.yaml", code=2).out == ""


def test_lint_of_a_clean_file_says_nothing(place: Path, call: Call) -> None:
    (place / "study.yaml").write_text(
        "command: python t.py\nparameters: {x: {type: int, min: 1, max: 9}}\nobjective: loss\n"
    )
    assert call("lint", "study.yaml") == (0, "", "")
    assert not (place / "runs").exists()


def test_convert_writes_what_reads_back_the_same(place: Path, call: Call) -> None:
    text = call("convert", "study.yaml").out
    read = RungDialect().read
    assert read(text, file="x.yaml") == read(STUDY, file="study.yaml")
    call("convert", "study.yaml", "-o", "out.yaml")
    assert (place / "out.yaml").read_text() == text


def test_plan_of_a_finite_space(place: Path, call: Call) -> None:
    plan = call("plan", "-p", "x=1,2", "-p", "y=0.5", "-m", "loss", "-n", "50", "--json", "t.py").json
    assert (plan["size"], plan["trials"], len(plan["first"])) == (2, 2, 2)
    assert [each["params"] for each in plan["first"]] == [{"x": 1, "y": 0.5}, {"x": 2, "y": 0.5}]
    assert plan["parameters"][1] == {
        "name": "y", "type": "constant", "min": None, "max": None, "scale": None, "step": None, "values": [0.5],
        "default": None, "when": None,
    }  # fmt: skip
    assert "grid" in plan["search"]


def test_plan_for_people(place: Path, call: Call) -> None:
    said = call("plan", "-p", "x=uniform(1,1000)", "-m", "loss", "t.py")
    assert "trials   100 trials (the default; change it with -n)" in said.out
    assert f"python {place}/t.py --x=" in said.out
    assert said.err.startswith("warning: parameters.x.scale: ")


def test_plan_of_a_single_configuration(place: Path, call: Call) -> None:
    lines = call("plan", "-p", "x=1", "-m", "loss", "-n", "5", "t.py").out.splitlines()
    assert lines[:2] == ["space    1 configuration", "trials   1 trial"]


def test_plan_of_a_searcher_that_cannot_describe_itself(place: Path, call: Call) -> None:
    (place / "mine.py").write_text(
        "from rung.search.base import Suggestion\n\n\nclass Mine:\n    def __init__(self, problem): ...\n"
        "    def observe(self, deltas): ...\n    def suggest(self, number, pending, taken, rng):\n"
        "        return Suggestion(params={'x': rng.random()}, text='drawn')\n"
    )
    plan = call("plan", "-p", "x=uniform(0,1)", "-m", "loss", "--search", "./mine.py", "--json", "t.py").json
    assert plan["search"].endswith(
        "mine.py: asked what it will do, it raised AttributeError: 'Mine' object has no attribute 'describe'"
    )
    assert len(plan["first"]) == 10


@pytest.mark.parametrize("method", ["gp", "quadratic", "tpe", "cmaes", "evolution", "de", "nsga2", "sobol", "random"])
def test_plan_of_each_method_of_the_page(place: Path, call: Call, method: str) -> None:
    plan = call("plan", "-p", "x=uniform(0,1)", "-m", "loss", "-n", "4", "--search", method, "--json", "t.py").json
    assert plan["search"].startswith(f"{method}: ")


@pytest.mark.slow
def test_a_probe_runs_trials_and_keeps_nothing(place: Path, call: Call) -> None:
    plan = call("plan", "-p", "x=uniform(0,1)", "-m", "loss", "--probe", "2", "--json", "t.py").json
    probe = plan["probe"]
    assert (probe["trials"], probe["failed"]) == (2, 0)
    assert probe["seconds_total"] == pytest.approx(100 * probe["seconds_each"])
    assert sorted(path.name for path in place.iterdir()) == ["study.yaml", "t.py"]


def test_doctor_finds_what_there_is(place: Path, call: Call) -> None:
    found = {row["what"]: row for row in call("doctor", "--json", code=None).json}
    assert "not there yet" in found["store"]["found"] or found["store"]["grade"] == "ok"
    assert "random" in found["search"]["found"]
    assert "local" in found["execute"]["found"]
    assert found["append"]["found"].startswith("0.") or " ms for one durable append" in found["append"]["found"]
    assert sorted(path.name for path in place.iterdir()) == ["study.yaml", "t.py"]


def test_doctor_says_what_is_wrong_with_a_store(place: Path, call: Call) -> None:
    said = call("doctor", "--store", "sqlite:///t.py", "--json", code=1)
    assert [row["what"] for row in said.json if row["grade"] == "bad"] == ["store"]


SCRIPT = """\
import argparse, json, click, rung
parser = argparse.ArgumentParser()
parser.add_argument("-l", "--lr", type=float, default=0.1)
parser.add_argument("--opt", choices=["sgd", "adam"])
parser.add_argument("data")
@click.option("--depth/--no-depth", default=True)
def main(depth): ...
for epoch in range(3):
    print(f"epoch: {epoch} val_loss: {1 / (epoch + 1):.3f} acc={epoch}")
    print("time = %.2f" % 3.0)
    print("kappa:", epoch)
    print(json.dumps({"f1": 0.5}))
    rung.report(auc=0.3, epoch=epoch)
    rung.report({"mse": 1})
print("done.")
"""


def test_doctor_reads_a_script(place: Path, call: Call) -> None:
    (place / "s.py").write_text(SCRIPT + "raise SystemExit('it was run')\n")
    found = read_script(place / "s.py")
    assert [(o.name, o.type, o.default, o.choices, o.line) for o in found.options] == [
        ("lr", "float", "0.1", None, 3),
        ("opt", None, None, ["sgd", "adam"], 4),
        ("depth", None, "True", None, 6),
    ]
    assert [(m.name, m.how) for m in found.metrics] == [
        ("val_loss", "printed"), ("acc", "printed"), ("time", "printed"), ("kappa", "printed"),
        ("f1", "printed as JSON"), ("auc", "reported"), ("mse", "reported"),
    ]  # fmt: skip
    said = call("doctor", "s.py")
    assert "begin with: rung run -p lr=RANGE -m mse s.py" in said.out
    assert "nothing was run" in said.out


def test_doctor_on_what_is_no_python(place: Path, call: Call) -> None:
    (place / "bad.py").write_text("def (:\n")
    assert call("doctor", "bad.py", code=2).err.startswith("rung: bad.py:1: not Python: ")
    (place / "fit.sh").write_text("#!/bin/sh\n")
    assert "chmod +x" in call("doctor", "fit.sh", code=1).out
