"""A journal that gives back complete rounds under the same conditions, whatever happened to the run before."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from bench.journal import Conditions, Journal, Measured, machine_id

CONDITIONS = Conditions("row", {"trials": 10}, "c0de", "m")
SIDES = ["a", "b"]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "results" / "journal.jsonl")


def line(side: str, number: int, *, ms: float = 1.0, conditions: Conditions = CONDITIONS) -> Measured:
    """A measurement of that side in that round."""
    return Measured(
        key=conditions.key(), row=conditions.row, side=side, round=number, values={"ms": ms}, at=0.0, load=0.5
    )


def test_without_a_file_there_is_nothing(journal: Journal) -> None:
    assert journal.rounds(CONDITIONS, SIDES) == []


def test_complete_rounds_come_back_in_order(journal: Journal) -> None:
    for number in (1, 0):
        for side in SIDES:
            journal.append(line(side, number, ms=number + 0.5))
    assert journal.column(CONDITIONS, SIDES, side="b", metric="ms") == [0.5, 1.5]


def test_a_round_that_was_cut_short_does_not_count(journal: Journal) -> None:
    for measured in (line("a", 0), line("b", 0), line("a", 1)):
        journal.append(measured)
    assert len(journal.rounds(CONDITIONS, SIDES)) == 1


def test_of_a_side_measured_twice_the_last_counts(journal: Journal) -> None:
    for measured in (line("a", 0, ms=9.0), line("a", 0, ms=2.0), line("b", 0)):
        journal.append(measured)
    assert journal.column(CONDITIONS, SIDES, side="a", metric="ms") == [2.0]


@pytest.mark.parametrize(
    "other",
    [
        Conditions("another", {"trials": 10}, "c0de", "m"),
        Conditions("row", {"trials": 11}, "c0de", "m"),
        Conditions("row", {"trials": 10}, "0ther", "m"),
        Conditions("row", {"trials": 10}, "c0de", "n"),
    ],
)
def test_other_conditions_are_other_measurements(journal: Journal, other: Conditions) -> None:
    for side in SIDES:
        journal.append(line(side, 0, conditions=other))
    assert journal.rounds(CONDITIONS, SIDES) == []
    assert len(journal.rounds(other, SIDES)) == 1


def test_a_torn_last_line_is_left_out_and_spoils_nothing(journal: Journal) -> None:
    journal.append(line("a", 0))
    with journal.path.open("ab") as file:
        file.write(msgspec.json.encode(line("b", 0))[:20])
    assert len(journal.lines()) == 1
    journal.append(line("b", 0))
    assert len(journal.rounds(CONDITIONS, SIDES)) == 1


def test_a_machine_has_one_short_name() -> None:
    assert machine_id({"cores": 2, "kernel": "K"}) == machine_id({"kernel": "K", "cores": 2})
    assert machine_id({"cores": 2, "kernel": "K"}) != machine_id({"cores": 4, "kernel": "K"})
