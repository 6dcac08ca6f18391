"""A study's life: finished names, changed specs, failures, signals, resuming, and what is said on the way."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.conftest import Bench, until

QUICK = "import sys\nprint('loss:', sys.argv[1].partition('=')[2])\n"
WAITS = """
import os, sys, time
open(os.environ["RUNG_TRIAL"] + ".pid", "w").write(str(os.getpid()))
print("epoch: 0 loss: 9", flush=True)
while not os.path.exists("go"):
    time.sleep(0.01)
print("epoch: 1 loss:", sys.argv[1].partition("=")[2])
"""
STUBBORN = "import signal\nfor number in (2, 15): signal.signal(number, signal.SIG_IGN)\n" + WAITS
SPACE = ("-p", "x=1,2,3", "-m", "loss")


def pids(bench: Bench, count: int) -> list[int]:
    """The processes of the first `count` trials, once they run."""

    def found() -> list[int]:
        texts = [path.read_text() for path in sorted(bench.folder.glob("*.pid"))]
        return [int(text) for text in texts if text] if len(texts) == count and all(texts) else []

    running: list[int] = until(found, what=f"{count} trials run")
    return running


def exists(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except FileNotFoundError:
        return False


def test_the_name_of_a_finished_study_prints_its_best(bench: Bench) -> None:
    bench.write("t.py", QUICK)
    words = ["run", "--name", "mine", *SPACE, "--json", "t.py"]
    first = bench.rung(*words)
    before = bench.json("show", "mine")
    again = bench.rung(*words)
    assert json.loads(again.stdout) == json.loads(first.stdout)
    assert bench.json("show", "mine") == before
    assert [study["name"] for study in bench.json("ls")] == ["mine"]
    other = bench.rung("run", "--name", "mine", "-p", "x=1,2,4", "-m", "loss", "--json", "t.py")
    assert "that was another search: parameters.x.values was [1, 2, 3], is [1, 2, 4]" in other.stderr
    assert json.loads(other.stdout) == json.loads(first.stdout)


def test_without_a_name_each_run_is_a_new_study(bench: Bench) -> None:
    bench.write("t.py", QUICK)
    for _ in range(2):
        bench.rung("run", "-n", "1", *SPACE, "t.py")
    assert [study["name"] for study in bench.json("ls")] == ["t-1", "t-2"]
    assert bench.json("show")["name"] == "t-2"


def test_a_changed_search_is_refused_and_a_changed_budget_is_logged(bench: Bench) -> None:
    bench.write("t.py", WAITS)
    running = bench.start("run", "--name", "mine", "-n", "2", *SPACE, "t.py")
    pids(bench, 1)
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=20) == 130
    changed = bench.rung("run", "--name", "mine", "-n", "2", "-p", "x=1,2,4", "-m", "loss", "t.py", code=2)
    assert re.search(r"parameters\.x\.values: was \[1, 2, 3\], is \[1, 2, 4\].*rung edit mine", changed.stderr)
    assert bench.rung("run", "--name", "mine", "-n", "2", *SPACE, "--search", "random", "t.py", code=2)
    bench.write("go", "")
    more = bench.rung("run", "--name", "mine", "-n", "3", *SPACE, "t.py")
    assert "changed budget.trials: 2 -> 3" in more.stderr
    shown = bench.json("show", "mine")
    assert (shown["state"], shown["counts"]["complete"]) == ("complete", 3)
    assert [(c["path"], c["old"], c["new"]) for c in shown["changes"]] == [("budget.trials", 2, 3)]


def test_a_study_in_which_all_fails_ends_with_3(bench: Bench) -> None:
    bench.write("t.py", "import sys\nprint('about to fail')\nsys.exit('no luck')\n")
    done = bench.rung("run", "-p", "x=uniform(0,1)", "-m", "loss", "--json", "t.py", code=3)
    assert json.loads(done.stdout) is None
    trials = bench.json("trials")
    assert [t["state"] for t in trials] == ["failed"] * 5
    assert "no luck" in trials[0]["error"]
    assert "the first 5 trials all failed" in done.stderr
    told = bench.rung("logs", "2")
    assert told.stdout == "about to fail\n"
    assert told.stderr.startswith("it wrote to stderr too: rung logs ")
    assert bench.rung("logs", "2", "--err").stdout == "no luck\n"
    assert bench.rung("best", code=3).stderr.count("\n") == 1


def test_the_failure_limit_ends_with_3_although_a_trial_succeeded(bench: Bench) -> None:
    bench.write("t.py", "import sys\nx = int(sys.argv[1][4:])\nprint('loss:', x)\nsys.exit(x > 1)\n")
    done = bench.rung("run", *SPACE, "--max-failures", "1", "--json", "t.py", code=3)
    assert json.loads(done.stdout)["value"] == 1


def test_a_program_that_never_reports_its_metric(bench: Bench) -> None:
    bench.write("t.py", 'print(\'{"acc": 0.5, "size": 3}\')\n')
    bench.rung("run", *SPACE, "t.py", code=3)
    assert bench.json("trials")[0]["error"] == "ended without reporting loss; it reported acc, size"


def test_ctrl_c_ends_the_trials_and_resume_finishes_them(bench: Bench) -> None:
    bench.write("t.py", WAITS)
    running = bench.piped("run", "-w", "2", *SPACE, "t.py")
    trials = pids(bench, 2)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=20)
    assert running.returncode == 130
    assert "go on with: rung resume t-1" in said
    assert not any(map(exists, trials))
    assert bench.json("show")["state"] == "interrupted"
    bench.write("go", "")
    best = json.loads(bench.rung("resume", "--json").stdout)
    assert (best["value"], best["attempt"]) == (1, 2)
    assert [t["state"] for t in bench.json("trials")] == ["complete"] * 3
    assert bench.rung("replay", "--check").stdout.endswith("every decision comes out the same\n")


def test_ctrl_c_twice_kills(bench: Bench) -> None:
    bench.write("t.py", STUBBORN)
    running = bench.start("run", *SPACE, "--set", "run.grace=300", "t.py")
    (trial,) = pids(bench, 1)
    running.send_signal(signal.SIGINT)
    folder = bench.folder / "runs" / "t-1" / "00000" / "1"
    until((folder / "stop").exists, what="the trial was asked to stop")
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=20)
    assert (running.returncode, exists(trial)) == (130, False)
    assert "rung resume t-1" in said


def test_sigterm_ends_with_143(bench: Bench) -> None:
    bench.write("t.py", WAITS)
    running = bench.start("run", *SPACE, "t.py")
    (trial,) = pids(bench, 1)
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=20)
    assert (running.returncode, exists(trial)) == (143, False)
    assert "rung resume t-1" in said


def test_a_hangup_leaves_the_trials_and_resume_adopts_them(bench: Bench) -> None:
    bench.write("t.py", WAITS)
    running = bench.start("run", "-w", "2", *SPACE, "t.py")
    trials = pids(bench, 2)
    running.send_signal(signal.SIGHUP)
    assert running.wait(timeout=20) == 129
    assert all(map(exists, trials))
    assert "still runs" in bench.rung("rm", "t-1", code=1).stderr
    resumed = bench.start("resume", "-w", "2", "--json")
    until(lambda: len(bench.json("show")["runners"]) == 1, what="the runner is attached")
    bench.write("go", "")
    out, _ = resumed.communicate(timeout=20)
    assert json.loads(out)["value"] == 1
    assert [t["attempt"] for t in bench.json("trials")] == [1, 1, 1]
    assert [t["steps"] for t in bench.json("trials")] == [2, 2, 2]


def test_a_study_is_paused_edited_told_and_stopped_from_beside(bench: Bench) -> None:
    bench.write("t.py", WAITS)
    running = bench.start("run", "-p", "x=uniform(0,1)", "-m", "loss", "t.py")
    pids(bench, 1)
    bench.rung("pause")
    until(lambda: bench.json("show")["state"] == "paused", what="paused")
    bench.rung("enqueue", "x=0.25")
    bench.rung("edit", "t-1", "--set", "budget.trials=2")
    assert bench.rung("rm", "t-1", "--yes", code=1).stderr.startswith("rung: a runner is attached")
    bench.rung("unpause")
    bench.write("go", "")
    out, _ = running.communicate(timeout=20)
    assert running.returncode == 0
    assert re.match(r"trial +\d\nloss ", out)
    assert bench.json("trials")[1]["params"] == {"x": 0.25}
    bench.rung("tell", "t-1", "0", "loss=-7")
    assert bench.json("best")["value"] == -7
    assert [c["path"] for c in bench.json("show")["changes"]][-1] == "trial 0: loss"
    bench.rung("retry", "0")
    assert bench.json("show")["state"] == "interrupted"
    bench.rung("resume")
    assert bench.json("trials")[0]["attempt"] == 2


def test_stop_now_ends_a_study_and_its_trials(bench: Bench) -> None:
    bench.write("t.py", WAITS)
    running = bench.start("run", "-w", "2", *SPACE, "t.py")
    trials = pids(bench, 2)
    bench.rung("stop", "t-1", "1")
    until(lambda: bench.json("trials")[1]["state"] == "pruned", what="trial 1 is stopped")
    assert bench.json("trials")[1]["reason"] == "stopped by the user"
    bench.rung("stop", "t-1", "--now")
    assert running.wait(timeout=20) == 0
    assert not any(map(exists, trials))
    assert bench.json("show")["state"] == "complete"


def test_stop_winds_up_a_study_without_a_runner(bench: Bench) -> None:
    bench.write("t.py", WAITS)
    running = bench.start("run", "-w", "3", *SPACE, "t.py")
    trials = pids(bench, 3)
    running.send_signal(signal.SIGHUP)
    assert running.wait(timeout=20) == 129
    bench.rung("stop", "t-1", "0")
    assert [exists(pid) for pid in trials] == [False, True, True]
    assert [t["state"] for t in bench.json("trials")] == ["pruned", "running", "running"]
    bench.rung("stop", "t-1", "--now")
    assert not any(map(exists, trials))
    assert bench.json("show")["state"] == "complete"
    bench.rung("rm", "t-1")
    assert bench.json("ls") == []
    assert not (bench.folder / "runs" / "t-1").exists()


def test_the_store_and_the_directory_that_a_flag_names(bench: Bench) -> None:
    bench.write("t.py", QUICK)
    done = bench.rung("run", "--dir", "out", *SPACE, "t.py")
    assert "rung why t-1 0 --dir out" in done.stderr
    assert (bench.folder / "out" / "rung.db").is_file()
    bench.env["RUNG_DIR"] = str(bench.folder / "out")
    assert bench.json("show")["name"] == "t-1"
    bench.rung("run", "--store", "sqlite:///elsewhere.db", *SPACE, "t.py")
    assert bench.json("ls", "--store", "sqlite:///elsewhere.db")[0]["name"] == "t-1"
    assert (bench.folder / "out" / "t-1" / "00000").is_dir()


def test_what_is_piped_may_be_cut_off(bench: Bench) -> None:
    bench.write("t.py", QUICK)
    bench.rung("run", *SPACE, "t.py")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "rung", "trials", "--json"], cwd=bench.folder, env=bench.env, stdout=writing,
        stderr=subprocess.PIPE, text=True, timeout=20,
    )  # fmt: skip
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("word", ["--help", "report"])
def test_the_door_is_light(bench: Bench, word: str) -> None:
    words = [word] if word == "--help" else [word, "loss=1"]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "rung", *words], cwd=bench.folder, env=bench.env,
        capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert done.returncode == 0
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    heavy = {"numpy", "scipy", "asyncio", "rich", "yaml", "msgspec", "psutil"} | (
        {"click"} if word == "report" else set()
    )
    assert not loaded & heavy


def test_logs_can_be_followed_to_the_end(bench: Bench) -> None:
    bench.write("t.py", WAITS)
    running = bench.start("run", "-p", "x=1", "-m", "loss", "t.py")
    pids(bench, 1)
    following = bench.piped("logs", "--follow", "0")
    assert following.stdout is not None
    assert following.stdout.readline() == "epoch: 0 loss: 9\n"
    bench.write("go", "")
    assert following.stdout.read() == "epoch: 1 loss: 1\n"
    assert running.wait(timeout=20) == 0
    missing = bench.folder / "runs" / "t-1" / "00000" / "1" / "stdout"
    missing.unlink()
    assert "left no stdout" in bench.rung("logs", code=1).stderr


def test_a_metric_that_was_mistyped_is_told_what_was_printed(bench: Bench) -> None:
    bench.write("t.py", "print('val_loss: 0.5 acc=1')\n")
    bench.rung("run", *SPACE, "t.py", code=3)
    said = "ended without reporting loss; it reported nothing; it printed numbers named val_loss, acc"
    assert bench.json("trials")[0]["error"] == said
