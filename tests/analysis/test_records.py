from __future__ import annotations

import json
import math
from typing import Any

import pytest

from rung.analysis.records import cell, columns, duration, iso, record, whole, wired
from rung.model import Objective, Report, Trial
from rung.study.state import State
from rung.testing.studies import BEGIN, Folding, study_spec

KEYS = [
    "number",
    "state",
    "params",
    "value",
    "values",
    "steps",
    "started",
    "ended",
    "duration",
    "attempt",
    "reason",
    "error",
]


@pytest.fixture
def state() -> State:
    """Trial 0 complete, 1 failed, 2 complete with NaN, 3 waiting."""
    log = Folding(study_spec())
    number = log.proposed({"lr": 0.01, "width": 16, "opt": "sgd", "momentum": 0.5})
    log.started(number)
    log.reported(number, {"loss": 0.5, "acc": 0.25}, {"loss": 0.125})
    log.exited(number)
    log.completed(number, 0.125)
    log.failed("exit status 1: boom")
    log.done("NaN")
    log.proposed({"lr": 0.1, "width": 8, "opt": "adam", "epochs": 9})
    return log.state


def test_the_keys_are_those_of_the_contract(state: State) -> None:
    for trial in state.trials():
        assert list(record(state, trial)) == KEYS
    assert list(record(state, state.trial(0), [])) == [*KEYS, "reports"]


def test_a_complete_trial(state: State) -> None:
    assert record(state, state.trial(0)) == {
        "number": 0,
        "state": "complete",
        "params": {"lr": 0.01, "width": 16, "opt": "sgd", "momentum": 0.5, "epochs": 3},
        "value": 0.125,
        "values": {"loss": 0.125, "acc": 0.25},
        "steps": 2,
        "started": "2023-11-14T22:13:23.000Z",
        "ended": "2023-11-14T22:13:25.000Z",
        "duration": 2.0,
        "attempt": 1,
        "reason": None,
        "error": None,
    }


def test_a_failed_and_a_waiting_trial(state: State) -> None:
    failed, waiting = (record(state, state.trial(number)) for number in (1, 3))
    assert (failed["state"], failed["value"], failed["error"]) == ("failed", None, "exit status 1: boom")
    assert (waiting["state"], waiting["started"], waiting["duration"], waiting["attempt"]) == ("waiting", None, None, 0)
    assert waiting["params"] == {"lr": 0.1, "width": 8, "opt": "adam", "epochs": 9}


def test_every_record_is_strict_json(state: State) -> None:
    nan = record(state, state.trial(2))
    assert (nan["value"], nan["values"]) == ("NaN", {"loss": "NaN"})
    json.dumps([record(state, trial) for trial in state.trials()], allow_nan=False)


def test_reports_are_timed_from_the_start(state: State) -> None:
    trial = state.trial(0)
    assert trial.started == BEGIN + 3
    reports = [Report(1.0, BEGIN + 4.5, {"loss": "NaN"}), Report(1.5, BEGIN, {"loss": 0.5})]
    assert record(state, trial, reports)["reports"] == [
        {"step": 1, "time": 1.5, "values": {"loss": "NaN"}},
        {"step": 1.5, "time": 0.0, "values": {"loss": 0.5}},
    ]
    assert isinstance(record(state, trial, reports)["reports"][0]["step"], int)


def test_several_objectives_have_no_single_value() -> None:
    log = Folding(study_spec(objectives=(Objective(metric="loss"), Objective(metric="acc", goal="maximize"))))
    log.done(0.5, 0.75)
    found = record(log.state, log.state.trial(0))
    assert (found["value"], found["values"]) == (None, {"loss": 0.5, "acc": 0.75})


def test_columns(state: State) -> None:
    table = columns(state)
    assert list(table) == [
        "number", "state", "value", "params_lr", "params_width", "params_opt", "params_momentum", "params_epochs",
        "values_loss", "values_acc", "steps", "started", "ended", "duration", "attempt", "reason", "error",
    ]  # fmt: skip
    assert {len(column) for column in table.values()} == {4}
    assert table["params_momentum"][0] == 0.5
    assert table["params_momentum"][3] is None
    assert table["params_epochs"] == [3, 3, 3, 9]
    assert table["values_acc"] == [0.25, None, None, None]
    assert table["value"] == pytest.approx([0.125, None, math.nan, None], nan_ok=True)


def test_columns_of_a_study_without_trials() -> None:
    assert set(map(len, columns(Folding(study_spec()).state).values())) == {0}


def test_columns_make_data_frames(state: State) -> None:
    import pandas as pd
    import polars as pl

    for frame in (pd.DataFrame(columns(state)), pl.DataFrame(columns(state))):
        assert next(iter(frame["params_width"])) == 16
        assert len(frame) == 4


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("a b", "a b"),
        (0.1, "0.1"),
        (1e-5, "1e-05"),
        (3, "3"),
        (True, "true"),
        ([1, "ü"], '[1, "ü"]'),
        ({"a": None}, '{"a": null}'),
    ],
)
def test_cells(value: Any, text: str) -> None:
    assert cell(value) == text


def test_small_ones() -> None:
    assert iso(None) is None
    assert iso(0.0015) in {"1970-01-01T00:00:00.001Z", "1970-01-01T00:00:00.002Z"}
    assert wired({"a": (math.inf, [math.nan, "x", 1])}) == {"a": ["Infinity", ["NaN", "x", 1]]}
    assert [whole(3.0), whole(2.5), whole(1e300)] == [3, 2.5, 1e300]
    assert isinstance(whole(3.0), int)
    backwards = Trial(number=0, state="complete", params={}, started=10.0, ended=5.0)
    assert duration(backwards) == 0.0  # the clock was set back
