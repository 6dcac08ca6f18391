"""The wall clock is set back an hour while a study runs: nothing that is measured may depend on it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from chaos.laboratory import Laboratory
from rung.study import events as ev

pytestmark = [pytest.mark.chaos, pytest.mark.slow]
Lab = Callable[..., Laboratory]
HOUR: dict[str, Any] = {"clock_back_s": 3600.0, "clock_back_at": 30}


def went_back(study: Laboratory) -> bool:
    times = [event.at for event in study.events()]
    return any(after < before - 3000 for before, after in itertools.pairwise(times))


def test_a_study_goes_on_and_its_elapsed_time_does_not_shrink(lab: Lab) -> None:
    study = lab(trials=6, workers=2, reports=10, seconds=0.3)
    assert study.run(**HOUR).ended() == "done"
    state = study.nothing_lost()
    assert went_back(study)
    assert 0 < state.switches.elapsed < 60


def test_the_time_budget_ends_the_study_when_it_is_used_up(lab: Lab) -> None:
    study = lab(trials=100, workers=1, reports=1, seconds=50.0, options={"time": "3s"})
    runner = study.run(clock_back_s=3600.0, clock_back_at=6)
    assert runner.ended(timeout=15) == "done"
    state = study.check()
    assert went_back(study)
    assert state.switches.time_spent
    assert study.processes() == []


def test_the_time_limit_of_a_trial_holds(lab: Lab) -> None:
    study = lab(trials=1, workers=1, reports=1, seconds=50.0, options={"timeout": "1s", "max_failures": 1})
    assert study.run(clock_back_s=3600.0, clock_back_at=5).ended(timeout=15) == "done"
    assert [event.how for event in study.of(ev.TrialExited)] == ["timeout"]


def test_a_resume_under_an_earlier_clock_adopts_and_completes(lab: Lab) -> None:
    study = lab(trials=4, workers=2, reports=20, seconds=1.0)
    study.run(faults={"after_report_logged": 4}).died()
    assert study.run(clock_back_s=3600.0).ended() == "done"
    state = study.nothing_lost()
    assert went_back(study)
    assert study.of(ev.AttemptAdopted)
    assert state.switches.elapsed < 60
