"""A run takes turns, and goes on where it was stopped."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from bench.rows import ROWS
from bench.session import Session

from bench import run
from bench_turns import Turns


def test_sides_take_turns_forth_and_back(session: Session, turns: Turns) -> None:
    run.measure_row(session, turns.row(), rounds=3)
    assert turns.taken == ["rung", "peer", "peer", "rung", "rung", "peer"]
    assert len(session.measured(turns.row())) == 3


def test_what_is_there_is_not_measured_again(session: Session, turns: Turns) -> None:
    run.measure_row(session, turns.row(), rounds=2)
    run.measure_row(session, turns.row(), rounds=2)
    assert len(turns.taken) == 4


def test_a_run_that_was_stopped_goes_on_with_the_round_it_was_in(session: Session, turns: Turns) -> None:
    row = turns.row()
    turns.break_after = 3  # in the second round, after its first side
    with pytest.raises(KeyboardInterrupt):
        run.measure_row(session, row, rounds=2)
    assert len(session.measured(row)) == 1
    first = session.measured(row)[0]
    turns.break_after = -1
    run.measure_row(session, row, rounds=2)
    assert turns.taken == ["rung", "peer", "peer", "peer", "rung"]
    assert session.measured(row)[0] == first
    assert session.column(row)("peer", "ms") == [3.0 * 2, 3.0 * 4]


def test_other_code_is_measured_anew(session: Session, turns: Turns) -> None:
    run.measure_row(session, turns.row(), rounds=1)
    run.measure_row(msgspec.structs.replace(session, code="0ther"), turns.row(), rounds=1)
    assert len(turns.taken) == 4


def test_code_that_changes_while_it_is_measured_is_not_measured(session: Session, turns: Turns, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    changed = msgspec.structs.replace(session, source=tmp_path)
    with pytest.raises(SystemExit, match="changed while it was measured"):
        run.measure_row(changed, turns.row(), rounds=1)
    assert session.journal.lines() == []


def test_a_quick_run_is_small_and_kept_apart(session: Session, turns: Turns) -> None:
    quick = msgspec.structs.replace(session, quick=True)
    run.measure_row(quick, turns.row(), rounds=1)
    assert quick.column(turns.row())("rung", "ms") == [2.0]
    assert session.measured(turns.row()) == []


def test_a_row_whose_program_is_missing_is_named(turns: Turns) -> None:
    row = turns.row(programs=("sh", "no-such-program-at-all"))
    assert run.missing_programs(row) == ["no-such-program-at-all"]


def test_an_unknown_row_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run.main(["nope"])
    assert stopped.value.code == 2
    assert "noop, short, storage" in capsys.readouterr().err


def test_the_rows_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(ROWS)
