"""A page whose figures come from the journal, and rows that claim only what they measure."""

from __future__ import annotations

import re

import msgspec
import pytest
from bench.claims import Claim
from bench.rows import ROWS
from bench.rows.base import Row
from bench.session import Session

from bench import report, run
from bench_turns import Turns


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.00123456, "0.00123"),
        (1.0, "1.00"),
        (48.04, "48.0"),
        (999.6, "1,000"),
        (71_540.75, "71,500"),
        (-12.34, "-12.3"),
        (float("inf"), "inf"),
    ],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert report.number(value) == text


@pytest.fixture
def measured(session: Session, turns: Turns, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session whose only row has been measured."""
    row = turns.row()
    monkeypatch.setattr(report, "ROWS", {row.name: row})
    run.measure_row(session, row, rounds=2)  # rung 1, peer 6; then peer 9, rung 4
    return session


def test_the_page_shows_what_was_measured(measured: Session) -> None:
    text = report.page(measured)
    assert (
        "| a turn | 2.50 (1.00 to 4.00) ms | the peer: 7.50 | 4.12 (2.25 to 6.00) times faster | ≥ 2.00 | yes |" in text
    )
    assert "| a turn, read | 2.50 (1.00 to 4.00) ms |  |  | ≤ 0.500 | **no** |" in text
    assert "abacus, 2 cores" in text
    assert "2 rounds" in text


def test_the_page_says_where_rung_is_behind(measured: Session) -> None:
    behind = report.page(measured).partition("## Where Rung is behind")[2].partition("##")[0]
    assert "- a turn, read" in behind
    assert "against the peer" not in behind


def test_the_same_stands_for_what_came_before(session: Session, turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    first = turns.row().claims[0]
    row = turns.row(claims=(first, msgspec.structs.replace(first, what="the same: again")))
    monkeypatch.setattr(report, "ROWS", {row.name: row})
    run.measure_row(session, row, rounds=1)
    assert [claim["what"] for claim in report.summary(session)["claims"]] == ["a turn", "a turn: again"]


def test_a_peer_that_did_better_is_named_without_any_goal(
    session: Session, turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = Claim(what="a turn", metric="ms", unit="ms", side="peer", peer="rung", peer_name="the faster one")
    row = turns.row(claims=(claim,))
    monkeypatch.setattr(report, "ROWS", {row.name: row})
    run.measure_row(session, row, rounds=1)
    assert "- a turn (against the faster one)" in report.page(session)


def test_every_figure_of_the_page_is_in_the_summary(measured: Session) -> None:
    found = report.summary(measured)
    assert [claim["figure"]["median"] for claim in found["claims"]] == [4.125, 2.5]
    assert found["rounds"]["turns"][0] == {"rung": {"ms": 1.0}, "peer": {"ms": 6.0}}
    assert found["code"] == {"turns": ["c0de"]}


def test_figures_of_earlier_code_are_shown_as_such(measured: Session) -> None:
    later = msgspec.structs.replace(measured, code="0ther")
    assert "source c0de, not the present one" in report.page(later)
    assert "not the present one" not in report.page(measured)
    assert report.summary(later)["code"] == {"turns": ["c0de"]}


def test_a_row_without_a_complete_round_says_so(
    session: Session, turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = turns.row()
    monkeypatch.setattr(report, "ROWS", {row.name: row})
    text = report.page(session)
    assert "| Turns | not measured | | | | |" in text
    assert "behind" not in text


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.name)
def test_a_row_claims_only_what_it_measures(row: Row) -> None:
    for claim in row.claims:
        assert claim.side in row.sides
        assert claim.peer is None or claim.peer in row.sides
        assert (claim.peer is None) == (claim.peer_name is None)
    assert row.sizes.keys() == row.quick.keys()
    assert row.claims


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.name)
def test_words_about_limits_hold_no_figures(row: Row) -> None:
    assert row.limits
    assert not re.search(r"\d", row.limits), "a figure on the page comes from a run"
