from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.analysis import records
from rung.analysis.trialtable import (
    STATES,
    available,
    column,
    listed,
    metric_names,
    order,
    remembered,
    resolved,
    rows,
)
from rung.model import BadInput, Objective, Parameter, to_wire
from rung.study import events as ev
from rung.study.state import State
from rung.testing.studies import BEGIN, Folding, study_spec

PARAMETERS = (
    Parameter(name="lr", type="float", min=1e-5, max=1.0, scale="log"),
    Parameter(name="opt", type="choice", values=("sgd", "adam")),
    Parameter(name="momentum", type="float", min=0, max=0.9, when="opt == 'sgd'"),
    Parameter(name="width", type="int", min=8, max=64, step=8),
    Parameter(name="deep", type="choice", values=([1, 2], True, 3.5)),
    Parameter(name="epochs", type="constant", value=3),
    Parameter(name="a,b", type="constant", value="x, y"),
)


def trial(lr: float, opt: str = "sgd", **other: Any) -> dict[str, Any]:
    return {"lr": lr, "opt": opt, "width": 16, "deep": True} | ({"momentum": 0.5} if opt == "sgd" else {}) | other


def folded(*objectives: Objective) -> Folding:
    """0, 1, 2 complete (2 with NaN), 3 failed, 4 running, 5 waiting; 1 ran with another constant."""
    log = Folding(study_spec(parameters=PARAMETERS, objectives=objectives or (Objective(metric="loss"),)))
    more: tuple[Any, ...] = (1.0,) * (len(log.state.spec.objectives) - 1)
    log.done(0.5, *more, params=trial(0.01))
    log.done(0.25, *more, params=trial(0.001, "adam", epochs=5, deep=[1, 2]))
    log.done("NaN", *more, params=trial(0.1, width=8))
    failed = log.started(log.proposed(trial(0.2)))
    log.reported(failed, {"loss": 9.0})
    log.exited(failed, code=1)
    log.completed(failed, state="failed", error="boom, twice")
    running = log.started(log.proposed(trial(0.3, "adam")))
    log.reported(running, {"loss": 4.0, "acc": "Infinity"})
    log.proposed(trial(1e-5))
    log.add(ev.NotesChanged, who="test", trial=1, tagged=("keep",))
    return log


@pytest.fixture(scope="module")
def state() -> State:
    return folded().state


def values(state: State, name: str) -> list[Any]:
    """The column as Python values, None where missing."""
    found = column(state, name)
    if found.categories is not None:
        return [None if code < 0 else found.categories[code] for code in found.values.tolist()]
    return [None if gone else value for value, gone in zip(found.values.tolist(), found.missing.tolist(), strict=True)]


def test_columns_are_what_the_records_say(state: State) -> None:
    for name, key in [("number", "number"), ("state", "state"), ("steps", "steps"), ("attempt", "attempt"),
                      ("value", "value"), ("started", "started"), ("ended", "ended"), ("error", "error")]:  # fmt: skip
        expected = [getattr(one, key) for one in state.trials()]
        assert repr(values(state, name)) == repr(expected), name
    for name in ("lr", "opt", "momentum", "width", "deep", "epochs", "a,b"):
        assert values(state, f"params.{name}") == [one.params.get(name) for one in state.trials()], name
    for name in ("loss", "acc"):
        found = values(state, f"metrics.{name}")
        assert repr(found) == repr([one.values.get(name) for one in state.trials()]), name
    assert values(state, "duration") == [records.duration(one) for one in state.trials()]
    assert values(state, "tags") == [[], ["keep"], [], [], [], []]
    assert column(state, "value").missing.tolist() == [False, False, False, True, True, True]


def test_kinds_of_columns(state: State) -> None:
    kinds = {name: column(state, name).values.dtype.str for name in ("number", "lr", "width", "opt", "started")}
    assert kinds == {"number": "<i4", "lr": "<f8", "width": "<f8", "opt": "<i4", "started": "<f8"}
    with pytest.raises(ValueError, match="read-only"):
        column(state, "lr").values[0] = 1.0


def test_a_column_stays_as_it_was_when_the_study_goes_on() -> None:
    log = folded()
    before = column(log.state, "state")
    kept = before.values.tolist()
    assert column(log.state, "state") is before
    log.exited(4)
    log.completed(4, 4.0)
    assert before.values.tolist() == kept
    assert STATES[column(log.state, "state").values[4]] == "complete"


def test_choices_that_were_edited_have_the_values_of_all_versions() -> None:
    spec = study_spec(parameters=(Parameter(name="opt", type="choice", values=("sgd", "adam")),))
    log = Folding(spec)
    log.done(0.5, params={"opt": "sgd"})
    log.done(0.5, params={"opt": "adam"})
    log.add(ev.SpecChanged, who="test", changes=(),
            parameters=(Parameter(name="opt", type="choice", values=("lion", "adam")),))  # fmt: skip
    log.done(0.5, params={"opt": "lion"})
    log.done(0.5, params={"opt": "adam"})
    assert column(log.state, "opt").categories == ("lion", "adam", "sgd")
    assert values(log.state, "opt") == ["sgd", "adam", "lion", "adam"]


def test_what_there_is(state: State) -> None:
    infos = {info.name: info for info in available(state)}
    assert list(infos) == [
        "number", "state", "value", "params.lr", "params.opt", "params.momentum", "params.width", "params.deep",
        "params.epochs", "params.a,b", "metrics.loss", "metrics.acc", "steps", "duration", "started", "ended",
        "attempt", "tags", "reason", "error",
    ]  # fmt: skip
    assert infos["params.lr"].log
    assert (infos["params.lr"].low, infos["params.lr"].high) == (1e-5, 1.0)
    assert infos["params.width"].type == "integer"
    assert infos["params.deep"].categories == [[1, 2], True, 3.5]
    assert infos["metrics.loss"].goal == "minimize"
    assert infos["started"].type == "time"
    for name in infos:
        assert resolved(state, name) == name
        column(state, name)


def test_names_may_be_short_and_errors_say_what_was_meant(state: State) -> None:
    assert resolved(state, "lr") == "params.lr"
    assert resolved(state, "acc") == "metrics.acc"
    assert listed(state, "lr, a,b ,params.opt") == ["params.lr", "params.a,b", "params.opt"]
    assert listed(state, " ") is None
    with pytest.raises(BadInput, match=r"no column 'params.ltr' \(did you mean 'params.lr'\?\)"):
        column(state, "params.ltr")
    two = folded(Objective(metric="loss"), Objective(metric="size")).state
    with pytest.raises(BadInput, match=r"several objectives; name metrics\.loss or metrics\.size"):
        column(two, "value")
    assert "value" not in {info.name for info in available(two)}


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (None, [0, 1, 2, 3, 4, 5]),
        ("", [0, 1, 2, 3, 4, 5]),
        ("-number", [5, 4, 3, 2, 1, 0]),
        ("value", [1, 0, 2, 3, 4, 5]),  # NaN is worst, and yet a value
        ("-value", [2, 0, 1, 3, 4, 5]),
        ("lr", [5, 1, 0, 2, 3, 4]),
        ("-lr", [4, 3, 2, 0, 1, 5]),
        ("opt", [1, 4, 0, 2, 3, 5]),
        ("momentum", [0, 2, 3, 5, 1, 4]),
        ("-params.momentum", [0, 2, 3, 5, 1, 4]),
        ("state", [0, 1, 2, 3, 4, 5]),
        ("-state", [5, 4, 3, 0, 1, 2]),
        ("metrics.loss", [1, 0, 4, 3, 2, 5]),
    ],
)
def test_sorting(state: State, sort: str | None, expected: list[int]) -> None:
    assert order(state, sort).tolist() == expected
    mask = np.array([True, False, True, False, True, True])
    assert order(state, sort, mask).tolist() == [number for number in expected if mask[number]]


def test_the_best_come_first_whatever_is_wanted() -> None:
    goals: list[tuple[Literal["maximize"] | float, list[int]]] = [("maximize", [2, 1, 0]), (2.4, [1, 2, 0])]
    for goal, expected in goals:
        log = Folding(study_spec(objectives=(Objective(metric="acc", goal=goal),)))
        for value in (0.5, 2.0, 3.0):
            log.done(value)
        assert order(log.state, "value").tolist() == expected


FLOATS = st.one_of(st.floats(-3, 3), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0]))


@given(losses=st.lists(FLOATS, min_size=1, max_size=12), down=st.booleans())
def test_sorting_is_stable_with_missing_ones_last(losses: list[float], down: bool) -> None:
    log = Folding(study_spec())
    for loss in losses:
        log.done(to_wire(loss))
    found = order(log.state, ("-" if down else "") + "metrics.loss").tolist()
    there = [n for n in range(len(losses)) if not math.isnan(losses[n])]
    expected = sorted(there, key=lambda n: (-losses[n] if down else losses[n], n))
    assert found == expected + [n for n in range(len(losses)) if math.isnan(losses[n])]


def test_rows_are_the_records_in_the_order_asked_for(state: State) -> None:
    assert rows(state, [4, 1]) == [records.record(state, state.trial(4)), records.record(state, state.trial(1))]
    assert rows(state, []) == []


def test_metrics_in_the_order_of_declaration_and_appearance(state: State) -> None:
    assert metric_names(state) == ["loss", "acc"]
    assert metric_names(Folding(study_spec()).state) == ["loss"]


def test_what_is_remembered_is_bounded_and_forgotten_when_the_study_goes_on() -> None:
    log = Folding(study_spec())
    made: list[int] = []

    def make() -> int:
        made.append(len(made))
        return made[-1]

    assert [remembered(log.state, "test", key, make) for key in (*range(40), 39)] == [*range(40), 39]
    assert remembered(log.state, "test", 0, lambda: "again") == "again"
    log.attached(at=BEGIN)
    assert remembered(log.state, "test", 39, lambda: "anew") == "anew"
