from __future__ import annotations

import math

import numpy as np
import pytest

from rung.execute.simulation.curves import Curve, Functions, checked
from rung.model import BadInput


def test_functions_are_asked_at_every_step() -> None:
    curves = Functions(lambda p, step: {"loss": p["x"] / step, "size": 2.0}, 3.0, 4)
    steps, seconds, metrics = curves.curve({"x": 2.0}, seed=0)
    assert steps.tolist() == [1, 2, 3, 4]
    assert seconds.tolist() == [3, 6, 9, 12]
    assert {name: column.tolist() for name, column in metrics.items()} == {
        "loss": [2, 1, 2 / 3, 0.5],
        "size": [2.0] * 4,
    }


def test_seconds_may_be_a_function_and_steps_a_list() -> None:
    curves = Functions(lambda p, step: {"loss": step}, lambda p, step: p["x"] * step**2, [1, 3, 9])
    curve = curves.curve({"x": 2.0}, seed=0)
    assert curve.steps.tolist() == [1, 3, 9]
    assert curve.seconds.tolist() == [2, 18, 162]


def test_a_function_that_measures_something_else_on_the_way_is_refused() -> None:
    curves = Functions(lambda p, step: {"loss": 1.0} if step < 2 else {"accuracy": 1.0}, 1.0, 3)
    with pytest.raises(BadInput, match="curves: expected the same metrics at every step"):
        curves.curve({}, seed=0)


def test_steps_are_needed() -> None:
    with pytest.raises(BadInput, match="steps: expected at least one step, got none"):
        Functions(lambda p, step: {"loss": 1.0}, 1.0, 0)


def curve(steps: list[float], seconds: list[float], loss: list[float] | None = None) -> Curve:
    return Curve(np.array(steps), np.array(seconds), {"loss": np.array([0.0] * len(steps) if loss is None else loss)})


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (curve([1, 2], [1, 2, 3]), "here: seconds has 3 values for 2 steps"),
        (curve([1, 2], [1, 2], [1]), "here: loss has 1 values for 2 steps"),
        (curve([1, 1], [1, 2]), "here: steps must increase and be above 0, got 1 after 1"),
        (curve([0, 1], [1, 2]), "here: steps must increase and be above 0, got 0 after 0"),
        (curve([1, math.nan], [1, 2]), "here: steps must increase and be above 0, got nan after 1"),
        (curve([1, 2], [3, 2]), "here: seconds count from the start and must not fall, got 2 after 3 at step 2"),
        (
            curve([1, 2], [1, math.nan]),
            "here: seconds count from the start and must not fall, got nan after 1 at step 2",
        ),
        (
            curve([1, 2], [1, math.inf]),
            "here: seconds count from the start and must not fall, got inf after 1 at step 2",
        ),
        (curve([1], [-1]), "here: seconds count from the start and must not fall, got -1 after 0 at step 1"),
    ],
)
def test_curves_that_cannot_be_are_refused(found: Curve, says: str) -> None:
    with pytest.raises(BadInput) as error:
        checked(found, "here")
    assert str(error.value) == says


def test_equal_times_and_metrics_that_are_no_numbers_can_be() -> None:
    assert checked(curve([1, 2, 4.5], [2, 2, 3], [math.nan, math.inf, 1]), "here").steps[-1] == 4.5
