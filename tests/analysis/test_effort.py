"""Work from brackets, and speed from what trials reported."""

from __future__ import annotations

import pytest

from rung.analysis.effort import Speed, bracket_lines, bracket_records, mean_speed, speed_of, work_of
from rung.schedule.base import Bracket, Level

DETERMINED = Bracket(24, (Level(24, 64.0), Level(6, 256.0), Level(2, 1024.0)))


def test_a_bracket_in_words() -> None:
    assert bracket_lines([DETERMINED], "batch") == ["24 trials to 64 batches, 6 to 256, 2 to 1024"]
    single = Bracket(1, (Level(1, 2.5),))
    assert bracket_lines([single, single, DETERMINED, Bracket(9, ())], "epoch") == [
        "2 x 1 trial to 2.5 epochs", "24 trials to 64 epochs, 6 to 256, 2 to 1024"
    ]  # fmt: skip


def test_one_unit_is_in_the_singular() -> None:
    assert bracket_lines([Bracket(9, (Level(9, 1.0), Level(3, 3.0)))], "epoch") == ["9 trials to 1 epoch, 3 to 3"]


def test_a_bracket_as_a_record() -> None:
    assert bracket_records([DETERMINED, Bracket(9, ())]) == [
        {
            "trials": 24, "rungs": [64, 256, 1024],
            "levels": [
                {"trials": 24, "resource": 64}, {"trials": 6, "resource": 256}, {"trials": 2, "resource": 1024},
            ],
        },
        {"trials": 9, "rungs": [], "levels": []},
    ]  # fmt: skip


def test_the_work_of_brackets() -> None:
    found = work_of([DETERMINED, DETERMINED, Bracket(9, ())])
    assert found is not None
    assert found.planned == 2 * (24 * 64 + 6 * 192 + 2 * 768)
    assert found.full == 2 * 24 * 1024
    assert work_of([Bracket(9, ())]) is None
    assert work_of([]) is None


def test_the_speed_of_a_trial_is_a_line_through_its_reports() -> None:
    found = speed_of([1, 2, 3, 4], [5.0, 7.0, 9.0, 11.0], duration=12.0)
    assert [found.startup, found.unit] == pytest.approx([4, 2])  # 3 before the first, 1 after the last
    assert found.seconds(10, 100) == pytest.approx(240)
    assert speed_of([], [], duration=3.0) == Speed(3.0, 0.0)
    assert speed_of([7], [1.0], duration=3.0) == Speed(3.0, 0.0)
    assert speed_of([1, 2], [2.0, 1.0], duration=3.0) == Speed(3.0, 0.0)  # a clock that was set back
    assert mean_speed([Speed(1, 2), Speed(3, 4)]) == Speed(2, 3)
