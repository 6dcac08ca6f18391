"""Schedules on programs as people write them: in any language, with steps that are wrong, that take no notice."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest

from acceptance.conftest import Bench
from rung.plugins import open_store, policy_for
from rung.runner.log import read
from rung.study import events as ev
from rung.study.replay import check

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


def told(bench: Bench) -> tuple[Any, list[Any], list[ev.AnyEvent]]:
    """The study, its trials and its log, which has been computed again."""
    study = bench.json("show")
    store = open_store(f"sqlite:///{next(bench.folder.rglob('*.db'))}")
    with contextlib.closing(store):
        events = [event for _, event in read(store, study["name"])]
    assert [str(deviation) for deviation in check(events, policy_for)] == []
    return study, bench.json("trials"), events


def test_a_shell_script_that_names_its_own_checkpoints_is_held_and_goes_on(bench: Bench) -> None:
    bench.write("train.sh", SHELL)
    bench.write("rung.yaml", STUDY)
    bench.rung("run", "rung.yaml")
    study, trials, _ = told(bench)
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
for line in json.load(open("lines.json"))[sys.argv[1]]:
    print(json.dumps(line), flush=True)
"""
LINES: dict[str, list[dict[str, Any]]] = {
    "backwards": [{"epoch": 2, "loss": 1}, {"epoch": 1, "loss": 2}, {"epoch": 3, "loss": 0.5}],
    "twice": [{"epoch": 1, "loss": 1}, {"epoch": 1, "loss": 2}, {"epoch": 4, "loss": 0.5}],
    "beyond": [{"epoch": 1, "loss": 1}, {"epoch": 400, "loss": 0.5}],
    "gaps": [{"epoch": 3, "loss": 1}, {"epoch": 4, "loss": 0.5}],
    "stepless": [{"loss": 1}, {"loss": 0.75}, {"loss": 0.75}, {"loss": 0.5}],
    "fractions": [{"epoch": 0.5, "loss": 1}, {"epoch": 1.5, "loss": 0.75}, {"epoch": 4.0, "loss": 0.5}],
    "nan": [{"epoch": "NaN", "loss": 0.75}, {"epoch": 4, "loss": 0.5}],
}


@pytest.mark.parametrize("kind", ["promotion", "stopping"])
def test_programs_whose_steps_are_wrong_do_no_harm(bench: Bench, kind: str) -> None:
    """What is odd is noted; the highest steps count; the study goes on. One trial for each way to count wrongly."""
    bench.write("lines.json", json.dumps(LINES))
    bench.write("t.py", REPORTS)
    bench.write(
        "rung.yaml",
        STUDY.replace('[sh, train.sh, "{x}"]', '[python, t.py, "{x}"]')
        .replace("{type: int, min: 1, max: 64}", f"{{type: choice, values: [{', '.join(LINES)}]}}")
        .replace("method: random", "method: grid")
        .replace("type: promotion", f"type: {kind}")
        .replace("trials: 6", "trials: 7"),
    )
    bench.rung("run", "rung.yaml")
    study, trials, events = told(bench)
    assert (study["state"], len(trials)) == ("complete", 7)
    assert {trial["state"] for trial in trials} <= {"complete", "pruned"}
    notes = {
        trials[event.trial]["params"]["x"]: note
        for event in events
        if isinstance(event, ev.TrialReported)
        for note in event.notes
    }
    assert set(notes) == {"backwards", "twice"}
    assert notes["backwards"] == "step 1 came after step 2: the schedule counts increasing steps only"
    assert notes["twice"] == "step 1 was reported twice: the schedule counts increasing steps only"


def test_a_program_that_reports_nothing_fails_with_a_word(bench: Bench) -> None:
    bench.write("train.sh", "exit 0\n")
    bench.write("rung.yaml", STUDY)
    bench.rung("run", "rung.yaml", code=3)
    assert bench.json("trials")[0]["error"] == "ended without reporting loss; it reported nothing"


STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for epoch in range(1, 5000):
    print('{"epoch": %d, "loss": %s}' % (epoch, sys.argv[1]), flush=True)
    time.sleep(0.005)
"""


def test_a_program_that_goes_on_reporting_after_it_was_told_to_stop(bench: Bench) -> None:
    """It pays no attention to TERM: what it says until it is killed is in the log, and decides nothing any more."""
    bench.write("t.py", STUBBORN)
    text = STUDY.replace('[sh, train.sh, "{x}"]', '[python, t.py, "{x}"]').replace("type: promotion, ", "")
    bench.write("rung.yaml", text.replace("trials: 6", "trials: 3").replace("5s", "0.2s"))
    bench.rung("run", "rung.yaml")
    study, trials, events = told(bench)
    assert (study["state"], len(trials)) == ("complete", 3)
    assert all(trial["steps"] > 4 for trial in trials if trial["state"] == "complete")
    stops = [event.trial for event in events if isinstance(event, ev.TrialStopped)]
    assert sorted(stops) == [0, 1, 2], "each was told once"


@pytest.mark.parametrize(
    ("wrong", "words"), [("eta: 1", "eta: expected a number above 1"), ("eta: 2, min: 8", "min: must be below max (4)")]
)
def test_a_schedule_that_cannot_be_is_refused_before_anything_runs(bench: Bench, wrong: str, words: str) -> None:
    bench.write("train.sh", SHELL)
    bench.write("rung.yaml", STUDY.replace("eta: 2", wrong))
    said = bench.rung("run", "rung.yaml", code=2).stderr
    assert f"rung.yaml:7: schedule.{words}" in said
    assert not (bench.folder / "steps-0").exists()
