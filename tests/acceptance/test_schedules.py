"""Schedules on programs as people write them: in any language, with steps that are wrong, that take no notice."""

from __future__ import annotations

from typing import Any

import pytest

from acceptance.conftest import Bench

STUDY = """
command: [sh, train.sh, "{x}"]
parameters:
  x: {type: int, min: 1, max: 64}
objective: loss
search: {method: random, seed: 3}
schedule: {method: asha, type: promotion, resource: epoch, max: 4, eta: 2}
budget: {trials: 6}
run: {workers: 2, grace: 5s}
"""

SHELL = r"""
# A program in sh and awk that keeps its own checkpoints, and names them itself.
n=0
[ ! -f "$RUNG_CHECKPOINT_DIR/n" ] || n=$(cat "$RUNG_CHECKPOINT_DIR/n")
while [ "$n" -lt "${RUNG_RESOURCE:-4}" ]; do
    n=$((n + 1))
    mkdir -p "$RUNG_TRIAL_DIR/checkpoints/epoch-$n"
    echo "$n" > "$RUNG_TRIAL_DIR/checkpoints/epoch-$n/n"
    echo "$RUNG_ATTEMPT $n" >> "steps-$RUNG_TRIAL"
    awk -v x="$1" -v n="$n" 'BEGIN { printf "{\"epoch\": %d, \"loss\": %g, \"_checkpoint\": \"epoch-%d\"}\n", n, x + 1 / n, n }'
done
"""


def told(bench: Bench) -> tuple[Any, list[Any]]:
    """The study and its trials; its log has been computed again."""
    bench.rung("replay", "--check")
    return bench.json("show"), bench.json("trials")


def test_a_shell_script_that_names_its_own_checkpoints_is_held_and_goes_on(bench: Bench) -> None:
    bench.write("train.sh", SHELL)
    bench.write("rung.yaml", STUDY)
    bench.rung("run", "rung.yaml")
    study, trials = told(bench)
    assert (study["state"], len(trials)) == ("complete", 6)
    assert {trial["state"] for trial in trials} == {"complete", "pruned"}
    resumed = 0
    for trial in trials:
        words = [line.split() for line in (bench.folder / f"steps-{trial['number']}").read_text().splitlines()]
        steps = [int(step) for _, step in words]
        assert steps == list(range(1, len(steps) + 1)), "no step was repeated or skipped"
        assert trial["steps"] == len(steps)
        resumed += len({attempt for attempt, _ in words}) > 1
    assert resumed >= 2
    best = min(trials, key=lambda trial: trial["value"])
    assert best["steps"] == 4


REPORTS = r"""
import json, os, sys
for line in json.loads(sys.argv[1]):
    print(json.dumps(line), flush=True)
"""
WRONG = {
    "backwards": ([{"epoch": 2, "loss": 1}, {"epoch": 1, "loss": 2}, {"epoch": 3, "loss": 0.5}], "came after step"),
    "twice": ([{"epoch": 1, "loss": 1}, {"epoch": 1, "loss": 2}, {"epoch": 4, "loss": 0.5}], "was reported twice"),
    "beyond": ([{"epoch": 1, "loss": 1}, {"epoch": 400, "loss": 0.5}], ""),
    "gaps": ([{"epoch": 3, "loss": 1}, {"epoch": 4, "loss": 0.5}], ""),
    "no steps": ([{"loss": 1}, {"loss": 0.75}, {"loss": 0.75}, {"loss": 0.5}], ""),
    "fractions": ([{"epoch": 0.5, "loss": 1}, {"epoch": 1.5, "loss": 0.75}, {"epoch": 4.0, "loss": 0.5}], ""),
    "NaN": ([{"epoch": "NaN", "loss": 0.75}, {"epoch": 4, "loss": 0.5}], ""),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("kind", ["promotion", "stopping"])
def test_a_program_whose_steps_are_wrong_does_no_harm(bench: Bench, name: str, kind: str) -> None:
    """What was odd is noted; its highest steps count; the study goes on."""
    lines, note = WRONG[name]
    text = "[" + ", ".join(str(line).replace("'", '"') for line in lines) + "]"
    bench.write("t.py", REPORTS)
    settings = ["schedule.resource=epoch", "schedule.max=4", "schedule.eta=2", f"schedule.type={kind}"]
    words = [word for setting in settings for word in ("--set", setting)]
    bench.rung(
        "run",
        "-p",
        "x=1,2",
        "-m",
        "loss",
        "--schedule",
        "asha",
        "--search",
        "grid",
        *words,
        "--",
        "python",
        "t.py",
        text,
    )
    study, trials = told(bench)
    assert study["state"] == "complete"
    assert {trial["state"] for trial in trials} <= {"complete", "pruned"}
    assert min(trial["value"] for trial in trials) == 0.5
    notes = [
        note for event in bench.json("log") if event["event"] == "TrialReported" for note in event.get("notes", [])
    ]
    assert [one for one in notes if note and note in one] if note else notes == []


def test_a_program_that_reports_nothing_fails_with_a_word(bench: Bench) -> None:
    bench.write("train.sh", "exit 0\n")
    bench.write("rung.yaml", STUDY)
    bench.rung("run", "rung.yaml", code=3)
    assert bench.json("trials")[0]["error"] == "ended without reporting loss; it reported nothing"


STUBBORN = """
import os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for epoch in range(1, 10_000_000):
    print('{"epoch": %d, "loss": %s}' % (epoch, sys.argv[1]), flush=True)
    if epoch == 50:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
"""


def test_a_program_that_goes_on_reporting_after_it_was_told_to_stop(bench: Bench) -> None:
    """It pays no attention to TERM: what it says until it is killed is in the log, and decides nothing any more."""
    bench.write("t.py", STUBBORN)
    text = STUDY.replace('[sh, train.sh, "{x}"]', '[python, t.py, "{x}"]').replace("type: promotion, ", "")
    bench.write("rung.yaml", text.replace("trials: 6", "trials: 3").replace("5s", "0.2s"))
    bench.rung("run", "rung.yaml")
    study, trials = told(bench)
    assert (study["state"], len(trials)) == ("complete", 3)
    assert all(trial["steps"] > 4 for trial in trials if trial["state"] == "complete")
    stops = [event for event in bench.json("log") if event["event"] == "TrialStopped"]
    assert len(stops) == 3
    assert len({event["trial"] for event in stops}) == 3


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("eta: 1", "eta"),
        ("eta: 2, min: 8", "min"),
        ("eta: 2, levels: [2, 1]", "levels"),
        ("eta: 2, brackets: 9", "brackets"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_before_anything_runs(bench: Bench, wrong: str, words: str) -> None:
    bench.write("train.sh", SHELL)
    bench.write("rung.yaml", STUDY.replace("eta: 2", wrong))
    said = bench.rung("run", "rung.yaml", code=2).stderr
    assert f"schedule.{words}" in said
    assert "rung.yaml" in said
    assert not (bench.folder / "steps-0").exists()
