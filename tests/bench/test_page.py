"""The page's harness, as far as it needs no browser."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from bench.journal import Measured
from bench.page import report, study
from bench.page.sides import delays

from rung.runner.log import open_state
from rung.store.sqlite import SqliteStore
from rung.study.invariants import broken
from rung.study.transitions import Phase

HOST = {"processor": "P", "cores": 2, "memory_gb": 8, "kernel": "Linux", "python": "3", "file_system": "ext4"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SqliteStore:
    """A study of 300 trials, 10 of them with curves of 6 reports, 8 still running."""
    made = SqliteStore(f"sqlite:///{tmp_path_factory.mktemp('page') / 'rung.db'}")
    study.make(made, "large", trials=300, curves=10, reports=6, unfinished=True)
    return made


def test_the_log_folds_to_what_the_snapshot_holds(store: SqliteStore) -> None:
    state = open_state(store, "large")
    kept = store.snapshot("large")
    assert kept is not None
    assert kept.seq == state.seq
    assert broken(state) == []
    assert len(state) == 300
    assert state.counts["running"] == 8
    assert int((state.table["steps"] == 6).sum()) == 10
    assert min(state.counts[name] for name in ("complete", "pruned", "failed")) > 0


def test_the_planted_signal_is_in_it(store: SqliteStore) -> None:
    state = open_state(store, "large")
    complete = np.flatnonzero(state.table["phase"] == Phase.COMPLETE)
    units = state.space.encode(state.params_of(complete.tolist()))
    apart = state.table["values"][complete, 0] - study.planted(units)
    assert abs(apart.mean()) < 0.01
    assert apart.std() == pytest.approx(0.02, rel=0.2)


def test_each_append_is_told_with_its_count(store: SqliteStore) -> None:
    said = list(study.live(store, "large", rate=200, seconds=0.11))
    assert [one["complete"] for one in said][-1] == open_state(store, "large").counts["complete"]
    assert len(said) == 2


def test_a_delay_is_to_the_first_number_that_is_as_high() -> None:
    numbers = [(9.0, 5), (10.5, 8), (11.0, 12)]
    appends = [{"at": 10.0, "complete": 6}, {"at": 10.2, "complete": 8}, {"at": 10.4, "complete": 11}]
    assert delays(appends, numbers) == pytest.approx([500, 300, 600])
    with pytest.raises(RuntimeError, match="never showed 13"):
        delays([{"at": 10.0, "complete": 13}], numbers)


def one(side: str, **values: float) -> Measured:
    return Measured(key="k", row="page", side=side, round=0, values=values, at=0.0, load=0.5)


def test_the_report_says_what_missed_its_goal_and_what_was_not_measured() -> None:
    rounds = {
        "page": [{"rung 1000": one("rung 1000", first_paint=1500.0, pan_longest=40.0, first_plot=math.nan)}],
        "latency": [{"rung": one("rung", median=80.0, p95=150.0, longest=300.0, server_share=0.2)}],
        "crowd": [
            {"nobody": one("nobody", trials_per_s=20.0), "50 readers": one("50 readers", trials_per_s=19.0, server_share=0.1)}
        ] * 2,
    }  # fmt: skip
    text = report.page(rounds, HOST, peer="0.21.0", quick=True)
    assert "**1,500 ms**" in text
    assert "| 40.0 ms |" in text
    assert "not measured" in text
    assert "| **5.0% (5.0% to 5.0%)** |" in text
    assert "quick run" in text


def test_the_figures_are_strict_json(tmp_path: Path) -> None:
    rounds = {"page": [{"rung 1000": one("rung 1000", first_plot=math.nan)}]}
    report.publish(tmp_path, rounds, HOST, peer="0", quick=False)
    assert '"first_plot": null' in (tmp_path / "page.json").read_text()
