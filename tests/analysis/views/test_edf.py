from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from analysis.views.storied import prune, storied
from rung.analysis.views import plain, show
from rung.model import Objective

VALUES: list[Any] = [3.0, 1.0, "NaN", 2.0, None, 1.0, "Infinity", 5.0, "-Infinity"]


def seen(values: list[Any], **options: Any) -> Any:
    log = storied(objectives=[Objective(metric="loss"), Objective(metric="acc")])
    for value in values:
        if value is None:
            log.failed()
        else:
            log.done(value, 0.5)
    return plain(show(log.handle, "edf", **options))


def test_it_is_the_share_of_trials_at_or_below() -> None:
    found = seen(VALUES)
    given = [float(value) for value in VALUES if value is not None]
    finite = [value for value in given if math.isfinite(value)]
    assert found["x"] == sorted(set(finite))
    for x, y in zip(found["x"], found["y"], strict=True):
        assert y == pytest.approx(sum(value <= x for value in finite) / len(given))
    assert (found["trials"], found["finite"], found["of"], found["shown"]) == (8, 5, 4, 4)
    assert found["y"][-1] == 5 / 8
    assert found["metric"] == "loss"


def test_other_objectives_filters_and_states() -> None:
    assert seen(VALUES, objective="acc")["x"] == [0.5]
    assert seen(VALUES, where="number in [0, 1]")["y"] == [0.5, 1.0]
    log = storied()
    prune(log, 2.0)
    assert plain(show(log.handle, "edf"))["trials"] == 0
    assert plain(show(log.handle, "edf", states="complete,pruned"))["x"] == [2.0]


def test_fewer_marks_lie_on_the_same_curve() -> None:
    values = np.random.default_rng(3).normal(size=120).tolist()
    every, some = seen(values), seen(values, marks=21)
    assert (some["of"], some["shown"]) == (120, 21)
    points = set(zip(every["x"], every["y"], strict=True))
    assert set(zip(some["x"], some["y"], strict=True)) <= points
    assert (some["x"][0], some["x"][-1]) == (every["x"][0], every["x"][-1])


@pytest.mark.parametrize("values", [[], [None], ["NaN"]])
def test_nothing_finite(values: list[Any]) -> None:
    assert seen(values)["x"] == []


def test_no_objective() -> None:
    assert plain(show(storied(objectives=[]).handle, "edf"))["metric"] is None
