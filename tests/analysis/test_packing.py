from __future__ import annotations

import json
import math
import struct
from typing import Any

import numpy as np
import pytest

from rung.analysis.packing import mask_bits, packed, usual
from rung.analysis.trialtable import column, order
from rung.model import BadInput, Objective, Parameter
from rung.study.state import State
from rung.testing.studies import Folding, study_spec


@pytest.fixture(scope="module")
def state() -> State:
    """40 complete trials; of every fourth `momentum` is missing."""
    parameters = (
        Parameter(name="lr", type="float", min=1e-5, max=1.0, scale="log"),
        Parameter(name="opt", type="choice", values=("sgd", "adam")),
        Parameter(name="momentum", type="float", min=0, max=0.9, when="opt == 'sgd'"),
    )
    log = Folding(study_spec(parameters=parameters))
    rng = np.random.default_rng(0)
    for number in range(40):
        params: dict[str, Any] = {"lr": float(10 ** rng.uniform(-5, 0)), "opt": "adam" if number % 4 == 0 else "sgd"}
        if params["opt"] == "sgd":
            params["momentum"] = float(rng.uniform(0, 0.9))
        log.done(float(rng.normal()) if number != 7 else "NaN", params=params)
    return log.state


def unpacked(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """The header and the arrays, read as the format says and not as the writer does."""
    magic, length, zero = struct.unpack_from("<8sII", data)
    assert (magic, zero) == (b"RUNGCOL1", 0)
    assert length % 8 == 0
    header = json.loads(data[16 : 16 + length])
    columns = {}
    for one in header["columns"]:
        begin = 16 + length + one["offset"]
        assert begin % 8 == 0
        dtype = {"f64": "<f8", "i32": "<i4", "codes": "<i4"}[one["type"]]
        columns[one["name"]] = np.frombuffer(data[begin : begin + one["length"]], dtype)
    return header, columns


def test_the_format(state: State) -> None:
    header, columns = unpacked(packed(state, ["number", "lr", "opt", "momentum", "state"]))
    assert {key: header[key] for key in ("seq", "rows", "matching", "of")} == {
        "seq": state.seq, "rows": 40, "matching": 40, "of": 40,
    }  # fmt: skip
    assert [(c["name"], c["type"]) for c in header["columns"]] == [
        ("number", "i32"), ("params.lr", "f64"), ("params.opt", "codes"), ("params.momentum", "f64"),
        ("state", "codes"),
    ]  # fmt: skip
    assert header["columns"][2]["categories"] == ["sgd", "adam"]
    trials = list(state.trials())
    assert columns["number"].tolist() == list(range(40))
    assert columns["params.lr"].tolist() == [trial.params["lr"] for trial in trials]
    momentum = [None if math.isnan(value) else value for value in columns["params.momentum"].tolist()]
    assert momentum == [trial.params.get("momentum") for trial in trials]
    opt = header["columns"][2]["categories"]
    assert [opt[code] for code in columns["params.opt"]] == [trial.params["opt"] for trial in trials]


def test_the_usual_columns_filtered_and_sorted(state: State) -> None:
    assert usual(state) == [
        "number", "state", "value", "params.lr", "params.opt", "params.momentum", "metrics.loss",
    ]  # fmt: skip
    header, columns = unpacked(packed(state, where="opt == 'sgd' and number < 30", sort="value"))
    assert (header["rows"], header["matching"], header["of"]) == (22, 22, 40)
    best_first = [n for n in order(state, "value").tolist() if n < 30 and n % 4]
    assert columns["number"].tolist() == best_first


@pytest.mark.parametrize("marks", [1, 2, 3, 7, 12, 39, 40, 41])
def test_of_too_many_the_best_and_the_extremes_stay(state: State, marks: int) -> None:
    header, columns = unpacked(packed(state, ["number", "lr"], marks=marks))
    kept = columns["number"].tolist()
    assert header["rows"] == len(kept) == min(marks, 40)
    assert (header["matching"], header["of"]) == (40, 40)
    assert kept == sorted(set(kept))
    assert state.switches.best in kept
    if marks >= 5:
        lr = column(state, "lr").values
        assert {0, 39, int(lr.argmin()), int(lr.argmax())} <= set(kept)


def test_the_choice_is_the_same_each_time_and_hardly_changes_as_trials_come() -> None:
    log = Folding(study_spec(parameters=(Parameter(name="x", type="float", min=0, max=1),)))
    rng = np.random.default_rng(1)
    for _ in range(200):
        log.done(float(rng.random()), params={"x": float(rng.random())})
    before = unpacked(packed(log.state, ["number"], marks=100))[1]["number"].tolist()
    assert before == unpacked(packed(log.state, ["number"], marks=100))[1]["number"].tolist()
    for _ in range(10):
        log.done(2.0, params={"x": 0.5})
    after = unpacked(packed(log.state, ["number"], marks=100))[1]["number"].tolist()
    assert len(set(before) & set(after)) >= 90


def test_no_trials_no_objective_and_names_that_there_are_not() -> None:
    empty = Folding(study_spec(objectives=())).state
    header, columns = unpacked(packed(empty, marks=5))
    assert header["rows"] == 0
    assert columns["number"].tolist() == []
    with pytest.raises(BadInput, match=r"no column 'params\.nope'"):
        packed(empty, ["params.nope"])
    two = Folding(study_spec(objectives=(Objective(metric="a"), Objective(metric="b"))))
    two.done(1.0, 2.0)
    assert usual(two.state)[-2:] == ["metrics.a", "metrics.b"]
    assert unpacked(packed(two.state, marks=1))[0]["rows"] == 1


def test_masks_have_the_lowest_bit_first() -> None:
    mask = np.zeros(10, dtype=bool)
    mask[[0, 3, 9]] = True
    assert mask_bits(mask) == bytes([0b1001, 0b10])
    assert mask_bits(mask[:0]) == b""
