from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.analysis.filtering import LONGEST, matching, spellings
from rung.model import BadInput, Objective, Parameter
from rung.space.expressions import Expression
from rung.study import events as ev
from rung.study.state import State
from rung.testing.studies import Folding, study_spec

PARAMETERS = (
    Parameter(name="lr", type="float", min=1e-5, max=1.0, scale="log"),
    Parameter(name="width", type="int", min=8, max=64, step=8),
    Parameter(name="opt", type="choice", values=("sgd", "adam")),
    Parameter(name="momentum", type="float", min=0, max=0.9, when="opt == 'sgd'"),
    Parameter(name="layers", type="choice", values=([64, 64], [32], 3, "auto", None)),
    Parameter(name="amp", type="bool"),
    Parameter(name="model.size", type="choice", values=(1, 2, 4)),
    Parameter(name="learning rate", type="float", min=0, max=1),
    Parameter(name="epochs", type="constant", value=3),
    Parameter(name="data", type="constant", value="mnist"),
)


def trial(lr: float, opt: str = "sgd", **other: Any) -> dict[str, Any]:
    params = {"lr": lr, "width": 16, "opt": opt, "layers": [32], "amp": False, "model.size": 2, "learning rate": 0.5}
    return params | ({"momentum": 0.5} if opt == "sgd" else {}) | other


@pytest.fixture(scope="module")
def state() -> State:
    """0 to 2 complete (2 with NaN), 3 failed, 4 running with a report, 5 waiting."""
    log = Folding(study_spec(parameters=PARAMETERS))
    log.done(0.5, params=trial(0.001, width=32, layers=[64, 64]))
    log.done(0.25, params=trial(0.01, "adam", amp=True, layers="auto"))
    log.done("NaN", params=trial(0.1, layers=3))
    failed = log.started(log.proposed(trial(0.5, layers=[64, 64], width=8)))
    log.exited(failed, code=1)
    log.completed(failed, state="failed", error="CUDA out of memory")
    running = log.started(log.proposed(trial(1.0, "adam", layers=None)))
    log.reported(running, {"loss": 4.0, "acc": 0.5})
    log.proposed(trial(1e-5))
    log.add(ev.NotesChanged, who="test", trial=1, tagged=("keep", "fast"))
    return log.state


def numbers(state: State, where: str) -> list[int]:
    return [int(number) for number in np.flatnonzero(matching(state, where))]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("", [0, 1, 2, 3, 4, 5]),
        ("  ", [0, 1, 2, 3, 4, 5]),
        ("true", [0, 1, 2, 3, 4, 5]),
        ("1 > 2", []),
        ("number in [1, 5]", [1, 5]),
        ("number not in [1, 5]", [0, 2, 3, 4]),
        ("state == 'complete'", [0, 1, 2]),
        ("state in ('failed', 'waiting')", [3, 5]),
        ("state != 'complete'", [3, 4, 5]),
        ("opt == 'adam' and state == 'complete'", [1]),
        ("opt in ['sgd', 'adam'] and not opt == 'sgd'", [1, 4]),
        ("0.001 < lr <= 0.1 and number != 3", [1, 2]),
        ("momentum >= 0", [0, 2, 3, 5]),
        ("not momentum < 0.5", [0, 2, 3, 5]),
        ("not momentum >= 0", []),
        ("loss < 0.3", [1]),
        ("not loss < 0.3", [0, 4]),
        ("loss == loss", [0, 1, 4]),
        ("value > 0", [0, 1]),
        ("metrics.loss > 0", [0, 1, 4]),
        ("acc == 0.5", [4]),
        ("params.width * 2 == 64", [0]),
        ("width / 0 > 1 and width == 32", [0]),
        ("(width - width) / 0 > 1 or not (width - width) / 0 > 1", []),
        ("2 ** 5 == width", [0]),
        ("-width < -16 and lr < 0.01", [0]),
        ("amp", [1]),
        ("not amp and state == 'complete'", [0, 2]),
        ("amp == true", [1]),
        ("amp == 1", [1]),
        ("layers == [64, 64]", [0, 3]),
        ("layers in [[64, 64], 'auto']", [0, 1, 3]),
        ("layers == 3", [2]),
        ("layers > 2", [2]),
        ("layers < width and layers > 0", [2]),
        ("layers == null", [4]),
        ("model.size > 1 and params.model.size < 4 and number < 2", [0, 1]),
        ("`learning rate` == 0.5 and number == 0", [0]),
        ("epochs == 3 and data == 'mnist' and number == 0", [0]),
        ("'keep' in tags", [1]),
        ("'keep' not in tags and state == 'complete'", [0, 2]),
        ("'memory' in error", [3]),
        ("duration > 0", [0, 1, 2, 3]),
        ("steps == 1 and attempt == 1 and started < ended", [0, 1, 2]),
        ("(opt == 'sgd') == (momentum == 0.5)", [0, 2, 3, 5]),
        ("(opt == 'sgd' or amp) == false", [4]),
        ("(not amp) == true and number < 2", [0]),
        ("width in [lr, 32]", [0]),
        ("'s' in opt", [0, 2, 3, 5]),
        ("opt == data", []),
        ("opt < 'b'", [1, 4]),
        ("model.size in [2, 3] and number in [0, 2.0]", [0, 2]),
        ("number in []", []),
        ("1 in [1, 2] in [[1, 2]]", [0, 1, 2, 3, 4, 5]),
        ("number < 2 == true", []),
    ],
)
def test_what_an_expression_matches(state: State, where: str, expected: list[int]) -> None:
    assert numbers(state, where) == expected


@pytest.mark.parametrize(
    ("where", "column", "said"),
    [
        ("lrr < 3", 1, "unknown name 'lrr' (did you mean 'lr'?)"),
        ("lr < 1 and state == complete", 21, "unknown name 'complete'; if it is a value, write 'complete' in quotes"),
        ("state == 'completed'", 10, "state is never 'completed' (did you mean 'complete'?)"),
        ("opt in ['sgd', 'adamw']", 16, "opt is never 'adamw' (did you mean 'adam'?)"),
        ("model.size == '2'", 15, "model.size is never '2'; it is one of 1, 2, 4"),
        ("lr < 'a'", 6, "'a' is a text, and is compared with a number"),
        ("lr = 1", 4, "to compare, write =="),
        ("lr < 1 && amp", 9, "write and, or, not"),
        ("opt + 1 < 3", 1, "this is no number to calculate with"),
        ("f(lr)", 1, "calls are not allowed"),
        ("lr.__class__", 1, "unknown name 'lr.__class__'"),
        ("lr if amp else 1", 1, "IfExp is not allowed"),
        ("[x for x in lr]", 1, "ListComp is not allowed"),
        ("lr is null", 1, "write == or !="),
        ("lr in 3", 7, "stands a list"),
        ("lr == b'x'", 7, "bytes values are not allowed"),
        ("lr << 2", 1, "the operator LShift is not allowed"),
        ("lr == [width]", 8, "only literals"),
        ("1" * 400 + " < lr", 1, "the number is too large"),
        ("not " * 70 + "amp", 1, "nested more than 60 deep"),
        (" or ".join(["lr < 1"] * 1000), None, f"at most {LONGEST} are read"),
    ],
)
def test_an_error_says_where_and_what_to_do(state: State, where: str, column: int | None, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        matching(state, where)
    assert said in str(caught.value)
    assert column is None or f"column {column}:" in str(caught.value)


def test_without_trials_names_and_kinds_are_checked_all_the_same() -> None:
    empty = Folding(study_spec(parameters=PARAMETERS)).state
    assert matching(empty, "lr < 1 and loss < 2 and opt == 'sgd' and 'x' in tags").tolist() == []
    with pytest.raises(BadInput, match="did you mean 'lr'"):
        matching(empty, "lrr < 1")


def test_a_bare_name_is_a_parameter_then_a_metric_then_a_column_of_the_trial() -> None:
    spec = study_spec(
        parameters=(
            Parameter(name="state", type="float", min=0, max=1),
            Parameter(name="loss", type="float", min=5, max=6),
        )
    )
    log = Folding(spec)
    log.done(0.5, params={"state": 0.25, "loss": 5.5})
    assert numbers(log.state, "state == 0.25 and loss == 5.5 and metrics.loss == 0.5 and value == 0.5") == [0]
    assert spellings(log.state)["state"] == "params.state"


def test_value_needs_a_single_objective() -> None:
    log = Folding(study_spec(objectives=(Objective(metric="loss"), Objective(metric="size"))))
    log.done(0.5, 7.0)
    assert numbers(log.state, "loss < 1 and size > 6") == [0]
    with pytest.raises(BadInput, match=r"several objectives; name metrics\.loss or metrics\.size"):
        matching(log.state, "value < 1")


def test_the_mask_follows_the_study_and_is_the_callers_own(state: State) -> None:
    log = Folding(study_spec())
    log.done(0.5)
    first = matching(log.state, "loss < 1")
    first[:] = False
    assert matching(log.state, "loss < 1").tolist() == [True]
    log.done(0.25)
    assert matching(log.state, "loss < 1").tolist() == [True, True]
    assert matching(state, "loss < 1").sum() == 2


# ------------------------------------------------------------------------------------------- against a slow reference

NUMBERS = st.sampled_from(["lr", "width", "momentum", "loss", "acc", "number", "steps", "epochs", "model.size"])
SMALL = st.sampled_from(["0", "1", "0.5", "16", "32", "0.01", "-1", "4"])
TERMS = st.recursive(
    NUMBERS | SMALL,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*"]), inner),
    max_leaves=4,
)
OPS = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
LITERALS = st.one_of(
    st.builds("{} {} {}".format, TERMS, OPS, TERMS),
    st.builds("{} {} {} {} {}".format, TERMS, OPS, TERMS, OPS, TERMS),
    st.builds("{} {} [{}, {}]".format, TERMS, st.sampled_from(["in", "not in"]), SMALL, TERMS),
    st.builds("opt {} '{}'".format, st.sampled_from(["==", "!=", "<"]), st.sampled_from(["sgd", "adam"])),
    st.builds("state {} ['complete', '{}']".format, st.sampled_from(["in", "not in"]),
              st.sampled_from(["failed", "running"])),
    st.sampled_from(["amp", "layers == [32]", "layers in ['auto', 3]", "layers != null", "amp != true", "lr"]),
)  # fmt: skip
EXPRESSIONS = st.recursive(
    LITERALS,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("not ({})".format, inner),
        st.builds("({}) == ({})".format, inner, inner),
    ),
    max_leaves=6,
)


@given(where=EXPRESSIONS)
def test_columns_at_once_give_what_trials_one_by_one_give(state: State, where: str) -> None:
    rows = []
    for one in state.trials():
        values: dict[str, Any] = {"number": one.number, "state": one.state, "steps": one.steps, **one.params}
        values |= {name: value for name, value in one.values.items() if not math.isnan(value)}
        rows.append(values)
    slow = Expression(where, known={*spellings(state)}, absent=False)
    expected = [slow.holds(values) for values in rows]
    assert matching(state, where).tolist() == expected
