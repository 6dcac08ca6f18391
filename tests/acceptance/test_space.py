"""Editing the space of a running study, batches, and beginning with what an earlier study found."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

from acceptance.conftest import Bench, until

QUICK = """
import sys
given = dict(word.lstrip("-").split("=") for word in sys.argv[1:])
print("loss:", (float(given["x"]) - 3) ** 2 + (given.get("kind") == "b"))
"""
WAITS = "import os, time\nopen(os.environ['RUNG_TRIAL'] + '.pid', 'w').write(str(os.getpid()))\n" + (
    "while not os.path.exists('go' + os.environ['RUNG_TRIAL']) and not os.path.exists('go'):\n    time.sleep(0.01)\n"
    + QUICK
)
CHECKED = "every decision comes out the same\n"


def proposed(bench: Bench, name: str) -> list[Any]:
    return [row for row in bench.json("why", name) if row["event"] == "proposed"]


def let(bench: Bench, number: int) -> None:
    """The trial may end, and is over."""
    bench.write(f"go{number}", "")
    until(lambda: bench.json("trials")[number]["state"] == "complete", what=f"trial {number} is over")


def running(bench: Bench, numbers: set[int]) -> None:
    """Exactly these trials run."""

    def found() -> bool:
        begun = all((bench.folder / f"{n}.pid").exists() for n in numbers)
        return begun and {t["number"] for t in bench.json("trials") if t["state"] == "running"} == numbers

    until(found, what=f"{numbers} run")


def test_the_space_of_a_running_study_is_edited_and_the_runner_killed(bench: Bench) -> None:
    bench.write("t.py", WAITS)
    words = ("run", "--name", "mine", "-p", "x=uniform(0,1)", "-p", "kind=a,b", "-m", "loss", "-n", "9", "-w", "2")
    first = bench.start(*words, "--search", "random", "--seed", "1", "t.py")
    running(bench, {0, 1})
    let(bench, 0)
    running(bench, {1, 2})
    said = bench.rung("edit", "mine", "--set", "parameters.x.min=2", "--set", "parameters.x.max=4").stderr
    assert "3 of 3 trials are outside of the edited space: the search goes on without" in said
    bench.rung("edit", "mine", "--set", "parameters.kind.values=[a,c]")
    let(bench, 1)  # the runner that works on it follows the log
    running(bench, {2, 3})
    assert 2 <= bench.json("trials")[3]["params"]["x"] <= 4
    os.kill(first.pid, signal.SIGKILL)
    first.wait(timeout=20)
    refused = bench.rung(*words, "--search", "random", "t.py", code=2)
    assert "rung edit mine --set parameters.x.min=0" in refused.stderr
    bench.rung("edit", "mine", "--set", "parameters.x.max=10")  # while nobody runs it
    resumed = bench.start("resume", "-w", "2", "--json")
    until(lambda: len(bench.json("show")["runners"]) == 1, what="the runner is attached")
    bench.write("go", "")
    out, _ = resumed.communicate(timeout=30)
    trials = bench.json("trials")
    assert [t["state"] for t in trials] == ["complete"] * 9
    assert [t["attempt"] for t in trials] == [1] * 9  # those that ran were adopted
    assert [t["number"] for t in trials if t["params"]["x"] < 2] == [0, 1, 2]
    assert {t["params"]["kind"] for t in trials[3:]} <= {"a", "c"}
    assert json.loads(out)["value"] == min(t["value"] for t in trials)
    versions = ["(space 4)" in row["why"] for row in proposed(bench, "mine")]
    assert versions == [False] * 4 + [True] * 5
    paths = [change["path"] for change in bench.json("show", "mine")["changes"]]
    assert paths == ["parameters.x.min", "parameters.x.max", "parameters.kind.values", "parameters.x.max"]
    assert bench.rung("replay", "--check").stdout.endswith(CHECKED)


def test_an_edit_opens_a_finished_grid(bench: Bench) -> None:
    bench.write("t.py", QUICK)
    bench.rung("run", "--search", "grid", "-n", "50", "-p", "x=1,2", "-p", "kind=a,b", "-m", "loss", "t.py")
    assert len(bench.json("trials")) == 4
    said = bench.rung("edit", "t-1", "--set", "parameters.x.values=[2,3]").stderr
    assert "2 of 4 trials are outside" in said
    assert "no runner is attached: rung resume t-1" in said
    bench.rung("resume")
    assert [t["params"] for t in bench.json("trials")][4:] == [{"x": 3, "kind": "a"}, {"x": 3, "kind": "b"}]
    assert bench.rung("replay", "--check").stdout.endswith(CHECKED)


def test_what_an_edit_may_not_do(bench: Bench) -> None:
    bench.write("t.py", QUICK)
    bench.rung("run", "-n", "1", "-p", "x=uniform(0,1)", "-m", "loss", "t.py")
    before = bench.json("show")
    for setting, message in {
        "parameters.x.type=int": "parameters.x.type: cannot become int in a study that exists",
        "parameters.y={type: bool}": "parameters.y: cannot be added to a study that exists",
        "parameters.x.max=-1": "must be below max",
        "objective.goal=maximize": "only budget.*, run.*, parameters.* and constraints can change",
    }.items():
        said = bench.rung("edit", "t-1", "--set", setting, code=2).stderr
        assert message in said
        assert said.count("\n") == 1
    assert bench.json("show") == before


def test_a_batch_waits_for_every_trial_of_the_one_before(bench: Bench) -> None:
    bench.write("t.py", WAITS)
    words = ("-p", "x=uniform(0,1)", "-m", "loss", "-n", "5", "-w", "3", "--set", "search.batch=2")
    bench.rung("run", *words, "--set", "search.lag=1", "t.py", code=2)
    runner = bench.start("run", *words, "t.py")
    running(bench, {0, 1})
    let(bench, 1)
    running(bench, {0})
    let(bench, 0)
    running(bench, {2, 3})
    bench.write("go", "")
    runner.communicate(timeout=30)
    assert [t["state"] for t in bench.json("trials")] == ["complete"] * 5
    assert bench.json("show")["spec"]["search"]["batch"] == 2
    assert bench.rung("replay", "--check").stdout.endswith(CHECKED)


FROM_OLD = ("--name", "new", "--from", "old", "-p", "x=uniform(0,8)", "-p", "kind=b,a", "-m", "loss", "-n", "3",
            "--search", "tpe")  # fmt: skip
MATCHED = "warm start from old: 6 of 6 trials match (x; `kind` is new: taken as b)\n"


def old(bench: Bench, trials: int = 6) -> None:
    """There is a study to learn from."""
    bench.write("t.py", QUICK)
    words = ("--name", "old", "-p", "x=uniform(0,4)", "-m", "loss", "-n", str(trials), "--search", "random")
    bench.rung("run", *words, "-w", "2", "t.py")


def test_a_study_begins_with_what_another_one_found(bench: Bench) -> None:
    old(bench)
    assert MATCHED in bench.rung("plan", *FROM_OLD, "t.py").stderr
    assert [study["name"] for study in bench.json("ls")] == ["old"]
    assert MATCHED in bench.rung("run", *FROM_OLD, "t.py").stderr
    shown = bench.json("show", "new")
    assert shown["earlier"] == [{"study": "old", "read": 6, "trials": 6}]
    assert shown["counts"]["complete"] == 3
    assert "from     old: 6 of its 6 trials were read\n" in bench.rung("show", "new").stdout


def test_it_goes_on_without_the_other_one(bench: Bench) -> None:
    old(bench)
    bench.rung("run", *FROM_OLD, "t.py")
    bench.rung("rm", "old", "--yes")
    again = bench.rung("run", *FROM_OLD, "t.py").stderr
    assert "study new exists: --from only counts for a new one, and is left out" in again
    bench.rung("edit", "new", "--set", "parameters.x.max=2", "--set", "budget.trials=5")
    bench.rung("resume", "new")
    assert bench.rung("replay", "new", "--check").stdout.endswith(CHECKED)


def test_studies_that_cannot_be_learned_from(bench: Bench) -> None:
    old(bench, trials=2)
    for words, message in {
        ("--from", "odl", "-p", "x=uniform(0,4)", "-m", "loss"): "--from: no study named odl",
        ("--from", "old", "-p", "y=uniform(0,4)", "-m", "loss"): "study old knows 0 of the 1 parameters",
        ("--from", "old", "-p", "x=uniform(5,9)", "-m", "loss"): "none of the 2 trials of study old is in the space",
        ("--from", "old", "-p", "x=uniform(0,4)", "-m", "acc:max"):
            "study old was to minimize loss, this one is to maximize acc",
        ("--from", "old", "--from", "old", "-p", "x=uniform(0,4)", "-m", "loss"): "study old is given twice",
    }.items():  # fmt: skip
        said = bench.rung("run", *words, "t.py", code=2).stderr
        assert message in said
        assert said.count("\n") == 1
    assert [study["name"] for study in bench.json("ls")] == ["old"]
