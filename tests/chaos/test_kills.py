"""`kill -9` of the runner: at random moments, and at the moments between two steps that belong together."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.laboratory import Laboratory
from chaos.runner_process import FAULTS
from chaos.waiting import until
from rung.study import events as ev

pytestmark = [pytest.mark.chaos, pytest.mark.slow]
Lab = Callable[..., Laboratory]
KILLS = 50


@pytest.mark.timeout(150)
def test_fifty_kills_at_random_moments_lose_nothing(lab: Lab) -> None:
    study = lab(trials=1000, workers=4, reports=30, seconds=1.2)
    moments = random.Random(2)
    for kill in range(KILLS):
        before = study.seq()
        runner = study.run()
        if kill % 5 == 4:  # at a moment that has nothing to do with the log, its own start included
            assert runner.wait(moments.uniform(0.1, 0.8)) is None
        else:
            goal = before + 1 + moments.randrange(25)
            until(lambda: study.seq() >= goal, what=f"runner {kill} works: {runner.words()}")  # noqa: B023 - waits here
        runner.kill()
    handle = study.handle()
    handle.edit([("budget.trials", str(len(handle.state) + 2))])
    assert study.run().ended() == "done"
    state = study.nothing_lost()
    assert state.counts["complete"] + state.counts["failed"] == len(state)
    assert len(study.begun()) == len(state), "each trial ran once, in one attempt"
    assert len(study.of(ev.AttemptAdopted)) >= KILLS
    assert set(study.codes().values()) == {0, 3}


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"before_adoption", "before_stop"}))
def test_a_kill_between_two_steps_loses_nothing(lab: Lab, fault: str) -> None:
    study = lab(trials=6, workers=2, reports=5, seconds=0.1)
    study.run(faults={fault: 1}).died()
    study.run(faults={fault: 2}).died()
    assert study.run().ended() == "done"
    state = study.nothing_lost()
    assert len(study.begun()) == len(state), "each trial ran once"


def test_a_kill_before_adoption_loses_nothing(lab: Lab) -> None:
    study = lab(trials=3, workers=2, reports=10, seconds=0.5)
    study.run(faults={"before_report_logged": 2}).died()
    study.run(faults={"before_adoption": 1}).died()
    assert study.run().ended() == "done"
    study.nothing_lost()
    assert len({event.epoch for event in study.of(ev.AttemptAdopted)}) == 2


def test_a_kill_between_the_decision_to_stop_and_the_signal_still_stops(lab: Lab) -> None:
    study = lab(trials=1, workers=1, reports=1000, seconds=100)
    runner = study.run(faults={"before_stop": 1})
    study.wait_for(ev.TrialReported)
    study.handle().stop_trial(0)
    runner.died()
    assert study.processes()
    study.handle().stop()
    assert study.run().ended() == "done"
    state = study.nothing_lost()
    assert state.trial(0).state == "pruned"
    assert study.processes() == []


def test_a_spawned_wrapper_that_is_slow_to_begin_finds_its_attempt_taken(lab: Lab, tmp_path: Path) -> None:
    """Killed between spawn and `started`: the next runner claims the attempt first, and the program never runs."""
    study = lab(trials=1, workers=1, reports=3, seconds=0.1)
    gate = tmp_path / "gate"
    study.run(gate=str(gate), faults={"after_spawn": 1}).died()
    waiting = until(study.processes, what="the wrapper waits")
    second = study.run()
    study.wait_for(ev.TrialExited, how="never")
    gate.touch()
    assert waiting[0].wait(10) is not None or not waiting[0].is_running()
    assert second.ended() == "done"
    state = study.nothing_lost()
    assert [(trial, attempt) for trial, attempt, _, _ in study.begun()] == [(0, 2)]
    assert state.trial(0).state == "complete"


def test_a_spawned_wrapper_that_begins_while_nobody_looks_is_adopted(lab: Lab, tmp_path: Path) -> None:
    """Killed between spawn and `started`, but the wrapper begins before the next runner comes."""
    study = lab(trials=1, workers=1, reports=3, seconds=0.1)
    gate = tmp_path / "gate"
    study.run(gate=str(gate), faults={"after_spawn": 1}).died()
    gate.touch()
    until(study.codes, what="the trial has run to its end")
    assert study.run().ended() == "done"
    study.nothing_lost()
    assert [(trial, attempt) for trial, attempt, _, _ in study.begun()] == [(0, 1)]
