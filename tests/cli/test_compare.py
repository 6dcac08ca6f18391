"""`rung compare` from the command line: real runs, simulated ones, studies that exist, and what is said of each."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from cli.conftest import Call, Said

PROGRAM = """
import rung

def score(p):
    if p["x"] < p["below"]:
        raise ValueError("too low")
    for epoch in (1, 2):
        rung.report(loss=p["x"] + 1 / epoch, epoch=epoch)
    return p["x"] + 0.5
"""
STUDY = """
function: f.py:score
parameters:
  x: {type: float, min: 0, max: 1}
  below: 0
objective: loss
budget: {trials: 3}
run: {executor: inline}
"""
CURVES = """
parameters:
  x: {type: float, min: 0, max: 1}
command: python nothing.py
objective: loss
schedule: {method: asha, resource: epoch, min: 1, max: 4, eta: 2}
budget: {trials: 8}
run: {workers: 4}
"""


@pytest.fixture
def place(call: Call, tmp_path: Path) -> Path:
    """A directory with a study file `toy.yaml`, and a table of curves with its own, `curves.yaml`."""
    (tmp_path / "f.py").write_text(PROGRAM)
    (tmp_path / "toy.yaml").write_text(STUDY)
    (tmp_path / "curves.yaml").write_text(CURVES)
    rows = [f"{i / 20},{epoch},{i / 20 + 1 / epoch},{epoch}" for i in range(21) for epoch in range(1, 5)]
    (tmp_path / "curves.csv").write_text("\n".join(["x,epoch,loss,seconds", *rows]) + "\n")
    return tmp_path


@pytest.mark.slow
def test_methods_times_seeds_and_the_same_again(place: Path, call: Call) -> None:
    words = ("compare", "toy.yaml", "--methods", "random,de", "--seeds")
    said = call(*words, "1")
    assert said.out.splitlines()[0].split()[:3] == ["method", "runs", "mean"]
    assert "nothing is settled" in said.out
    folders = [p.name for p in (place / "runs").iterdir() if p.is_dir()]
    assert sorted(folders) == ["compare-toy", "toy-de-s0", "toy-random-s0"]
    assert "2/2 toy-" in said.err
    assert (place / "runs" / "compare-toy" / "comparison.svg").read_text().startswith("<svg")

    again = call(*words, "1", "--json", "--over", "trials", "--out", "elsewhere")
    assert "is done" not in again.err  # nothing was left to do
    assert [run["state"] for run in again.json["runs"]] == ["complete"] * 2
    assert [run["spent"]["trials"] for run in again.json["runs"]] == [3] * 2
    assert json.loads((place / "elsewhere" / "comparison.json").read_text()) == again.json

    more = call("compare", "toy.yaml", "--methods", "random", "--seeds", "2", "--trials", "4", "--json", "--final")
    assert more.err.count("is done") == 2  # one goes on, the other is new
    assert [run["spent"]["trials"] for run in more.json["runs"]] == [4, 4]
    shown = call("show", "toy-random-s1", "--json").json
    assert (shown["seed"], shown["spec"]["search"]["method"]) == (1, "random")

    existing = call("compare", "--studies", "toy-random-s0", "toy-random-s1", "--final", "--json").json
    assert existing["methods"] == ["toy-random"]
    assert [run["final"] for run in existing["runs"]] == [run["final"] for run in more.json["runs"]]


@pytest.mark.slow
def test_one_failing_run_does_not_end_the_rest(place: Path, call: Call) -> None:
    (place / "bad.yaml").write_text(STUDY.replace("below: 0", "below: 2"))
    said = call("compare", "toy.yaml", "--methods", "bad.yaml,random", "--seeds", "1", code=1)
    assert "1 of 2 runs failed:\n  toy-bad-s0: " in said.err
    lines = {line.split()[0]: line for line in said.out.splitlines()[1:3]}
    assert lines["bad"].split()[-1] == "5"  # trials that failed, and then it was given up
    assert lines["random"].split()[1] == "1"


@pytest.mark.slow
def test_a_comparison_on_a_virtual_clock(place: Path, call: Call) -> None:
    plain = ("compare", "curves.yaml", "--table", "curves.csv", "--methods", "random+none,random", "--seeds", "1")
    words = (*plain, "--conditions", "--free-decisions --startup 1s")
    found = call(*words, "--over", "resource", "--json").json
    assert [run["study"] for run in found["runs"]] == ["curves-simulated-random-none-s0", "curves-simulated-random-s0"]
    full, stopped = (run["spent"] for run in found["runs"])
    assert full["resource"] == 8 * 4
    assert stopped["resource"] < full["resource"]
    assert stopped["time"] < full["time"]
    assert found["over"] == "resource"
    assert "is done" not in call(*words).err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("f.py",), "f.py: expected a study file"),
        (("toy.yaml", "--methods", "randon"), "--methods: unknown searcher 'randon'; did you mean `random`?"),
        (("toy.yaml", "--seeds", "none"), "--seeds: expected a number of seeds"),
        (("toy.yaml", "--dataset", "7"), "--dataset: only counts with --table"),
        (("toy.yaml", "--store", "memory://"), "--store: runs are processes of their own"),
        (("--studies", "gone"), "no store there"),
    ],
)
def test_what_cannot_be_compared(place: Path, call: Call, words: tuple[str, ...], said: str) -> None:
    assert said in call("compare", *words, code=2).err
    assert not (place / "runs").exists()


def test_studies_that_exist_over_cost(study: Path, call: Call) -> None:
    assert "set run.price" in call("compare", "--studies", "score-1", "--over", "cost", code=2).err
    shutil.rmtree(study / "runs" / "compare-studies", ignore_errors=True)
    said: Said = call("compare", "--studies", "score-1", "--format", "csv")
    head, row = said.out.splitlines()
    assert head.startswith("problem,method,runs,mean,")
    assert row.startswith("studies,score-1,1,0.0,")
