from __future__ import annotations

import numpy as np
import pytest

from analysis.views.planted import filled, readable, told
from rung.analysis.views import show
from rung.model import BadInput, Objective, Parameter

SPACE = (
    Parameter(name="lr", type="float", min=1e-4, max=1, scale="log"),
    Parameter(name="opt", type="choice", values=("sgd", [1, 2])),
    Parameter(name="momentum", type="float", min=0, max=1, when="opt == 'sgd'"),
    Parameter(name="same", type="int", min=0, max=9),
)
CONFIGURATIONS = [
    {"lr": 0.1, "opt": "sgd", "momentum": 0.5, "same": 3},
    {"lr": 0.01, "opt": [1, 2], "same": 3},
    {"lr": 0.001, "opt": "sgd", "momentum": 0.1, "same": 3},
]


def test_axes_are_parameters_that_vary_then_objectives() -> None:
    log = filled(told(SPACE), CONFIGURATIONS, [0.3, 0.1, 0.2])
    found = show(readable(log), "parallel")
    assert [(line.group, line.axis.name) for line in found.axes] == [
        ("params", "lr"), ("params", "opt"), ("params", "momentum"), ("metrics", "loss"),
    ]  # fmt: skip
    assert found.constant == ["same"]
    lr, opt, momentum, loss = found.axes
    assert found.number == [0, 2, 1]  # the best is drawn last, on top
    assert found.rank == [2, 1, 0]
    assert found.value == loss.values == [0.3, 0.2, 0.1]
    assert (lr.axis.scale, lr.values) == ("log", [0.1, 0.001, 0.01])
    assert (opt.axis.categories, opt.values) == (["sgd", "[1, 2]"], [0.0, 0.0, 1.0])
    assert momentum.values == [0.5, 0.1, None]
    assert (loss.goal, loss.axis.low, loss.axis.high) == ("minimize", 0.1, 0.3)
    assert found.low == pytest.approx(0.11)
    assert found.high == pytest.approx(0.29)


def test_parameters_and_metrics_can_be_chosen_and_ordered() -> None:
    log = filled(told(SPACE), CONFIGURATIONS, [0.3, 0.1, 0.2])
    found = show(readable(log), "parallel", parameters="same,lr", metrics=[])
    assert [line.axis.name for line in found.axes] == ["same", "lr"]
    with pytest.raises(BadInput, match="metric 'los'"):
        show(readable(log), "parallel", metrics="los")


def test_of_many_half_are_the_best_and_half_a_sample_that_stays_the_same() -> None:
    values = np.random.default_rng(0).random(200)
    params = [{"lr": 1e-4 + 0.9 * v, "opt": "sgd", "momentum": 0.5, "same": 3} for v in values.tolist()]
    log = filled(told(SPACE, objectives=(Objective(metric="acc", goal="maximize"),)), params, values.tolist())
    found = show(readable(log), "parallel", marks=40)
    assert (found.shown, found.of) == (40, 200)
    assert found.number[-20:] == np.argsort(values)[-20:].tolist()
    assert found.rank[-20:] == list(range(19, -1, -1))
    assert found == show(readable(log), "parallel", marks=40)
    top = show(readable(log), "parallel", top=5)
    assert (top.of, top.rank) == (5, [4, 3, 2, 1, 0])


def test_the_most_important_come_first_when_asked() -> None:
    rng = np.random.default_rng(0)
    params = [{"a": a, "b": b} for a, b in rng.random((60, 2)).tolist()]
    axes = tuple(Parameter(name=name, type="float", min=0, max=1) for name in "ab")
    log = filled(told(axes), params, [own["b"] for own in params])
    found = show(readable(log), "parallel", order="importance")
    assert [line.axis.name for line in found.axes] == ["b", "a", "loss"]


def test_several_objectives_have_an_axis_each_and_a_missing_value_is_null() -> None:
    log = told(SPACE, objectives=(Objective(metric="loss"), Objective(metric="seconds", goal="minimize")))
    filled(log, CONFIGURATIONS, [(1.0, "NaN"), (2.0, 5.0), (3.0, "Infinity")])
    found = show(readable(log), "parallel")
    seconds = found.axes[-1]
    assert seconds.axis.name == "seconds"
    assert seconds.values == ["Infinity", 5.0, "NaN"]
    assert (seconds.axis.low, seconds.axis.high) == (5.0, 5.0)


@pytest.mark.parametrize("values", [[], [None, None, None], ["NaN", "NaN", "NaN"]])
def test_nothing_to_draw(values: list[object]) -> None:
    log = filled(told(SPACE), CONFIGURATIONS[: len(values)], values)
    found = show(readable(log), "parallel")
    assert (found.shown, found.of, found.low, found.number) == (0, 0, None, [])
