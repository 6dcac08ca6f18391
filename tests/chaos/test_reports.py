"""Report files that are torn, far too long, or long beyond reason."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.laboratory import HERE, PYTHON, Laboratory
from rung.study import events as ev

pytestmark = [pytest.mark.chaos, pytest.mark.slow]
Lab = Callable[..., Laboratory]
NOISY = [*PYTHON, str(HERE / "noisy_program.py")]
MANY = 100_000
AT_LEAST_PER_S = 4_000  # a tenth of what an idle machine does


def steps(study: Laboratory, which: tuple[int, int] = (0, 1)) -> list[float]:
    return [report.step for report in study.logged()[which]]


def test_a_torn_line_waits_for_its_other_half(lab: Lab, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    study = lab(trials=1, workers=1, command=[*NOISY, "torn", str(gate), "{rest}"])
    runner = study.run()
    (first,) = study.wait_for(ev.TrialReported)
    assert [report.step for report in first.reports] == [1]
    assert first.offsets["reports.jsonl"] == len('{"step": 1, "loss": 1.0}\n')
    gate.touch()
    assert runner.ended() == "done"
    assert steps(study) == [1, 2, 3]


def test_a_line_torn_when_the_runner_is_killed_counts_once_for_the_next(lab: Lab, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    study = lab(trials=1, workers=1, command=[*NOISY, "torn", str(gate), "{rest}"])
    runner = study.run()
    study.wait_for(ev.TrialReported)
    runner.kill()
    second = study.run()
    study.wait_for(ev.AttemptAdopted)
    gate.touch()
    assert second.ended() == "done"
    assert steps(study) == [1, 2, 3]


def test_a_last_line_without_an_end_counts_once_the_program_has_ended(lab: Lab) -> None:
    study = lab(trials=1, workers=1, command=[*NOISY, "cut", "{rest}"])
    assert study.run().ended() == "done"
    assert steps(study) == [1, 2]


def test_ten_megabytes_on_one_line_are_skipped_with_a_note(lab: Lab) -> None:
    study = lab(trials=1, workers=1, command=[*NOISY, "long", "{rest}"])
    assert study.run().ended() == "done"
    assert steps(study) == [1, 2]
    notes = [note for event in study.of(ev.TrialReported) for note in event.notes]
    assert sum("longer than" in note for note in notes) >= 2, notes
    assert study.check().trial(0).value == 0.5


def test_a_hundred_thousand_reports_of_one_trial_are_all_in_the_log_once(lab: Lab) -> None:
    study = lab(trials=1, workers=1, command=[*NOISY, "many", str(MANY), "{rest}"])
    begun = time.monotonic()
    assert study.run().ended(timeout=50) == "done"
    took = time.monotonic() - begun
    assert steps(study) == list(range(1, MANY + 1))
    assert study.check().trial(0).steps == MANY
    assert took < MANY / AT_LEAST_PER_S, f"{MANY / took:.0f} reports a second"
    print(f"{MANY / took:.0f} reports a second, {len(study.of(ev.TrialReported))} events")


def test_a_hundred_thousand_reports_survive_a_kill_in_their_midst(lab: Lab) -> None:
    study = lab(trials=1, workers=1, command=[*NOISY, "many", str(MANY), "{rest}"])
    study.run(faults={"after_report_logged": 1}).died()
    study.run(faults={"before_report_logged": 1}).died()
    assert study.run().ended(timeout=50) == "done"
    assert steps(study) == list(range(1, MANY + 1))
