"""Trials that are held, continued and cloned with real checkpoints, while their runner and they themselves are killed."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from chaos.laboratory import HERE, Laboratory
from chaos.small_disk import Disk
from chaos.waiting import until
from rung.study import events as ev
from rung.study.state import State

pytestmark = [pytest.mark.chaos, pytest.mark.slow]
Lab = Callable[..., Laboratory]
TOP = 4
PROMOTION = ("schedule.resource=epoch", "schedule.type=promotion", "schedule.eta=2", f"schedule.max={TOP}")
POPULATION = ("schedule.resource=epoch", "schedule.population=4", "schedule.interval=2", "schedule.max=8")


def saving(
    lab: Lab, method: str, settings: tuple[str, ...], *, trials: int = 8, top: int = TOP, seconds: float = 0.03,
    manner: str = "heeds", workers: int = 3, runs: Path | None = None,
) -> Laboratory:  # fmt: skip
    """A study of the program that saves."""
    limits = {"schedule": method, "settings": list(settings), "retries": 1000, "params": ["lr=uniform(0.01,0.4)"]}
    study = lab(trials=trials, workers=workers, options=limits, runs=runs)
    arguments = [str(study.ledger), str(top), str(seconds), manner, "{rest}"]
    study.order.command = [sys.executable, str(HERE / "saving_program.py"), *arguments]
    return study


def harassed(study: Laboratory, seed: int, kills: int) -> State:
    """The state of the study, complete although its runner, and some of its trials, were killed at random moments."""
    moments = random.Random(seed)
    for _ in range(kills):
        runner, goal = study.run(), study.seq() + 1 + moments.randrange(40)
        until(lambda: study.seq() >= goal or not runner.running(), what=runner.words())  # noqa: B023
        if not runner.running():
            break
        running = study.processes()
        if running and moments.random() < 0.6:
            with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended by itself
                moments.choice(running).kill()
        runner.kill()
    assert study.run().ended() == "done"
    state = study.check()
    assert state.switches.completed is not None
    assert not state.live
    return state


def own_steps(study: Laboratory) -> dict[int, list[float]]:
    """The steps that each trial's programs reported, by their own files, in the order of the attempts."""
    found: defaultdict[int, list[float]] = defaultdict(list)
    paths = (study.runs / study.order.study).glob("*/*/reports.jsonl")
    for path in sorted(paths, key=lambda path: (int(path.parts[-3]), int(path.parts[-2]))):
        whole = path.read_bytes().rpartition(b"\n")[0]
        found[int(path.parts[-3])] += [json.loads(line)["epoch"] for line in whole.splitlines()]
    return dict(found)


def nothing_repeated_nothing_skipped(study: Laboratory) -> None:
    """All attempts of a trial together are one run, in their files and in the log; what is saved is what it names."""
    begun = {
        event.trial: 0.0 if event.source is None else event.source.checkpoint.step
        for event in study.of(ev.TrialProposed)
    }
    logged: defaultdict[int, list[float]] = defaultdict(list)
    for (trial, _), reports in sorted(study.logged().items()):
        logged[trial] += [report.step for report in reports]
    assert dict(logged) == own_steps(study)
    for trial, steps in logged.items():
        assert steps == [begun[trial] + 1 + i for i in range(len(steps))], trial
    state = study.check()
    assert state.shelf.saved
    kept = 0
    for trial, several in state.shelf.saved.items():
        for saved in several:
            made = saved.checkpoint
            folder = study.runs / study.order.study / f"{trial:05d}" / str(made.attempt) / "checkpoints" / made.name
            content = json.loads((folder / "state.json").read_text())
            assert [step for _, _, step in content["steps"]] == list(range(1, int(made.step) + 1))
            assert saved.loss == (content["w"] - 1) ** 2
            kept += 1
    folders = [path for path in (study.runs / study.order.study).glob("*/*/checkpoints/*") if path.name[0] != "."]
    assert len(folders) == kept, "what nobody needs is gone"


def test_promotion_asha_loses_and_repeats_nothing(lab: Lab) -> None:
    study = saving(lab, "asha", PROMOTION)
    state = harassed(study, seed=1, kills=6)
    nothing_repeated_nothing_skipped(study)
    assert state.counts["complete"] + state.counts["pruned"] == 8
    assert study.of(ev.TrialContinued)
    assert [n for n in range(len(state)) if state.trial(n).steps == TOP], "somebody came to the top"


def test_population_based_training_loses_and_repeats_nothing(lab: Lab) -> None:
    study = saving(
        lab, "pbt", POPULATION, trials=10, top=8, seconds=0.1
    )  # slower than a runner begins, or nobody is cloned
    state = harassed(study, seed=3, kills=6)
    nothing_repeated_nothing_skipped(study)
    assert state.counts["complete"] >= 4  # one of each slot; a loaded machine once saw a fifth, why is not known
    clones = [event for event in study.of(ev.TrialProposed) if event.source is not None]
    assert all(event.reason.parent == event.source.trial for event in clones)
    assert clones


# ------------------------------------------------------------------------------------------------ manners of programs


def test_a_program_that_ignores_its_bound_is_ended_at_each(lab: Lab) -> None:
    """It would train for ever: the schedule ends it at the top, and what it did beyond its rung meanwhile counts."""
    study = saving(lab, "asha", PROMOTION, manner="ignores", top=0)
    assert study.run().ended() == "done"
    nothing_repeated_nothing_skipped(study)
    state = study.check()
    assert state.counts["complete"] >= 1
    assert state.counts["complete"] + state.counts["pruned"] == 8
    assert study.of(ev.TrialPaused)
    for event in study.of(ev.TrialStopped, complete=True):
        assert event.reason.data["resource"] > TOP, event.reason


def test_a_program_without_checkpoints_begins_anew_and_the_schedule_sees_each_step_once(lab: Lab) -> None:
    study = saving(lab, "asha", PROMOTION, manner="forgets")
    assert study.run().ended() == "done"
    state = study.check()
    assert not state.shelf.places
    again = [event.trial for event in study.of(ev.AttemptAssigned) if event.attempt > 1]
    assert again
    logged = study.logged()
    assert logged[again[0], 2][0].step == 1
    assert state.counts["complete"] + state.counts["pruned"] == 8


# ------------------------------------------------------------------------------------------------ damaged checkpoints


def folder_of(study: Laboratory, trial: int) -> Any:
    source = study.check().shelf.latest(trial)
    assert source is not None
    made = source.checkpoint
    return study.runs / study.order.study / f"{trial:05d}" / str(made.attempt) / "checkpoints" / made.name


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        ("deleted", "is not there any more"),
        ("half", "holds"),
    ],
)
def test_a_damaged_checkpoint_is_said_and_the_trial_begins_at_an_older_one(lab: Lab, damage: str, word: str) -> None:
    settings = ("schedule.resource=epoch", "checkpoint.trial_latest=2")
    study = saving(lab, "none", settings, trials=1, top=12, seconds=0.1)
    runner = study.run()
    study.wait_for(ev.TrialReported, count=3)
    study.handle().pause_trial(0)
    until(lambda: study.handle().state.trial(0).state == "paused", what=runner.words())
    latest = folder_of(study, 0)
    if damage == "deleted":
        latest.rename(latest.with_name("elsewhere"))
    else:
        (latest / "state.json").write_text("{")
    study.handle().unpause_trial(0)
    assert runner.ended() == "done"
    assert f"{latest} {word}" in runner.words()
    assert "it begins from an older checkpoint, or anew" in runner.words()
    [lost] = study.of(ev.CheckpointLost)
    assert (lost.owner, lost.name) == (0, latest.name)
    resumed = study.of(ev.AttemptAssigned)[-1]
    assert resumed.source.checkpoint.step == float(latest.name) - 1
    assert study.check().trial(0).state == "complete"
    assert own_steps(study)[0][-1] == 12


def test_when_every_checkpoint_is_gone_the_trial_begins_anew(lab: Lab) -> None:
    study = saving(lab, "none", ("schedule.resource=epoch",), trials=1, top=8, seconds=0.1)
    runner = study.run()
    study.wait_for(ev.TrialReported, count=2)
    study.handle().pause_trial(0)
    until(lambda: study.handle().state.trial(0).state == "paused", what=runner.words())
    for one in study.check().shelf.saved[0]:
        made = one.checkpoint
        folder = study.runs / study.order.study / "00000" / str(made.attempt) / "checkpoints" / made.name
        shutil.rmtree(folder, ignore_errors=True)  # nobody needs the older one: it may be going anyway
    study.handle().unpause_trial(0)
    assert runner.ended() == "done"
    state = study.check()
    assert state.trial(0).state == "complete"
    last = study.of(ev.AttemptAssigned)[-1]
    assert last.source is None
    assert [report.step for report in study.logged()[0, last.attempt]] == list(range(1, 9))


# ------------------------------------------------------------------------------------------------ no room


def test_a_disk_that_is_full_keeps_no_checkpoint_and_the_trial_goes_on(disk: Disk, lab: Lab) -> None:
    """A report of few bytes still fits; when there is room again the next checkpoint is kept."""
    study = saving(lab, "none", ("schedule.resource=epoch",), trials=1, top=30, seconds=0.1, runs=disk.path / "runs")
    runner = study.run()
    study.wait_for(ev.TrialReported, count=2)
    disk.fill()
    full = study.handle().state.shelf.latest(0)
    reported = study.handle().state.trial(0).steps
    until(lambda: study.handle().state.trial(0).steps > reported + 3, what=runner.words())
    now = study.handle().state.shelf.latest(0)
    assert full is not None
    assert now is not None
    assert now.checkpoint.step <= full.checkpoint.step + 1, "none was kept meanwhile"
    disk.free()
    until(lambda: study.handle().state.shelf.latest(0) != now, what="there are checkpoints again")
    assert runner.ended() == "done"
    state = study.check()
    assert state.trial(0).state == "complete"
    assert own_steps(study) == {0: list(range(1, 31))}
    latest = state.shelf.latest(0)
    assert latest is not None
    assert latest.checkpoint.step == 30
