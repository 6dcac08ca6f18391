from __future__ import annotations

import csv
import io

import pytest

from rung.analysis import records
from rung.analysis.trialcsv import csv_lines, picked
from rung.analysis.trialtable import order
from rung.model import Parameter
from rung.study.state import State
from rung.testing.studies import Folding, study_spec

PARAMETERS = (
    Parameter(name="lr", type="float", min=1e-5, max=1.0, scale="log"),
    Parameter(name="width", type="int", min=8, max=64, step=8),
    Parameter(name="deep", type="choice", values=([1, 2], True, 3.5)),
    Parameter(name="epochs", type="constant", value=3),
    Parameter(name="a,b", type="constant", value='x, "y"'),
)


def folded() -> Folding:
    """0, 1, 2 complete (2 with NaN), 3 failed, 4 running."""
    log = Folding(study_spec(parameters=PARAMETERS))
    log.done(0.5, params={"lr": 0.01, "width": 16, "deep": True})
    log.done(0.25, params={"lr": 0.001, "width": 8, "deep": [1, 2], "epochs": 5})
    log.done("NaN", params={"lr": 0.1, "width": 64, "deep": 3.5})
    log.failed("boom, twice")
    running = log.started(log.proposed({"lr": 0.3, "width": 24, "deep": True}))
    log.reported(running, {"loss": 4.0, "acc": "Infinity"})
    return log


@pytest.fixture(scope="module")
def state() -> State:
    return folded().state


def test_csv_says_what_the_records_say(state: State) -> None:
    text = "".join(csv_lines(state, order(state, None)))
    table = list(csv.DictReader(io.StringIO(text)))
    expected = records.columns(state)
    assert set(table[0]) == set(expected)
    for name, cells in expected.items():
        assert [row[name] for row in table] == [records.cell(value) for value in cells], name
    assert text.count("\r") == 0


def test_csv_of_chosen_columns(state: State) -> None:
    text = "".join(csv_lines(state, order(state, "value")[:2], ["number", "lr", "metrics.loss", "tags"]))
    assert text == "number,lr,metrics.loss,tags\n1,0.001,0.25,[]\n0,0.01,0.5,[]\n"


def test_a_csv_that_was_begun_is_of_one_moment() -> None:
    log = folded()
    lines = csv_lines(log.state, order(log.state, None), ["number", "state"])
    head = next(lines)
    log.exited(4)
    log.completed(4, 4.0)
    assert "4,running" in head + "".join(lines)


def test_columns_as_plain_values(state: State) -> None:
    assert picked(state, [2, 4, 1], ["number", "state", "value", "width", "deep", "metrics.acc", "ended"]) == [
        [2, "complete", "NaN", 64, 3.5, None, records.iso(state.trial(2).ended)],
        [4, "running", None, 24, True, "Infinity", None],
        [1, "complete", 0.25, 8, [1, 2], None, records.iso(state.trial(1).ended)],
    ]


def test_no_cell_is_a_formula() -> None:
    """A spreadsheet would run it when it opens the file; what is only odd stays as it is."""
    words = ("=HYPERLINK(0)", "@SUM(A1)", "-2+3+cmd|' /C calc'!A0", "\t=1", "-O2", "+1", "a=b")
    log = Folding(study_spec(parameters=(Parameter(name="opt", type="choice", values=words),)))
    for word in words:
        log.done(-1.5, params={"opt": word})
    text = "".join(csv_lines(log.state, order(log.state, None), ["value", "opt"]))
    table = list(csv.reader(io.StringIO(text)))[1:]
    assert [row[1] for row in table] == [f"'{word}" for word in words[:4]] + list(words[4:])
    assert {row[0] for row in table} == {"-1.5"}
