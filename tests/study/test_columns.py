from __future__ import annotations

import numpy as np
import pytest
from msgspec import ValidationError

from rung.study.columns import Columns


def table(rows: int) -> Columns:
    made = Columns(number=("i4", 0, 7), pair=("f8", 2, np.nan))
    for number in range(rows):
        made.add_row()
        made["number"][number] = number
    return made


def test_a_new_row_holds_the_fill_values() -> None:
    made = Columns(number=("i4", 0, 7), pair=("f8", 2, np.nan))
    assert made.add_row() == 0
    assert made["number"].tolist() == [7]
    assert np.isnan(made["pair"]).all()
    assert made["pair"].shape == (1, 2)


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 65, 1000])
def test_growing_keeps_what_was_written(rows: int) -> None:
    made = table(rows)
    assert len(made) == rows
    assert made["number"].tolist() == list(range(rows))
    assert made["pair"].shape == (rows, 2)


def test_a_column_added_late_is_filled_and_grows_with_the_rest() -> None:
    made = table(60)
    made.add_column("late", "u1", 3)
    for _ in range(40):
        made.add_row()
    assert made["late"].tolist() == [3] * 100
    assert made.names() == ["number", "pair", "late"]
    assert "late" in made and "never" not in made


@pytest.mark.parametrize("rows", [0, 1, 64, 100])
def test_dump_and_load(rows: int) -> None:
    made = table(rows)
    made.add_column("late", "f8", np.nan)
    again = Columns.load(made.dump())
    assert again.names() == made.names()
    for name in made.names():
        np.testing.assert_array_equal(again[name], made[name])
    for copy in (made, again):
        for _ in range(80):
            copy.add_row()
    for name in made.names():  # what grows out of it is the same too
        np.testing.assert_array_equal(again[name], made[name])


def test_load_refuses_columns_of_another_length() -> None:
    dumped = table(3).dump()
    dumped["length"] = 4
    with pytest.raises(ValidationError, match="column number: 3 numbers for 4 rows"):
        Columns.load(dumped)
