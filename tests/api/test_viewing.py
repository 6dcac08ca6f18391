from __future__ import annotations

import json

import pytest

import rung
from rung.model import BadInput


def test_a_study_that_asks_and_tells_shows_itself_as_it_goes() -> None:
    study = rung.Study({"x": rung.uniform(0, 1)}, search="random", seed=1)
    assert study.view("history")["number"] == []
    asked = study.ask()
    asked.report(value=2.0, step=1)
    assert study.view("curves")["curves"][0]["y"] == [2.0]
    study.tell(asked, float("nan"))
    study.tell(study.ask(), 1.0)
    found = study.view("history", over="trial", marks="10")
    assert found["value"] == ["NaN", 1.0]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert study.view("progress")["busy"] == 0
    assert len(study.dataframe()) >= 1


def test_a_mistake_is_one_clear_line() -> None:
    study = rung.Study({"x": rung.uniform(0, 1)}, search="random", seed=1)
    with pytest.raises(BadInput, match="did you mean 'history'"):
        study.view("histories")
